"""The engine itself keeps the ledger append-only, and a file that was tampered with is not opened."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ledger.core.errors import LedgerUnavailable, QuotaledgerError, WrongUsage
from ledger.sequencer import founding
from ledger.sequencer.founding import found_ledger
from ledger.sequencer.importing import Asked
from ledger.store import schema
from ledger.store.arrow import BLANKABLE, DAYS, TEXTS
from ledger.store.claims import MADE, Run
from ledger.store.file import LedgerFile
from ledger.store.schema import expected_fingerprint, fingerprint, migrations
from ledger.store.seeds import DEFAULT_RULEBOOK, find_rulebook
from schemas.tables import DERIVED_TABLES, LEDGER_TABLES, Entry
from tests.declared import SAID, declared_sql
from tests.harness import NOW, bench, copy_ledger

ALLOCATION = {
    "kind": "allocation",
    "date": "2026-03-01",
    "destination": "AE",
    "consignee": "ALPHA",
    "chip": "H100",
    "quantity": "10",
}
ALPHA = {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"}
NAMES = [str(table.__tablename__) for table in LEDGER_TABLES]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with something in every table, closed."""
    folder = tmp_path_factory.mktemp("filled")
    with bench(folder) as made:
        made.register("parties", ALPHA)
        made.register(
            "authorizations",
            {"party": "ALPHA", "basis": "NVEU", "destination": "AE", "valid_from": "2025-01-01"},
        )
        made.register("assurances", {"destination": "AE", "uplift_percent": "10", "valid_from": "2025-01-01"})
        made.submit("p", ALLOCATION | {"reference": "a"}, asked=Asked("r1", "0" * 64))
        made.report("lpp-annual", "2025", Run(MADE, 5, "ab" * 32))
    return folder / "ledger.duckdb"


@pytest.mark.parametrize("table", NAMES)
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {t} SET {c} = {c}", "DELETE FROM {t}", "DELETE FROM {t} WHERE false", "TRUNCATE {t}"],
)
def test_the_engine_refuses_to_change_or_delete_what_is_recorded(
    filled: Path, tmp_path: Path, table: str, statement: str
) -> None:
    """UPDATE, DELETE and TRUNCATE on every ledger table fail in the engine, also after reopening by another client."""
    path = copy_ledger(filled, tmp_path / "copy.duckdb")
    with duckdb.connect(str(path)) as connection:
        before = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        column = connection.execute(f"DESCRIBE {table}").fetchall()[0][0]

        with pytest.raises(duckdb.Error, match=SAID.split(";")[0]):
            connection.execute(statement.format(t=table, c=column))

        assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == before
        assert before[0][0] > 0


@pytest.mark.parametrize(
    "tampering",
    [
        "DROP TRIGGER entry_no_update ON entry",
        "ALTER TABLE entry ADD COLUMN extra INTEGER",
        "DROP INDEX entry_reference_hash",
        "DROP TABLE batch_file",
        "CREATE TABLE extra (a INTEGER)",
    ],
)
def test_a_file_whose_schema_was_changed_is_not_opened(filled: Path, tmp_path: Path, tampering: str) -> None:
    """What triggers cannot stop, the fingerprint notices when the file is opened, for reading and for writing."""
    path = tmp_path / "copy.duckdb"
    copy_ledger(filled, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(tampering)

    with pytest.raises(QuotaledgerError, match="not as quotaledger made them"):
        LedgerFile.open(path)
    with pytest.raises(QuotaledgerError, match="not as quotaledger made them"):
        LedgerFile.open(path, NOW)


def test_the_migrations_come_to_what_is_declared(filled: Path) -> None:
    """All migrations together make what the declarations make; a ledger's file has that fingerprint."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(declared_sql())
        assert fingerprint(connection) == expected_fingerprint()
    with LedgerFile.open(filled) as ledger:
        assert fingerprint(ledger.connection) == expected_fingerprint()


def test_a_trigger_that_never_fires_is_noticed(filled: Path, tmp_path: Path) -> None:
    """Not only that there is a trigger counts, but what it does."""
    path = copy_ledger(filled, tmp_path / "copy.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TRIGGER entry_no_update ON entry")
        connection.execute(
            "CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry FOR EACH STATEMENT"
            " INSERT INTO never SELECT error('entry') WHERE false"
        )

    with pytest.raises(QuotaledgerError, match="not as quotaledger made them"):
        LedgerFile.open(path)


def test_a_file_of_a_newer_version_is_said_to_be_one(filled: Path, tmp_path: Path) -> None:
    """A newer ledger is not taken for a tampered one, for reading and for writing."""
    path = copy_ledger(filled, tmp_path / "copy.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO migration VALUES (99, 'from the future', now())")

    with pytest.raises(QuotaledgerError, match="newer quotaledger"):
        LedgerFile.open(path)
    with pytest.raises(QuotaledgerError, match="newer quotaledger"):
        LedgerFile.open(path, NOW)


def test_an_older_file_is_updated_by_writing_only(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader of an older ledger is told what to do; a writer brings it up to date and loses nothing."""
    path = copy_ledger(filled, tmp_path / "copy.duckdb")
    next_number = max(migrations()) + 1
    newer = migrations() | {next_number: ("one more table", "CREATE TABLE addition (a INTEGER);")}
    monkeypatch.setattr(schema, "migrations", lambda: newer)
    schema.expected_fingerprint.cache_clear()

    with pytest.raises(QuotaledgerError, match="older quotaledger"):
        LedgerFile.open(path)
    with LedgerFile.open(path, NOW) as ledger:
        assert ledger.rows("SELECT number FROM migration ORDER BY number") == [(n,) for n in sorted(newer)]
        assert ledger.rows("SELECT count(*) FROM decisions") == [(1,)]
    with LedgerFile.open(path) as ledger:
        assert ledger.rows("SELECT count(*) FROM addition") == [(0,)]

    monkeypatch.undo()
    schema.expected_fingerprint.cache_clear()


def test_views_and_sentences_follow_the_software(filled: Path, tmp_path: Path) -> None:
    """A ledger that another version wrote gets this version's views when it is next written to."""
    path = copy_ledger(filled, tmp_path / "copy.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE OR REPLACE VIEW country_positions AS SELECT 1 AS old")
        connection.execute("UPDATE limit_text SET template = 'old'")
        connection.execute("UPDATE view_digest SET digest = 'old'")

    with LedgerFile.open(path, NOW) as ledger:
        assert ledger.rows("SELECT count(*) > 100 FROM country_positions") == [(True,)]
        assert ledger.rows("SELECT count(*) FROM decisions WHERE message = 'old'") == [(0,)]


@pytest.mark.parametrize("name", [":memory:", "md:name", "sqlite:name", "a b'c\"d.duckdb"])
def test_a_ledger_is_a_file_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """No name is taken for something that DuckDB would do with it."""
    monkeypatch.chdir(tmp_path)
    found_ledger(Path(name), find_rulebook(DEFAULT_RULEBOOK), "tests", NOW)

    assert sorted(path.name for path in tmp_path.iterdir()) == [name, f"{name}.checkpoints", f"{name}.key"]
    with LedgerFile.open(Path(name)) as ledger:
        assert ledger.rows("SELECT count(*) FROM rulebook_row") == [(1,)]


def test_a_founding_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until a ledger is whole there is no file of its name, and afterwards none beside it."""
    path = tmp_path / "ledger.duckdb"
    monkeypatch.setattr(founding, "chip_sheet", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        found_ledger(path, find_rulebook(DEFAULT_RULEBOOK), "tests", NOW)

    assert list(tmp_path.iterdir()) == []
    path.write_text("somebody's own")
    with pytest.raises(WrongUsage, match="already"):
        found_ledger(path, find_rulebook(DEFAULT_RULEBOOK), "tests", NOW)
    assert path.read_text() == "somebody's own"


def test_every_table_of_the_file_is_declared(filled: Path) -> None:
    """The file has the declared tables with the declared columns in their order, and nothing else but `never`."""
    declared = {
        str(table.__tablename__): [column.name for column in table.__table__.columns]  # type: ignore[attr-defined]
        for table in (*LEDGER_TABLES, *DERIVED_TABLES)
    } | {"never": ["reason"]}
    found: dict[str, list[str]] = {}
    with LedgerFile.open(filled) as ledger:
        for table, column in ledger.rows(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE table_name IN"
            " (SELECT table_name FROM duckdb_tables()) ORDER BY table_name, column_index"
        ):
            found.setdefault(table, []).append(column)

    assert found == declared


def _write_and_fail(ledger: LedgerFile, statement: str) -> None:
    with ledger.transaction() as connection:
        connection.execute("INSERT INTO leaf VALUES (99, 'decision', 'x'::BLOB, 'y'::BLOB)")
        connection.execute("DELETE FROM balance")
        if statement:
            connection.execute(statement)
        raise ZeroDivisionError


def test_a_failed_transaction_leaves_the_ledger_as_it_was(filled: Path, tmp_path: Path) -> None:
    """Whatever goes wrong between BEGIN and COMMIT, nothing of it stays, and the file can be used again."""
    path = tmp_path / "copy.duckdb"
    copy_ledger(filled, path)
    with LedgerFile.open(path, NOW) as ledger:
        before = ledger.rows("SELECT * FROM head"), ledger.rows("SELECT * FROM balance ORDER BY ALL")

        with pytest.raises(QuotaledgerError, match="nothing was recorded"):
            _write_and_fail(ledger, "SELECT error('the disk is on fire')")
        with pytest.raises(ZeroDivisionError):
            _write_and_fail(ledger, "SELECT 1")

        assert (
            ledger.rows("SELECT * FROM head"),
            ledger.rows("SELECT * FROM balance ORDER BY ALL"),
        ) == before
        assert ledger.rows("SELECT count(*) FROM leaf WHERE leaf = 99") == [(0,)]


def test_what_is_no_ledger_is_said_to_be_none(tmp_path: Path) -> None:
    """A missing file, a file of another kind and another database are each told in one sentence."""
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
    (tmp_path / "text.duckdb").write_text("not a database at all, only some text that is long enough" * 100)

    with pytest.raises(LedgerUnavailable, match="make one with"):
        LedgerFile.open(tmp_path / "missing.duckdb")
    with pytest.raises(QuotaledgerError, match="cannot be opened as a ledger"):
        LedgerFile.open(tmp_path / "text.duckdb")
    with pytest.raises(QuotaledgerError, match="is no ledger"):
        LedgerFile.open(other)
    with pytest.raises(WrongUsage, match="already"):
        found_ledger(other, find_rulebook(DEFAULT_RULEBOOK), "tests", NOW)


def test_another_database_is_not_migrated_into_a_ledger(tmp_path: Path) -> None:
    """Opening somebody's own DuckDB file for writing leaves it as it is."""
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")

    with pytest.raises(QuotaledgerError):
        LedgerFile.open(other, NOW)

    with duckdb.connect(str(other)) as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("t",)]


def test_sequence_and_leaves_have_no_gaps(tmp_path: Path) -> None:
    """Rejected rows, refusals, dry runs, duplicates and failed imports leave no hole in any count."""
    with bench(tmp_path) as made:
        made.register("parties", ALPHA)
        made.submit("p", ALLOCATION | {"reference": "a"}, ALLOCATION | {"reference": "b", "chip": "none"})
        made.submit("p", ALLOCATION | {"reference": "c"}, dry_run=True)
        made.submit("p", ALLOCATION | {"reference": "d"}, ALLOCATION | {"reference": ""}, skip_invalid=False)
        made.submit("p", ALLOCATION | {"reference": "a"}, ALLOCATION | {"reference": "e", "destination": "KP"})

        sequences = [n for (n,) in made.ledger.rows("SELECT sequence FROM entry ORDER BY sequence")]
        leaves = [n for (n,) in made.ledger.rows("SELECT leaf FROM leaf ORDER BY leaf")]
        batches = [n for (n,) in made.ledger.rows("SELECT batch FROM batch ORDER BY batch")]

        assert sequences == [1, 2]
        assert leaves == list(range(len(leaves)))
        assert batches == list(range(1, len(batches) + 1))
        assert made.ledger.rows("SELECT sequence, leaf, batch FROM head") == [(2, len(leaves), len(batches))]


def test_the_columns_that_may_be_blank_are_those_declared() -> None:
    """What the store knows of `entry` without loading its declaration is what is declared."""
    fields = Entry.model_fields.items()

    assert {name for name, field in fields if not field.is_required()} == BLANKABLE
    assert {name for name, field in fields if field.annotation in (str, str | None)} == TEXTS
    assert {name for name, field in fields if field.annotation in (date, date | None)} == set(DAYS)


def test_no_command_that_only_asks_loads_the_declarations(filled: Path) -> None:
    """To load SQLAlchemy takes longer than most commands take for all else: only exports and verifying do."""
    program = (
        "import sys\nfrom ledger.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('sqlmodel', 'sqlalchemy') if name in sys.modules])"
    )
    words = [sys.executable, "-c", program, "--ledger", str(filled), "status", "--country", "AE", "--format", "json"]
    ran = subprocess.run(words, capture_output=True, text=True, check=True)

    assert ran.stdout.endswith("\n[]\n")
