"""What can be made anew, held against what is stored: tables and triggers, views, and everything that is derived."""

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import duckdb

from ledger.core.errors import VerificationFailed
from ledger.rulebook.load import RulebookError
from ledger.rulebook.rulebook import Rulebook
from ledger.store import schema
from ledger.store.blame import KEEP
from ledger.store.contributions import balances_query
from ledger.store.derived import expected_rows, latest_date, views_digest
from ledger.store.query import first, rows, table
from ledger.store.seeds import parse_rulebook
from ledger.store.views import make_views

OTHER_VERSION: Final = (
    "nothing that is recorded depends on it; another version of quotaledger made it, and any verb that records makes it"
    " anew"
)
CHANGED: Final = (
    "nothing that is recorded depends on it, but what is shown does: it was changed by another program; `quotaledger"
    " backup` makes a copy of the ledger in which it is made anew"
)
_VIEWS: Final = """
    SELECT 'view', view_name, sql FROM duckdb_views() WHERE NOT internal
    UNION ALL
    SELECT 'macro', function_name, concat_ws('|', parameters, macro_definition)
    FROM duckdb_functions() WHERE NOT internal AND macro_definition IS NOT NULL
    ORDER BY ALL
"""


def check_tables(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """See that tables, indexes and triggers are as the migrations make them, and that nothing is there besides.

    Raises QuotaledgerError for a file that is no ledger, or one of another version.
    """
    for stranger in schema.strangers(connection):
        raise VerificationFailed(
            f"{stranger} is there, which quotaledger did not make: while it is, no question and no decision means what"
            " it says, and what was recorded with it may be wrong (remove it from a copy and `verify --deep` that);"
            f" {KEEP}"
        )
    found, expected = set(schema.parts(connection)), set(_expected_parts())
    if not any(part.startswith("column|entry|") for part in found):
        schema.check_migrated(connection, path, writing=False)
    listed = rows(connection, "SELECT number, name FROM migration ORDER BY number") if "migration" in str(found) else []
    known = [(number, name) for number, (name, _) in schema.migrations().items()]
    if [name for _, name in listed] != [name for _, name in known] and found != expected and listed:
        schema.check_migrated(connection, path, writing=False)
    for part in sorted(found ^ expected):
        kind, where, name = part.split("|")[:3]
        name = part.split("|")[3] if kind == "column" else name
        state = "is missing or was changed" if part in expected else "is there, but quotaledger did not make it so"
        raise VerificationFailed(f"the {kind} {name} of the table {where} {state}; {KEEP}")
    if listed != known:
        raise VerificationFailed(f"the table migration does not name the migrations that were made; {KEEP}")


def check_views(connection: duckdb.DuckDBPyConnection, expected: Mapping[tuple[str, str], str]) -> None:
    """See that views and macros are as this software makes them: people and reports believe what they show."""
    found = {(kind, name): text for kind, name, text in rows(connection, _VIEWS)}
    for kind, name in sorted(expected.keys() | found.keys()):
        if expected.get((kind, name)) != found.get((kind, name)):
            raise VerificationFailed(
                f"the {kind} {name} is not as this version of quotaledger makes it: {_why(connection)}"
            )


def _why(connection: duckdb.DuckDBPyConnection) -> str:
    """Say how views, and what they need, can differ from those of this software, and what to do."""
    made_by_this = first(connection, "SELECT digest FROM view_digest") == (views_digest(),)
    return CHANGED if made_by_this else OTHER_VERSION


_expected_parts = cache(schema.expected_parts)


@cache
def expected_views() -> Mapping[tuple[str, str], str]:
    """Give the SQL of every view and macro, by `view` or `macro` and its name, as this software makes them."""
    with duckdb.connect(":memory:") as fresh:
        for _, text in schema.migrations().values():
            fresh.execute(text)
        make_views(fresh)
        return {(kind, name): text for kind, name, text in rows(fresh, _VIEWS)}


def adopted_rulebooks(connection: duckdb.DuckDBPyConnection) -> list[Rulebook]:
    """Give every adopted rulebook, in order, each with the digest that was recorded. Raises VerificationFailed."""
    adopted: list[Rulebook] = []
    for leaf, name, digest in rows(connection, "SELECT leaf, rulebook, digest FROM rulebook_row ORDER BY leaf"):
        (texts,) = first(connection, "SELECT texts FROM rulebook_row WHERE leaf = ?", [leaf]) or ("",)
        try:
            rulebook = parse_rulebook(json.loads(texts))
        except (ValueError, AttributeError, RecursionError, RulebookError):
            rulebook = None
        if rulebook is None or (rulebook.id, rulebook.digest) != (name, digest):
            raise VerificationFailed(
                f"leaf {leaf:,} put a rulebook {name} of digest {digest[:12]} in force, but the texts that are kept of"
                f" it mean something else; {KEEP}"
            )
        adopted.append(rulebook)
    if not adopted:
        raise VerificationFailed(f"the ledger has no rulebook; {KEEP}")
    return adopted


def check_derived(connection: duckdb.DuckDBPyConnection, adopted: list[Rulebook]) -> None:
    """See that the derived tables are what follows from the ledger tables."""
    for name, expected in expected_rows(adopted).items():
        wanted, found = (
            Counter(tuple(sorted((column, str(value)) for column, value in row.items())) for row in each)
            for each in (expected, table(connection, f"FROM {name}"))
        )
        if wanted != found:
            odd = dict(next(iter((found - wanted) or (wanted - found))))
            said = ", ".join(f"{column} {value}" for column, value in list(odd.items())[:3])
            raise VerificationFailed(
                f"the derived table {name} is not what follows from the rulebooks ({said}): {_why(connection)}"
            )
    check_balances(connection)
    _check_latest(connection, adopted)


def check_balances(connection: duckdb.DuckDBPyConnection) -> None:
    """See that every account holds the sum of what the entries count there."""
    query = f"""
        SELECT account, consignee, destination, period, coalesce(held.tpp, 0) AS held, coalesce(sums.tpp, 0) AS counted
        FROM (SELECT account, consignee, destination, period, sum(tpp) AS tpp FROM balance GROUP BY ALL) AS held
        FULL JOIN ({balances_query("true")}) AS sums USING (account, consignee, destination, period)
        WHERE coalesce(held.tpp, 0) <> coalesce(sums.tpp, 0) ORDER BY ALL LIMIT 1
    """
    for row in table(connection, query):
        where = f"{row['account']} of {row['consignee']}"
        where += f" in {row['destination']}" if row["destination"] else ""
        where += f", period {row['period']}" if row["period"] else ""
        raise VerificationFailed(
            f"the balance {where} is kept as {row['held']:,} TPP, but its records come to {row['counted']:,}: new"
            f" records would be decided on a wrong balance; {KEEP}"
        )


def _check_latest(connection: duckdb.DuckDBPyConnection, adopted: list[Rulebook]) -> None:
    """See that the latest legal date is that of the records, and not before the count's start."""
    latest, found = latest_date(connection, adopted), first(connection, "SELECT latest_date FROM head")
    if found != (latest,):
        raise VerificationFailed(
            f"the latest legal date is kept as {found and found[0]}, but the records come to {latest}: positions"
            f" would be told as of a wrong day; {KEEP}"
        )
