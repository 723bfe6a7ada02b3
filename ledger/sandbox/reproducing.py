"""Whether the answer to a query is the same tomorrow: nothing of clocks or chance, and an order that leaves no choice.

In doubt it is not. Queries run on two threads: rows without an order, and sums of floats, come otherwise each time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.sandbox.judging import Catalogue, Query, nodes_of
from ledger.store.publishing import PUBLICATION

_SERIES: Final = {"range", "generate_series", "unnest"}
_FLOATS: Final = {"DOUBLE", "FLOAT", "REAL", "FLOAT4", "FLOAT8", "DOUBLE PRECISION"}
_CLOCKS: Final = {
    *("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now", "today"),
    *("current_localtimestamp", "current_localtime", "get_current_timestamp", "transaction_timestamp", "age"),
    *("current_user", "session_user", "user", "rowid", "current_query", "version", "txid_current"),
}
_UNORDERED: Final = {
    *("first", "last", "any_value", "arbitrary", "list", "array_agg", "string_agg", "group_concat", "listagg"),
}
"""Aggregates whose result is that of the order in which rows come, unless they say in which."""
_AMBIGUOUS: Final = {
    *("arg_max", "arg_min", "argmax", "argmin", "max_by", "min_by", "mode", "histogram", "reservoir_quantile"),
    *("approx_count_distinct", "approx_quantile", "approx_top_k", "arg_min_null", "arg_max_null"),
    *("arg_min_nulls_last", "arg_max_nulls_last", "lttb", "list_distinct", "array_distinct", "variant_group_object"),
}
"""What chooses among equals, or guesses."""
_SUMS: Final = {"sum", "avg", "mean"}
"""Aggregates whose result rests on the order in which rows come where they are floats, and not where they are whole."""
_FLOATING: Final = {
    *(
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "variance",
        "var_pop",
        "var_samp",
        "sem",
        "corr",
        "covar_pop",
        "covar_samp",
    ),
    *("regr_avgx", "regr_avgy", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy"),
    *("skewness", "kurtosis", "kurtosis_pop", "product", "favg", "fsum", "kahan_sum", "sumkahan", "geomean", "entropy"),
}
"""Aggregates that add floats, whatever they are given."""
_JOINS: Final = {"POSITIONAL", "ASOF"}
"""Joins that go by the order of rows, or choose among equals."""
_RANKS: Final = {"WINDOW_RANK", "WINDOW_RANK_DENSE", "WINDOW_PERCENT_RANK", "WINDOW_CUME_DIST"}


def is_deterministic(known: Catalogue, query: Query) -> bool:
    """Say if nothing in a query has to do with clocks, chance, or an order that is not said. In doubt it is not so."""
    if query.tree is None:
        return False
    called = {str(node["function_name"]).lower() for node in query.nodes if "function_name" in node}
    if called & (_CLOCKS | _AMBIGUOUS | _FLOATING | known.unstable):
        return False
    if called & _SUMS and not all(_adds_whole(node, query, known) for node in query.nodes if _is_sum(node)):
        return False
    return all(_is_settled(node, query.top, known) for node in query.nodes)


def _names_given(query: Query) -> set[str]:
    """Give the names that a query gives: what has one need not be the column of that name."""
    given = {str(node.get("alias", "")).lower() for node in query.nodes}
    given |= {str(name).lower() for node in query.nodes for name in node.get("column_name_alias", ())}
    return given | {str(name).lower() for node in query.nodes for name in node.get("aliases", ())}


def _same(one: Any) -> Any:
    """Give a part of a tree without the places in the text."""
    if isinstance(one, dict):
        return {name: _same(part) for name, part in one.items() if not name.startswith("query_location")}
    return [_same(part) for part in one] if isinstance(one, list) else one


def _is_ordered(node: Mapping[str, Any]) -> bool:
    """Say if an aggregate takes its rows in an order that leaves no choice: that of what it takes of them."""
    keys = [_same(key["expression"]) for key in node.get("order_bys", {}).get("orders", ())]
    taken = [_same(argument["expression"]) for argument in node.get("arguments", ())[:1]]
    return bool(taken) and all(argument in keys for argument in taken)


def _is_sum(node: Mapping[str, Any]) -> bool:
    return str(node.get("function_name", "")).lower() in _SUMS


def _adds_whole(node: Mapping[str, Any], query: Query, known: Catalogue) -> bool:
    """Say if a sum is certainly not one of floats, whose order would show in the last digits."""
    inside = [part for part in nodes_of(node) if part is not node]
    columns = {str(part["column_names"][-1]).lower() for part in inside if part.get("type") == "COLUMN_REF"}
    if columns & known.float_columns or any(_is_float(part, known) for part in inside):
        return False
    # What is no column of the copy has its name from the query, and may be a float if anything there is.
    return columns <= known.whole_columns - _names_given(query) or not any(
        _is_float(part, known) for part in query.nodes
    )


def _is_float(node: Mapping[str, Any], known: Catalogue) -> bool:
    """Say if something makes floats: a function, a type, a number with an exponent."""
    name = str(node.get("function_name", "")).lower()
    if name in known.floats or "e" in str(node.get("literal", {}).get("text", "")).lower() * (
        node.get("literal", {}).get("kind") == "NUMERIC"
    ):
        return True
    return node.get("class") == "TYPE" and str(node.get("type_name", "")).upper() in _FLOATS


def _is_settled(node: Mapping[str, Any], top: Mapping[str, Any], known: Catalogue) -> bool:
    kind, name = node.get("type"), str(node.get("function_name", "")).lower()
    if "sample" in node or kind == "SHOW_REF" or node.get("ref_type") in _JOINS:
        return False
    if kind == "BASE_TABLE" and str(node["table_name"]).lower() == PUBLICATION:
        return False
    if name in _UNORDERED and (node.get("class") == "WINDOW" or not _is_ordered(node)):
        return False
    if kind == "TABLE_FUNCTION":
        return node["function"]["function_name"].lower() in _SERIES | known.macros
    if kind == "COLUMN_REF":
        return str(node["column_names"][-1]).lower() not in _CLOCKS
    if node.get("class") == "WINDOW":
        return kind in _RANKS or (kind == "WINDOW_AGGREGATE" and not node.get("orders"))
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
        elif key["type"] == "COLUMN_REF" and len(key["column_names"]) == 1:  # d.a may be of a column that is not shown
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
