"""The views and macros: read from `schemas/`, made in the ledger's file, each column commented.

Apart from the tables because views hold no data: they are made anew whenever their texts have changed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import Any, Final

import duckdb

_MACRO: Final = re.compile(
    r"^((?:--[^\n]*\n)+)CREATE OR REPLACE MACRO (\w+)\(([^)]*)\) AS\s(TABLE\b)?(.*?);$", re.MULTILINE | re.DOTALL
)
_COMMENT: Final = re.compile(r"^-- (?:(\w+): )?(.*)$", re.MULTILINE)


@cache
def view_files() -> Mapping[str, str]:
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
    """Give the comments in front of a view's query by column; the view's own under the empty name."""
    found: dict[str, str] = {}
    head = "\n".join(takewhile(lambda line: line.startswith("--"), text.splitlines()))
    for column, comment in _COMMENT.findall(head):
        found[column] = f"{found[column]} {comment}" if column in found else comment
    return found


def make_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the macros and views anew, with a comment on each and on each of its columns."""
    after = [macro for macro in macro_texts() if macro.is_table]
    for macro in macro_texts():
        if macro not in after:
            connection.execute(macro.sql)
    for name, text in view_files().items():
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {body(text)}")
        comment_on(connection, "VIEW", name, comments(text))
    for macro in after:
        connection.execute(macro.sql)


def comment_on(connection: duckdb.DuckDBPyConnection, kind: str, name: str, said: Mapping[str, str]) -> None:
    """Put comments on a VIEW or TABLE and its columns; its own is under the empty name."""
    for column, comment in said.items():
        what = f"COLUMN {name}.{column}" if column else f"{kind} {name}"
        connection.execute(f"COMMENT ON {what} IS {_quoted(comment)}")


def stored_views() -> tuple[str, ...]:
    """Give the views that read tables of the ledger, which a copy has as tables, in the order in which they build."""
    return tuple(name for name, text in view_files().items() if is_stored(body(text)))


def derived_views() -> tuple[str, ...]:
    """Give the views that read nothing but other views, which a copy has as views, in the order in which they build."""
    return tuple(name for name, text in view_files().items() if not is_stored(body(text)))


@cache
def is_stored(query: str) -> bool:
    """Say if a query reads tables of the ledger, itself or by a macro, and not only what views have.

    In a copy a view of such a query is a table, and a macro of such a one is left out.
    """
    with duckdb.connect() as parser:
        return _reads_tables(parser, query, {macro.name: macro.query for macro in macro_texts()})


def _reads_tables(parser: duckdb.DuckDBPyConnection, query: str, known: Mapping[str, str]) -> bool:
    ((text,),) = parser.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
    nodes = list(_nodes(json.loads(text)))
    names = {node["table_name"] for node in nodes if node.get("type") == "BASE_TABLE"}
    names -= {entry["key"] for node in nodes for entry in node.get("cte_map", {}).get("map", ())}
    called = {node["function_name"] for node in nodes if "function_name" in node}
    return bool(names & _tables()) or any(_reads_tables(parser, known[name], known) for name in called & known.keys())


@cache
def _tables() -> frozenset[str]:
    """Give the names of the ledger's tables; to load their declarations takes longer than most commands."""
    from schemas.tables import DERIVED_TABLES, LEDGER_TABLES  # noqa: PLC0415

    return frozenset(str(table.__tablename__) for table in (*LEDGER_TABLES, *DERIVED_TABLES))


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Give every object in parsed SQL."""
    if isinstance(tree, dict):
        yield tree
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(part)


def copied_macros() -> str:
    """Give the SQL of the macros that need no table of the ledger, nor a view that a copy has as one."""
    return "\n".join(macro.sql for macro in macro_texts() if not is_stored(macro.query))


@dataclass(frozen=True)
class Macro:
    """A macro of `macros.sql`."""

    name: str
    parameters: tuple[str, ...]
    comment: str
    query: str
    """What it stands for, as a query."""
    is_table: bool
    """Whether it stands after FROM: then it reads views, and is made after them."""
    sql: str
    """The statements that make it, with its comment."""


@cache
def macro_texts() -> tuple[Macro, ...]:
    """Give the macros, in the order in which they build on one another."""
    return tuple(_macro(*found.group(0, 1, 2, 3, 4, 5)) for found in _MACRO.finditer(macros()))


def _macro(statement: str, said: str, name: str, parameters: str, table: str | None, meaning: str) -> Macro:
    comment = " ".join(line.removeprefix("-- ") for line in said.splitlines())
    kind = "MACRO TABLE" if table else "MACRO"
    return Macro(
        name=name,
        parameters=tuple(word.strip() for word in parameters.split(",") if word.strip()),
        comment=comment,
        query=meaning if table else f"SELECT {meaning}",
        is_table=bool(table),
        sql=f"{statement}\nCOMMENT ON {kind} {name} IS {_quoted(comment)};",
    )


def macros() -> str:
    """Give the SQL of the macros that the views share, and of those that analysts ask with."""
    return (files("schemas") / "macros.sql").read_text("utf-8")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
