"""Every measurement of the benchmarks, once and of a few rows: that it runs and that its rows say what they should."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tests.benchmarks.__main__ as benchmarks
from ledger.store.file import LedgerFile
from tests.benchmarks import analysts, measures, others, postgres, reports, serving
from tests.benchmarks.imports import measure_files
from tests.benchmarks.others import WITHOUT_POSTGRES, Work, measure_others
from tests.benchmarks.queries import measure_queries
from tests.benchmarks.results import Result, not_measured, write_results
from tests.benchmarks.workload import figures, write_records

ROWS = 200


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure in the tests' own process: what is found does not matter, and starting others takes long."""

    def here(function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    monkeypatch.setattr(measures, "apart", here)


def _work(folder: Path) -> Work:
    return Work(folder / "others.parquet", warm=2, singles=5, batches=2, batch=40)


def test_imports_are_measured_as_parquet_and_csv_clean_and_refused(tmp_path: Path) -> None:
    """There is a row for each form of a file with and without refused records, beside its floor, and its memory."""
    results = measure_files(tmp_path, ROWS, runs=1)

    assert [result.what for result in results[::2]] == [
        f"import of 200 records, {form}, {refused} refused"
        for refused in ("none", "30 percent")
        for form in ("Parquet", "CSV")
    ]
    assert [result.must for result in results] == [8, 1536, None, 1536, 8, 1536, None, 1536]
    assert all(result.ratio for result in results[::2])
    assert [result.must for result in measure_files(tmp_path, 20, runs=1, large=True)[1::2]] == [2560] * 4


@pytest.mark.parametrize(("refused", "least", "most"), [(False, 0, 0), (True, 0.25, 0.35)])
def test_figures_say_how_much_is_refused(tmp_path: Path, *, refused: bool, least: float, most: float) -> None:
    """Under the figures of the workload, none of its records is refused, or about 30 percent."""
    rows, path, file = 10_000, tmp_path / "ledger.duckdb", tmp_path / "records.parquet"
    write_records(file, rows, 0)
    measures.found(path, figures(rows, refused=refused))
    measures.load(path, [file])
    with LedgerFile.open(path) as ledger:
        counts = dict(ledger.rows("SELECT outcome, count(*) FROM decisions GROUP BY outcome"))

    assert least <= counts.get("refused", 0) / rows <= most
    assert sum(counts.values()) == rows


def test_ledgers_are_asked(tmp_path: Path) -> None:
    """A ledger is verified, summed up and asked for its status; only the rate of a large one is held to the budget."""
    results = measure_queries(tmp_path, benchmarks.make_ledgers(tmp_path, [ROWS]), times=1)

    assert [result.what for result in results] == [
        "verify at 200 entries",
        "its peak of memory, of one process",
        "verify --deep at 200 entries",
        "its peak of memory, of one process",
        "sums by country and month at 200 entries",
        "`quotaledger status` at 200 entries",
    ]
    assert all(result.value for result in results)
    assert results[0].must is None
    assert results[4].ratio


def test_the_same_records_go_through_others(tmp_path: Path) -> None:
    """The ledger, SQLite and PostgreSQL have a row each for both ways; PostgreSQL's may say why not."""
    results = measure_others(tmp_path, _work(tmp_path))

    names = ["quotaledger"] * 2 + ["SQLite"] * 2 + ["PostgreSQL"] * 2
    assert all(result.what.startswith(name) for result, name in zip(results, names, strict=True))
    assert all(result.value for result in results[:4])
    assert all(bool(result.value) != bool(result.why) for result in results[4:])
    assert all(result.ratio for result in results[2:] if result.value)


def test_others_decide_alike(tmp_path: Path) -> None:
    """SQLite's program refuses what PostgreSQL's function refuses, if that is here: some records and not all."""
    work = _work(tmp_path)
    write_records(work.file, work.rows, 0)
    chips = {"H100": 15_832, "H20": 2_368, "GB300": 60_000, "MI300X": 20_919}
    countries = sorted({record[3] for batch in work.records()[1] for record in batch} | {"AE", "TW"})
    found = [others.through_sqlite(tmp_path / "others.sqlite", work, chips, countries).refused]
    programs = postgres.find_programs()
    if programs:
        found.append(others.through_postgres(programs, work, chips, countries).refused)

    assert 0 < found[0] < work.rows
    assert len(set(found)) == 1


@pytest.mark.parametrize("reason", [WITHOUT_POSTGRES, "it does not start"])
def test_without_postgres_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    """Where PostgreSQL is not, or does not start, its rows say so and the others are measured."""

    def not_served(*_: object) -> None:
        raise postgres.NotServed(reason)

    monkeypatch.setattr(postgres, "find_programs", lambda: None if reason == WITHOUT_POSTGRES else tmp_path)
    monkeypatch.setattr(others, "through_postgres", not_served)

    results = measure_others(tmp_path, _work(tmp_path))

    assert all(result.value for result in results[:4])
    assert [result.line.split(maxsplit=1)[0] for result in results[4:]] == ["PostgreSQL,"] * 2
    assert all(result.line.endswith(f"not measured: {reason}") for result in results[4:])


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """What is no PostgreSQL is not waited for."""
    for name in ("initdb", "postgres", "psql"):
        (tmp_path / name).write_text("#!/bin/sh\necho no disk is left\nexit 1\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    tmp_path.chmod(0o755)

    with pytest.raises(postgres.NotServed), postgres.serving(tmp_path):
        pass


def test_a_row_says_its_budget_and_whether_it_is_met(tmp_path: Path) -> None:
    """The table has figure, ratio and budget; the JSON has the same, and what was not measured."""
    results = [
        Result("import", 12.5, "s", 2.0, 8),
        Result("verify", 900_000, "records/s", None, 800_000, is_least=True),
        not_measured("PostgreSQL", WITHOUT_POSTGRES),
    ]
    write_results(tmp_path / "found.json", results, [("the fold", 22.0)])
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))

    assert [" ".join(result.line.split()) for result in results] == [
        "import 12.5000 s 6.25 x the floor 2.0000 s must be at most 8 met",
        "verify 900,000 records/s must be at least 800,000 met",
        "PostgreSQL not measured: no PostgreSQL here",
    ]
    assert [row["met"] for row in found["results"]] == [True, True, None]
    assert found["results"][2]["why"] == WITHOUT_POSTGRES
    assert found["costs"] == {"the fold": 22.0}


@pytest.mark.parametrize(("large", "sizes"), [([], [20, 200, 2000]), (["--large"], [20, 200, 2000, 20_000])])
def test_large_is_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: list[str], sizes: list[int]
) -> None:
    """What takes ten times as many records is done only on request."""
    asked: list[object] = []
    for name in ("compile_once", "measure_imports", "measure_verifying", "measure_sizes", "measure_queries"):
        monkeypatch.setattr(benchmarks, name, lambda *_: [])
    for name in ("measure_others", "measure_serving", "measure_analysts", "measure_reports"):
        monkeypatch.setattr(benchmarks, name, lambda *_: [])
    monkeypatch.setattr(benchmarks, "largest_costs", lambda *_: [])
    monkeypatch.setattr(benchmarks, "measure_files", lambda _folder, rows, **_kinds: [Result(f"{rows}", 1.0, "s")])
    monkeypatch.setattr(benchmarks, "make_ledgers", lambda _folder, sizes: asked.extend(sizes))
    monkeypatch.setattr(measures, "start_command", lambda *_: 0.1)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--rows", "2000", "--out", str(tmp_path / "found.json"), *large])

    benchmarks.main()

    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert asked == sizes
    assert [row["what"] for row in found["results"]] == [*map(str, sizes[2:]), "quotaledger --help"]


def test_analysts_are_measured_beside_a_plain_file(tmp_path: Path) -> None:
    """What publishing costs for each ledger, the questions idle and during an import, and the import beside itself."""
    paths = {rows: tmp_path / f"{rows}.duckdb" for rows in (10, 1_000)}
    for rows, path in paths.items():
        measures.found(path)
        write_records(tmp_path / f"{rows}.parquet", rows, rows)
        measures.load(path, [tmp_path / f"{rows}.parquet"])
    write_records(tmp_path / "more.parquet", 3_000, 0)
    results = analysts.measure_analysts(tmp_path, paths, tmp_path / "more.parquet", 1)

    assert [result.unit for result in results] == ["s", "MiB", "MiB"] * 2 + ["ms"] * 4 + ["s"]
    assert [result.must for result in results if result.must] == [1.5, 3, 1.1]
    assert all(result.value for result in results)


def test_a_server_is_measured_beside_one_that_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests a second and waits for each number of clients, and a file over HTTP beside the same in process."""
    monkeypatch.setattr(serving, "_SECONDS", 0.2)
    base, records = tmp_path / "base.duckdb", tmp_path / "records.parquet"
    measures.found(base)
    write_records(records, 3_000, 0)
    results = serving.measure_serving(tmp_path, base, records, 3_000)

    assert [result.unit for result in results] == ["1/s", "ms", "ms"] * 3 + ["s"]
    assert [result.must for result in results if result.must] == [0.25, 1.3]
    assert all(result.value for result in results)


def test_reports_are_measured_beside_their_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds and memory of each, and looks for alerts; no budget for a few entries: a start costs more than that."""
    monkeypatch.setattr(reports, "report_names", lambda: ["obligations", "refusals-and-breaches"])
    path = tmp_path / "small.duckdb"
    measures.found(path)
    write_records(tmp_path / "few.parquet", 500, 0)
    measures.load(path, [tmp_path / "few.parquet"])
    results = reports.measure_reports(tmp_path, {500: path}, times=1)

    assert [result.unit for result in results] == ["s", "MiB", "MiB"] * 2 + ["s", "s"]
    assert all(result.value for result in results)
    assert [result.floor is None for result in results] == [False, True, True] * 2 + [True, True]
    assert not [result.must for result in results if result.must]
