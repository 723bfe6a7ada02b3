"""`quotaledger publish`, and `quotaledger sql` on the copy: a file that needs nothing of this project."""

import os
import pty
import shutil
import subprocess
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.cli.command import GOOD, HEADER, Ledger, Ran, arguments, environment, fresh

_MORE = "a2,allocation,2026-04-01,AE,ALPHA,H100,20"
_SECRET = ("salt", "reference_hash", "idempotency_key", "request", "peaks")


def _import(ledger: Ledger, name: str, *rows: str) -> Ran:
    ledger.write(name, "\n".join([HEADER, *rows, ""]))
    return ledger.run("import", name, "--provider", "p")


@pytest.fixture(name="ledger")
def _ledger(tmp_path: Path) -> Ledger:
    """A ledger with two records of two months, and its published copy."""
    ledger = fresh(tmp_path)
    assert _import(ledger, "r.csv", GOOD, _MORE).code == 0
    assert ledger.run("publish", "--parquet", "out").code == 0
    return ledger


def _copy(ledger: Ledger) -> Path:
    return ledger.folder / "quota.published.duckdb"


def test_the_copy_has_what_the_views_have(ledger: Ledger) -> None:
    """Each view row for row, with its types and comments, the checkpoint, and nothing else of the ledger."""
    with (
        duckdb.connect(str(ledger.path), read_only=True) as live,
        duckdb.connect(str(_copy(ledger)), read_only=True) as copy,
    ):
        views = [name for (name,) in live.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()]
        for connection in (live, copy):
            connection.execute("SET TimeZone = 'UTC'")
        for view in views:
            for query in (f"FROM {view}", f"SELECT column_name, column_type FROM (DESCRIBE {view})"):
                assert copy.execute(query).fetchall() == live.execute(query).fetchall(), view
            said = (
                f"SELECT column_name, comment FROM duckdb_columns() WHERE table_name = '{view}' ORDER BY column_index"
            )
            assert copy.execute(said).fetchall() == live.execute(said).fetchall(), view
        signed = live.execute("SELECT note FROM checkpoint ORDER BY batch DESC LIMIT 1").fetchall()
        assert copy.execute("SELECT checkpoint FROM publication").fetchall() == signed
        there = copy.execute("SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()")
        assert {name for (name,) in there.fetchall()} >= {*views, "publication"}
        columns = {name for (name,) in copy.execute("SELECT column_name FROM duckdb_columns()").fetchall()}

    assert not columns & set(_SECRET)


def test_the_copy_is_asked_where_there_is_one(ledger: Ledger) -> None:
    """And said to be; what was recorded since is not in it, --live has that; another ledger's is refused."""
    asked = ("sql", "SELECT count(*) AS n FROM decisions", "--format", "csv")
    before = ledger.run(*asked)
    _import(ledger, "s.csv", "a3,allocation,2026-05-01,AE,ALPHA,H100,1")
    behind, live = ledger.run(*asked), ledger.run(*asked, "--live")
    by_name = ledger.run(*asked, ledger="quota.published.duckdb")
    again = ledger.run("publish")
    after = ledger.run(*asked)

    assert [ran.out.split()[1] for ran in (before, behind, live, by_name, after)] == ["2", "2", "3", "2", "3"]
    assert "after record 2" in before.err
    assert "2 leaves were recorded since" in behind.err
    assert "copy" not in live.err
    assert "3 records" in again.err


def test_a_copy_of_another_ledger_is_not_believed(ledger: Ledger, tmp_path: Path) -> None:
    """As when a ledger was made anew under the old name."""
    (tmp_path / "other").mkdir()
    other = fresh(tmp_path / "other")
    _import(other, "r.csv", GOOD)
    ahead = other.folder / "quota.published.duckdb"
    shutil.copy(_copy(ledger), ahead)
    refused = other.run("sql", "FROM decisions")
    ahead.write_bytes(b"no copy")
    broken = other.run("sql", "FROM decisions")
    other.run("publish")

    assert (refused.code, broken.code) == (4, 4)
    assert "publish it again" in refused.sentence
    assert "publish it again" in broken.sentence
    assert other.run("sql", "FROM decisions").code == 0


def test_parquet_is_by_month_with_the_checkpoint_inside(ledger: Ledger) -> None:
    """Each file has it; the folder is replaced as a whole, and one of somebody else's is left alone."""
    folder = ledger.folder / "out"
    months = sorted(path.name for path in (folder / "decisions").iterdir())
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT reference FROM '{folder}/decisions/*/*.parquet' ORDER BY sequence"
        ).fetchall()
        ((note,),) = connection.execute(f"SELECT checkpoint FROM '{folder}/publication.parquet'").fetchall()
    metadata = [pq.read_metadata(path).metadata[b"checkpoint"].decode() for path in folder.rglob("*.parquet")]
    (ledger.folder / "mine").mkdir()
    (ledger.folder / "mine" / "letter").write_text("x")
    refused = ledger.run("publish", "--parquet", "mine")

    assert months == ["month=2026-03", "month=2026-04"]
    assert found == [("a1",), ("a2",)]
    assert set(metadata) == {note}
    assert refused.code == 2
    assert (ledger.folder / "mine" / "letter").exists()
    assert ledger.run("publish", "--parquet", "out").code == 0


def test_a_reader_of_the_old_copy_is_not_disturbed(ledger: Ledger) -> None:
    """It goes on with what it has opened; what opens next has the new one."""
    with duckdb.connect(str(_copy(ledger)), read_only=True) as reader:
        _import(ledger, "s.csv", "a3,allocation,2026-05-01,AE,ALPHA,H100,1")
        assert ledger.run("publish").code == 0
        old = reader.execute("SELECT count(*), max(sequence) FROM decisions").fetchall()
    with duckdb.connect(str(_copy(ledger)), read_only=True) as reader:
        new = reader.execute("SELECT count(*), max(sequence) FROM decisions").fetchall()

    assert (old, new) == ([(2, 2)], [(3, 3)])
    assert [path.name for path in ledger.folder.iterdir() if ".partial" in path.name] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "nowhere/x.published.duckdb"], "folder that is there"),
        (["--out", "."], "taken for a ledger"),
        (["--out", "quota.duckdb"], "taken for a ledger"),
        (["--parquet", "quota.duckdb"], "no folder of a copy"),
    ],
)
def test_what_cannot_be_published_is_told(ledger: Ledger, words: list[str], says: str) -> None:
    """With a sentence, and the copy that was there is there still."""
    before = _copy(ledger).read_bytes()
    told = ledger.run("publish", *words)

    assert told.code in (2, 5)
    assert says in told.sentence
    assert _copy(ledger).read_bytes() == before


def test_rows_are_written_as_parquet_whatever_the_name(ledger: Ledger) -> None:
    """`--format parquet` goes with `--out`."""
    refused = ledger.run("sql", "FROM decisions", "--format", "parquet")
    written = ledger.run("sql", "SELECT sum(tpp) AS tpp FROM decisions", "--format", "parquet", "--out", "rows.data")

    assert (refused.code, written.code) == (2, 0)
    assert pq.read_table(ledger.folder / "rows.data").to_pylist() == [{"tpp": 30 * 15832}]


def _typed(ledger: Ledger, *lines: str) -> str:
    """Type lines into the shell on a terminal, and give all that it shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*arguments(ledger.path, ["sql"])],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ledger.folder,
        env=environment(XDG_STATE_HOME=str(ledger.folder / "state"), TERM="dumb", PAGER="cat", COLUMNS="100"),
    )
    os.close(theirs)
    os.write(ours, "".join(line + "\n" for line in lines).encode())
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        shown += piece
    os.close(ours)
    assert process.wait() == 0
    return shown.decode()


def test_the_shell_answers_completes_and_remembers(ledger: Ledger) -> None:
    r"""A statement over two lines, a mistake that ends nothing, \d, Tab, and what was typed the last time."""
    first = _typed(
        ledger, "SELECT count(*) AS records,", "7 * 6 AS answer FROM decisions;", "FROM nowhere;", "\\d refusals", "\\q"
    )
    second = _typed(ledger, "SELECT max(seq\t) AS most FROM decis\t;", "\\x", "\\q")

    assert "42" in first
    assert "nowhere" in first
    assert "a row is" not in first
    assert "limit_id" in first
    assert "sequence" in second
    assert "most" in second
    assert "no such command" in second
    assert "max(" in (ledger.folder / "state" / "quotaledger" / "sql_history").read_text()
