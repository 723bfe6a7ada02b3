"""What stands between an opened ledger and the first write: its signing key, and its outside checkpoints."""

from pathlib import Path

import duckdb

from ledger.core.errors import QuotaledgerError
from ledger.store.outside import OutsideCheckpoints
from ledger.store.query import first, rows
from ledger.store.signing import Signer, read_private_key, sync_folder
from ledger.tlog.checkpoint import unchecked
from ledger.tlog.note import NoteError, VerifierKey

NEXT_SUFFIX = ".next"
"""Where a new signing key waits until the log has it."""
_NEWBORN_BATCHES = 2
"""What making a ledger records; its outside checkpoints are written after that."""


def signer(connection: duckdb.DuckDBPyConnection, path: Path) -> Signer:
    """Give who signs for the ledger. Raises QuotaledgerError if its key is not at the path, or another one is."""
    key = key_in_use(connection)
    finish_rotation(path, key)
    private = read_private_key(path)
    if VerifierKey.of(key.name, private) != key:
        raise QuotaledgerError(
            f"the signing key at {path} is not the one in use ({key}); name its file with --signing-key"
            " (if it is lost: quotaledger signing-key rotate --lost)"
        )
    return Signer(key.name, (private,))


def finish_rotation(path: Path, key: VerifierKey) -> Path | None:
    """Put a new signing key, made beside the old one, in its place once the log has it: a crash may have come between.

    Gives where the old key is now, if there was one and anything was done.
    """
    made = path.with_name(path.name + NEXT_SUFFIX)
    if not made.exists() or VerifierKey.of(key.name, read_private_key(made)) != key:
        return None
    old = path.with_name(f"{path.name}.before-{key.id.hex()}")
    try:
        if path.exists():
            path.rename(old)
        made.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise QuotaledgerError(f"the new signing key cannot be put at {path}: {error.strerror or error}") from None
    return old if old.exists() else None


def key_in_use(connection: duckdb.DuckDBPyConnection) -> VerifierKey:
    """Give the key that the log's next checkpoint is to be signed with."""
    row = first(connection, "SELECT key FROM key_row ORDER BY leaf DESC LIMIT 1")
    if row is None:
        raise QuotaledgerError("the ledger has no signing key: it is damaged; go back to a backup")
    try:
        return VerifierKey.parse(row[0])
    except NoteError as error:
        raise QuotaledgerError(f"the ledger's signing key cannot be read ({error}): it was changed") from None


def agree(connection: duckdb.DuckDBPyConnection, outside: OutsideCheckpoints) -> None:
    """Hold a ledger against its outside checkpoints, and append those that a crash has kept from there.

    Raises QuotaledgerError if the ledger is behind them, disagrees with them, or if they are gone.
    """
    last, following = outside.last()
    batch, size = first(connection, "SELECT batch, leaf FROM head") or (0, 0)
    if last is None and following and batch > _NEWBORN_BATCHES:
        raise QuotaledgerError(
            f"there is no checkpoint in {outside.path}: it was edited or damaged; bring back a copy of it"
        )
    if last is None and batch > _NEWBORN_BATCHES:
        raise QuotaledgerError(
            f"the outside checkpoints {outside.path} are gone, and with them what shows that this ledger is not an old"
            " one; bring the file back, or if it is lost for good, have all verified and it written anew with"
            " `quotaledger verify --renew-checkpoints`"
        )
    try:
        said = unchecked(last).size if last else 0
    except NoteError:
        raise QuotaledgerError(
            f"the last checkpoint in {outside.path} is none: it was edited or damaged; bring back a copy of it"
        ) from None
    if said > size:
        raise QuotaledgerError(
            f"this ledger has {size:,} leaves, but {outside.path.name} says that it had {said:,}: it is an older copy,"
            " and recording now would make a second history; put the newest copy in its place, and verify it"
        )
    if last and first(connection, "SELECT note FROM checkpoint WHERE size = ?", [said]) != (last,):
        raise QuotaledgerError(
            f"this ledger and {outside.path.name} disagree about the first {said:,} leaves: one of them was edited, or"
            " the ledger is a fork; nothing is recorded on top of that, `quotaledger verify` tells more"
        )
    missing = [note for (note,) in rows(connection, "SELECT note FROM checkpoint WHERE size > ? ORDER BY size", [said])]
    # Where the power fails, a file may have grown already by bytes that were never written: they are zeros.
    torn = following.rstrip(b"\0")
    if following and not (missing and f"{missing[0]}\n".encode().startswith(torn)):
        raise QuotaledgerError(
            f"{outside.path} ends with something that is no checkpoint of this ledger: it was edited or damaged;"
            " bring back a copy of it"
        )
    if following:
        outside.cut(following)
    if missing:
        outside.append(missing)
