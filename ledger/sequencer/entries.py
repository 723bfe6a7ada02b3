"""Decided rows as the columns of the table `entry`: numbers become codes again, texts are as they were given."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np

from ledger.core.columns import ABSENT, Column, Numbers, distinct
from ledger.core.form import Form
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.columns import Decisions
from ledger.rulebook.limits import LIMITS
from schemas.words import LIMIT_IDS, Basis, Kind, Outcome, word

_GIVEN: Final = {
    "reference": "reference",
    "stated_destination": "destination",
    "stated_consignee": "consignee",
    "stated_chip": "chip",
    "stated_basis": "basis",
    "under": "under",
    "license_number": "license_number",
    "exporter": "exporter",
    "site": "site",
    "evidence": "evidence",
    "note": "note",
}
_COUNTS: Final = {
    "cap_tpp": "cap",
    "lpp_tpp": "lpp",
    "lpp_year": "lpp_year",
    "lpp_from_tpp": "lpp_from",
    "lpp_from_year": "lpp_from_year",
    "nveu_tpp": "nveu",
    "nveu_quarter": "nveu_quarter",
    "committed_tpp": "committed",
    "installed_tpp": "installed",
    "pending_tpp": "pending",
}
_SAME: Final = ("quantity", "tpp", "fulfilled", "remaining_tpp", "limit_tpp", "under_sequence")


def entry_columns(
    codebook: Codebook, provider: str, form: Form, decisions: Decisions, files: Numbers, rows: Numbers
) -> dict[str, Column | Numbers]:
    """Give the columns of `entry` but those that the store numbers, for the recorded rows in order.

    `files` has each recorded row's file, from 0, and `rows` its row there, from 1. Numbers are `ABSENT` where blank.
    """
    decided = decisions.columns
    columns: dict[str, Column | Numbers] = {
        name: form.given[source][decisions.row].trimmed() for name, source in _GIVEN.items()
    }
    columns["provider"] = Column.constant(provider, len(decisions))
    columns["file_number"], columns["row"] = files + 1, rows
    columns["stated_quantity"] = form.numbers["quantity"][decisions.row]
    columns["kind"] = Column([word(kind) for kind in Kind], form.numbers["kind"][decisions.row])
    columns["date"] = form.given["date"].mapped(_dates(form.given["date"]))[decisions.row]
    columns["expires"] = form.given["expires"].mapped(_dates(form.given["expires"]))[decisions.row]
    columns["destination"] = Column(list(codebook.places), decided["place"])
    columns["counted_destination"] = Column(list(codebook.places), decided["destination"])
    columns["consignee"] = Column(list(codebook.parties), decided["consignee"])
    columns["family"] = Column(list(codebook.parties), decided["family"])
    columns["chip"] = Column(list(codebook.chips), decided["chip"])
    columns["basis"] = Column([word(basis) or None for basis in Basis], decided["basis"])
    columns["outcome"] = Column([word(outcome) for outcome in Outcome], decided["outcome"])
    columns["limit_id"] = Column([*LIMIT_IDS, None], decided["limit"] % (len(LIMIT_IDS) + 1))
    columns["account"] = _accounts(codebook, decided)
    columns["sequence"] = decisions.sequence
    columns |= {name: decided[name] for name in _SAME}
    columns |= {name: decided[source] for name, source in _COUNTS.items()}
    return columns


def _dates(column: Column) -> list[date | None]:
    """Give the days of a column of texts; what is malformed is no day, and never recorded."""
    days: list[date | None] = []
    for text in column.values:
        try:
            days.append(date.fromisoformat(text) if text else None)
        except ValueError:
            days.append(None)
    return days


def _accounts(codebook: Codebook, decided: Mapping[str, Numbers]) -> Column:
    """Name the account of each decision; each combination of limit, family, destination and period is named once."""
    parts = [decided[name] for name in ("limit", "family", "account_destination", "account_period")]
    key = np.zeros(len(parts[0]), np.int64)
    for part in parts:
        values, places = distinct(part)
        key = key * len(values) + places
    values, codes = distinct(key)
    first = np.zeros(len(values), np.int64)
    first[codes] = np.arange(len(codes))  # any row of each combination will do
    names = [
        None
        if limit == ABSENT
        else LIMITS[limit].account_name(codebook.parties[family], codebook.places[destination], period)
        for limit, family, destination, period in zip(*(part[first].tolist() for part in parts), strict=True)
    ]
    return Column(names, codes)
