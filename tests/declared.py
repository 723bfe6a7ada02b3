"""The SQL that the declarations of `schemas.tables` come to; for writing a migration: `python -m tests.declared`."""

import re
import sys

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from schemas.tables import DERIVED_TABLES, LEDGER_TABLES

_KEY = re.compile(r",\s*PRIMARY KEY \([^)]*\)")
_SINK = "never"
SAID = "is append-only: what is recorded stays; correct it with a reversal and a new record"
"""What the triggers say, after the table's name, to whoever tries an UPDATE, DELETE or TRUNCATE."""


def declared_sql() -> str:
    """Give the SQL that makes all tables as they are declared, with comments, triggers and indexes."""
    parts = [_table(table) for table in (*LEDGER_TABLES, *DERIVED_TABLES)]
    parts.append(f"-- A trigger must write somewhere; it never comes to that.\nCREATE TABLE {_SINK} (reason VARCHAR);")
    parts += [_triggers(str(table.__tablename__)) for table in LEDGER_TABLES]
    parts.append("CREATE INDEX entry_reference_hash ON entry (reference_hash);")
    parts.append("CREATE INDEX entry_under_sequence ON entry (under_sequence);")
    parts.append("CREATE INDEX request_row_request ON request_row (request);")
    parts.append("CREATE INDEX request_row_idempotency_key ON request_row (idempotency_key);")
    return "\n\n".join(parts) + "\n"


def _table(table: type) -> str:
    """Make a table without its key: checking one costs more than the insert, and the sequencer alone writes."""
    declared = table.__table__  # type: ignore[attr-defined]
    ddl = str(CreateTable(declared).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    lines = [_KEY.sub("", ddl).strip().replace("\t", "    ").replace(", \n", ",\n") + ";"]
    lines.append(f"COMMENT ON TABLE {declared.name} IS {_quoted((table.__doc__ or '').strip())};")
    lines += [
        f"COMMENT ON COLUMN {declared.name}.{column.name} IS {_quoted(column.comment)};" for column in declared.columns
    ]
    return "\n".join(lines)


def _triggers(name: str) -> str:
    """Refuse UPDATE and DELETE; TRUNCATE is a DELETE."""
    return "\n".join(
        f"CREATE TRIGGER {name}_no_{event.lower()} BEFORE {event} ON {name} FOR EACH STATEMENT"
        f"\n    INSERT INTO {_SINK} SELECT error('{name} {SAID}');"
        for event in ("UPDATE", "DELETE")
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    sys.stdout.write(declared_sql())
