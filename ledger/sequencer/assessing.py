"""What would be decided of a request, and why, recording nothing."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ledger.core.columns import Column, listed
from ledger.core.errors import InputRejected, RejectedRow
from ledger.core.form import RowFault, parse_records
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.columns import Record
from ledger.rulebook.fold import Fold
from ledger.rulebook.limits import LIMITS
from ledger.rulebook.sentences import decision_sentence
from ledger.sequencer.desk import Desk
from ledger.sequencer.entries import entry_columns

DECIDED = ("outcome", "basis", "limit_id", "tpp", "remaining_tpp", "account")


@dataclass(frozen=True)
class Tested:
    """A limit that a record was tested against, with the account that spoke, in TPP.

    `observed_tpp` is the account with the record counted; of limits 0 to 3, which have no account, the TPP at fault.
    `left_tpp` is what the account leaves: before a refused record, after any other.
    """

    limit_id: str
    title: str
    account: str | None
    observed_tpp: int
    most_tpp: int
    left_tpp: int
    exceeded: bool
    citation: str
    heaviest: tuple[dict[str, Any], ...] = ()
    """The recorded records that weighed most on the account; empty in an assessment."""


@dataclass(frozen=True)
class Assessment:
    """A decision, with every limit that was tested for it."""

    decision: dict[str, Any]
    limits: tuple[Tested, ...]


def assess(desk: Desk, request: dict[str, str]) -> Assessment:
    """Decide a request for an allocation.

    `request` has destination, consignee, chip, quantity, date and perhaps basis, as texts. Raises InputRejected.
    """
    row = {"reference": "assessed", "kind": "allocation"} | request
    form = parse_records({name: Column.of([value]) for name, value in row.items()}, 1, desk.vocabulary)
    if form.faults:
        raise _rejected(form.faults)
    numbers = {name: int(column[0]) for name, column in form.numbers.items()}
    record = Record(
        reference=0,
        content=0,
        kind=numbers["kind"],
        day=numbers["date"],
        place=numbers["destination"],
        consignee=numbers["consignee"],
        chip=numbers["chip"],
        quantity=numbers["quantity"],
        basis=max(numbers["basis"], 0),
    )
    fold = Fold(desk.codebook, desk.balances(), {}, (), desk.head().sequence + 1)
    decisions = fold.one(record)
    if decisions.rejections:
        message = f"found {row['quantity']} chips, more TPP than any account of this ledger can hold"
        raise _rejected([RowFault(0, "quantity", decisions.rejections[0].code, message)])
    columns = entry_columns(desk.codebook, "", form, decisions, np.array([0]), np.array([1]))
    values = {name: listed(column)[0] for name, column in columns.items()}
    decision = {name: values[name] for name in DECIDED} | {"message": decision_sentence(desk.rulebook, values)}
    return Assessment(decision, tested_limits(desk.codebook, fold))


def tested_limits(codebook: Codebook, fold: Fold) -> tuple[Tested, ...]:
    """Say for people what the fold read for its last record."""
    family = codebook.parties[fold.claim.family]
    return tuple(
        Tested(
            limit_id=limit.id,
            title=codebook.rulebook.limits[limit.id].title,
            account=limit.account_name(family, codebook.places[reading.account.destination], reading.account.period),
            observed_tpp=reading.observed,
            most_tpp=reading.most,
            left_tpp=reading.left,
            exceeded=reading.excess > 0,
            citation=codebook.rulebook.limits[limit.id].citation,
        )
        for reading, limit in ((reading, LIMITS[reading.limit]) for reading in fold.readings)
    )


def _rejected(faults: list[RowFault]) -> InputRejected:
    rows = [RejectedRow("request", None, None, fault.field, fault.code, fault.message) for fault in faults]
    return InputRejected("the request cannot be assessed", rows)
