"""Imports that are answered later: where they are, and what became of those that recorded nothing."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final

from ledger.api.problems import Problem
from ledger.sequencer.answers import COLUMNS
from ledger.store.outputs import write_rows

_KEPT: Final = 1_000
"""So many imports that are done are remembered; those that recorded something are in the ledger for ever."""
_BYTES_KEPT: Final = 1 << 30
"""So many bytes of decisions of dry runs, and of rejected rows, are kept on disk together."""


@dataclass
class Job:
    """An import on its way, or one that recorded nothing."""

    id: str
    provider: str
    dry_run: bool = False
    state: str = "waiting"
    done: int = 0
    total: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    token: str | None = None
    problem: Problem | None = None
    file: Path | None = None
    """The decisions of its rows, or the rejected ones of one that failed: a Parquet file."""

    def advanced(self, done: int, total: int) -> None:
        """Take note of how many of how many rows are decided."""
        self.state, self.done, self.total = "running", done, total


class Jobs:
    """The imports that the server remembers."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = Lock()
        self._folder = TemporaryDirectory(prefix="quotaledger-jobs-")

    def add(self, job: Job) -> None:
        """Remember an import, and forget the oldest that are done if there are many."""
        with self._lock:
            self._jobs[job.id] = job
            ended = [job for job in self._jobs.values() if job.state in ("done", "failed")]
            kept = sum(_size(job) for job in ended)
            for old in ended:
                if len(self._jobs) <= _KEPT and kept <= _BYTES_KEPT:
                    break
                kept -= _size(old)
                if old.file:
                    old.file.unlink(missing_ok=True)
                del self._jobs[old.id]

    def keep(self, job: Job, rows: Iterable[dict[str, Any]]) -> None:
        """Keep the decisions of an import that has recorded nothing, if it is remembered at all."""
        if job.id not in self._jobs:
            return
        file = Path(self._folder.name) / f"{job.id}.parquet"
        write_rows(file, COLUMNS, rows)
        job.file = file

    def close(self) -> None:
        """Forget all decisions that are kept."""
        self._folder.cleanup()

    def get(self, job: str) -> Job | None:
        """Give an import, None if it is not remembered."""
        return self._jobs.get(job)

    def forget(self, job: Job) -> None:
        """Forget an import that the ledger has now."""
        with self._lock:
            self._jobs.pop(job.id, None)

    def running(self) -> int:
        """Give how many are not done."""
        with self._lock:
            return sum(job.state in ("waiting", "running") for job in self._jobs.values())


def _size(job: Job) -> int:
    return job.file.stat().st_size if job.file and job.file.exists() else 0
