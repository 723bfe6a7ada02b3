"""The requests that wait to be recorded: so many and no more, taken from all providers in turn."""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, Final

from ledger.core.errors import Busy, LedgerUnavailable
from ledger.sequencer.desk import Desk
from ledger.store.guard import BATCHES_MAX

ROWS_TOGETHER_MAX: Final = 2_000
"""A transaction of several requests has no more rows; a request that has more is recorded alone.

So many take some tenths of a second. Were a large file in one transaction with small requests, they would wait for it,
and again if one of them failed; and alone, its first rows are appended while its last ones are decided.
"""
_SHARE: Final = 4
"""One provider's requests may take this part of the room, so that others find some when that one files much."""


@dataclass(frozen=True)
class Request:
    """What one provider has recorded as one batch, and the answer that somebody waits for."""

    provider: str
    rows: int
    filed_by: str
    work: Callable[[Desk], Any]
    """What is done at the desk when its turn has come; it gives the answer."""
    alone: bool = False
    """Whether it shares its transaction with no other."""
    read_back: bool = False
    """Whether the decisions that it recorded are given with its answer."""
    references: Sequence[tuple[str, str]] = ()
    """References that it will ask for, each with its provider."""
    answer: Future[Any] = field(default_factory=Future)


@dataclass(frozen=True)
class Room:
    """How much may wait. Rows are what takes memory: many are let in only where no others wait."""

    requests: int = 4_096
    rows: int = 2_000_000

    def share(self) -> "Room":
        """Give the room of one provider."""
        return Room(max(1, self.requests // _SHARE), self.rows // _SHARE)


@dataclass
class _Line:
    """The requests of one provider, in order."""

    requests: deque[Request] = field(default_factory=deque)
    rows: int = 0


class Waiting:
    """What waits, a line for each provider. Any thread may add; one takes."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._lines: OrderedDict[str, _Line] = OrderedDict()
        """In order of turns: whose request was taken goes to the end. Nobody who has nothing waiting is in it."""
        self._requests = self._rows = 0
        """How many wait in all lines."""
        self._closed = False
        self._changed = Condition()

    def add(self, request: Request) -> None:
        """Let a request wait. Raises Busy if there is no room, LedgerUnavailable after `close`."""
        with self._changed:
            if self._closed:
                raise LedgerUnavailable("the ledger is being closed and takes no more; try again when it is open again")
            line = self._lines.get(request.provider, _Line())
            if _is_full(self._room.share(), len(line.requests), line.rows, request.rows):
                raise Busy(
                    f"{len(line.requests):,} requests of this provider, with {line.rows:,} rows, wait to be recorded"
                    " already, and this one was not accepted; wait for their answers, then send it again"
                )
            if _is_full(self._room, self._requests, self._rows, request.rows):
                raise Busy(
                    f"{self._requests:,} requests, with {self._rows:,} rows, wait to be recorded already, and this one"
                    " was not accepted; send it again in a moment"
                )
            line.requests.append(request)
            self._lines[request.provider] = line
            self._count(line, 1, request.rows)
            self._changed.notify()

    def take(self) -> list[Request]:
        """Wait for requests, and give those that are to be recorded together; none when all is done after `close`.

        Each provider gives one in its turn, until nobody has any, or the next one would be too many.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            taken: list[Request] = []
            rows = 0
            while self._lines and len(taken) < BATCHES_MAX:
                provider, line = next(iter(self._lines.items()))
                rows += line.requests[0].rows
                if taken and (rows > ROWS_TOGETHER_MAX or line.requests[0].alone or taken[0].alone):
                    break
                request = line.requests.popleft()
                taken.append(request)
                self._count(line, -1, -request.rows)
                self._lines.move_to_end(provider)
                if not line.requests:
                    del self._lines[provider]
            return taken

    @property
    def size(self) -> tuple[int, int]:
        """How many requests wait, and their rows."""
        return self._requests, self._rows

    def close(self) -> None:
        """Let nothing more come; what waits is still taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _count(self, line: _Line, requests: int, rows: int) -> None:
        line.rows += rows
        self._requests += requests
        self._rows += rows


def _is_full(room: Room, requests: int, rows: int, more: int) -> bool:
    """Say if one more request, of so many rows, has no room where others wait."""
    return requests >= room.requests or (rows > 0 and rows + more > room.rows)
