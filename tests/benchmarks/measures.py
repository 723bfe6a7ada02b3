"""What is measured, each in a process of its own: nothing is left over from what was measured before it."""

import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import duckdb

from ledger.core.columns import Column
from ledger.sequencer.desk import Desk
from ledger.sequencer.founding import found_ledger
from ledger.sequencer.importing import import_sheets, record_file
from ledger.sequencer.registering import register_file, register_sheet
from ledger.sequencer.verifying import helpers, verify
from ledger.sequencer.writer import Writer
from ledger.store import append, seal
from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX, LedgerFile
from ledger.store.sheet import Sheet
from tests.benchmarks.workload import one_record, write_parties
from tests.harness import amended

PROVIDER: Final = "benchmark"
_WARM, _TIMES = 20, 200
_TURNS_AT_LEAST = 8


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run a function in a new process and give what it gives."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def bare_load(file: Path, folder: Path) -> float:
    """Load a Parquet or CSV file into a table and let go of it, durably: the floor of an import. Gives seconds."""
    path = _fresh(folder / "bare.duckdb")
    start = time.perf_counter()
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE records AS FROM '{file}'")
    return time.perf_counter() - start


def found(path: Path, figures: Mapping[str, str] | None = None) -> None:
    """Make a ledger with the parties of the workload, under the default rulebook but for the figures given."""
    now = datetime.now(UTC)
    found_ledger(_fresh(path), amended(**(figures or {})), PROVIDER, now)
    parties = path.with_suffix(".csv")
    write_parties(parties)
    with LedgerFile.open(path, now) as ledger:
        sheet = register_file("parties", parties.name, parties.read_bytes())
        register_sheet(Desk(ledger, PROVIDER, now), "parties", sheet)


def load(path: Path, files: list[Path], *, sealed: bool = True) -> tuple[float, int]:
    """Import files one after another into a ledger. Gives seconds, and the peak of memory in MiB.

    Without `sealed` no leaf is written, hashed or kept: such a ledger proves nothing, and is thrown away.
    """
    if not sealed:
        append.decision_hashes = lambda *_: b""  # type: ignore[attr-defined]
        append.append_leaves = lambda *_: None  # type: ignore[attr-defined]
        seal.append_leaves = lambda *_: None
    now = datetime.now(UTC)
    import_module("pandas")  # which pyarrow would load at its first table, where it is installed
    start = time.perf_counter()
    for file in files:
        with LedgerFile.open(path, now) as ledger, file.open("rb") as content:
            import_sheets(Desk(ledger, PROVIDER, now), PROVIDER, [record_file(file.name, content)])
    return time.perf_counter() - start, peak()


def verify_all(path: Path, *, deep: bool) -> tuple[float, int]:
    """Verify a ledger as the command does. Gives records a second, and the peak of the largest process, in MiB."""
    with helpers(path) as pool:
        found = verify(path, deep=deep, pool=pool)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(found.records.values()) / found.seconds, peak >> 10


def decide_one_by_one(path: Path, bare: Path) -> tuple[float, float]:
    """Decide records one at a time, in turn with bare commits of the same rows. Gives the medians, in seconds."""
    now = datetime.now(UTC)
    ours, floor = [], []
    with LedgerFile.open(path, now) as ledger:
        commit = _bare_commit(ledger, bare)
        desk = Desk(ledger, PROVIDER, now)
        for _ in range(_WARM + _TIMES):
            ours.append(_seconds(import_sheets, desk, PROVIDER, [_one_sheet()]))
            floor.append(_seconds(commit, _last_row(ledger)))
    return statistics.median(ours[_WARM:]), statistics.median(floor[_WARM:])


def decide_for_many(path: Path, bare: Path, clients: int) -> tuple[float, float]:
    """Decide records through one writer for so many clients, each of which waits for its answer before its next one.

    Gives decisions a second, and bare commits of such a row a second, half of them made before and half after.
    """
    with LedgerFile.open(path) as ledger:
        commit, row = _bare_commit(ledger, bare), _last_row(ledger)
    with Writer(path, partial(datetime.now, UTC)) as writer, ThreadPoolExecutor(clients) as pool:

        def client(number: int, times: int) -> None:
            for _ in range(times):
                writer.submit(f"{PROVIDER} {number}", [_one_sheet()], filed_by=PROVIDER).result()

        def together(times: int) -> None:
            list(pool.map(client, range(clients), [times] * clients))

        times = max(_TURNS_AT_LEAST, _TIMES // clients)
        together(1 + _WARM // clients)
        floor = [_seconds(commit, row) for _ in range(_TIMES // 2)]
        spent = _seconds(together, times)
        floor += [_seconds(commit, row) for _ in range(_TIMES // 2)]
    return clients * times / spent, len(floor) / sum(floor)


def _one_sheet() -> Sheet:
    record = one_record(time.time_ns())
    return Sheet("one", "0" * 64, 1, {name: Column.of([value]) for name, value in record.items()})


def _bare_commit(ledger: LedgerFile, bare: Path) -> Callable[[Sequence[Any]], Any]:
    """Give what commits a row of `entry` in a table without indexes, triggers or anything else to be done."""
    connection = duckdb.connect(str(_fresh(bare)))
    ((ddl,),) = ledger.rows("SELECT sql FROM duckdb_tables() WHERE table_name = 'entry'")
    connection.execute(ddl)

    def commit(row: Sequence[Any]) -> None:
        connection.execute(f"INSERT INTO entry VALUES ({', '.join(['?'] * len(row))})", list(row))

    return commit


def _last_row(ledger: LedgerFile) -> tuple[Any, ...]:
    (row,) = ledger.rows("SELECT * FROM entry ORDER BY sequence DESC LIMIT 1")
    return row


def open_and_ask(path: Path) -> tuple[float, float]:
    """Open a ledger for writing, and ask for all country positions. Gives the seconds of both, the medians of five."""
    opening, asking = [], []
    for _ in range(5):
        start = time.perf_counter()
        with LedgerFile.open(path, datetime.now(UTC)) as ledger:
            opening.append(time.perf_counter() - start)
            ledger.rows("FROM country_positions")
            asking.append(_seconds(ledger.rows, "FROM country_positions"))
    return statistics.median(opening), statistics.median(asking)


def start_command(*arguments: str, runs: int = 5) -> float:
    """Run the command. Gives the median seconds of so many runs, after one that is not measured."""
    command = [sys.executable, "-m", "ledger", *arguments]
    run = partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return statistics.median([_seconds(run) for _ in range(runs + 1)][1:])


def peak() -> int:
    """Give the peak of this process's own memory, in MiB: `ru_maxrss` begins with that of whoever started it."""
    own = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"), re.MULTILINE)
    return (int(own[1]) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) >> 10


def _seconds(work: Callable[..., Any], *arguments: Any) -> float:
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def _fresh(path: Path) -> Path:
    for old in (path, *(Path(f"{path}{suffix}") for suffix in (".wal", KEY_SUFFIX, OUTSIDE_SUFFIX))):
        if old.exists():
            old.unlink()
    return path
