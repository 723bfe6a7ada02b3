"""What a query is to DuckDB's own parser: whether it may be asked, and whether its answer is the same tomorrow.

What may be asked is a courtesy, which gives a clear reason: what holds is that the process has a file opened for
reading, no way to others, and limits. A statement that deletes in a WITH calls itself a SELECT, too.
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
_SERIES: Final = {"range", "generate_series", "unnest"}
_TELLING: Final = {"current_setting", "getenv", "getvariable", "which_secret", "pg_get_viewdef", "in_search_path"}
_CLOCKS: Final = {
    *("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now", "today"),
    *("current_user", "session_user", "user", "rowid", "current_query", "version", "txid_current"),
}
_UNORDERED: Final = {
    *("first", "last", "any_value", "arbitrary", "list", "array_agg", "string_agg", "group_concat", "listagg"),
}
"""Aggregates whose result is that of the order in which rows come, unless they say in which."""
_AMBIGUOUS: Final = {
    *("arg_max", "arg_min", "argmax", "argmin", "max_by", "min_by", "mode", "histogram", "reservoir_quantile"),
    *("approx_count_distinct", "approx_quantile", "approx_top_k", "arg_min_null", "arg_max_null"),
}
"""Aggregates that choose among equals, or guess."""
_RANKS: Final = {"WINDOW_RANK", "WINDOW_RANK_DENSE", "WINDOW_PERCENT_RANK", "WINDOW_CUME_DIST"}


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


def catalogue(connection: duckdb.DuckDBPyConnection) -> Catalogue:
    """Read what there is in a copy, and in DuckDB."""

    def names(query: str) -> frozenset[str]:
        return frozenset(name for (name,) in connection.execute(query).fetchall())

    return Catalogue(
        names("SELECT function_name FROM duckdb_functions() WHERE NOT internal AND function_type = 'table_macro'"),
        names("SELECT view_name FROM duckdb_views() WHERE internal"),
        names(
            "SELECT function_name FROM duckdb_functions()"
            " WHERE stability <> 'CONSISTENT' OR (internal AND function_type LIKE '%macro')"
        ),
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
        return list(_nodes(self.tree))

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


def is_deterministic(known: Catalogue, query: Query) -> bool:
    """Say if nothing in a query has to do with clocks, chance, or an order that is not said. In doubt it is not so."""
    if query.tree is None:
        return False
    called = {str(node["function_name"]).lower() for node in query.nodes if "function_name" in node}
    if called & (_CLOCKS | _AMBIGUOUS | known.unstable):
        return False
    return all(_is_settled(node, query.top, known) for node in query.nodes)


def _is_settled(node: Mapping[str, Any], top: Mapping[str, Any], known: Catalogue) -> bool:
    kind, name = node.get("type"), str(node.get("function_name", "")).lower()
    if "sample" in node or kind == "SHOW_REF":
        return False
    if kind == "TABLE_FUNCTION":
        return node["function"]["function_name"].lower() in _SERIES | known.macros
    if kind == "COLUMN_REF":
        return str(node["column_names"][-1]).lower() not in _CLOCKS
    if node.get("class") == "WINDOW":
        return kind in _RANKS or (kind == "WINDOW_AGGREGATE" and not node.get("orders"))
    if name in _UNORDERED and not node.get("order_bys", {}).get("orders"):
        return False
    for modifier in node.get("modifiers", ()):
        if modifier.get("distinct_on_targets") or (modifier["type"].startswith("LIMIT") and node is not top):
            return False
    return True


def order_names(query: Query, columns: Sequence[str]) -> list[str] | None:
    """Give the columns of the result by which a query orders it, None if it does not; expressions are left out."""
    if not query.keys:
        return None
    names: list[str] = []
    for key in query.keys:
        if key["type"] == "STAR":
            return list(columns)
        if key["type"] == "VALUE_CONSTANT" and key["literal"].get("kind") == "INTEGER":
            place = int(key["literal"]["text"])
            names += columns[place - 1 : place]
        elif key["type"] == "COLUMN_REF":
            names += [name for name in columns if name.lower() == str(key["column_names"][-1]).lower()]
    return names


@dataclass(frozen=True)
class Cut:
    """A query that asks for a row more at each end of what LIMIT and OFFSET cut: there a tie would show."""

    tree: Mapping[str, Any]
    before: int
    """How many of its rows come before those that were asked for."""
    rows: int
    """How many were asked for."""


def wider(query: Query) -> Cut | None:
    """Widen what a query cuts. None where that is not said in plain numbers."""
    tree = json.loads(json.dumps(query.tree))
    limit = next(one for one in tree["statements"][0]["node"]["modifiers"] if one["type"].startswith("LIMIT"))
    try:
        rows = int(limit["limit"]["literal"]["text"])
        offset = int(limit["offset"]["literal"]["text"]) if limit.get("offset") else 0
    except (KeyError, TypeError, ValueError):
        return None
    before = min(offset, 1)
    limit["limit"]["literal"]["text"] = str(rows + before + 1)
    if before:
        limit["offset"]["literal"]["text"] = str(offset - 1)
    return Cut(tree, before, rows) if limit["type"] == "LIMIT_MODIFIER" else None


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
