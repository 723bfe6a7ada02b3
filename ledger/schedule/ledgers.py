"""The ledger as the scheduler needs it: to claim and to record in it, and to read what a report says.

A server has it open all the time. A scheduler of its own opens it for each of these and lets go of it again, so that
commands can record in between; where somebody else holds it just then, it waits for a while.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Final, Protocol, TypeVar

from ledger.core.errors import LedgerUnavailable
from ledger.sequencer.desk import Desk
from ledger.sequencer.writer import Writer
from ledger.store.file import LedgerFile

_T = TypeVar("_T")
FILED_BY: Final = "scheduler"
_PATIENCE: Final = 100
_PAUSE_SECONDS: Final = 0.2


class Ledger(Protocol):
    """A ledger to claim, record and read in; raises LedgerUnavailable where somebody else holds it for long."""

    path: Path

    def recording(self, work: Callable[[Desk], _T]) -> _T:
        """Have something recorded, and give what it gives."""

    def reading(self) -> AbstractContextManager[LedgerFile]:
        """Give the ledger as it is now, to read."""


class OwnFile:
    """A ledger's file, opened for as long as something is done in it."""

    def __init__(self, path: Path, clock: Callable[[], datetime], key: Path | None = None) -> None:
        self.path, self._clock, self._key = path, clock, key
        self._end = Event()

    def recording(self, work: Callable[[Desk], _T]) -> _T:
        """Open the ledger, and have something recorded at the clock's instant."""
        with self._opened(writing=True) as ledger:
            return work(Desk(ledger, FILED_BY, self._clock()))

    def reading(self) -> AbstractContextManager[LedgerFile]:
        """Open the ledger for reading: commands can only read it meanwhile, too."""
        return self._opened(writing=False)

    def stop(self) -> None:
        """Wait for nobody any more."""
        self._end.set()

    @contextmanager
    def _opened(self, *, writing: bool) -> Iterator[LedgerFile]:
        tries = 1
        while True:
            try:
                ledger = LedgerFile.open(self.path, self._clock() if writing else None, self._key)
                break
            except LedgerUnavailable:
                if tries == _PATIENCE or not self.path.exists() or self._end.wait(_PAUSE_SECONDS):
                    raise
                tries += 1
        with ledger:
            yield ledger


class Served:
    """A ledger that a server in this process holds."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self.path, self._writer = path, writer

    def recording(self, work: Callable[[Desk], _T]) -> _T:
        """Have something recorded when its turn has come among those who file."""
        return self._writer.run(FILED_BY, work, filed_by=FILED_BY).result()

    @contextmanager
    def reading(self) -> Iterator[LedgerFile]:
        """Read it aside, while others record."""
        with self._writer.reading() as desk:
            yield desk.ledger
