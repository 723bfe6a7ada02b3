"""Sandboxed processes, started ahead: a query waits for one that is free, and has it alone until it is answered.

A process that misses its deadline, dies, or says what it should not is killed, and another one started for it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Final
from uuid import uuid4

from ledger.core.errors import Busy, LedgerUnavailable, WrongUsage
from ledger.sandbox.process import Died, Worker
from ledger.sandbox.running import Limits

TEXT_MAX: Final = 100_000
"""Characters of a query: what is longer is given to no process, which would take it for memory."""
_QUERIES_MAX: Final = 1_000
"""After so many queries a process is replaced: what it has leaked goes with it."""
_SHARE: Final = 4
"""No owner has more than one in so many of those that run and wait."""
_LOOK_SECONDS: Final = 0.25
"""So often a query that waits is looked at: it may have been cancelled."""


class QueryStopped(Exception):
    """A query that took more than it may, or was cancelled; the text says what."""


@dataclass(frozen=True)
class Answer:
    """The result of a query, as bytes in the format asked for, and the facts that go with it."""

    content: bytes
    rows: int
    seconds: float
    reproducible: bool
    """Whether the same query at the same checkpoint gives the same bytes by right."""
    checkpoint: str
    """The signed note of what was asked."""
    sequence: int
    leaves: int
    published_at: str


class Pool:
    """Asks queries of a published copy, from any thread. What one caller makes, no other sees."""

    def __init__(self, copy: Path, limits: Limits, workers: int = 2, waiting_max: int = 32) -> None:
        """Start so many processes, without waiting for them."""
        self._copy, self._limits = copy.absolute(), limits
        self._most = workers + waiting_max
        self._idle: SimpleQueue[Worker | None] = SimpleQueue()
        """None stands for a process that could not be started."""
        self._starting = ThreadPoolExecutor(workers, "sandbox")
        self._asking = ThreadPoolExecutor(workers + waiting_max, "asking")
        self._asked: dict[str, Worker | None] = {}
        """The queries on their way by name, each with its process when it has one."""
        self._owned: Counter[str] = Counter()
        """How many of them are whose."""
        self._cancelled: set[str] = set()
        self._lock = Lock()
        self._is_closed = False
        for _ in range(workers):
            self._starting.submit(self._put_back, None)

    def submit(
        self,
        query: str,
        parameters: Sequence[Any] | Mapping[str, Any] = (),
        form: str = "json",
        name: str | None = None,
        owner: str = "",
    ) -> "Future[Answer]":
        """Let a query be answered, and give the answer that will be; `name` is for `cancel`.

        The answer, or WrongUsage for what is not answered, QueryStopped for what takes too much, LedgerUnavailable
        while there is no copy. Raises Busy if too many wait, or a quarter of them are this owner's, WrongUsage for a
        name that another query on its way has, and for a text that is too long.
        """
        if len(query) > TEXT_MAX:
            raise WrongUsage(f"the query has {len(query):,} characters, and may have {TEXT_MAX:,}")
        name = name or uuid4().hex
        request = {"query": query, "parameters": parameters, "format": form}
        line = json.dumps(request).encode() + b"\n"
        with self._lock:
            if len(self._asked) >= self._most or self._is_closed:
                raise Busy(f"{len(self._asked)} queries wait to be answered already; ask again in a moment")
            if name in self._asked:
                raise WrongUsage("a query of that name is on its way; give another name")
            if self._owned[owner] * _SHARE >= self._most and owner:
                raise Busy(f"{self._owned[owner]} of your queries are on their way; ask again when some are answered")
            self._asked[name] = None
            self._owned[owner] += 1
        future = self._asking.submit(self._asked_for, name, owner, line)
        future.add_done_callback(lambda done: self._forget(name, owner) if done.cancelled() else None)
        return future

    def cancel(self, name: str) -> bool:
        """Stop a query by its name; say if there was one."""
        with self._lock:
            if name not in self._asked:
                return False
            self._cancelled.add(name)
            if worker := self._asked[name]:
                worker.kill()
        return True

    def close(self) -> None:
        """End all processes; what was asked is answered as stopped."""
        with self._lock:
            self._is_closed = True
            self._cancelled.update(self._asked)
            for worker in self._asked.values():
                if worker:
                    worker.kill()
        self._asking.shutdown(cancel_futures=True)
        self._starting.shutdown()
        while not self._idle.empty():
            if left := self._idle.get():
                left.close()

    def _forget(self, name: str, owner: str) -> None:
        with self._lock:
            self._owned -= Counter([owner])
            self._asked.pop(name, None)
            self._cancelled.discard(name)

    def _asked_for(self, name: str, owner: str, line: bytes) -> Answer:
        try:
            return self._ask(name, line)
        finally:
            self._forget(name, owner)  # before anybody has the answer, and asks again

    def _ask(self, name: str, line: bytes) -> Answer:
        """Wait for a process that is free, and have a query answered by it."""
        worker = self._free(name)
        try:
            with self._lock:
                if name in self._cancelled:
                    raise QueryStopped("the query was cancelled")
                self._asked[name] = worker
            facts, content = worker.ask(line, self._limits)
            if facts.get("kind") == "stopped":  # what it has left of its memory may be too little for the next
                worker.queries = _QUERIES_MAX
        except Died:
            worker.kill()  # or it would be waited for
            raise QueryStopped(
                "the query was cancelled"
                if name in self._cancelled
                else f"the query was stopped: it takes more than {self._limits.seconds:g} seconds or too much memory"
            ) from None
        finally:
            with self._lock:
                self._asked[name] = None
                if name in self._cancelled:  # it was killed, and may not have ended yet
                    worker.queries = _QUERIES_MAX
            self._starting.submit(self._put_back, worker)
        return self._read(facts, content)

    def _free(self, name: str) -> Worker:
        """Wait for a process that is free. Raises QueryStopped, LedgerUnavailable without a copy."""
        worker = self._next(name)
        if worker and worker.has_ended:  # while nobody asked anything of it
            worker.close()
            worker = None
        worker = worker or self._started()
        if worker is None:
            self._idle.put(None)
            raise LedgerUnavailable("there is no published copy to ask yet; ask again in a moment")
        return worker

    def _next(self, name: str) -> Worker | None:
        while True:
            with self._lock:
                if name in self._cancelled:
                    raise QueryStopped("the query was cancelled")
            with suppress(Empty):
                return self._idle.get(timeout=_LOOK_SECONDS)

    def _read(self, facts: dict[str, Any], content: bytes) -> Answer:
        """Give the answer of what a process has said."""
        error = facts.get("error")
        # What is asked cannot tell where it is; if it could, this would keep that here. The folder alone, "/data", may
        # well be in what was filed.
        if str(self._copy) in str(error) or str(self._copy).encode() in content:
            raise WrongUsage("the query cannot be answered: its answer would tell about the server")
        if facts.get("kind") == "stopped":
            raise QueryStopped(str(error))
        if facts.get("kind") == "unavailable":
            raise LedgerUnavailable(f"{error}; ask again when it is published anew")
        if error is not None:
            raise WrongUsage(f"the query cannot be answered: {error}")
        return Answer(content, **facts)

    def _put_back(self, worker: Worker | None) -> None:
        """Let a process be asked again when it can be, or another one in its place."""
        with suppress(Died):
            if worker and worker.queries < _QUERIES_MAX and not self._is_closed:
                if worker.queries:
                    worker.wait_until_ready()
                self._idle.put(worker)
                return
        if worker:
            worker.close()
        if not self._is_closed:
            self._idle.put(self._started())

    def _started(self) -> Worker | None:
        worker = None
        try:
            worker = Worker(self._copy, self._limits)
            worker.wait_until_ready()
        except (OSError, ValueError, Died):
            if worker:
                worker.close()
            return None
        return worker
