"""A foreign file as a sheet of records: read by column, adapted by row, with the parties that its owners are."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.adapters.adapter import Adapted, Adapter, Known, Reason, Record, Row, folded
from ledger.core.columns import Column
from ledger.core.errors import InputRejected, RejectedRow, WrongUsage
from ledger.core.text import Fault, normal, shown, visible
from ledger.rulebook.registers import Party, Registers
from ledger.sequencer.desk import Desk
from ledger.store.seeds import country_names, names_of_chips, names_of_countries, owner_rows, region_countries
from ledger.store.sheet import WHOLE_FILE, Sheet
from ledger.store.sheets import read_sheet
from schemas.record import COLUMNS


@dataclass
class Adaptation:
    """A foreign file adapted: what becomes of each row, and the parties to be registered for it first."""

    adapter: Adapter
    file: str
    sha256: str
    rows: list[Adapted]
    parties: list[Party] = field(default_factory=list)

    def sheet(self, without: Collection[int] = (), records: Mapping[int, Sequence[Record]] | None = None) -> Sheet:
        """Make a sheet of the records of all rows but some, with other records for some."""
        chosen = {
            place: (records or {}).get(place, adapted.records)
            for place, adapted in enumerate(self.rows)
            if is_recordable(adapted) and place not in without
        }
        lines = [place + 1 for place, found in chosen.items() for _ in found]
        flat = [record for found in chosen.values() for record in found]
        columns = {name: Column.of([record.get(name, "") for record in flat]) for name in COLUMNS}
        return Sheet(self.file, self.sha256, len(flat), columns, lines=lines)


def is_recordable(adapted: Adapted) -> bool:
    """Say if a row is neither left out nor reported by its adapter."""
    return not adapted.left_out and not adapted.reported


def adapt_file(desk: Desk, adapter: Adapter, file: str, content: bytes, consignee: str = "") -> Adaptation:
    """Adapt a foreign file.

    Raises InputRejected for a file that cannot be read or lacks columns, WrongUsage for a consignee that is not
    registered or that the layout names itself.
    """
    _check_consignee(desk, adapter, consignee)
    sheet = read_sheet(file, content, None, ())
    _check_readable(sheet, adapter)
    seeds = owner_rows(adapter.owners) if adapter.owners else []
    known = _known(desk, adapter, consignee, seeds)
    broken: dict[int, list[str]] = {}
    for fault in sheet.faults:
        broken.setdefault(fault.row, []).append(fault.message)
    rows = [_row(sheet, adapter, number, broken.get(number, [])) for number in range(sheet.rows)]
    adapted = iter(adapter.adapt([row for row in rows if not isinstance(row, Adapted)], known))
    made = [row if isinstance(row, Adapted) else next(adapted) for row in rows]
    adaptation = Adaptation(adapter, sheet.file, sheet.sha256, made)
    adaptation.parties = _needed(made, desk.registers, seeds)
    return adaptation


def _check_readable(sheet: Sheet, adapter: Adapter) -> None:
    faults = [(fault.field, fault.code, fault.message) for fault in sheet.faults if fault.row == WHOLE_FILE]
    missing = [name for name in adapter.required if name not in sheet.columns]
    if missing and not faults:
        listed = ", ".join(missing)
        message = f"the file is not laid out as {adapter.name}: it lacks the column{'s'[: len(missing) > 1]} {listed}"
        faults = [(missing[0], "missing-column", message)]
    if faults:
        rows = [RejectedRow(sheet.file, None, None, name, code, message) for name, code, message in faults]
        raise InputRejected(f"nothing was recorded: the file cannot be read as {adapter.name}", rows)


def _check_consignee(desk: Desk, adapter: Adapter, consignee: str) -> None:
    if adapter.names_owner and consignee:
        raise WrongUsage(f"{adapter.name} names the owners itself; leave --consignee away")
    if not adapter.names_owner and not consignee:
        raise WrongUsage(f"{adapter.name} does not say whose chips they are; give --consignee P")
    if consignee and consignee not in desk.registers.parties:
        raise WrongUsage(f"no party {shown(consignee)} is registered; `quotaledger register parties FILE` adds one")


def _known(desk: Desk, adapter: Adapter, consignee: str, seeds: Sequence[Mapping[str, str]]) -> Known:
    registers = desk.registers
    if adapter.chip_names:
        chip_names = {folded(name): found for name, found in names_of_chips(adapter.chip_names).items()}
    else:
        chip_names = {folded(chip.name): (chip.chip, "") for chip in registers.chips.values()}
        chip_names |= {folded(chip): (chip, "") for chip in registers.chips}
    return Known(
        places=country_names().keys(),
        country_names={folded(name): code for name, code in names_of_countries().items()},
        regions=region_countries(),
        chips=registers.chips.keys(),
        chip_names=chip_names,
        parties=_parties_by_name(registers, seeds),
        counting_start=desk.codebook.figures.counting_start,
        consignee=consignee,
    )


def _parties_by_name(registers: Registers, seeds: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Give party ids by folded name: the register's own first, then those that the seeds would add to it."""
    named: dict[str, str] = {}
    for party in registers.parties.values():
        name = folded(party.name)
        named[name] = "" if name in named else party.party
    for seed in seeds:
        standing = registers.parties.get(seed["party"])
        # An id that somebody has given to another company is left alone.
        mine = standing is None or seed["headquarters"] == standing.headquarters or seed["name"] == standing.name
        if seed["owner"] and mine:
            named.setdefault(folded(seed["owner"]), seed["party"])
    return named


def _needed(rows: Sequence[Adapted], registers: Registers, seeds: Sequence[Mapping[str, str]]) -> list[Party]:
    """Give the seeds' parties that records name and the register has not, parents first."""
    by_id = {seed["party"]: seed for seed in seeds}
    needed: dict[str, Party] = {}

    def need(party: str) -> None:
        if party and party in by_id and party not in registers.parties and party not in needed:
            seed = by_id[party]
            need(seed["parent"])
            needed[party] = Party(party, seed["name"], seed["headquarters"], seed["parent"])

    for adapted in rows:
        for record in adapted.records if is_recordable(adapted) else ():
            need(record.get("consignee", ""))
    return list(needed.values())


def _row(sheet: Sheet, adapter: Adapter, number: int, broken: list[str]) -> Row | Adapted:
    """Give the adapter's columns of a row as text, or, of one that is no row or has no text there, why."""
    values: dict[str, str] = {}
    for name in (*adapter.required, *adapter.optional):
        column = sheet.columns.get(name)
        text = _text(column.item(number)) if column else ""
        if isinstance(text, Fault) and name in adapter.required:
            broken.append(f"{name}: {text.message}")
        values[name] = visible(text.message) if isinstance(text, Fault) else text
    if broken:
        name = sheet.columns[adapter.label].item(number)
        return Adapted(visible(str(name or "")), reported=tuple(Reason("malformed", found) for found in broken))
    return values


def _text(value: Any) -> str | Fault:
    """Give a value of a file as the text that it would have in CSV."""
    if isinstance(value, float) and math.isfinite(value) and not value.is_integer():
        return repr(value)
    return normal(value) or ""
