"""What somebody puts into a ledger's file to change what every question means: it is not opened, and verify says so."""

from pathlib import Path

import duckdb
import pytest

from ledger.core.errors import QuotaledgerError, VerificationFailed
from ledger.sequencer.verifying import verify
from ledger.store.file import LedgerFile
from tests.harness import NOW, bench

_STRANGERS = {
    "CREATE MACRO sum(x) AS 0": "the macro sum",
    'CREATE MACRO "+"(a, b) AS 0': "the macro +",
    # One that would hide itself and all others from whoever asks for macros by that name alone.
    "CREATE MACRO duckdb_functions() AS TABLE SELECT 'x' AS function_name, true AS internal": "macro duckdb_functions",
    "CREATE MACRO first(x) AS TABLE SELECT 0": "the macro first",
    "CREATE SCHEMA other": "the schema other",
    "CREATE TYPE odd AS ENUM ('a')": "the type odd",
    "CREATE SEQUENCE one": "the sequence one",
}
_REDEFINED = {
    "a changed default": "ALTER TABLE batch ALTER COLUMN provider SET DEFAULT 'x'",
    "a column that may be blank": "ALTER TABLE head ALTER COLUMN sequence DROP NOT NULL",
    "an index that lets nothing be there twice": (
        "DROP INDEX entry_under_sequence; CREATE UNIQUE INDEX entry_under_sequence ON entry (under_sequence)"
    ),
    "a table of the same name": "CREATE OR REPLACE TABLE head AS FROM head",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed ledger."""
    with bench(tmp_path) as made:
        made.register("parties", {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"})
    return tmp_path / "ledger.duckdb"


def refusals(path: Path) -> list[str]:
    """Give what is said to who reads, who writes and who verifies; each must be refused."""
    said = []
    for now in (None, NOW):
        with pytest.raises(QuotaledgerError) as refused:
            LedgerFile.open(path, now)
        said.append(str(refused.value))
    with pytest.raises(VerificationFailed) as failed:
        verify(path)
    return [*said, str(failed.value)]


@pytest.mark.parametrize("statement", _STRANGERS)
def test_what_could_stand_in_for_the_engine_is_a_stranger(path: Path, statement: str) -> None:
    """A macro goes before the engine's own function or operator of its name: none that is not ours may be there."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)

    assert [said for said in refusals(path) if _STRANGERS[statement] not in said] == []


@pytest.mark.parametrize("name", _REDEFINED)
def test_a_table_that_was_defined_otherwise_is_noticed(path: Path, name: str) -> None:
    """The same columns of the same types are not the same table: defaults and constraints count."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(_REDEFINED[name])
    reading, writing, verifying = refusals(path)

    assert "not as quotaledger made them" in reading
    assert writing == reading
    assert "was changed" in verifying or "did not make it so" in verifying


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("hash BLOB NOT NULL", "hash BLOB GENERATED ALWAYS AS (''::BLOB)"),
        ("hash BLOB NOT NULL", "hash BLOB NOT NULL CHECK (level > 8)"),
    ],
)
def test_a_column_that_is_computed_or_checked_is_noticed(path: Path, before: str, after: str) -> None:
    """A generated column says what its formula says, whatever is inserted, and a check refuses what was decided."""
    with duckdb.connect(str(path)) as connection:
        ((sql,),) = connection.execute("SELECT sql FROM duckdb_tables() WHERE table_name = 'tile'").fetchall()
        assert before in sql
        connection.execute("DROP TABLE tile")
        connection.execute(sql.replace(before, after))

    assert ["tile" in said or "not as quotaledger made them" in said for said in refusals(path)] == [True] * 3


@pytest.mark.parametrize(
    "overload",
    [
        "CREATE OR REPLACE MACRO tpp_of(amount) AS CAST({ours} AS BIGINT), (amount HUGEINT) AS 0::BIGINT",
        "CREATE OR REPLACE MACRO tpp_of(amount) AS CAST({ours} AS BIGINT), (amount INT128) AS 5::BIGINT",
        "CREATE MACRO h100e(tpp, one) AS TABLE SELECT 0",
    ],
)
def test_a_second_meaning_of_our_own_macro_is_found(path: Path, overload: str) -> None:
    """A macro may be several of one name, and the one whose types fit goes before: views then show what it says."""
    ours = "CASE WHEN amount > 9223372036854775807 THEN 9223372036854775807 ELSE amount END"
    with duckdb.connect(str(path)) as connection:
        connection.execute(overload.format(ours=ours))
    name = overload.split("MACRO ")[1].split("(", maxsplit=1)[0]

    assert [f"the macro {name}" in said for said in refusals(path)] == [True] * 3
