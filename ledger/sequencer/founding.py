"""Making a ledger: its file, the rulebook in force, and the chips that come with the project."""

from datetime import datetime
from pathlib import Path

from ledger.rulebook.rulebook import Rulebook
from ledger.sequencer.desk import Desk
from ledger.sequencer.registering import register_sheet
from ledger.store import append, derived
from ledger.store.file import LedgerFile
from ledger.store.seeds import seed_bytes
from ledger.store.sheets import Sheet, read_sheet
from schemas.record import ALWAYS, COLUMNS
from schemas.registers import REGISTERS


def found_ledger(path: Path, rulebook: Rulebook, filed_by: str, now: datetime) -> None:
    """Make a ledger under a rulebook, with the seeds' chips registered.

    Raises WrongUsage if there is one already. If anything fails, no file is left behind.
    """
    with LedgerFile.create(path, now) as ledger:
        try:
            desk = Desk(ledger, filed_by, now)
            desk.rulebook = rulebook
            with ledger.transaction() as connection:
                append.append_rulebook(connection, desk.batch("rulebook", 1), rulebook, "the ledger's first rulebook")
                derived.derive_rulebook(connection, rulebook)
            register_sheet(desk, "chips", chip_sheet())
            ledger.connection.execute("CHECKPOINT")
        except BaseException:
            ledger.close()
            for leftover in (path, path.with_name(path.name + ".wal")):
                leftover.unlink(missing_ok=True)
            raise


def chip_sheet() -> Sheet:
    """Give the chips that come with the project as a register file: how each TPP follows stays in the seeds."""
    known = tuple(column.name for column in REGISTERS["chips"])
    derivation = ("rate_tops", "bits", "circuits", "note")
    sheet = read_sheet("seeds/chips.csv", seed_bytes("chips.csv"), (*known, *derivation), known)
    sheet.columns = {name: column for name, column in sheet.columns.items() if name in known}
    return sheet


def record_sheet(file: str, content: bytes) -> Sheet:
    """Read a file of records."""
    return read_sheet(file, content, COLUMNS, ALWAYS)


def register_file(register: str, file: str, content: bytes) -> Sheet:
    """Read a register file."""
    columns = REGISTERS[register]
    always = [column.name for column in columns if column.required]
    return read_sheet(file, content, [column.name for column in columns], always)
