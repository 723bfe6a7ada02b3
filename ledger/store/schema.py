"""Making the tables, triggers, indexes and views of a ledger's file, in numbered migrations.

`CREATE TABLE` is made from `schemas.tables`. Every migration ends by making the views anew: they hold no data.
"""

import re
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from typing import Final

import duckdb

from ledger.core.errors import QuotaledgerError
from ledger.store.query import first, rows

_COMMENT = re.compile(r"^-- (?:(\w+): )?(.*)$", re.MULTILINE)
_KEY = re.compile(r",\s*PRIMARY KEY \([^)]*\)")
APPEND_ONLY: Final = "is append-only: what is recorded stays; correct it with a reversal and a new record"

FINGERPRINT: Final = "b87ec48e4685bfdb8f4450a85855a497207f618dd6dde599ef91a7330403b2ec"
"""SHA-256 over the ledger tables' columns, indexes and triggers of the newest migration. A file that differs was
changed by something else than this software."""


def _first_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make all tables as they are declared today: a new ledger starts from here."""
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateTable

    from schemas.tables import DERIVED_TABLES, LEDGER_TABLES

    for table in (*LEDGER_TABLES, *DERIVED_TABLES):
        declared = table.__table__  # type: ignore[attr-defined]
        ddl = str(CreateTable(declared).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
        # No key is made: checking one costs more than the insert, and the sequencer alone writes.
        connection.execute(_KEY.sub("", ddl))
        connection.execute(f"COMMENT ON TABLE {declared.name} IS {_quoted((table.__doc__ or '').strip())}")
        for column in declared.columns:
            connection.execute(f"COMMENT ON COLUMN {declared.name}.{column.name} IS {_quoted(column.comment)}")
    connection.execute("CREATE TABLE never (reason VARCHAR)")  # a trigger must write somewhere; it never comes to that
    for table in LEDGER_TABLES:
        name = table.__table__.name  # type: ignore[attr-defined]
        for event in ("UPDATE", "DELETE"):  # TRUNCATE is a DELETE
            connection.execute(
                f"CREATE TRIGGER {name}_no_{event.lower()} BEFORE {event} ON {name} FOR EACH STATEMENT"
                f" INSERT INTO never SELECT error('{name} {APPEND_ONLY}')"
            )
    connection.execute("CREATE INDEX entry_reference_hash ON entry (reference_hash)")
    connection.execute("CREATE INDEX entry_under_sequence ON entry (under_sequence)")


MIGRATIONS: Final[tuple[tuple[int, str, Callable[[duckdb.DuckDBPyConnection], None]], ...]] = (
    (1, "the first tables", _first_tables),
)


def migrate(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Bring a file to the newest migration, each in a transaction of its own and followed by CHECKPOINT.

    Raises QuotaledgerError for a file that a newer version of this software has written.
    """
    done = migrated(connection)
    if done > MIGRATIONS[-1][0]:
        raise QuotaledgerError(
            f"the ledger was written by a newer quotaledger (migration {done}, this one knows {MIGRATIONS[-1][0]});"
            " update quotaledger"
        )
    for number, name, step in MIGRATIONS[done:]:
        connection.execute("BEGIN")
        step(connection)
        make_views(connection)
        connection.execute("INSERT INTO migration VALUES (?, ?, ?)", [number, name, now])
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")


def migrated(connection: duckdb.DuckDBPyConnection) -> int:
    """Give the number of the last migration that was made to a file; 0 for a file that is no ledger."""
    if not first(connection, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'migration'"):
        return 0
    row = first(connection, "SELECT coalesce(max(number), 0) FROM migration")
    return int(row[0]) if row else 0


def view_files() -> dict[str, str]:
    """Give the SQL of every view by name, in the order in which they build on one another."""
    folder = files("schemas") / "views"
    texts = {path.name[:-4]: path.read_text("utf-8") for path in folder.iterdir() if path.name.endswith(".sql")}
    ordered: dict[str, str] = {}
    while texts:
        free = [n for n, t in texts.items() if not any(re.search(rf"\b{o}\b", body(t)) for o in texts if o != n)]
        for name in sorted(free):
            ordered[name] = texts.pop(name)
    return ordered


def body(text: str) -> str:
    """Give the query of a view's file, without the comments in front."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip().rstrip(";")


def comments(text: str) -> dict[str, str]:
    """Give the comments of a view's file by column; the view's own under the empty name."""
    found: dict[str, str] = {}
    for column, comment in _COMMENT.findall(text):
        found[column] = f"{found[column]} {comment}" if column in found else comment
    return found


def make_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the macros and views anew, with a comment on each and on each of its columns."""
    macros = (files("schemas") / "macros.sql").read_text("utf-8")
    connection.execute(macros)
    for name, text in view_files().items():
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {body(text)}")
        said = comments(text)
        connection.execute(f"COMMENT ON VIEW {name} IS {_quoted(said.pop(''))}")
        for column, comment in said.items():
            connection.execute(f"COMMENT ON COLUMN {name}.{column} IS {_quoted(comment)}")


def fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """Give the SHA-256, in hex, of what the file's ledger tables, indexes and triggers are."""
    parts = rows(
        connection,
        """
        SELECT concat_ws('|', 'column', table_name, column_index, column_name, data_type, is_nullable) AS part
        FROM duckdb_columns() WHERE NOT internal AND table_name IN (SELECT table_name FROM duckdb_tables())
        UNION ALL
        SELECT concat_ws('|', 'index', table_name, index_name, expressions) FROM duckdb_indexes()
        UNION ALL
        SELECT concat_ws('|', 'trigger', table_name, trigger_name, action_timing, event_manipulation,
            contains(sql, 'error('))
        FROM duckdb_triggers()
        ORDER BY part
        """,
    )
    return sha256("\n".join(part for (part,) in parts).encode()).hexdigest()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
