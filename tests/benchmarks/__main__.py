"""`python -m tests.benchmarks`: measure everything, print it as a table and write it as JSON."""

import argparse
import cProfile
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks import measures
from tests.benchmarks.analysts import measure_analysts
from tests.benchmarks.imports import measure_files
from tests.benchmarks.others import measure_others
from tests.benchmarks.queries import measure_queries
from tests.benchmarks.reports import measure_reports
from tests.benchmarks.results import Result, progress, write_results
from tests.benchmarks.serving import measure_serving
from tests.benchmarks.workload import write_records
from tests.harness import copy_ledger

RUNS: Final = 5
CLIENTS: Final = (1, 8, 64)
"""So many wait at once for decisions of one writer."""
FILE_RUNS: Final = 2
STAGES: Final = {
    "parts": "read the file into columns",
    "parse_records": "understand every field",
    "number_references": "number references, find those that are recorded",
    "run": "the fold: decide every row",
    "entry_columns": "turn decisions into columns of texts",
    "decision_hashes": "write and hash the leaves",
    "extended": "grow the tree",
    "append_leaves": "insert the leaves",
    "add_to_balances": "add to the balances",
    "__exit__": "commit, with the indexes",
}


def measure_imports(folder: Path, rows: int) -> list[Result]:
    """Measure imports in turn with bare loads of the same file."""
    base, path = folder / "base.duckdb", folder / "import.duckdb"
    measures.apart(measures.found, base)
    results = []
    for what, naming in (("records", 0), ("records, a tenth of which names an earlier one", 0.5)):
        file = folder / f"records-{naming}.parquet"
        progress(f"import of {rows:,} {what}")
        measures.apart(write_records, file, rows, 0, naming)
        floors: list[float] = []
        unsealed: list[float] = []
        imports: list[float] = []
        peaks: list[int] = []
        for _ in range(RUNS):
            floors.append(measures.apart(measures.bare_load, file, folder))
            for seconds, sealed in ((unsealed, False), (imports, True)):
                copy_ledger(base, path)
                spent, peak = measures.apart(partial(measures.load, sealed=sealed), path, [file])
                seconds.append(spent)
                peaks.append(peak)
        floor = statistics.median(floors)
        results += [
            Result(f"import of {rows:,} {what}, without seal", statistics.median(unsealed), "s", floor, 8),
            Result(f"import of {rows:,} {what}", statistics.median(imports), "s", floor, 8),
            Result("its peak of memory", max(peaks), "MiB", None, 1536),
        ]
    return results


def measure_verifying(folder: Path) -> list[Result]:
    """Measure verifying the ledger that was imported last, plain and deep."""
    results = []
    progress("verifying it")
    for what, deep, must in (("verify", False, 800_000), ("verify --deep", True, 200_000)):
        rates, peaks = zip(
            *(measures.apart(partial(measures.verify_all, deep=deep), folder / "import.duckdb") for _ in range(3)),
            strict=True,
        )
        results += [
            Result(what, statistics.median(rates), "records/s", None, must, is_least=True),
            Result("its peak of memory, of one process", max(peaks), "MiB", None, 1536),
        ]
    return results


def make_ledgers(folder: Path, sizes: Sequence[int]) -> dict[int, Path]:
    """Make ledgers of several sizes, a million records an import."""
    paths = {}
    for size in sizes:
        progress(f"making a ledger of {size:,} entries")
        paths[size] = folder / f"{size}.duckdb"
        measures.apart(measures.found, paths[size])
        files = []
        for part in range(max(1, size // 1_000_000)):
            files.append(folder / f"{size}-{part}.parquet")
            measures.apart(write_records, files[-1], min(size, 1_000_000), 1 + part)
        measures.apart(measures.load, paths[size], files)
        for file in files:
            file.unlink()
    return paths


def measure_sizes(folder: Path, paths: dict[int, Path]) -> list[Result]:
    """Measure one more decision, opening and positions in the smallest and the largest ledger."""
    small, large = min(paths), max(paths)
    middle = max((size for size in paths if size * 100 <= large), default=small)
    progress(f"one more decision at {small:,} and at {large:,} entries")
    one, floor = measures.apart(measures.decide_one_by_one, paths[small], folder / "bare.duckdb")
    more, _ = measures.apart(measures.decide_one_by_one, paths[large], folder / "bare.duckdb")
    crowds = [
        (clients, *measures.apart(measures.decide_for_many, paths[small], folder / "bare.duckdb", clients))
        for clients in CLIENTS
    ]
    _, asked = measures.apart(measures.open_and_ask, paths[middle])
    opened, asked_more = measures.apart(measures.open_and_ask, paths[large])
    return [
        Result(f"one decision, durable, at {small:,} entries", one, "s", floor, 3),
        Result(f"one more at {large:,} entries against {small:,}", more, "s", one, 1.2, base="that"),
        *(
            Result(f"decisions through the writer, clients at once: {clients}", rate, "1/s", bare_rate, is_least=True)
            for clients, rate, bare_rate in crowds
        ),
        Result(f"opening the ledger at {large:,} entries", opened, "s", None, 0.5),
        Result(f"country positions at {large:,} entries against {middle:,}", asked_more, "s", asked, 1.5, base="those"),
    ]


def largest_costs(folder: Path) -> list[tuple[str, float]]:
    """Give where the time of an import goes: the stage and its part of the whole, in percent."""
    progress("an import under the profiler")
    path = folder / "profiled.duckdb"
    copy_ledger(folder / "base.duckdb", path)
    profile = cProfile.Profile()
    profile.enable()
    measures.load(path, [folder / "records-0.parquet"])
    profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    seconds = {
        name: sum(row[3] for key, row in stats.items() if key[2] == name and "ledger" in key[0]) for name in STAGES
    }
    whole = next(row[3] for key, row in stats.items() if key[2] == "load")
    return [(STAGES[name], 100 * spent / whole) for name, spent in seconds.items()]


def compile_once(folder: Path) -> None:
    """Let the processes that are measured find the modules compiled, as those of an installed command are."""
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-c", "import tests.benchmarks.__main__"], check=True)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="records of an import")
    parser.add_argument("--large", action="store_true", help="ten times as many as well, which takes long")
    parser.add_argument("--only-reports", action="store_true", help="nothing but the reports, of so many records")
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"), help="where the JSON goes")
    wanted = parser.parse_args()
    sizes = [max(1, wanted.rows // 100), max(1, wanted.rows // 10), wanted.rows]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compile_once(folder)
        if wanted.only_reports:
            results = measure_reports(folder, make_ledgers(folder, sizes[-1:]))
            print("\n".join(result.line for result in results))
            write_results(wanted.out, results, [])
            return
        results = measure_imports(folder, wanted.rows)
        results += measure_verifying(folder)
        results += measure_files(folder, wanted.rows, runs=FILE_RUNS)
        if wanted.large:
            sizes.append(10 * wanted.rows)
            results += measure_files(folder, sizes[-1], runs=1, large=True)
        ledgers = make_ledgers(folder, sizes)
        results += measure_sizes(folder, ledgers)
        results += measure_queries(folder, ledgers)
        results += measure_analysts(folder, ledgers, folder / "records-0.parquet")
        results += measure_reports(folder, ledgers)
        results += measure_others(folder)
        results += measure_serving(folder, folder / "base.duckdb", folder / "records-0.parquet", wanted.rows)
        results.append(Result("quotaledger --help", measures.start_command("--help"), "s", None, 0.4))
        # Last, since it is the one that runs in this process, and others' peaks begin with what this process has.
        costs = largest_costs(folder)
    for result in results:
        print(result.line)
    print("\nwhere the time of an import goes, under the profiler:")
    for stage, percent in sorted(costs, key=lambda cost: -cost[1]):
        print(f"{percent:5.1f} %  {stage}")
    write_results(wanted.out, results, costs)


if __name__ == "__main__":
    main()
