"""A correction: a record taken back and a new one like it, decided together and recorded together or not at all."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from ledger.core.errors import InputRejected, RejectedRow
from ledger.core.text import Fault, did_you_mean, nearest, normal, shown
from ledger.sequencer.answers import answer_rows
from ledger.sequencer.desk import Desk
from ledger.sequencer.imported import ImportResult
from ledger.sequencer.importing import import_sheets, record_sheet
from ledger.store import read
from ledger.store.query import rows
from ledger.store.sheet import Sheet
from schemas.record import LENGTH_MAX
from schemas.words import Kind, word

_STATED: Final = {"destination", "consignee", "chip", "basis"}
_REPEATED: Final = (*sorted(_STATED), "under", "license_number", "expires", "exporter", "site", "evidence")
"""What the new record has of the old one, as given, besides kind and date."""

_VERSION: Final = re.compile(r"(.*)/v([1-9][0-9]{0,8})", re.DOTALL)
_NAMED_MAX: Final = 5
_HINTED_MAX: Final = 1000


@dataclass(frozen=True)
class Names:
    """The references of a correction: of the reversal, and of the record that replaces the one taken back."""

    reversal: str
    new: str


@dataclass(frozen=True)
class Correction:
    """What became of a correction; without `names` there was nothing to correct.

    `batch` is None where nothing was recorded. `duplicate` says that the same correction had been recorded before.
    """

    kind: str
    before: int
    names: Names | None = None
    answers: tuple[dict[str, Any], ...] = ()
    batch: int | None = None
    duplicate: bool = False


def correct(
    desk: Desk,
    provider: str,
    reference: str,
    quantity: str,
    note: str,
    *,
    new_reference: str = "",
    accept_refusal: bool = False,
    dry_run: bool = False,
) -> Correction:
    """Take a record back and file it anew with another quantity, in one batch.

    Raises InputRejected, with nothing recorded, if either record would be rejected, or if the new one would be
    refused and that is not accepted.
    """
    entry = _recorded(desk, provider, reference)
    reversal = _reversal(desk, entry)
    if reversal:
        names = _repeated(desk, entry, reversal, quantity, new_reference)
    elif _whole(quantity) == entry["quantity"]:
        return Correction(entry["kind"], entry["quantity"])
    else:
        names = _names(desk, entry, new_reference)
    sheet = _sheet(entry, names, quantity, note)
    tried = import_sheets(desk, provider, [sheet], dry_run=True)
    _check(desk, entry, names, tried, accept_refusal=accept_refusal)
    duplicate = bool(tried.duplicates)
    done = tried if dry_run or duplicate else import_sheets(desk, provider, [sheet])
    answers = tuple(answer_rows(desk, done, skip_invalid=False))
    return Correction(entry["kind"], entry["quantity"], names, answers, done.batch, duplicate)


def _recorded(desk: Desk, provider: str, reference: str) -> dict[str, Any]:
    """Give the record to correct. Raises InputRejected if there is none, or it has no quantity to correct."""
    who, name = normal(provider), normal(reference)
    known = isinstance(who, str) and isinstance(name, str)
    found = read.find_references(desk.ledger.connection, str(who), [str(name)]) if known else {}
    if not found:
        raise InputRejected(
            f"{shown(provider)} has filed no record {shown(reference)}{_near(desk, who, name)};"
            " see quotaledger sql 'FROM decisions'"
        )
    entry = read.entry(desk.ledger.connection, found[str(name)][0]) or {}
    if entry["kind"] == word(Kind.REVERSAL):
        raise InputRejected(
            f"{shown(reference)} is a reversal, which has no quantity to correct and stands for good; if"
            f" {shown(entry['under'])} did happen, file it anew under a reference of its own"
        )
    if entry["outcome"] == "refused":
        raise InputRejected(
            f"{shown(reference)} was refused and counts nowhere, so there is nothing to take back; import the request"
            " anew, as it should be, under a reference of its own"
        )
    return entry


def _near(desk: Desk, who: str | Fault | None, name: str | Fault | None) -> str:
    """Give a hint at a reference of the provider's, unless there are too many to compare."""
    if not isinstance(who, str) or not isinstance(name, str):
        return ""
    query = f"SELECT reference FROM entry WHERE provider = ? LIMIT {_HINTED_MAX + 1}"
    known = [reference for (reference,) in rows(desk.ledger.connection, query, [who])]
    return did_you_mean(nearest(name, known)) if len(known) <= _HINTED_MAX else ""


def _whole(quantity: str) -> int | None:
    text = normal(quantity)
    return int(text) if isinstance(text, str) and re.fullmatch("[0-9]{1,18}", text) else None


def _reversal(desk: Desk, entry: dict[str, Any]) -> dict[str, Any] | None:
    """Give the record that took one back, if one did."""
    query = "SELECT sequence FROM entry WHERE under_sequence = ? AND kind = 'reversal'"
    found = rows(desk.ledger.connection, query, [entry["sequence"]])
    return read.entry(desk.ledger.connection, found[0][0]) if found else None


def _repeated(desk: Desk, entry: dict[str, Any], reversal: dict[str, Any], quantity: str, new_reference: str) -> Names:
    """Give the references of the same correction made before: a command may be given again.

    Raises InputRejected if the record was taken back otherwise.
    """
    old, new = shown(entry["reference"]), _replacement(desk, entry, reversal)
    if new is None:
        raise InputRejected(
            f"{old} was taken back by {shown(reversal['reference'])} and nothing replaced it; file it anew under a"
            " reference of its own"
        )
    same = all(new[column] == entry[column] for column in _columns()) and reversal["date"] == entry["date"]
    named = normal(new_reference) or new["reference"]
    if same and (_whole(quantity), named) == (new["quantity"], new["reference"]):
        return Names(reversal["reference"], new["reference"])
    latest: dict[str, Any] | None = new
    while latest:
        new, undone = latest, _reversal(desk, latest)
        latest = _replacement(desk, new, undone) if undone else None
    name, chips = shown(new["reference"]), f"{new['quantity']:,} chips"
    raise InputRejected(f"{old} was corrected already, and is now {name} with {chips}; correct that one")


def _replacement(desk: Desk, entry: dict[str, Any], reversal: dict[str, Any]) -> dict[str, Any] | None:
    """Give the record of the same kind that came right after a reversal in its batch, if one did."""
    following = read.entry(desk.ledger.connection, reversal["sequence"] + 1)
    expected = (reversal["batch"], reversal["provider"], entry["kind"])
    found = following and tuple(following[name] for name in ("batch", "provider", "kind")) == expected
    return following if found else None


def _columns() -> dict[str, str]:
    """Give what the new record repeats: the column of `entry`, and that of a file."""
    return {f"stated_{name}" if name in _STATED else name: name for name in _REPEATED}


def _names(desk: Desk, entry: dict[str, Any], new_reference: str) -> Names:
    """Give references that nobody uses yet: as given, or derived of the one corrected."""
    old, given = entry["reference"], normal(new_reference)
    if isinstance(given, Fault):
        raise InputRejected(f"the new reference cannot be used: {given.message}")

    def is_free(name: str) -> bool:
        return not read.find_references(desk.ledger.connection, entry["provider"], [name])

    if given and not is_free(given):
        raise InputRejected(f"{shown(given)} has been filed already; give another --reference")
    new = given or next(filter(is_free, _versions(old)))
    undoing = (f"{name}/undo" for name in (old, new))
    reversal = next((name for name in undoing if _fits(name) and name != new and is_free(name)), None)
    if reversal is None or not (given or _fits(new)):
        raise InputRejected(
            f"no reference of at most {LENGTH_MAX['reference']} characters that is free can be made of {shown(old)};"
            " give a short one with --reference"
        )
    return Names(reversal, new)


def _versions(reference: str) -> Iterator[str]:
    """Give what a corrected record may be called: `PO-1/v2`, and of that one `PO-1/v3`."""
    version = _VERSION.fullmatch(reference)
    stem, first = (version[1], int(version[2]) + 1) if version else (reference, 2)
    return (f"{stem}/v{number}" for number in count(first))


def _fits(reference: str) -> bool:
    return len(reference) <= LENGTH_MAX["reference"]


def _sheet(entry: dict[str, Any], names: Names, quantity: str, note: str) -> Sheet:
    """Write the two records as a file of the same import that any other goes through.

    Both have the day of the old record: on no day do positions have both of them, or neither.
    """
    both = {"date": entry["date"].isoformat(), "note": note}
    given = {name: entry[column] for column, name in _columns().items()}
    expires = entry["expires"] and entry["expires"].isoformat()
    reversal = {"reference": names.reversal, "kind": word(Kind.REVERSAL), "under": entry["reference"]}
    new = {"reference": names.new, "kind": entry["kind"], **given, "expires": expires, "quantity": quantity}
    lines = [json.dumps(row | both, ensure_ascii=True) for row in (reversal, new)]
    return record_sheet("correction.ndjson", "\n".join(lines).encode())


def _check(desk: Desk, entry: dict[str, Any], names: Names, tried: ImportResult, *, accept_refusal: bool) -> None:
    """Raise InputRejected if a correction cannot be recorded as a whole."""
    old = shown(entry["reference"])
    if any(fault.code == "reversal-drawn-on" for fault in tried.rejected):
        raise InputRejected(
            f"nothing was corrected: {_drawing(desk, entry)} on {old}; reverse what draws, correct {old}, and file the"
            f" others anew under {shown(names.new)}"
        )
    if tried.rejected:
        faults = dict.fromkeys((fault.field, fault.code, fault.message) for fault in tried.rejected)
        told = [RejectedRow("correction", None, entry["reference"], *fault) for fault in faults]
        raise InputRejected(f"nothing was corrected: {old} stands as it was; mend what is named", told)
    if tried.counts["refused"] and not accept_refusal:
        said = str(list(answer_rows(desk, tried, skip_invalid=False))[-1]["message"])
        raise InputRejected(
            f"nothing was corrected, {old} stands as it was: the new record would be {said[0].lower()}{said[1:]} Chips"
            f" that will not be used are given back with a lapse; with --accept-refusal {old} is taken back all the"
            " same, and the refusal recorded"
        )


def _drawing(desk: Desk, entry: dict[str, Any]) -> str:
    """Name the records that draw on one."""
    query = """
        SELECT d.kind, d.reference FROM entry AS d
        WHERE d.under_sequence = ? AND d.kind <> 'reversal'
            AND NOT EXISTS (SELECT 1 FROM entry AS r WHERE r.under_sequence = d.sequence AND r.kind = 'reversal')
        ORDER BY d.sequence
    """
    found = rows(desk.ledger.connection, query, [entry["sequence"]])
    named = ", ".join(f"{kind} {shown(reference)}" for kind, reference in found[:_NAMED_MAX])
    more = len(found) - _NAMED_MAX
    return f"{named}{f' and {more:,} more' if more > 0 else ''} {'draws' if len(found) == 1 else 'draw'}"
