"""Making a ledger: its file, the rulebook in force, and the chips that come with the project."""

import os
from datetime import datetime
from pathlib import Path

from ledger.core.errors import QuotaledgerError, WrongUsage
from ledger.rulebook.rulebook import Rulebook
from ledger.sequencer.desk import Desk
from ledger.sequencer.registering import register_sheet
from ledger.store import append, derived
from ledger.store.file import LedgerFile
from ledger.store.seeds import seed_bytes
from ledger.store.sheets import Sheet, read_sheet
from schemas.registers import REGISTERS


def found_ledger(path: Path, rulebook: Rulebook, filed_by: str, now: datetime) -> None:
    """Make a ledger under a rulebook, with the seeds' chips registered.

    The file appears under its name when it is whole. Raises WrongUsage if there is one already or no folder
    for it, QuotaledgerError if none can be made there.
    """
    if path.exists():
        raise WrongUsage(f"there is a file at {path} already; choose another path with --ledger")
    if not path.absolute().parent.is_dir():
        raise WrongUsage(f"there is no folder {path.parent} to make a ledger in; make it first")
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        with LedgerFile.create(unfinished, now) as ledger:
            desk = Desk(ledger, filed_by, now)
            with ledger.transaction() as connection:
                batch = desk.batch("rulebook", 1, digest=rulebook.digest)
                append.append_rulebook(connection, batch, rulebook, "the ledger's first rulebook")
                derived.derive_rulebook(connection, rulebook)
            register_sheet(desk, "chips", chip_sheet())
            ledger.connection.execute("CHECKPOINT")
        _name(unfinished, path)
    except OSError as error:
        raise QuotaledgerError(f"no ledger can be made at {path}: {error.strerror or error}") from None
    finally:
        for leftover in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
            leftover.unlink(missing_ok=True)


def _name(unfinished: Path, path: Path) -> None:
    """Give a finished file its name, unless another command has taken it meanwhile: a rename would replace that."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise WrongUsage(f"there is a file at {path} already; choose another path with --ledger") from None
    except OSError:  # a file system without links
        unfinished.rename(path)


def chip_sheet() -> Sheet:
    """Give the chips that come with the project as a register file: how each TPP follows stays in the seeds."""
    known = tuple(column.name for column in REGISTERS["chips"])
    derivation = ("rate_tops", "bits", "circuits", "note")
    sheet = read_sheet("seeds/chips.csv", seed_bytes("chips.csv"), (*known, *derivation), known)
    sheet.columns = {name: column for name, column in sheet.columns.items() if name in known}
    return sheet
