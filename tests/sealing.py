"""Changing a ledger's file behind its back, as somebody with another program and any key would."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX
from ledger.store.log import fields_of
from ledger.store.schema import migrations
from ledger.store.signing import read_private_key
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.leaf import FIELDS, leaf_bytes, leaf_hash
from ledger.tlog.note import VerifierKey
from ledger.tlog.tree import Frontier

_TRIGGER = re.compile(r"CREATE TRIGGER (\w+) \S+ \S+ ON (\w+).*?;\n", re.DOTALL)


@contextmanager
def behind(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that may change anything; triggers are as they were when it is done."""
    triggers = [match for _, text in migrations().values() for match in _TRIGGER.finditer(text)]
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for match in triggers:
            connection.execute(f"DROP TRIGGER {match[1]} ON {match[2]}")
        yield connection
        for match in triggers:
            connection.execute(match[0])
        connection.execute("CHECKPOINT")


def change(path: Path, *statements: str) -> None:
    """Run statements behind the ledger's back."""
    with behind(path) as connection:
        for statement in statements:
            connection.execute(statement)


def own_key(path: Path) -> Ed25519PrivateKey:
    """Give the ledger's own signing key, as its owner has it."""
    return read_private_key(path.with_name(path.name + KEY_SUFFIX))


def seal_again(path: Path, private: Ed25519PrivateKey, *, leaves_only: bool = False) -> None:
    """Hash and sign everything again as it stands now, outside checkpoints and all."""
    with behind(path) as connection:
        size = connection.execute("SELECT count(*) FROM leaf").fetchall()[0][0]
        hashes = {
            leaf: leaf_hash(leaf_bytes(kind, fields))
            for kind in FIELDS
            for leaf, fields in fields_of(connection, kind, 0, size)
        }
        again = pa.table({"leaf": list(hashes), "hash": list(hashes.values())})
        connection.register("again", again)
        connection.execute("UPDATE leaf SET hash = again.hash FROM again WHERE again.leaf = leaf.leaf")
        if leaves_only:
            return
        (key,) = connection.execute("SELECT key FROM key_row WHERE leaf = 0").fetchall()[0]
        origin, at, grown, notes = VerifierKey.parse(key).name, 0, Frontier(), []
        sizes = connection.execute("SELECT batch, size FROM checkpoint ORDER BY batch").fetchall()
        for batch, end in sizes:
            grown, tiles = grown.extended(b"".join(hashes[leaf] for leaf in range(at, end)))
            at = end
            for tile in tiles:
                for place in range(len(tile.hashes) // 32):
                    one = tile.hashes[32 * place : 32 * place + 32]
                    connection.execute(
                        "UPDATE tile SET hash = ? WHERE level = ? AND number = ?", [one, tile.level, tile.start + place]
                    )
            notes.append(Checkpoint(origin, end, grown.root()).signed(private))
            values = [grown.root(), notes[-1], batch]
            connection.execute("UPDATE checkpoint SET root = ?, note = ? WHERE batch = ?", values)
        connection.execute("UPDATE head SET peaks = ?", [grown.peaks])
    path.with_name(path.name + OUTSIDE_SUFFIX).write_text("".join(f"{note}\n" for note in notes), "utf-8")


def rows_of(path: Path, query: str) -> list[tuple[object, ...]]:
    """Ask the file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()
