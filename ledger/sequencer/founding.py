"""Making a ledger: its file, the rulebook in force, and the chips that come with the project."""

import secrets
from datetime import datetime
from pathlib import Path

from ledger.core.errors import QuotaledgerError, WrongUsage
from ledger.rulebook.rulebook import Rulebook
from ledger.sequencer.desk import Desk
from ledger.sequencer.registering import register_sheet
from ledger.store import append, derived, leftovers
from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX, LedgerFile, beside
from ledger.store.outside import OutsideCheckpoints
from ledger.store.seeds import seed_bytes
from ledger.store.sheet import Sheet
from ledger.store.sheets import read_sheet
from ledger.store.signing import Signer, make_private_key, read_private_key
from ledger.tlog.note import VerifierKey
from schemas.registers import REGISTERS

_ORIGIN_BYTES = 8
"""So much chance is in the name of a log that no two ledgers have the same."""


def found_ledger(path: Path, rulebook: Rulebook, filed_by: str, now: datetime, key: Path | None = None) -> VerifierKey:
    """Make a ledger under a rulebook, with the seeds' chips registered and its signing key as its first leaf.

    The file appears under its name when it is whole. The private key is kept at `key`, beside the ledger unless given;
    one that is there already is used. Gives what others check the ledger's checkpoints with. Raises WrongUsage if there
    is a ledger or its checkpoints already or no folder for it, QuotaledgerError if none can be made there.
    """
    leftovers.clear(path)
    outside = OutsideCheckpoints(beside(path, OUTSIDE_SUFFIX))
    if path.exists():
        raise WrongUsage(f"there is a file at {path} already; choose another path with --ledger")
    if not path.absolute().parent.is_dir():
        raise WrongUsage(f"there is no folder {path.parent} to make a ledger in; make it first")
    if outside.path.exists():
        raise WrongUsage(
            f"there are checkpoints of an earlier ledger at {outside.path}; move them away, or choose another path with"
            " --ledger"
        )
    key = key or beside(path, KEY_SUFFIX)
    had_key = key.exists()
    signer = _signer(key)
    unfinished = leftovers.unfinished(path)
    try:
        with LedgerFile.create(unfinished, now, signer) as ledger:
            desk = Desk(ledger, filed_by, now)
            with ledger.transaction() as connection:
                batch = desk.batch("rulebook", 2, digest=rulebook.digest)
                rows = [
                    append.key_row(signer.key, "the ledger's first signing key"),
                    append.rulebook_row(rulebook, "the ledger's first rulebook"),
                ]
                append.append_rows(ledger, batch, rows, rulebook.figure("counting_start"))
                derived.derive_rulebook(connection, rulebook)
            register_sheet(desk, "chips", chip_sheet())
            ledger.flush()
            notes = [note for (note,) in ledger.rows("SELECT note FROM checkpoint ORDER BY batch")]
        leftovers.give_name(unfinished, path)
        # If a crash prevents this, the first opening of a ledger that has recorded nothing else does it.
        outside.append(notes)
    except OSError as error:
        raise QuotaledgerError(f"no ledger can be made at {path}: {error.strerror or error}") from None
    finally:
        if not had_key and not path.exists():
            key.unlink(missing_ok=True)
        outside.close()
        for leftover in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
            leftover.unlink(missing_ok=True)
    return signer.key


def _signer(key: Path) -> Signer:
    """Give who signs for a new ledger, with a key that is there or is made."""
    private = read_private_key(key) if key.exists() else make_private_key(key)
    return Signer(f"quotaledger/{secrets.token_hex(_ORIGIN_BYTES)}", (private,))


def chip_sheet() -> Sheet:
    """Give the chips that come with the project as a register file: how each TPP follows stays in the seeds."""
    known = tuple(column.name for column in REGISTERS["chips"])
    derivation = ("rate_tops", "bits", "circuits", "note")
    sheet = read_sheet("seeds/chips.csv", seed_bytes("chips.csv"), (*known, *derivation), known)
    sheet.columns = {name: column for name, column in sheet.columns.items() if name in known}
    return sheet
