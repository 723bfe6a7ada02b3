"""What the routes share: the ledger's writer, the keys, the files that are received, the imports on their way."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from math import nan
from pathlib import Path
from typing import Annotated, Final, TypeVar, cast

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from ledger.api.bodies import Receiving
from ledger.api.jobs import Jobs
from ledger.api.metrics import Metrics
from ledger.api.problems import KeyReused, Problem, StillRunning, problem_of
from ledger.api.publisher import Publisher
from ledger.api.settings import ApiSettings
from ledger.core.errors import QuotaledgerError
from ledger.sandbox.pool import Pool
from ledger.sandbox.running import Limits
from ledger.schedule.ledgers import Served
from ledger.schedule.setting_up import runner_of
from ledger.schedule.waking import Waker
from ledger.sequencer.desk import Desk
from ledger.sequencer.filing import answered_key, answered_keys
from ledger.sequencer.keys import Keys
from ledger.sequencer.permitting import Guard
from ledger.sequencer.writer import Writer
from ledger.store.file import size_of
from ledger.store.log import last_checkpoint
from ledger.store.publishing import copy_path
from ledger.store.requests import Answered

_T = TypeVar("_T")

_ROOM_LEAST: Final = 64 << 20
"""Bytes on the disk of the ledger, below which it is not ready for more."""


class Service:
    """A ledger that is served."""

    def __init__(self, path: Path, settings: ApiSettings, signing_key: Path | None = None) -> None:
        """Open the ledger for recording. Raises what `LedgerFile.open` raises."""
        self.path, self.settings = path, settings
        self.keys = Keys(path)
        self.writer = Writer(path, self.now, signing_key)
        self.jobs, self.receiving, self.metrics = Jobs(), Receiving(settings), Metrics()
        self.background = ThreadPoolExecutor(2, "dry runs")
        self.guard = Guard(self.keys.is_granted) if settings.guard_parties else None
        self.publisher = Publisher(path, self.writer, settings)
        limits = Limits(settings.sql_rows, settings.sql_bytes, settings.sql_seconds, settings.sql_memory)
        self.pool = Pool(copy_path(path), limits, settings.sql_workers, settings.sql_waiting)
        self.runner = runner_of(Served(path, self.writer), self.now)
        self.waker = Waker(self.runner)
        self.stopping = False
        self._tell()
        self._filing: set[tuple[str, str]] = set()
        """Providers and idempotency keys of the requests that are being answered."""
        with self.writer.reading() as desk:
            self._used = {hash(name) for name in answered_keys(desk)}
        """Hashes of those that the ledger may know: most requests have a key that is new, and need not ask it."""
        if settings.schedule:
            self.waker.start()

    def _tell(self) -> None:
        """Add the figures that are asked for when somebody reads them."""
        tell = self.metrics.gauge
        tell("waiting_requests", "Requests that wait to be recorded.", lambda: self.writer.waiting[0])
        tell("waiting_rows", "Their rows.", lambda: self.writer.waiting[1])
        tell("imports_running", "Large files that are being received, decided or recorded.", self.jobs.running)
        tell("ledger_bytes", "Size of the ledger's file and its log.", lambda: size_of(self.path))
        tell("disk_free_bytes", "Room on the disk of the ledger.", self._free)
        tell("copy_leaves", "Leaves of the log that the published copy is of.", lambda: self.publisher.leaves)
        tell("copy_failures", "Copies that could not be published.", lambda: self.publisher.failures)
        tell("checkpoint_age_seconds", "Since the last checkpoint; not a number if none can be read.", self._age)

    def _age(self) -> float:
        try:
            with self.writer.reading() as desk:
                signed = last_checkpoint(desk.ledger.connection)["recorded_at"]
        except QuotaledgerError:
            return nan
        return float((self.now() - signed).total_seconds())

    @staticmethod
    def now() -> datetime:
        """Give the present instant, UTC."""
        return datetime.now(UTC)

    async def read(self, question: Callable[[Desk], _T]) -> _T:
        """Have a question answered by the ledger as it is now."""
        return await run_in_threadpool(self._read, question)

    def _read(self, question: Callable[[Desk], _T]) -> _T:
        with self.writer.reading() as desk:
            return question(desk)

    @contextmanager
    def one_at_a_time(self, provider: str, idempotency_key: str | None) -> Iterator["Filing"]:
        """Keep out others with the same key of the same provider. Raises StillRunning."""
        filing = Filing(self._filing, (provider, idempotency_key or ""))
        if idempotency_key:
            if filing.name in self._filing:
                raise StillRunning("a request with this idempotency key is being answered")
            self._filing.add(filing.name)
        try:
            yield filing
        except (Problem, QuotaledgerError) as error:
            if filing.is_new and problem_of(error).status < HTTPStatus.INTERNAL_SERVER_ERROR:  # nothing was recorded
                self._used.discard(hash(filing.name))
            raise
        finally:
            if not filing.goes_on:
                filing.done()

    async def repeated(self, filing: "Filing", sha256: str) -> Answered | None:
        """Give the request of a key if it was answered. Raises KeyReused if that asked for something else."""
        provider, idempotency_key = filing.name
        if not idempotency_key:
            return None
        filing.is_new = hash(filing.name) not in self._used
        if filing.is_new:
            self._used.add(hash(filing.name))
            return None
        found = await self.read(lambda desk: answered_key(desk, provider, idempotency_key))
        if found and found.sha256 != sha256:
            raise KeyReused("this idempotency key was used for a request with another body or other options")
        return found

    def is_ready(self) -> bool:
        """Say if more is accepted: not while it stops, nor without room on the disk."""
        return not self.stopping and self._free() >= _ROOM_LEAST

    def _free(self) -> int:
        return shutil.disk_usage(self.path.absolute().parent).free

    def close(self) -> None:
        """Answer all that was accepted, and let go of the ledger."""
        self.stopping = True
        self.waker.close()
        self.pool.close()
        self.publisher.close()
        self.background.shutdown()
        self.writer.close()
        self.keys.close()
        self.jobs.close()


class Filing:
    """A request that is being answered, and keeps others with its key out."""

    def __init__(self, all_of_them: set[tuple[str, str]], name: tuple[str, str]) -> None:
        self._all, self.name = all_of_them, name
        self.is_new = False
        """Whether the ledger has certainly answered no request of that key."""
        self.goes_on = False
        """Whether it is answered later than the one who sent it is."""

    def done(self) -> None:
        """Let others in."""
        self._all.discard(self.name)


async def _service(request: Request) -> Service:  # a function that is not async would be given a thread
    return cast("Service", request.app.state.service)


TheService = Annotated[Service, Depends(_service)]


async def awaited(future: "Future[_T]") -> _T:
    """Wait for the writer's answer. Who sent the request may go away meanwhile: what was accepted is recorded."""
    return await asyncio.shield(asyncio.wrap_future(future))
