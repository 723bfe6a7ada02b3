"""Analysts at work: what publishing costs, ten questions over HTTP beside a plain DuckDB file, imports meanwhile."""

import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb
import httpx

from ledger.sequencer.keys import create_key
from ledger.sequencer.publishing import publish
from ledger.store.dictionary import questions
from ledger.store.file import LedgerFile
from ledger.store.publishing import copy_path
from schemas.access import Scope
from tests.api.process import serving
from tests.benchmarks import measures
from tests.benchmarks.results import Result, progress
from tests.harness import copy_ledger

ALLOWED_MS: Final = 5
"""So much may an answer take beyond its share: a process is asked, over HTTP."""
_ROUNDS: Final = 10
_PAUSE_SECONDS: Final = 1.0
"""An analyst reads an answer before the next question."""
_TYPE: Final = "application/vnd.apache.parquet"


@dataclass(frozen=True)
class Waits:
    """How long questions took, in milliseconds: by question, in their order."""

    by_question: Sequence[Sequence[float]]

    @property
    def all(self) -> list[float]:
        """Every wait, the shortest first."""
        return sorted(wait for waits in self.by_question for wait in waits)

    def at(self, part: float) -> float:
        """Give the wait that so large a part of all stays under."""
        return self.all[int(len(self.all) * part)]


def measure_analysts(folder: Path, ledgers: Mapping[int, Path], records: Path, rounds: int = _ROUNDS) -> list[Result]:
    """Measure publishing of each ledger, given by its entries, and the questions to the largest of a million at most.

    `records` is the Parquet file that is imported meanwhile.
    """
    results = []
    for size, path in sorted(ledgers.items()):
        progress(f"publishing a ledger of {size:,} entries")
        seconds, peak = measures.apart(_publish, path)
        results += [
            Result(f"publishing a copy of {size:,} entries", seconds, "s"),
            Result("its size", copy_path(path).stat().st_size / (1 << 20), "MiB"),
            Result("its peak of memory", peak, "MiB"),
        ]
    size = max(size for size in ledgers if size <= 1_000_000)
    progress(f"ten questions to a copy of {size:,} entries, while records are imported and not")
    plain = measures.apart(ask_plain, copy_path(ledgers[size]), rounds)
    alone = _import_alone(folder, ledgers[size], records)
    idle, busy, beside = _ask_served(folder, ledgers[size], records, rounds)
    what = f"ten questions over HTTP at {size:,} entries"
    return [
        *results,
        Result(
            f"{what}: p50 less {ALLOWED_MS} ms",
            idle.at(0.5) - ALLOWED_MS,
            "ms",
            plain.at(0.5),
            1.5,
            base="a plain file's",
        ),
        Result(f"{what}: p99", idle.at(0.99), "ms", plain.at(0.99), base="a plain file's"),
        Result(f"{what}, during an import: p50", busy.at(0.5), "ms", plain.at(0.5), 3, base="a plain file's"),
        Result(f"{what}, during an import: p99", busy.at(0.99), "ms", plain.at(0.99), base="a plain file's"),
        Result("an import over HTTP while they are asked", beside, "s", alone, 1.1, base="without"),
    ]


def ask_plain(copy: Path, rounds: int) -> Waits:
    """Ask the questions of a copy that nobody else uses, as any DuckDB does, on one connection."""
    waits: list[list[float]] = [[] for _ in questions()]
    with duckdb.connect(str(copy), read_only=True) as connection:
        for number in range(rounds + 1):
            for question, found in zip(questions(), waits, strict=True):
                start = time.perf_counter()
                connection.execute(question.query).fetchall()
                if number:  # the first round reads the file
                    found.append(1_000 * (time.perf_counter() - start))
    return Waits(waits)


def _publish(path: Path) -> tuple[float, int]:
    start = time.perf_counter()
    with LedgerFile.open(path) as ledger:
        publish(ledger, datetime.now(UTC))
    return time.perf_counter() - start, measures.peak()


def _import_alone(folder: Path, base: Path, records: Path) -> float:
    path = copy_ledger(base, folder / "alone.duckdb")
    with serving(path, publish=False) as process, _client(path, process.address, Scope.IMPORT) as filing:
        filing.get("/v1/checkpoints/latest")
        spent = _import(filing, records)
        process.stop(signal.SIGTERM)
    return spent


def _ask_served(folder: Path, base: Path, records: Path, rounds: int) -> tuple[Waits, Waits, float]:
    """Ask a server the questions while nothing else is done, and while a file is imported. Gives its seconds, too."""
    path = copy_ledger(base, folder / "asked.duckdb")
    copy_path(base).replace(copy_path(path))
    with (
        serving(path) as process,
        _client(path, process.address, Scope.ANALYST) as asking,
        _client(path, process.address, Scope.IMPORT) as filing,
    ):
        idle = Waits([[] for _ in questions()])
        _ask(asking, idle, rounds, threading.Event())
        busy, ended = Waits([[] for _ in questions()]), threading.Event()
        analyst = threading.Thread(target=_ask, args=(asking, busy, 10_000, ended, _PAUSE_SECONDS))
        analyst.start()
        spent = _import(filing, records)
        ended.set()
        analyst.join()
        process.stop(signal.SIGTERM)
    return idle, busy, spent


def _ask(asking: httpx.Client, waits: Waits, rounds: int, ended: threading.Event, pause: float = 0.0) -> None:
    asking.post("/v1/sql", json={"query": "FROM publication"}).raise_for_status()
    for _ in range(rounds):
        for question, found in zip(questions(), waits.by_question, strict=True):
            start = time.perf_counter()
            asking.post("/v1/sql", json={"query": question.query}).raise_for_status()
            found.append(1_000 * (time.perf_counter() - start))  # type: ignore[attr-defined]
            if ended.wait(pause):
                return


def _client(path: Path, address: str, scope: Scope) -> httpx.Client:
    key = create_key(path, measures.PROVIDER, scope, None, datetime.now(UTC), measures.PROVIDER).secret
    return httpx.Client(base_url=address, headers={"authorization": f"Bearer {key}"}, timeout=600)


def _import(filing: httpx.Client, records: Path) -> float:
    """Send a file, and ask until it is recorded. Gives seconds."""
    start = time.perf_counter()
    answer = filing.post("/v1/imports", content=records.read_bytes(), headers={"content-type": _TYPE})
    answer.raise_for_status()
    while answer.json().get("state") != "done":
        time.sleep(0.02)
        answer = filing.get(answer.headers.get("location", f"/v1/imports/{answer.json()['id']}"))
    return time.perf_counter() - start
