"""Register rows in: each understood and checked against the rows before it, and all recorded together or none."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from ledger.core.columns import Column
from ledger.core.dates import FOREVER, day_text, parse_date
from ledger.core.errors import InputRejected, RejectedRow
from ledger.core.names import id_text, limited
from ledger.core.text import Fault, did_you_mean, nearest, normal, shown
from ledger.core.tpp import CHIP_TPP_MAX
from ledger.rulebook.registers import Assurance, Authorization, Chip, Party, Registers, Row
from ledger.rulebook.rulebook import Rulebook
from ledger.sequencer.desk import Desk
from ledger.store import append
from ledger.store.sheet import WHOLE_FILE, Sheet
from ledger.store.sheets import read_sheet
from schemas.registers import REGISTERS

_TIER_1: Final = 1
_PERCENT_MAX: Final = 100
_HINTED_MAX: Final = 1000
_TEXT_LENGTH_MAX: Final = 1000
"""Characters of a name, citation or source."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class RegisterResult:
    """What became of a register file: rows recorded, and rows that already stood exactly so."""

    recorded: int
    unchanged: int
    batch: int | None
    changes: tuple[str, ...] = ()
    """What each row that supersedes an earlier one changes: a blank left out by mistake changes decisions, too."""


def register_file(register: str, file: str, content: bytes) -> Sheet:
    """Read a register file. A file that cannot be read has that fault; registering it raises InputRejected."""
    columns = REGISTERS[register]
    always = [column.name for column in columns if column.required]
    return read_sheet(file, content, [column.name for column in columns], always)


def register_sheet(desk: Desk, register: str, sheet: Sheet) -> RegisterResult:
    """Record the rows of a register file. Raises InputRejected, with every bad row, and then records nothing."""
    whole = [f for f in sheet.faults if f.row == WHOLE_FILE]
    if whole:
        rows = [RejectedRow(sheet.file, None, None, f.field, f.code, f.message) for f in whole]
        raise InputRejected("nothing was registered: the file cannot be read", rows)
    broken = {fault.row: fault for fault in sheet.faults}
    standing, accepted, unchanged = desk.registers, [], 0
    changes: list[str] = []
    rejected: list[RejectedRow] = []
    for row in range(sheet.rows):
        faults: dict[str, Fault] = {}
        if row in broken:
            faults[""] = Fault(broken[row].code, broken[row].message)
            made = None
        else:
            made = _row(desk, register, sheet, row, faults)
        if made is not None and not faults:
            fault = _contradiction(made, standing, desk.rulebook)
            if fault:
                faults[fault[0]] = fault[1]
            elif standing.in_force(made) == made:
                unchanged += 1
            else:
                changes += _changes(standing.in_force(made), made)
                standing = standing.with_rows([made])
                accepted.append(made)
        rejected += [
            RejectedRow(sheet.file, row + 1, None, name, fault.code, fault.message) for name, fault in faults.items()
        ]
    if rejected:
        bad = len({fault.row for fault in rejected})
        raise InputRejected(
            f"nothing was registered: {bad:,} of {sheet.rows:,} rows were rejected; mend them and try again",
            rejected,
        )
    number = None
    if accepted:
        with desk.ledger.transaction():
            appended = [append.register_row(row) for row in accepted]
            number = append.append_rows(desk.ledger, desk.batch("register", len(appended)), appended)
        desk.renew()
    return RegisterResult(len(accepted), unchanged, number, tuple(changes))


def _changes(before: Row | None, row: Row) -> Iterator[str]:
    """Say what a row changes of the one that stands under its key."""
    if before is None:
        return
    key, *names = (field.name for field in fields(row))
    for name in names:
        old, new = (_change_text(name, getattr(each, name)) for each in (before, row))
        if old != new:
            yield f"{getattr(row, key)}: {name.removeprefix('chip_')} {old} -> {new}"


def _change_text(name: str, value: Any) -> str:
    if name == "valid_to":
        return "none" if value == FOREVER else day_text(value)
    return str(value) or "none"


def _row(desk: Desk, register: str, sheet: Sheet, row: int, faults: dict[str, Fault]) -> Row | None:
    """Understand one row; faults go into `faults` by column."""
    values: dict[str, Any] = {}
    for column in REGISTERS[register]:
        text = normal((sheet.columns.get(column.name) or Column.blank(sheet.rows)).item(row))
        if isinstance(text, Fault):
            faults[column.name] = text
        elif text is None:
            values[column.name] = None
            if column.required:
                faults[column.name] = Fault("missing", f"found nothing, every row of {register} must give it")
        else:
            value = _PARSERS[column.form](text, desk)
            values[column.name] = value
            if isinstance(value, Fault):
                faults[column.name] = value
    if faults:
        return None
    return _MAKERS[register](values, faults)


def _party(values: Values, faults: dict[str, Fault]) -> Party:
    return Party(values["party"], values["name"], values["headquarters"], values["parent"] or "")


def _authorization(values: Values, faults: dict[str, Fault]) -> Authorization | None:
    needs_destination = values["basis"] == "NVEU"
    if needs_destination and not values["destination"]:
        faults["destination"] = Fault("missing", "found nothing, NVEU is held for one destination")
    elif values["destination"] and not needs_destination:
        faults["destination"] = Fault("superfluous", "found a value, UVEU is held everywhere: leave it blank")
    last = FOREVER if values["valid_to"] is None else values["valid_to"]
    if last < values["valid_from"]:
        faults["valid_to"] = Fault(
            "malformed",
            f"found {day_text(last)}, which is before valid_from {day_text(values['valid_from'])}",
        )
    if faults:
        return None
    return Authorization(
        values["party"],
        values["basis"],
        values["destination"] or "",
        values["valid_from"],
        last,
        values["citation"] or "",
    )


def _assurance(values: Values, faults: dict[str, Fault]) -> Assurance:
    return Assurance(values["destination"], values["uplift_percent"], values["valid_from"], values["citation"] or "")


def _chip(values: Values, faults: dict[str, Fault]) -> Chip:
    return Chip(
        values["chip"],
        values["name"],
        values["vendor"] or "",
        values["tpp"],
        values["class"],
        values["source"] or "",
    )


_MAKERS: Final[dict[str, Callable[[Values, dict[str, Fault]], Row | None]]] = {
    "parties": _party,
    "authorizations": _authorization,
    "assurances": _assurance,
    "chips": _chip,
}


def _id(text: str, desk: Desk) -> str | Fault:
    return id_text(text)


def _short_text(text: str, desk: Desk) -> str | Fault:
    return limited(text, _TEXT_LENGTH_MAX)


def _country(text: str, desk: Desk) -> str | Fault:
    if text in desk.vocabulary.places:
        return text
    return Fault(
        "unknown-country",
        f"found {shown(text)}, expected an ISO 3166-1 alpha-2 code{did_you_mean(desk.vocabulary.likely_country(text))}",
    )


def _known_party(text: str, desk: Desk) -> str | Fault:
    return text


def _vea(text: str, desk: Desk) -> str | Fault:
    if text in ("UVEU", "NVEU"):
        return text
    return Fault("unknown-basis", f"found {shown(text)}, expected UVEU or NVEU")


def _date(text: str, desk: Desk) -> int | Fault:
    try:
        return parse_date(text)
    except ValueError:
        return Fault("malformed", f"found {shown(text)}, expected a day that exists, as YYYY-MM-DD")


def _whole(low: int, high: int) -> Callable[[str, Desk], int | Fault]:
    def parse(text: str, desk: Desk) -> int | Fault:
        good = text.isascii() and text.isdigit() and len(text) <= len(str(high)) + 3 and low <= int(text) <= high
        if good:
            return int(text)
        return Fault("out-of-range", f"found {shown(text)}, expected digits only, {low:,} to {high:,}")

    return parse


_PARSERS: Final[dict[str, Callable[[str, Desk], Any]]] = {
    "id": _id,
    "text": _short_text,
    "country": _country,
    "party": _known_party,
    "basis": _vea,
    "date": _date,
    "percent": _whole(0, _PERCENT_MAX),
    "tpp": _whole(1, CHIP_TPP_MAX),
}


def _contradiction(row: Row, standing: Registers, rulebook: Rulebook) -> tuple[str, Fault] | None:
    """Say what of a row contradicts the registers as they stand with the rows before it."""
    match row:
        case Party():
            return _party_contradiction(row, standing)
        case Authorization():
            return _authorization_contradiction(row, standing, rulebook)
        case Chip():
            return _chip_contradiction(row, standing, rulebook)
    return None


def _unknown_party(field: str, party: str, standing: Registers) -> tuple[str, Fault]:
    few = len(standing.parties) <= _HINTED_MAX  # comparing with very many, row after row, would take minutes
    hint = did_you_mean(nearest(party, standing.parties.keys())) if few else ""
    return field, Fault("unknown-party", f"found {shown(party)}, which no row before this one registers{hint}")


def _party_contradiction(row: Party, standing: Registers) -> tuple[str, Fault] | None:
    ancestor = row.parent
    while ancestor:
        if ancestor == row.party:
            return "parent", Fault("cycle", f"found {shown(row.parent)}, whose parents lead back to {shown(row.party)}")
        if ancestor not in standing.parties:
            return _unknown_party("parent", ancestor, standing)
        ancestor = standing.parties[ancestor].parent
    return None


def _authorization_contradiction(
    row: Authorization, standing: Registers, rulebook: Rulebook
) -> tuple[str, Fault] | None:
    if row.party not in standing.parties:
        return _unknown_party("party", row.party, standing)
    top = standing.parties[standing.family(row.party)]
    tier = rulebook.tier(top.headquarters, row.valid_from)
    if row.basis == "UVEU" and tier != _TIER_1:
        return "party", Fault(
            "not-eligible",
            f"found {shown(row.party)}, whose ultimate parent {shown(top.party)} is headquartered in"
            f" {top.headquarters}, tier {tier}; UVEU is for tier 1 (15 CFR 748.15(b)(2)(i))",
        )
    return None


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _chip_contradiction(row: Chip, standing: Registers, rulebook: Rulebook) -> tuple[str, Fault] | None:
    counted = rulebook.figure("counted_class")
    # What is outside the class is outside all quotas, so that a slip of the pen would let chips pass uncounted.
    if row.chip_class != counted and _letters(row.chip_class) == _letters(counted):
        return "class", Fault(
            "unknown-class", f"found {shown(row.chip_class)}, nearly the class that counts{did_you_mean(counted)}"
        )
    known = standing.chips.get(row.chip)
    if known and (known.tpp, known.chip_class) != (row.tpp, row.chip_class):
        field = "tpp" if known.tpp != row.tpp else "class"
        return field, Fault(
            "chip-changed",
            f"{shown(row.chip)} is registered with {known.tpp:,} TPP and class {known.chip_class}, which records were"
            " decided with; register the other figures under another id",
        )
    return None
