"""What stands between an opened ledger and the first write: its signing key, and its outside checkpoints."""

from pathlib import Path
from typing import Final

import duckdb

from ledger.core.errors import QuotaledgerError
from ledger.store.leftovers import sync_folder
from ledger.store.outside import OutsideCheckpoints
from ledger.store.query import first, rows
from ledger.store.signing import LOST, Signer, read_private_key
from ledger.tlog.checkpoint import read_checkpoint, unchecked
from ledger.tlog.note import NoteError, VerifierKey
from ledger.tlog.tree import Frontier

NEXT_SUFFIX = ".next"
"""Where a new signing key waits until the log has it."""
_NEWBORN_BATCHES = 2
"""What making a ledger records; its outside checkpoints are written after that."""
BATCHES_MAX: Final = 64
"""So many batches may one transaction record, and so many checkpoints may a crash keep from the outside file.

The checkpoints of a transaction are appended outside when it is committed: a crash in between keeps back those of one
transaction, and never more.
"""
_EDITED = (
    "it was edited or damaged; bring back a copy of it, or if there is none, move it away and have it written anew with"
    " `quotaledger verify --renew-checkpoints`"
)


def signer(connection: duckdb.DuckDBPyConnection, path: Path) -> Signer:
    """Give who signs for the ledger. Raises QuotaledgerError if its key is not at the path, or another one is."""
    key = key_in_use(connection)
    finish_rotation(path, key)
    private = read_private_key(path)
    if VerifierKey.of(key.name, private) != key:
        raise QuotaledgerError(
            f"the signing key at {path} is not the one in use ({key}): either another file is, to be named with"
            " --signing-key, or this ledger is older than its key; then look for a newer copy of it before anything"
            f" else {LOST}"
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


def key_in_use(connection: duckdb.DuckDBPyConnection, size: int | None = None) -> VerifierKey:
    """Give the key that the log's next checkpoint is to be signed with, or that of so many leaves is signed with.

    Raises QuotaledgerError if it cannot be read.
    """
    query = "SELECT key FROM key_row WHERE leaf < coalesce(?, leaf + 1) ORDER BY leaf DESC LIMIT 1"
    row = first(connection, query, [size])
    if row is None:
        raise QuotaledgerError("the ledger has no signing key: it is damaged; go back to a backup")
    try:
        return VerifierKey.parse(row[0])
    except NoteError as error:
        raise QuotaledgerError(f"the ledger's signing key cannot be read ({error}): it was changed") from None


def hold_head(connection: duckdb.DuckDBPyConnection) -> None:
    """See that the tree that is about to grow is the one that was signed for last.

    Raises QuotaledgerError if it is not: the next checkpoint would sign for leaves that are not there.
    """
    heads = rows(connection, "SELECT leaf, peaks, batch, sequence FROM head LIMIT 2")
    size, peaks, *numbers = heads[0] if heads else (0, b"")
    query = """
        SELECT root, note, size, batch, last_sequence, (SELECT coalesce(max(sequence), 0) FROM entry)
        FROM checkpoint JOIN batch USING (batch) WHERE batch = (SELECT max(batch) FROM checkpoint)
    """
    row = first(connection, query)
    try:
        if row is None or len(heads) != 1:
            raise NoteError("there is no checkpoint, or not one head")
        root, note, *closed = row
        if [size, *numbers, numbers[1]] != closed:
            raise NoteError("its last leaf, batch or record has another number")
        said = read_checkpoint(note, [key_in_use(connection)])
        if (said.size, said.root, root) != (size, root, Frontier(size, peaks).root()):
            raise NoteError("it states another root than the tree has that would grow")
    except ValueError as error:  # a NoteError is one, and so is what makes peaks no peaks
        raise QuotaledgerError(
            f"the ledger does not stand where its last checkpoint says, at {size:,} leaves ({error}): it was changed,"
            " and nothing is recorded on top of that; `quotaledger verify` tells more"
        ) from None


def hold_outside(connection: duckdb.DuckDBPyConnection, outside: OutsideCheckpoints, last: str | None) -> int:
    """Hold a ledger against the last note of its outside checkpoints, and give how many leaves that states.

    Raises QuotaledgerError if the ledger is behind that note or disagrees with it, or if the file is lost.
    """
    batch, size = first(connection, "SELECT batch, leaf FROM head") or (0, 0)
    if last is None:
        if batch > _NEWBORN_BATCHES:
            raise QuotaledgerError(
                f"there is no checkpoint in {outside.path}, and so nothing to show that this ledger is not an old one;"
                " bring the file back, or if it is lost for good, have all verified and it written anew with"
                " `quotaledger verify --renew-checkpoints`"
            )
        return 0
    try:
        said = unchecked(last).size
    except NoteError:
        raise QuotaledgerError(f"the last checkpoint in {outside.path} is none: {_EDITED}") from None
    if said > size:
        raise QuotaledgerError(
            f"this ledger has {size:,} leaves, but {outside.path.name} says that it had {said:,}: it is an older copy,"
            " and what was recorded since is not in it; put the newest copy in its place, and verify it"
        )
    if first(connection, "SELECT note FROM checkpoint WHERE size = ?", [said]) != (last,):
        raise QuotaledgerError(
            f"this ledger and {outside.path.name} disagree about the first {said:,} leaves: one of them was edited, or"
            " the ledger is a fork; nothing is recorded on top of that, `quotaledger verify` tells more"
        )
    return said


def missing_outside(connection: duckdb.DuckDBPyConnection, outside: OutsideCheckpoints) -> tuple[list[str], bytes]:
    """Give the ledger's checkpoints that a crash kept from the outside file, and what it left there of the first.

    Raises what `hold_outside` raises, and QuotaledgerError if more of the file is gone than a crash explains.
    """
    last, following = outside.last()
    said = hold_outside(connection, outside, last)
    # In order by Python, which is quicker; where the query leaves some out, they are too many anyway.
    query = "SELECT size, note FROM checkpoint WHERE size > ? LIMIT ?"
    missing = [note for _, note in sorted(rows(connection, query, [said, BATCHES_MAX + 1]))]
    if len(missing) > BATCHES_MAX:
        raise QuotaledgerError(
            f"{outside.path} lacks more of the ledger's last checkpoints than a crash explains: it was cut, or is an"
            f" old copy, or {_EDITED}"
        )
    # Where the power fails, a file may have grown already by bytes that were never written: they are zeros.
    if following and not (missing and f"{missing[0]}\n".encode().startswith(following.rstrip(b"\0"))):
        raise QuotaledgerError(f"{outside.path} ends with something that is no checkpoint of this ledger: {_EDITED}")
    return missing, following


def catch_up(connection: duckdb.DuckDBPyConnection, outside: OutsideCheckpoints) -> None:
    """Append to the outside file what the ledger has signed and it lacks. Raises what `missing_outside` raises."""
    missing, following = missing_outside(connection, outside)
    if following:
        outside.cut(following)
    if missing:
        outside.append(missing)
