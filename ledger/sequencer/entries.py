"""Decided rows as the columns of the table `entry`: numbers become codes again, texts are as they were given."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, Final

from ledger.core.columns import ABSENT
from ledger.core.form import Form
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.columns import Decisions
from ledger.rulebook.limits import LIMITS
from ledger.sequencer.desk import Desk
from ledger.store.read import reference_hash
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
_SAME: Final = ("sequence", "quantity", "tpp", "fulfilled")
_OR_BLANK: Final = ("remaining_tpp", "limit_tpp", "under_sequence")


def entry_columns(
    desk: Desk, provider: str, form: Form, decisions: Decisions, places: Sequence[tuple[int, int]]
) -> dict[str, Sequence[Any]]:
    """Give the columns of `entry` but `leaf` and `batch`, for the recorded rows in order.

    `places` has each recorded row's file, from 0, and row there, from 1.
    """
    codebook = desk.codebook
    columns: dict[str, Sequence[Any]] = {name: _picked(form, source, decisions.row) for name, source in _GIVEN.items()}
    columns["file_number"] = [file + 1 for file, _ in places]
    columns["row"] = [row for _, row in places]
    columns["provider"] = [provider] * len(decisions)
    columns["reference_hash"] = [reference_hash(provider, reference) for reference in columns["reference"]]
    columns["stated_quantity"] = [None if t is None else int(t) for t in _picked(form, "quantity", decisions.row)]
    kinds = [word(kind) for kind in Kind]
    columns["kind"] = [kinds[form.numbers["kind"][row]] for row in decisions.row]
    columns["date"] = [_date(form.numbers["date"][row]) for row in decisions.row]
    columns["expires"] = [date.fromisoformat(t) if t else None for t in _picked(form, "expires", decisions.row)]
    columns["destination"] = _named(codebook.places, decisions.place)
    columns["counted_destination"] = _named(codebook.places, decisions.destination)
    columns["consignee"] = _named(codebook.parties, decisions.consignee)
    columns["family"] = _named(codebook.parties, decisions.family)
    columns["chip"] = _named(codebook.chips, decisions.chip)
    columns["basis"] = _named([word(basis) or None for basis in Basis], decisions.basis)
    columns["outcome"] = _named([word(outcome) for outcome in Outcome], decisions.outcome)
    columns["limit_id"] = _named([*LIMIT_IDS, None], decisions.limit)
    columns["account"] = _accounts(codebook, decisions)
    columns |= {name: getattr(decisions, name) for name in _SAME}
    columns |= {name: [None if n == ABSENT else n for n in getattr(decisions, name)] for name in _OR_BLANK}
    columns |= {name: getattr(decisions, source) for name, source in _COUNTS.items()}
    return columns


@cache
def _date(day: int) -> date:
    return date.fromordinal(day)


def _picked(form: Form, name: str, rows: Sequence[int]) -> list[Any]:
    column = form.given[name]
    return [column.item(row) for row in rows]


def _named(names: Sequence[Any], numbers: Sequence[int]) -> list[Any]:
    """Look numbers up; `ABSENT`, being -1, is the last name."""
    return [names[number] for number in numbers]


def _accounts(codebook: Codebook, decisions: Decisions) -> list[str | None]:
    party, place = codebook.parties, codebook.places
    return [
        None if limit == ABSENT else LIMITS[limit].account_name(party[family], place[destination], period)
        for limit, family, destination, period in zip(
            decisions.limit,
            decisions.family,
            decisions.account_destination,
            decisions.account_period,
            strict=True,
        )
    ]
