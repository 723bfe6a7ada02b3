"""Imports that are answered later: where they are, and what became of those that recorded nothing."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from ledger.api.problems import Problem

_KEPT: Final = 1_000
"""So many imports that are done are remembered; those that recorded something are in the ledger for ever."""
_ROWS_KEPT: Final = 2_000_000
"""So many rows of dry runs and of imports that failed are kept in memory together."""


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
    rows: Sequence[Mapping[str, Any]] = ()
    """The decisions of its rows, or the rejected ones of one that failed, in order."""

    def advanced(self, done: int, total: int) -> None:
        """Take note of how many of how many rows are decided."""
        self.state, self.done, self.total = "running", done, total


class Jobs:
    """The imports that the server remembers."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = Lock()

    def add(self, job: Job) -> None:
        """Remember an import, and forget the oldest that are done if there are many."""
        with self._lock:
            self._jobs[job.id] = job
            ended = [job for job in self._jobs.values() if job.state in ("done", "failed")]
            rows = sum(len(job.rows) for job in ended)
            for old in ended:
                if len(self._jobs) <= _KEPT and rows <= _ROWS_KEPT:
                    break
                rows -= len(old.rows)
                del self._jobs[old.id]

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
