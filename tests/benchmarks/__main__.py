"""`python -m tests.benchmarks`: measure everything, print it as a table and write it as JSON."""

import argparse
import cProfile
import json
import pstats
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks import measures
from tests.benchmarks.workload import write_records
from tests.harness import copy_ledger

RUNS: Final = 5
SMALL: Final = 10_000
CLIENTS: Final = (1, 8, 64)
"""So many wait at once for decisions of one writer."""
STAGES: Final = {
    "read_sheet": "read the file into columns",
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


@dataclass(frozen=True)
class Result:
    """A figure beside its floor, and what the budget in `ledger/README.md` demands of it."""

    what: str
    value: float
    unit: str
    floor: float | None = None
    must: float | None = None
    is_least: bool = False
    """Whether `must` is a minimum."""

    @property
    def ratio(self) -> float | None:
        """How many times the floor it is."""
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the budget is met, by the ratio where there is a floor."""
        if self.must is None:
            return None
        value = self.ratio or self.value
        return value >= self.must if self.is_least else value <= self.must


def measure_imports(folder: Path, rows: int) -> list[Result]:
    """Measure imports in turn with bare loads of the same file."""
    base, path = folder / "base.duckdb", folder / "import.duckdb"
    measures.apart(measures.found, base)
    results = []
    for what, naming in (("records", 0), ("records, a tenth of which names an earlier one", 0.5)):
        file = folder / f"records-{naming}.parquet"
        write_records(file, rows, 0, naming)
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


def measure_sizes(folder: Path, sizes: tuple[int, int, int]) -> list[Result]:
    """Measure one more decision, opening and positions in ledgers of several sizes."""
    paths = {}
    for size in sizes:
        paths[size] = folder / f"{size}.duckdb"
        measures.apart(measures.found, paths[size])
        files = []
        for part in range(max(1, size // 1_000_000)):
            files.append(folder / f"{size}-{part}.parquet")
            write_records(files[-1], min(size, 1_000_000), 1 + part)
        measures.apart(measures.load, paths[size], files)
        for file in files:
            file.unlink()
        print(f"made a ledger of {size:,} entries", file=sys.stderr)
    small, middle, large = sizes
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
        Result(f"one more at {large:,} entries against {small:,}", more, "s", one, 1.2),
        *(
            Result(f"decisions through the writer, clients at once: {clients}", rate, "1/s", bare_rate, is_least=True)
            for clients, rate, bare_rate in crowds
        ),
        Result(f"opening the ledger at {large:,} entries", opened, "s", None, 0.5),
        Result(f"country positions at {large:,} entries against {middle:,}", asked_more, "s", asked, 1.5),
    ]


def largest_costs(folder: Path) -> list[tuple[str, float]]:
    """Give where the time of an import goes: the stage and its part of the whole, in percent."""
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


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="records of an import")
    parser.add_argument("--large", type=int, default=10_000_000, help="entries of the largest ledger")
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"), help="where the JSON goes")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = measure_imports(folder, wanted.rows)
        results += measure_verifying(folder)
        costs = largest_costs(folder)
        results += measure_sizes(folder, (SMALL, max(SMALL, wanted.large // 100), wanted.large))
    results.append(Result("quotaledger --help", measures.start_command("--help"), "s", None, 0.4))
    for result in results:
        ratio = f"{result.ratio:6.2f} x the floor {result.floor:.4f} {result.unit}" if result.ratio else ""
        met = {None: "", True: "met", False: "NOT MET"}[result.met]
        must = "" if result.must is None else f"must {result.must:<6} {met}"
        print(f"{result.what:84} {result.value:10.4f} {result.unit:9} {ratio:34} {must}")
    print("\nwhere the time of an import goes, under the profiler:")
    for stage, percent in sorted(costs, key=lambda cost: -cost[1]):
        print(f"{percent:5.1f} %  {stage}")
    found = [asdict(result) | {"ratio": result.ratio, "met": result.met} for result in results]
    wanted.out.write_text(json.dumps({"results": found, "costs": dict(costs)}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
