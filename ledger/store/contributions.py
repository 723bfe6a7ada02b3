"""What entries count, account by account: the one query that balances, positions of a day and recounts are sums of."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb

from ledger.store.query import rows

_HEAVIEST: Final = 10
_LINES_AN_ACCOUNT, _LINES_ALWAYS = 4, 10_000
"""How many rows of balances are too many for opening a ledger to be quick."""

_ROWS: Final = """
    SELECT sequence, 'cap' AS account, consignee, counted_destination AS destination, 0 AS period, cap_tpp AS tpp
    FROM {entries} WHERE cap_tpp <> 0
    UNION ALL
    SELECT sequence, 'lpp', consignee, '', lpp_year, lpp_tpp FROM {entries} WHERE lpp_tpp <> 0
    UNION ALL
    SELECT sequence, 'lpp', consignee, '', lpp_from_year, -lpp_from_tpp FROM {entries} WHERE lpp_from_tpp <> 0
    UNION ALL
    SELECT sequence, 'nveu', consignee, counted_destination, nveu_quarter, nveu_tpp FROM {entries} WHERE nveu_tpp <> 0
    UNION ALL
    SELECT sequence, 'committed', consignee, counted_destination, 0, committed_tpp FROM {entries}
    WHERE committed_tpp <> 0
    UNION ALL
    SELECT sequence, 'installed', consignee, counted_destination, 0, installed_tpp FROM {entries}
    WHERE installed_tpp <> 0
    UNION ALL
    SELECT sequence, 'pending', consignee, counted_destination, 0, pending_tpp FROM {entries} WHERE pending_tpp <> 0
"""


def heaviest(
    connection: duckdb.DuckDBPyConnection,
    account: str,
    consignees: Sequence[str] | None,
    destinations: Sequence[str] | None,
    periods: tuple[int, int],
    before_sequence: int,
) -> list[dict[str, Any]]:
    """Give the ten records before a sequence that weigh most on an account; None stands for all.

    `periods` are the first and last LPP year or NVEU quarter; of other accounts they are not looked at.
    """
    entries = f"(SELECT * FROM entry WHERE sequence < {before_sequence:d})"
    names = ("sequence", "provider", "reference", "kind", "date", "consignee", "destination", "tpp")
    found = rows(
        connection,
        f"""
        SELECT sequence, entry.provider, entry.reference, entry.kind, entry.date, counted.consignee,
            counted.destination, counted.tpp
        FROM ({_ROWS.format(entries=entries)}) AS counted JOIN entry USING (sequence)
        WHERE counted.account = $account
            AND ($consignees IS NULL OR list_contains($consignees, counted.consignee))
            AND ($destinations IS NULL OR list_contains($destinations, counted.destination))
            AND (counted.period = 0 OR counted.period BETWEEN $first AND $last)
        ORDER BY abs(counted.tpp) DESC, sequence LIMIT {_HEAVIEST}
        """,
        {
            "account": account,
            "consignees": consignees,
            "destinations": destinations,
            "first": periods[0],
            "last": periods[1],
        },
    )
    return [dict(zip(names, row, strict=True)) for row in found]


def balances_query(condition: str) -> str:
    """Give the SQL of the balances of the entries that a condition holds for, a row an account."""
    entries = f"(SELECT * FROM entry WHERE {condition})"
    return (
        "SELECT account, consignee, destination, CAST(period AS BIGINT) AS period, CAST(sum(tpp) AS BIGINT) AS tpp"
        f" FROM ({_ROWS.format(entries=entries)}) GROUP BY account, consignee, destination, period HAVING sum(tpp) <> 0"
    )


def add_to_balances(connection: duckdb.DuckDBPyConnection, at_sequence: int) -> None:
    """Append what the entries after a sequence count to the derived balances: an account is the sum of its rows."""
    connection.execute(f"INSERT INTO balance BY NAME {balances_query(f'sequence > {at_sequence:d}')}")


def balance_rows(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give what one entry counts as rows of balances, as `add_to_balances` appends it, without asking for it again."""
    found = {
        (account, "" if account == "lpp" else entry["counted_destination"], entry[period] if period else 0): tpp
        for account, period, tpp in (
            *((name, "", entry[f"{name}_tpp"]) for name in ("cap", "committed", "installed", "pending")),
            ("lpp", "lpp_year", entry["lpp_tpp"]),
            ("lpp", "lpp_from_year", -entry["lpp_from_tpp"]),
            ("nveu", "nveu_quarter", entry["nveu_tpp"]),
        )
        if tpp
    }
    return [
        {
            "account": account,
            "consignee": entry["consignee"],
            "destination": destination,
            "period": period,
            "tpp": tpp,
        }
        for (account, destination, period), tpp in found.items()
    ]


def are_many(connection: duckdb.DuckDBPyConnection) -> bool:
    """Say if accounts have so many rows that reading the balances is no longer quick."""
    lines, accounts = rows(
        connection, "SELECT count(*), count(DISTINCT (account, consignee, destination, period)) FROM balance"
    )[0]
    return bool(lines > _LINES_AN_ACCOUNT * accounts + _LINES_ALWAYS)


def gather_balances(connection: duckdb.DuckDBPyConnection) -> None:
    """Make one row again of each account's. Runs inside the caller's transaction."""
    connection.execute(
        "CREATE TEMP TABLE gathered AS SELECT account, consignee, destination, period, CAST(sum(tpp) AS BIGINT) AS tpp"
        " FROM balance GROUP BY ALL HAVING sum(tpp) <> 0"
    )
    connection.execute("DELETE FROM balance")
    connection.execute("INSERT INTO balance BY NAME FROM gathered")
    connection.execute("DROP TABLE gathered")
