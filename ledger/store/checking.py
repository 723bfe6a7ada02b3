"""Holding a rebuilt ledger's rows against its leaves, these against its checkpoints, and those against its keys."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Final

import duckdb

from ledger.core.errors import QuotaledgerError, VerificationFailed
from ledger.store.frozen import TABLES, pieces
from ledger.store.leaf_texts import LEAF_BYTES, LINE, leaf_texts, text_bytes
from ledger.store.query import rows
from ledger.store.read import REFERENCE_HASH
from ledger.store.schema import migrations
from ledger.tlog.checkpoint import read_checkpoint
from ledger.tlog.leaf import HASH_BYTES
from ledger.tlog.note import NoteError, VerifierKey
from ledger.tlog.tree import Frontier

_ODD: Final = {
    "a leaf has no row or a row no leaf": f"""(SELECT count(*) FROM leaf) <>
        {" + ".join(f"(SELECT count(*) FROM {t})" for t in TABLES if t in ("entry", "batch") or t.endswith("_row"))}""",
    "the records are not numbered without gaps": """(SELECT count(*) FROM entry)
        <> (SELECT count(*) FROM entry WHERE sequence BETWEEN 1 AND (SELECT count(*) FROM entry))""",
    "a reference cannot be found again": f"EXISTS (FROM entry WHERE reference_hash <> {REFERENCE_HASH})",
    "a batch does not end where it says": """EXISTS (FROM (SELECT last_sequence, last_leaf, kind, records, rejected,
        duplicates, lag(last_sequence, 1, 0) OVER (ORDER BY batch) AS before, batch, row_number() OVER (ORDER BY batch)
        AS place FROM batch) WHERE batch <> place OR last_sequence - before
        <> CASE WHEN kind = 'import' THEN records - rejected - duplicates ELSE 0 END)""",
    "a file is of no batch": "EXISTS (FROM batch_file ANTI JOIN batch USING (batch))",
    "a record is of no file": """EXISTS (FROM (SELECT DISTINCT batch, file_number AS number FROM entry)
        ANTI JOIN batch_file USING (batch, number))""",
    "a batch has no checkpoint, or several": """(SELECT count(*) FROM checkpoint) <> (SELECT count(*) FROM batch)
        OR EXISTS (FROM checkpoint AS c ANTI JOIN batch AS b ON b.batch = c.batch AND b.last_leaf + 1 = c.size)""",
}
"""What the leaves do not say and must be so nevertheless, each with the SQL that is true where it is not."""


def check_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise VerificationFailed for rows that no ledger has, as far as its leaves do not show it."""
    done = [tuple(row) for row in rows(connection, "SELECT number, name FROM migration ORDER BY number")]
    if done != [(number, name) for number, (name, _) in migrations().items()]:
        raise VerificationFailed(
            "the tables are of another version of quotaledger; restore with that one and update it"
        )
    for fault, condition in _ODD.items():
        if rows(connection, f"SELECT {condition}") == [(True,)]:
            raise VerificationFailed(f"the tables have rows that no ledger has: {fault}")


def check_log(
    connection: duckdb.DuckDBPyConnection, same_line: Callable[[memoryview], bool], advanced: Callable[[int], None]
) -> bytes:
    """Write every leaf again from its row, and give the root of all.

    `same_line` is asked of the lines of `leaves.ndjson`, one after another. Raises VerificationFailed if a row is not
    what its leaf has, a checkpoint not what was signed, or not signed by the key in use.
    """
    grown, checkpoints = Frontier(), _checkpoints(connection)
    expected = next(checkpoints, None)
    try:
        for found in leaf_texts(connection, f"hash, {LEAF_BYTES} AS said, {LINE} AS line"):
            hashes = b"".join(_hashed(found.column("said")))
            if hashes != b"".join(found.column("hash").to_pylist()):
                raise VerificationFailed(f"a row is not what its leaf says: {_first_odd(grown.size, found, hashes)}")
            if not all(map(same_line, text_bytes(found.column("line")))):
                raise VerificationFailed("leaves.ndjson does not say what the tables say")
            start, at = grown.size, 0
            while expected and expected[0] <= start + len(found):
                end = HASH_BYTES * (expected[0] - start)
                grown, at = grown.extended(hashes[at:end])[0], end
                _check_checkpoint(*expected, grown.root())
                expected = next(checkpoints, None)
            grown = grown.extended(hashes[at:])[0]
            advanced(grown.size)
    except QuotaledgerError as error:
        raise VerificationFailed(str(error)) from None
    if expected:
        raise VerificationFailed(f"a checkpoint states {expected[0]:,} leaves, but there are {grown.size:,}")
    return grown.root()


def _hashed(texts: Any) -> Iterator[bytes]:
    """Give the leaf hash of each of some texts."""
    for text in texts.to_pylist():
        yield sha256(b"\x00" + text.encode()).digest()


def _first_odd(start: int, found: Any, hashes: bytes) -> str:
    stored = found.column("hash").to_pylist()
    odd = next(at for at, one in enumerate(stored) if hashes[HASH_BYTES * at : HASH_BYTES * (at + 1)] != one)
    return f"leaf {start + odd:,}"


def _checkpoints(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, bytes, str, VerifierKey]]:
    """Give size, root and note of each checkpoint in order, and the key that must have signed it."""
    try:
        keys = [
            (leaf, VerifierKey.parse(key))
            for leaf, key in rows(connection, "SELECT leaf, key FROM key_row ORDER BY leaf")
        ]
    except NoteError as error:
        raise VerificationFailed(f"a signing key cannot be read: {error}") from None
    before = 0
    for piece in pieces(connection, "checkpoint"):
        for size, root, note in zip(
            *(piece.column(name).to_pylist() for name in ("size", "root", "note")), strict=True
        ):
            usable = [key for leaf, key in keys if leaf < size]
            if not usable or size <= before:
                raise VerificationFailed(f"a checkpoint of {size:,} leaves cannot be: no key was in use, or it is late")
            before = size
            yield size, root, note, usable[-1]


def _check_checkpoint(size: int, root: bytes, note: str, key: VerifierKey, found: bytes) -> None:
    try:
        signed = read_checkpoint(note, [key])
    except NoteError as error:
        raise VerificationFailed(f"the checkpoint of {size:,} leaves is not one to trust: {error}") from None
    if (signed.origin, signed.size, signed.root, root) != (key.name, size, found, found):
        raise VerificationFailed(f"the checkpoint of {size:,} leaves does not state the root that they have")
