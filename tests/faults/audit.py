"""What must hold of any ledger, read from its file alone: an own verification, for faults to be held against.

It shares the writing of leaves and the check of one signature with the product, and computes all else another way:
every hash, the root after every batch and who must have signed for it, the numbering, the balances, and the file of
outside checkpoints note by note.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import duckdb

from ledger.store.file import OUTSIDE_SUFFIX, beside
from ledger.store.outside import OutsideCheckpoints
from ledger.store.seal import leaf_value
from ledger.tlog.checkpoint import Checkpoint, unchecked
from ledger.tlog.leaf import FIELDS, leaf_bytes, leaf_hash
from ledger.tlog.note import VerifierKey
from ledger.tlog.tree import Frontier, Tiles
from schemas.tables import DERIVED_TABLES, LEDGER_TABLES
from tests.signers import ill_signed, signers

_TABLES = {"decision": "entry", "batch": "batch"}
_ACCOUNTS = ("cap", "lpp", "nveu", "committed", "installed", "pending")


def contents(path: Path) -> dict[str, Counter[str]]:
    """Give every row of every table, for ledgers to be compared: the whole logical content of the file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = [str(table.__tablename__) for table in (*LEDGER_TABLES, *DERIVED_TABLES)]
        return {
            name: Counter(map(repr, connection.execute(f"SELECT * FROM {name}").fetchall()))
            for name in tables
            if name != "view_digest"
        }


def audit(path: Path, lost: Collection[int] = ()) -> list[str]:
    """Give what does not hold of a ledger, nothing if all does; the file must not be open elsewhere.

    `lost` are the leaves that are known to have put a key in use when the one before was lost.
    """
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return [*_log(connection, lost), *_numbers(connection), *_balances(connection), *_outside(connection, path)]


def _leaves(connection: duckdb.DuckDBPyConnection) -> dict[int, tuple[str, dict[str, Any]]]:
    """Give kind and values of the row that each leaf stands for, from the rows and not from the leaves."""
    files: dict[int, list[dict[str, Any]]] = {}
    for batch, file, digest, records in connection.execute(
        "SELECT batch, file, sha256, records FROM batch_file ORDER BY batch, number"
    ).fetchall():
        files.setdefault(batch, []).append({"file": file, "sha256": digest, "records": records})
    found: dict[int, tuple[str, dict[str, Any]]] = {}
    for kind in FIELDS:
        name = _TABLES.get(kind, f"{kind}_row")
        query = f"SELECT t.*, b.recorded_at, b.rulebook_digest FROM {name} AS t JOIN batch AS b USING (batch)"
        cursor = connection.execute("SELECT *, last_leaf AS leaf FROM batch" if kind == "batch" else query)
        names = [column[0] for column in cursor.description or ()]
        for row in cursor.fetchall():
            values = dict(zip(names, row, strict=True))
            values["files"] = files.get(values["batch"])
            assert values["leaf"] not in found, f"two rows have leaf {values['leaf']}"
            found[values["leaf"]] = kind, values
    return found


def _log(connection: duckdb.DuckDBPyConnection, lost: Collection[int]) -> Iterator[str]:
    """Compute every leaf, and the tree batch by batch, with its tiles and its signed checkpoints."""
    stored = connection.execute("SELECT leaf, kind, salt, hash FROM leaf ORDER BY leaf").fetchall()
    standing = _leaves(connection)
    if [leaf for leaf, *_ in stored] != list(range(len(standing))) or standing.keys() != set(range(len(stored))):
        yield f"{len(stored)} leaves and {len(standing)} rows that they stand for are not numbered as one another"
        return
    for leaf, kind, salt, digest in stored:
        of, values = standing[leaf]
        fields = {name: leaf_value(name, (values | {"salt": salt.hex()})[name]) for name in FIELDS[of]}
        if of != kind or leaf_hash(leaf_bytes(of, fields)) != digest:
            yield f"leaf {leaf} is not the hash of its row"
    keys = {leaf: VerifierKey.parse(values["key"]) for leaf, (of, values) in standing.items() if of == "key"}
    frontier, tiles = Frontier(), list[Tiles]()
    for batch, size, root, note in connection.execute("FROM checkpoint ORDER BY batch").fetchall():
        start, said = frontier.size, unchecked(note)
        frontier, more = frontier.extended(b"".join(row[3] for row in stored[start:size]))
        tiles += more
        if wrong := ill_signed(note, signers(keys, start, size, lost)):
            yield f"the checkpoint of batch {batch} is not signed by the key in force then: {wrong}"
        origin = keys[0].name
        if (frontier.size, frontier.root()) != (size, root) or said != Checkpoint(origin, size, root):
            yield f"the checkpoint of batch {batch} is not that of its leaves"
    expected = {
        (made.level, made.start + place, made.hashes[32 * place : 32 * place + 32])
        for made in tiles
        for place in range(len(made.hashes) // 32)
    }
    if Counter(connection.execute("SELECT level, number, hash FROM tile").fetchall()) != Counter(expected):
        yield "the tiles are not those of the leaves"
    if connection.execute("SELECT leaf, peaks FROM head").fetchall() != [(frontier.size, frontier.peaks)]:
        yield "the head is not where the last checkpoint is"


def _numbers(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Every number once, without a gap; every batch with its checkpoint and all the records that it counts."""
    for name, column, start in (("batch", "batch", 1), ("entry", "sequence", 1), ("checkpoint", "batch", 1)):
        found = [row[0] for row in connection.execute(f"SELECT {column} FROM {name} ORDER BY 1").fetchall()]
        if found != list(range(start, len(found) + start)):
            yield f"the numbers of {name} have gaps or repeat"
    counted = "(SELECT count(*) FROM {} AS t WHERE t.batch = b.batch)"
    half = f"""
        SELECT batch FROM batch AS b WHERE {counted.format("checkpoint")} <> 1
        OR {counted.format("entry")} <> admitted + refused + breached
    """
    yield from (f"batch {batch} is there by half" for (batch,) in connection.execute(half).fetchall())
    head = connection.execute("SELECT sequence, batch FROM head").fetchall()
    if head != connection.execute("SELECT max(last_sequence), max(batch) FROM batch").fetchall():
        yield "the head is not where the last batch is"


def _balances(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Hold what each kind of account comes to against the sum over all entries."""
    for account in _ACCOUNTS:
        taken = " - coalesce(sum(lpp_from_tpp), 0)" if account == "lpp" else ""
        query = f"""
            SELECT (SELECT coalesce(sum(tpp), 0) FROM balance WHERE account = '{account}'),
                coalesce(sum({account}_tpp), 0){taken} FROM entry
        """
        ((balance, entries),) = connection.execute(query).fetchall()
        if balance != entries:
            yield f"the balances of {account} are {balance}, the entries come to {entries}"


def _outside(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[str]:
    """Hold the notes outside against those inside, one by one."""
    inside = [note for (note,) in connection.execute("SELECT note FROM checkpoint ORDER BY batch").fetchall()]
    outside = OutsideCheckpoints(beside(path, OUTSIDE_SUFFIX))
    notes = list(outside.notes())
    if notes != inside:
        yield f"{len(inside)} notes inside are not the {len(notes)} outside"
    if outside.last()[1]:
        yield "the file of outside checkpoints has a torn end"
