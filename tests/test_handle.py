"""The ledger from Python: what a handle answers, what it refuses, and that it holds nobody up."""

import doctest
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

import ledger
from ledger.core.version import VERSION
from ledger.handle import Handle
from ledger.sequencer.positions import VIEWS
from tests.cli.command import HEADER, ROOT, Ledger, environment, fresh

_PAGE = ROOT / "docs" / "python.md"
_RECORDS = (
    "a1,allocation,2026-03-01,AE,ALPHA,H100,2000",
    "a2,allocation,2026-05-01,KP,ALPHA,H100,1",
    "a3,allocation,2026-05-02,SA,USCO,B200,700000",
    "o1,opening,2024-06-01,US,USCO,H100,9",
)
_HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A ledger with four records, made once: two admitted, two refused."""
    made = fresh(tmp_path_factory.mktemp("recorded"))
    made.write("a.csv", "\n".join([HEADER, *_RECORDS, ""]))
    assert made.run("import", "a.csv", "--provider", "prov").code == 0
    return made


@pytest.fixture
def made(recorded: Ledger, tmp_path: Path) -> Ledger:
    """A copy of it for a test alone."""
    shutil.copytree(recorded.folder, tmp_path / "made")
    return Ledger(tmp_path / "made")


@pytest.fixture
def handle(made: Ledger) -> Iterator[Handle]:
    """A handle on that ledger."""
    with ledger.open(made.path) as handle:
        yield handle


def test_the_page_shows_what_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example of `docs/python.md` gives what the page shows, on the demo's ledger."""
    assert Ledger(tmp_path).run("demo", "--out", "demo").code == 0
    monkeypatch.chdir(tmp_path)
    examples = doctest.DocTestParser().get_doctest(_PAGE.read_text("utf-8"), {}, _PAGE.name, str(_PAGE), 0)
    told: list[str] = []
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(
        examples, out=told.append
    )

    assert "".join(told) == ""
    assert results.attempted >= 20


def test_a_handle_answers_what_the_command_answers(made: Ledger, handle: Handle) -> None:
    """SQL, decisions and status have the rows that `sql` and `status` print, in tables of the views' types."""
    status = handle.status()
    printed = json.loads(made.run("status", "--format", "json").out)
    decisions = handle.decisions()

    assert decisions.equals(handle.sql("FROM decisions"))
    assert decisions["reference"].to_pylist() == [row["reference"] for row in made.rows("FROM decisions")]
    assert set(status) == set(printed)
    status["checkpoint"]["recorded_at"] = status["checkpoint"]["recorded_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert {n: v for n, v in status.items() if n not in VIEWS} == {
        n: date.fromisoformat(v) if n == "as_of" else v for n, v in printed.items() if n not in VIEWS
    }
    for name, view in VIEWS.items():
        assert status[name].schema == handle.sql(f"FROM {view} LIMIT 0").schema
        assert [list(map(str, row.values())) for row in status[name].to_pylist()] == [
            list(map(str, row.values())) for row in _numbers(printed[name])
        ]


def _numbers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give rows out of JSON with percentages of four places, as the views have them."""
    return [
        {
            n: round(Decimal(str(v)), 4).quantize(Decimal("0.0001")) if n.endswith("percent") else v
            for n, v in row.items()
        }
        for row in rows
    ]


def test_status_is_of_one_country_family_or_day(handle: Handle) -> None:
    """A status can be of one country or family, and as of a day given as text, date or instant."""
    emirates = handle.status(country="AE")["countries"].to_pylist()
    before = [
        handle.status(country="AE", as_of=day)["countries"].to_pylist()[0]["used_tpp"]
        for day in ("2026-02-28", date(2026, 2, 28), datetime(2026, 2, 28, 9), pd.Timestamp("2026-02-28"))  # noqa: DTZ001
    ]

    assert [row["used_tpp"] for row in emirates] == [2_000 * 15_832]
    assert before == [0, 0, 0, 0]
    assert handle.status(family="USCO")["countries"].num_rows == 0


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"provider": "prov", "kind": "allocation"}, ["a1", "a2", "a3"]),
        ({"provider": "other"}, []),
        ({"destination": ["KP", "SA"]}, ["a2", "a3"]),
        ({"consignee": "ALPHA", "outcome": "admitted"}, ["a1"]),
        ({"family": ["USCO"]}, ["a3", "o1"]),
        ({"chip": ("B200",)}, ["a3"]),
        ({"basis": "PROHIBITED"}, ["a2"]),
        ({"limit_id": "country-cap", "outcome": "refused"}, ["a3"]),
        ({"outcome": []}, []),
        ({"outcome": iter(["refused"])}, ["a2", "a3"]),
        ({"date_from": "2026-03-01", "date_to": date(2026, 5, 1)}, ["a1", "a2"]),
        ({"date_to": datetime(2025, 1, 1, 9)}, ["o1"]),  # noqa: DTZ001
        ({"provider": "x' OR 'a'='a"}, []),
    ],
)
def test_decisions_pass_every_filter(handle: Handle, filters: dict[str, Any], expected: list[str]) -> None:
    """A filter takes one value or several; decisions that pass all of them come in the ledger's order."""
    assert handle.decisions(**filters)["reference"].to_pylist() == expected


def test_whole_numbers_stay_whole(made: Ledger, handle: Handle) -> None:
    """In pandas, columns with gaps are integers still, and sums of TPP are integers of 64 bits in both frames."""
    frames = ledger.open(made.path, frames="pandas")
    decisions = frames.decisions()
    query = "SELECT sum(tpp) AS tpp, sum(remaining_tpp) FILTER (false) AS none FROM decisions"
    wide = "SELECT sum(9223372036854775807) AS most FROM range(2)"

    assert decisions["remaining_tpp"].isna().any()
    assert str(decisions["remaining_tpp"].dtype) == "int64[pyarrow]"
    assert decisions["tpp"].sum() == int(frames.sql(query)["tpp"][0])
    assert [str(kind) for kind in frames.sql(query).dtypes] == ["int64[pyarrow]"] * 2
    assert handle.sql(query).schema.types == [pa.int64()] * 2
    assert handle.sql(wide).to_pylist() == [{"most": Decimal(2 * 9_223_372_036_854_775_807)}]
    assert frames.sql(wide)["most"][0] == Decimal(2 * 9_223_372_036_854_775_807)
    assert handle.sql("SELECT 1 AS a, 2 AS a").to_pylist() == [{"a": 1, "a_1": 2}]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM entry",
        "INSERT INTO batch SELECT * FROM batch",
        "WITH gone AS (DELETE FROM entry RETURNING *) SELECT * FROM gone",
        "DROP VIEW decisions",
        "CREATE TABLE mine AS SELECT 1",
        "ATTACH 'other.duckdb'",
        "COPY (SELECT 1) TO 'out.csv'",
        "FROM read_text('quota.duckdb')",
        "FROM 'a.csv'",
        "SET enable_external_access = true",
        "SET memory_limit = '1TB'",
        "INSTALL httpfs",
        "SELECT 1; DROP VIEW decisions",
    ],
)
def test_a_handle_does_no_harm(made: Ledger, handle: Handle, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would write, or reach beyond the ledger, is refused with a sentence, and every file stays as it is."""
    monkeypatch.chdir(made.folder)
    before = _digests(made.folder)
    with pytest.raises(ledger.WrongUsage, match=r"^the query (cannot be answered: [^\n]+|has 2 statements, [^\n]+)$"):
        handle.sql(query)

    assert _digests(made.folder) == before
    assert handle.decisions().num_rows == len(_RECORDS)


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda h: h.sql(""), "there is no query"),
        (lambda h: h.sql("SELECT '\udcff'"), "no UTF-8"),
        (lambda h: h.sql("SELECT ?", "AE"), "a list or a dict, not the text"),
        (lambda h: h.sql("SELECT ?"), "not provided"),
        (lambda h: h.sql("SELECT ?", [object()]), "cannot be answered"),
        (lambda h: h.sql("SELECT 1::UHUGEINT AS wide"), "UHUGEINT of wide; cast it"),
        (lambda h: h.decisions(outcome="refusd"), 'admitted, refused, breached; did you mean "refused"?'),
        (lambda h: h.decisions(outcome="rejected"), "no decision has the outcome"),
        (lambda h: h.decisions(limit_id="lpp-anual"), 'did you mean "lpp-annual"?'),
        (lambda h: h.decisions(destination=["AE", "UK"]), 'no decision has the destination "UK"'),
        (lambda h: h.decisions(provider=5), 'takes a text or several, not "5"'),
        (lambda h: h.decisions(date_from="1.2.2026"), "date_from takes a day as YYYY-MM-DD"),
        (lambda h: h.status(as_of=20260101), "as_of takes a day as YYYY-MM-DD"),
        (lambda h: h.status(country="UAE"), "there is no country UAE"),
        (lambda h: h.status(family="ALPHAA"), 'did you mean "ALPHA"?'),
        (lambda h: ledger.open(h.path, frames="panda"), 'did you mean "pandas"?'),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(handle: Handle, ask: Callable[[Handle], object], said: str) -> None:
    """A query, filter, day or frame that cannot be raises WrongUsage, whose one line says what can."""
    with pytest.raises(ledger.WrongUsage) as raised:
        ask(handle)

    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_wrong_path_is_told_at_once(tmp_path: Path) -> None:
    """Opening says that there is no ledger, or that a file is none; neither is made or changed."""
    (tmp_path / "text").write_text("no ledger")
    with pytest.raises(ledger.LedgerUnavailable, match=r"there is no ledger at .*none.duckdb; make one with"):
        ledger.open(tmp_path / "none.duckdb")
    with pytest.raises(ledger.QuotaledgerError, match="cannot be opened as a ledger"):
        ledger.open(str(tmp_path / "text"))

    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_a_handle_that_is_kept_holds_nobody_up(made: Ledger, handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process can import while a handle is kept, and the next call sees what it recorded, from any folder."""
    kept = ledger.open(made.path, frames="pandas")
    assert (len(kept.decisions()), handle.decisions().num_rows) == (4, 4)
    made.write("b.csv", f"{HEADER}\nb1,allocation,2026-06-01,AE,ALPHA,H100,1\n")

    assert made.run("import", "b.csv", "--provider", "prov").code == 0
    monkeypatch.chdir(made.folder)
    relative = ledger.open("quota.duckdb")
    monkeypatch.chdir(ROOT)
    assert (len(kept.decisions()), handle.decisions().num_rows, relative.decisions().num_rows) == (5, 5, 5)


def test_a_ledger_that_is_being_written_to_is_unavailable(made: Ledger, handle: Handle) -> None:
    """While another process has the ledger, or this one by other means, a call says so; afterwards it is answered."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(made.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        for ask in (handle.decisions, handle.status, lambda: ledger.open(made.path)):
            with pytest.raises(ledger.LedgerUnavailable, match=f"held by process {holder.pid} "):
                ask()
    finally:
        holder.communicate()
    with (
        duckdb.connect(str(made.path), read_only=True),
        pytest.raises(ledger.LedgerUnavailable, match="open in this same program"),
    ):
        handle.status()

    assert handle.status()["sequence"] == 4


def test_threads_share_a_handle(handle: Handle) -> None:
    """Threads that ask at once are all answered."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: handle.sql("SELECT ? + count(*) AS n FROM decisions", [n]), range(24)))

    assert [table["n"][0].as_py() for table in found] == [n + 4 for n in range(24)]


def test_a_closed_handle_answers_nothing(made: Ledger) -> None:
    """After its block a handle says that it is closed."""
    with ledger.open(made.path) as handle:
        assert repr(handle) == f"<ledger at {made.path}, read-only, in arrow tables>"
    for ask in (handle.decisions, handle.status, lambda: handle.sql("SELECT 1")):
        with pytest.raises(ledger.WrongUsage, match="is closed; get another"):
            ask()


def test_importing_the_package_is_cheap() -> None:
    """`import ledger` loads neither DuckDB nor Arrow nor pandas nor the command, and names all that it offers."""
    heavy = "import ledger, sys; print(*{name.split('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", heavy], env=environment(), capture_output=True, check=True, text=True)

    assert set(ran.stdout.split()) & {"duckdb", "pyarrow", "pandas", "numpy", "typer", "rich"} == set()
    assert all(hasattr(ledger, name) for name in ledger.__all__)
    assert ledger.__version__ == VERSION


def test_arrow_needs_no_pandas(made: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pandas is not installed frames of pandas are refused with what to install, and Arrow tables are given."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ledger.WrongUsage, match=r"install quotaledger\[pandas\]"):
        ledger.open(made.path, frames="pandas")

    assert ledger.open(made.path).decisions().num_rows == 4
