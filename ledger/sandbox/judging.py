"""What a query is to DuckDB's own parser, and whether it may be asked.

That is a courtesy, which gives a clear reason: what holds is that the process has a file opened for reading, no way to
others, and limits. A statement that deletes in a WITH calls itself a SELECT, too.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import duckdb

_TABLE_FUNCTIONS: Final = {
    *("range", "generate_series", "unnest", "repeat_row", "json_each", "json_tree"),
    *("duckdb_columns", "duckdb_tables", "duckdb_views", "duckdb_functions", "duckdb_types", "duckdb_keywords"),
}
"""The others read files, tell about the server, or hide a query in a text."""
_CATALOGUES: Final = {"duckdb_columns", "duckdb_tables", "duckdb_views", "tables", "columns"}
_IS_FLOAT: Final = "data_type SIMILAR TO '.*(DOUBLE|FLOAT).*'"
_TELLING: Final = {"current_setting", "getenv", "getvariable", "which_secret", "pg_get_viewdef", "in_search_path"}


class Refused(Exception):
    """A query that is not asked; the text says why."""


@dataclass(frozen=True)
class Catalogue:
    """What there is to ask: read once, because to list functions takes longer than most queries."""

    macros: frozenset[str]
    """The table macros of the copy."""
    internal: frozenset[str]
    """Views of DuckDB's own."""
    unstable: frozenset[str]
    """Functions that may give something else for the same, and macros of DuckDB's own, which may use those."""
    floats: frozenset[str]
    """Functions that make a float of what is none."""
    float_columns: frozenset[str]
    """Columns that are floats in some view."""
    whole_columns: frozenset[str]
    """The others."""


def catalogue(connection: duckdb.DuckDBPyConnection) -> Catalogue:
    """Read what there is in a copy, and in DuckDB."""

    def names(query: str) -> frozenset[str]:
        return frozenset(name for (name,) in connection.execute(query).fetchall())

    of_columns = "SELECT lower(column_name) FROM duckdb_columns() WHERE NOT internal GROUP BY ALL"
    return Catalogue(
        names("SELECT function_name FROM duckdb_functions() WHERE NOT internal AND function_type = 'table_macro'"),
        names("SELECT view_name FROM duckdb_views() WHERE internal"),
        names(
            "SELECT function_name FROM duckdb_functions()"
            " WHERE stability <> 'CONSISTENT' OR (internal AND function_type LIKE '%macro')"
        ),
        names(
            "SELECT function_name FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate')"
            " GROUP BY ALL HAVING bool_and(return_type IN ('DOUBLE', 'FLOAT')) OR bool_or("
            "return_type IN ('DOUBLE', 'FLOAT') AND NOT list_has_any(parameter_types, ['DOUBLE', 'FLOAT']))"
            " UNION SELECT function_name FROM duckdb_functions() WHERE NOT internal AND function_type = 'macro'"
            " AND macro_definition SIMILAR TO '.*(/|DOUBLE|FLOAT).*'"
        )
        | {"/"},
        names(f"{of_columns} HAVING bool_or({_IS_FLOAT})"),
        names(f"{of_columns} HAVING NOT bool_or({_IS_FLOAT})"),
    )


@dataclass(frozen=True)
class Query:
    """A query, parsed."""

    text: str
    tree: Mapping[str, Any] | None
    """None for an EXPLAIN, which has none."""

    @cached_property
    def nodes(self) -> Sequence[Mapping[str, Any]]:
        """Every object in it."""
        return list(nodes_of(self.tree))

    @property
    def top(self) -> Mapping[str, Any]:
        """The outermost SELECT."""
        return self.tree["statements"][0]["node"] if self.tree else {}

    @property
    def is_cut(self) -> bool:
        """Whether the outermost SELECT has a LIMIT or OFFSET."""
        return any(one["type"].startswith("LIMIT") for one in self.top.get("modifiers", ()))

    @property
    def keys(self) -> Sequence[Mapping[str, Any]]:
        """What the outermost ORDER BY orders by."""
        orders = [one["orders"] for one in self.top.get("modifiers", ()) if one["type"] == "ORDER_MODIFIER"]
        return [key["expression"] for key in orders[0]] if orders else ()


def parse(connection: duckdb.DuckDBPyConnection, known: Catalogue, text: str) -> Query:
    """Parse a query. Raises Refused for what is not one query that may be asked, duckdb.Error for what is no SQL."""
    statements = connection.extract_statements(text)
    if len(statements) != 1:
        found = f"{len(statements):,} statements" if statements else "no statement"
        raise Refused(f"there must be one statement, and there are {found}" if statements else "there is no query")
    (statement,) = statements
    inner = statement.query
    if statement.type == duckdb.StatementType.EXPLAIN:
        _, _, inner = inner.strip().partition(" ")
        inner = inner.strip()
        if inner[:7].upper() == "ANALYZE":
            inner = inner[7:]
    elif statement.type.name == "MULTI":  # DuckDB makes a type of the values first
        raise Refused("PIVOT needs to know its values: PIVOT ... ON quarter IN ('2026Q1', '2026Q2') USING ...")
    elif statement.type != duckdb.StatementType.SELECT:
        raise Refused(f"only what reads is answered (SELECT, FROM, WITH, DESCRIBE ...), not {statement.type.name}")
    tree = _tree(connection, inner)
    query = Query(text, tree)
    _check(known, query)
    return query if statement.type == duckdb.StatementType.SELECT else Query(text, None)


def _tree(connection: duckdb.DuckDBPyConnection, text: str) -> Mapping[str, Any]:
    ((said,),) = connection.execute(
        "SELECT json_serialize_sql(?, skip_null := true, skip_empty := true, skip_default := true)", [text]
    ).fetchall()
    tree: dict[str, Any] = json.loads(said)
    if tree["error"]:
        raise Refused("only what reads is answered, and this is not, or cannot be taken apart")
    return tree


def _check(known: Catalogue, query: Query) -> None:
    """Raise Refused for what would tell about the server, or read anything but the copy."""
    for node in query.nodes:
        kind = node.get("type")
        name = str(node.get("function_name", node.get("table_name", ""))).lower()
        if kind == "TABLE_FUNCTION":
            name = str(node["function"]["function_name"]).lower()
            if name not in _TABLE_FUNCTIONS | known.macros:
                raise Refused(f"{name} is not for asking here: it reads files, or tells about the server")
        elif kind == "BASE_TABLE" and name in known.internal - _CATALOGUES:
            raise Refused(f"{name} is not for asking here: it tells about the server")
        elif kind == "BASE_TABLE" and set(name) & set("/\\*:"):
            raise Refused("no file is read; ask the views, which \\d or the page of views lists")
        elif "function_name" in node and name in _TELLING:
            raise Refused(f"{name} is not for asking here: it tells about the server")


def nodes_of(tree: Any) -> Iterator[dict[str, Any]]:
    """Give every object in a tree."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
