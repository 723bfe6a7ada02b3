"""The tables, triggers and indexes of a ledger's file, made by numbered migrations and checked at every opening.

A migration is a file of SQL in `schemas/migrations/`, never changed once it was released; `schemas.tables` declares
what they come to, and the tests hold the two together.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb

from ledger.core.errors import QuotaledgerError
from ledger.store.query import first, rows
from ledger.store.views import macros


def migrations() -> dict[int, tuple[str, str]]:
    """Give name and SQL of every migration by its number, in order."""
    folder = files("schemas") / "migrations"
    found = sorted((path.name, path.read_text("utf-8")) for path in folder.iterdir() if path.name.endswith(".sql"))
    return {int(name[:4]): (name[5:-4].replace("_", " "), text) for name, text in found}


def migrate(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Bring a file to the newest migration, each in a transaction of its own and followed by CHECKPOINT."""
    done = migrated(connection)
    for number, (name, text) in migrations().items():
        if number > done:
            connection.execute(f"BEGIN; {text}")
            connection.execute("INSERT INTO migration VALUES (?, ?, ?)", [number, name, now])
            connection.execute("COMMIT")
            connection.execute("CHECKPOINT")


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables in an empty file, with nothing in them: what migrations were made to it is copied, too."""
    for _, text in migrations().values():
        connection.execute(text)


def check_migrated(connection: duckdb.DuckDBPyConnection, path: Path, *, writing: bool) -> None:
    """Raise QuotaledgerError for a file that is no ledger or was written by a newer version of this software.

    An older one is brought up to date by opening it for writing; for reading alone it must be up to date.
    """
    done, newest = migrated(connection), max(migrations())
    if not done:
        raise QuotaledgerError(f"{path} is no ledger; choose another path with --ledger, or make one with init")
    if done > newest:
        raise QuotaledgerError(f"{path} was written by a newer quotaledger (migration {done}); update quotaledger")
    if done < newest and not writing:
        raise QuotaledgerError(f"{path} was written by an older quotaledger; any verb that records updates it")


def migrated(connection: duckdb.DuckDBPyConnection) -> int:
    """Give the number of the last migration that was made to a file; 0 for a file that is no ledger."""
    if not first(connection, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'migration'"):
        return 0
    row = first(connection, "SELECT coalesce(max(number), 0) FROM migration")
    return int(row[0]) if row else 0


@cache
def expected_fingerprint() -> str:
    """Give the fingerprint of a file that only the migrations have made, as this very engine writes it."""
    return _digest(expected_parts())


def strangers(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Give what is in a file that could stand in for a part of the engine, and that no ledger has.

    A macro goes before a function or operator of the same name: whoever puts one called `sum` into the file changes
    every answer and every decision. A second meaning of one of our own goes before the first where its types fit. To
    be asked before anything else, in words that no macro could change.
    """
    found = Counter((kind, name) for kind, names in _STRANGERS.items() for (name,) in rows(connection, names))
    found -= Counter(("macro", name) for name in _MACRO.findall(macros()))
    return [f"the {kind} {name}" for kind, name in sorted(found)]


_MACRO: Final = re.compile(r"MACRO (\w+)\(")
_STRANGERS: Final = {
    "macro": "SELECT function_name FROM system.main.duckdb_functions() WHERE NOT internal",
    "schema": "SELECT schema_name FROM system.main.duckdb_schemas() WHERE NOT internal",
    "type": "SELECT type_name FROM system.main.duckdb_types() WHERE NOT internal",
    "sequence": "SELECT sequence_name FROM system.main.duckdb_sequences()",
}
"""Nothing but names, and functions that are named with the schema of the engine."""


def fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """Give the SHA-256, in hex, of what a file's tables, indexes and triggers are; views hold no data."""
    return _digest(parts(connection))


def _digest(found: Sequence[str]) -> str:
    return sha256("\n".join(found).encode()).hexdigest()


def expected_parts() -> tuple[str, ...]:
    """Give the parts of a file that only the migrations have made."""
    with duckdb.connect(":memory:") as connection:
        make_tables(connection)
        return parts(connection)


def parts(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Give every column, index and trigger of a file, in order, as a text that begins with what it is and where."""
    found = rows(
        connection,
        """
        SELECT concat_ws('|', 'column', table_name, column_index, column_name, data_type, is_nullable) AS part
        FROM duckdb_columns() WHERE NOT internal AND table_name IN (SELECT table_name FROM duckdb_tables())
        UNION ALL
        SELECT concat_ws('|', 'table', table_name, 'definition', sql) FROM duckdb_tables()
        UNION ALL
        SELECT concat_ws('|', 'index', table_name, index_name, expressions, is_unique) FROM duckdb_indexes()
        UNION ALL
        SELECT concat_ws('|', 'trigger', table_name, trigger_name, action_timing, event_manipulation, sql)
        FROM duckdb_triggers()
        ORDER BY part
        """,
    )
    return tuple(part for (part,) in found)
