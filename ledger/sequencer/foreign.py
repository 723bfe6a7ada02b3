"""A foreign file imported: adapted, compared with what earlier files recorded, and then imported like any other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.adapters.accounting import AccountedRow, Accounting, Fate, tpp_of
from ledger.adapters.adapter import Adapted, Reason, Record
from ledger.core.columns import Column
from ledger.core.text import normal, shown
from ledger.sequencer.adapting import Adaptation, is_recordable
from ledger.sequencer.desk import Desk
from ledger.sequencer.imported import ImportResult
from ledger.sequencer.importing import Advanced, import_sheets
from ledger.sequencer.registering import register_sheet
from ledger.store import read
from ledger.store.sheet import Sheet
from schemas.registers import REGISTERS

_CHANGED: Final = (
    *("reference-reused", "under-disagrees", "under-kind", "under-later", "under-reversed", "under-refused"),
    "attrition-exceeds-left",
)
"""How the ledger rejects a record that contradicts what an earlier file recorded of the same row."""


@dataclass
class ForeignImport:
    """What became of a foreign file. `desk` is the one that its decisions are to be read with."""

    desk: Desk
    result: ImportResult
    accounting: Accounting
    registered: Sequence[str]
    """The parties registered for it, or, in a dry run, that would be."""


def import_adaptation(
    desk: Desk,
    provider: str,
    adaptation: Adaptation,
    *,
    skip_invalid: bool = False,
    dry_run: bool = False,
    advanced: Advanced | None = None,
) -> ForeignImport:
    """Import an adapted file: register the parties that it needs, and record what no earlier file has recorded.

    A row that an earlier file recorded with other facts is reported and nothing of it recorded. If a row is rejected
    for any other reason, nothing at all is, the parties neither, unless `skip_invalid`.
    """
    trial = Desk(desk.ledger, desk.filed_by, desk.now)
    trial.registers = desk.registers.with_rows(list(adaptation.parties))
    given = normal(provider)
    earlier = _Earlier(trial, given if isinstance(given, str) else provider, adaptation.rows)
    records = {place: earlier.filed(row) for place, row in enumerate(adaptation.rows) if is_recordable(row)}
    reported = {place: reason for place, row in enumerate(adaptation.rows) if (reason := earlier.conflict(row))}
    sheet = adaptation.sheet(reported, records)
    tried = import_sheets(trial, provider, [sheet], skip_invalid=True, dry_run=True)
    changed = _changed(tried, sheet, earlier)
    reported |= changed
    sheet = adaptation.sheet(reported, records)
    fails = not skip_invalid and any(_line(tried, row) - 1 not in changed for row, _ in tried.faults)
    if dry_run or fails:
        result = import_sheets(trial, provider, [sheet], skip_invalid=skip_invalid, dry_run=True, advanced=advanced)
    else:
        with desk.ledger.transaction():
            _register(desk, adaptation)
            trial = Desk(desk.ledger, desk.filed_by, desk.now)
            result = import_sheets(trial, provider, [sheet], skip_invalid=skip_invalid, advanced=advanced)
        desk.renew()
    accounting = _account(trial, adaptation, result, reported, fails=fails)
    return ForeignImport(trial, result, accounting, [party.party for party in adaptation.parties])


def _register(desk: Desk, adaptation: Adaptation) -> None:
    """Register parties as a file of them would be."""
    if not adaptation.parties:
        return
    names = [column.name for column in REGISTERS["parties"]]
    columns = {name: Column.of([getattr(party, name) for party in adaptation.parties]) for name in names}
    register_sheet(desk, "parties", Sheet(adaptation.file, adaptation.sha256, len(adaptation.parties), columns))


class _Earlier:
    """What earlier files of the provider recorded of these rows, under references as they stand now.

    A correction files a record anew under its reference with `/v2`, then `/v3`, behind: the last one stands.
    """

    def __init__(self, desk: Desk, provider: str, rows: Sequence[Adapted]) -> None:
        named = [record for row in rows if is_recordable(row) for record in row.records]
        self.claimed = {name for record in named for name in (record["reference"], record.get("under"))}
        """What rows of this file are, or draw on: two rows may have a name, and one of them be left out."""
        first = {name for row in rows for name in row.references}
        first |= {record["reference"] for row in rows for record in row.records}
        connection = desk.ledger.connection
        self.current = {name: name for name in first}
        self.sequences: dict[str, int] = {}
        self.contents: dict[str, dict[str, Any]] = {}
        """What was recorded, by column, by the reference that stands now."""
        looked_up, place = {name: name for name in first}, 1
        while looked_up:
            found = read.find_references(connection, provider, sorted(looked_up))
            for name, (sequence, *content) in found.items():
                self.current[looked_up[name]] = name
                self.contents[name] = dict(zip(read.COMPARED, content, strict=True))
                self.sequences[looked_up[name]] = sequence
            place += 1
            looked_up = {f"{looked_up[name]}/v{place}": looked_up[name] for name in found}
        standings = read.standings(connection, desk.codebook, self.sequences.values())
        self.live = {name for name, sequence in self.sequences.items() if not standings[sequence].reversed}

    def filed(self, row: Adapted) -> list[Record]:
        """Give a row's records with the references that stand now; `under` only what is there."""
        own = {record["reference"] for record in row.records}
        filed: list[Record] = []
        for record in row.records:
            under = record.get("under", "")
            under = self.current[under] if under in own or under in self.live else ""
            filed.append({**record, "reference": self.current[record["reference"]], "under": under})
        return filed

    def conflict(self, row: Adapted) -> Reason | None:
        """Say what an earlier file recorded of a row that this one would not record."""
        orphans = sorted((self.live & set(row.references)) - self.claimed, key=len)
        if not orphans:
            return None
        reference, sequence = self.current[orphans[0]], self.sequences[orphans[0]]
        now = row.left_out.sentence if row.left_out else "the row says something else now"
        now = row.reported[0].sentence if row.reported else now
        return Reason(
            "recorded-before",
            f"record {sequence:,} was filed for it as {shown(reference)}, but now {now}; if that holds,"
            " take the record back with a reversal",
        )

    def difference(self, record: Record) -> str:
        """Say in what a record differs from the one that was recorded under its reference."""
        recorded = self.contents.get(record["reference"], {})
        return ", ".join(
            f"{name} {shown('' if was is None else was)} then and {shown(record.get(name, ''))} now"
            for name, was in recorded.items()
            if str("" if was is None else was) != record.get(name, "")
        )


def _changed(tried: ImportResult, sheet: Sheet, earlier: _Earlier) -> dict[int, Reason]:
    """Find the rows of the file whose records contradict what was recorded before."""
    changed: dict[int, Reason] = {}
    for row, fault in tried.faults:
        if fault.code in _CHANGED and sheet.lines:
            record = {name: column.item(row) for name, column in sheet.columns.items()}
            sentence = (
                f"the file has changed since {shown(fault.reference)} was recorded"
                f" ({earlier.difference(record) or fault.message}): put the record right with `quotaledger correct`"
            )
            changed.setdefault(sheet.lines[row] - 1, Reason("changed", sentence))
    return changed


def _account(
    desk: Desk, adaptation: Adaptation, result: ImportResult, reported: Mapping[int, Reason], *, fails: bool
) -> Accounting:
    """Give every row of the file its fate."""
    chip_tpp = {chip.chip: chip.tpp for chip in desk.registers.chips.values()}
    fates = _fates(result, Fate.HELD_BACK if fails else Fate.RECORDED)
    rejections: dict[int, list[Reason]] = {}
    for row, fault in result.faults:
        rejections.setdefault(_line(result, row), []).append(Reason(fault.code, fault.message))
    rows = []
    for place, adapted in enumerate(adaptation.rows):
        reasons: Iterable[Reason]
        if place in reported:
            fate, reasons = Fate.REPORTED, (reported[place], *adapted.reported)
        elif adapted.left_out:
            fate, reasons = Fate.LEFT_OUT, (adapted.left_out,)
        elif adapted.reported:
            fate, reasons = Fate.REPORTED, adapted.reported
        else:
            fate, reasons = fates[place + 1], rejections.get(place + 1, ())
        rows.append(AccountedRow(place + 1, adapted, fate, tuple(reasons), tpp_of(adapted, chip_tpp)))
    return Accounting(rows)


def _fates(result: ImportResult, good: Fate) -> dict[int, Fate]:
    """Give the fate of the file's rows that were filed: rejected if a record of it was, already there if all were."""
    fates = {_line(result, row): Fate.ALREADY_THERE for row, _ in result.duplicates}
    fates |= {_line(result, row): good for row in result.recorded}
    return fates | {_line(result, row): Fate.REJECTED for row, _ in result.faults}


def _line(result: ImportResult, row: int) -> int:
    return result.place(row)[1]


def accounted_rows(accounting: Accounting) -> Iterable[dict[str, Any]]:
    """Give every row of a foreign file with its fate, as rows to write."""
    for row in accounting.rows:
        adapted = row.adapted
        yield {
            "row": row.row,
            "name": adapted.name,
            "fate": row.fate.value,
            "reason": row.reasons[0].code if row.reasons else None,
            "reasons": " ".join(reason.code for reason in row.reasons) or None,
            "message": "; ".join(reason.sentence for reason in row.reasons) or None,
            "references": " | ".join(record["reference"] for record in adapted.records) or None,
            "country": adapted.country or None,
            "owner": adapted.owner or None,
            "tpp": row.tpp or None,
            "given_h100e": str(adapted.given_h100e) if adapted.given_h100e else None,
        }


ACCOUNTED: Final = (
    *("row", "name", "fate", "reason", "reasons", "message", "references", "country", "owner", "tpp", "given_h100e"),
)
"""The columns of `accounted_rows`."""
