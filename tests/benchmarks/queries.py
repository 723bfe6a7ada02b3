"""What is asked of ledgers of several sizes: verify, status, and sums by country and month."""

import statistics
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from ledger.store.analyst import ask, ask_table
from tests.benchmarks import measures
from tests.benchmarks.results import Result, progress

ONCE_FROM: Final = 1_000_000
"""Entries from which verifying takes so long that its start does not count: only then is it held to the budget."""
_SUMS: Final = """
    SELECT destination, date_trunc('month', date) AS month, kind, CAST(sum(tpp) AS BIGINT) AS tpp, count(*) AS records
    FROM {}
    WHERE outcome = 'admitted'
    GROUP BY ALL
    ORDER BY ALL
"""
_SUMMED: Final = "SELECT destination, date, kind, tpp, outcome FROM decisions"


def measure_queries(folder: Path, ledgers: Mapping[int, Path], *, times: int = 3) -> list[Result]:
    """Measure what is asked of each ledger, given by the number of its entries; what is quick, so many times."""
    results = []
    first_status: float | None = None
    for size, path in sorted(ledgers.items()):
        progress(f"asking a ledger of {size:,} entries")
        for what, deep, must in (("verify", False, 800_000), ("verify --deep", True, 200_000)):
            rate, peak = measures.apart(partial(measures.verify_all, deep=deep), path)
            least = must if size >= ONCE_FROM else None
            results += [
                Result(f"{what} at {size:,} entries", rate, "records/s", None, least, is_least=True),
                Result("its peak of memory, of one process", peak, "MiB", None, 2560 if size > ONCE_FROM else 1536),
            ]
        summed, bare = measures.apart(sum_up, path, folder / "sums.duckdb", times)
        asked = measures.start_command("--ledger", str(path), "status", runs=times)
        results += [
            Result(f"sums by country and month at {size:,} entries", summed, "s", bare, base="a bare table's"),
            Result(f"`quotaledger status` at {size:,} entries", asked, "s", first_status, base="the smallest's"),
        ]
        first_status = first_status or asked
    return results


def sum_up(path: Path, bare: Path, times: int) -> tuple[float, float]:
    """Sum by country and month as `quotaledger sql` does, and over a bare table of these columns. Gives the medians."""
    bare.unlink(missing_ok=True)
    columns = ask_table(path, _SUMMED)
    with duckdb.connect(str(bare)) as connection:
        connection.register("summed", columns)
        connection.execute("CREATE TABLE bare AS FROM summed")
    ours, floor = [], []
    for _ in range(times):
        start = time.perf_counter()
        answer = ask(path, _SUMS.format("decisions")).rows
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        # Opened each time as well: half of what a question to a small ledger costs is the file's opening.
        with duckdb.connect(str(bare), read_only=True) as connection:
            assert connection.execute(_SUMS.format("bare")).fetchall() == list(answer)
        floor.append(time.perf_counter() - start)
    return statistics.median(ours), statistics.median(floor)
