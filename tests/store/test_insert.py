"""What is inserted or looked up as Arrow is let go of at once, and nothing that was given is left out."""

import weakref
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ledger.store.insert import insert
from ledger.store.query import lent, rows


@pytest.fixture(name="connection")
def _connection() -> Any:
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (number BIGINT, text VARCHAR, made BIGINT)")
        yield connection


def test_columns_are_inserted_by_name(connection: duckdb.DuckDBPyConnection) -> None:
    """In any order, with one that is made of others; one that is not given is blank."""
    insert(connection, "t", {"text": ["a", "b"], "number": [1, 2]}, {"made": "number * 10"})
    insert(connection, "t", {"number": [3]})

    assert rows(connection, "FROM t") == [(1, "a", 10), (2, "b", 20), (3, None, None)]


def test_a_column_that_the_table_lacks_is_refused(connection: duckdb.DuckDBPyConnection) -> None:
    """It is never left out."""
    with pytest.raises(ValueError, match="no column other"):
        insert(connection, "t", {"number": [1], "other": [2]})
    assert rows(connection, "FROM t") == []


def _insert(connection: duckdb.DuckDBPyConnection, columns: Any) -> None:
    insert(connection, "t", {"number": columns.column("number")})


def _look_up(connection: duckdb.DuckDBPyConnection, columns: Any) -> None:
    with lent(connection, "given", columns):
        assert rows(connection, "SELECT sum(number) FROM given") == [(3,)]


@pytest.mark.parametrize("use", [_insert, _look_up])
def test_nothing_is_kept_until_the_end_of_the_transaction(
    use: Callable[[duckdb.DuckDBPyConnection, Any], None],
    connection: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DuckDB keeps what is registered by name till then: a large import would be in memory as a whole."""
    given: list[weakref.ref[Any]] = []

    def table(columns: Any) -> Any:
        made = pa.Table.from_pydict(columns)
        given.append(weakref.ref(made))
        return made

    connection.execute("BEGIN")
    monkeypatch.setattr(pa, "table", table)
    use(connection, pa.table({"number": [1, 2]}))

    assert given
    assert [ref() for ref in given] == [None] * len(given)
    connection.execute("COMMIT")
