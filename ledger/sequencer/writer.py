"""The writer: one thread that holds the ledger and records what many threads ask for, in few transactions.

To commit, to sync the write-ahead log and to append outside takes about as long for one batch as for many. So whatever
waits when the thread is free shares all three, and each request still is a batch of its own, decided on what those
before it left. Nobody is told anything before both the ledger and the file outside are synced.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from ledger.core.errors import InputRejected, LedgerUnavailable, PreconditionFailed, QuotaledgerError
from ledger.sequencer.answers import read_back
from ledger.sequencer.desk import Desk, Shared
from ledger.sequencer.imported import ImportResult
from ledger.sequencer.importing import Asked, import_sheets
from ledger.sequencer.permitting import Guard
from ledger.sequencer.waiting import Request, Room, Waiting
from ledger.store.file import LedgerFile
from ledger.store.read import look_ahead
from ledger.store.sheet import Sheet

_T = TypeVar("_T")
Clock = Callable[[], datetime]

_ROOM: Final = Room()


class Writer:
    """A ledger that is open for recording, from any thread. Use as a context manager.

    The file and its connection are the thread's alone. All batches of a transaction have the instant at which it began:
    that is when they are recorded, and no later batch has an earlier one unless the clock goes back.
    """

    def __init__(self, path: Path, clock: Clock, key: Path | None = None, room: Room = _ROOM) -> None:
        """Open the ledger and start the thread. Raises what `LedgerFile.open` raises."""
        self._path, self._clock, self._key = path, clock, key
        self._waiting = Waiting(room)
        self._shared = Shared()
        self._desk: Desk | None = self._open()
        # A process that ends without `close` is not held up: what it leaves unanswered is as after a crash.
        self._thread = Thread(target=self._run, name=f"writer of {path.name}", daemon=True)
        self._thread.start()

    def submit(
        self,
        provider: str,
        sheets: Sequence[Sheet],
        *,
        filed_by: str,
        skip_invalid: bool = False,
        asked: Asked | None = None,
        guard: Guard | None = None,
        read_back: bool = False,
    ) -> Future[ImportResult]:
        """Let files be recorded as one batch, and give the answer that will be, at once.

        With `read_back`, the decisions are given with it, as recorded.

        The answer is what `import_sheets` gives or raises; who has waited long enough may cancel it until the request's
        turn has come. Where it is an error that does not say that nothing was recorded, the same request may be sent
        again: what was recorded is then a duplicate. Raises Busy if too many wait, LedgerUnavailable after `close`.
        """

        def work(desk: Desk) -> ImportResult:
            return import_sheets(desk, provider, sheets, skip_invalid=skip_invalid, asked=asked, guard=guard)

        rows = sum(sheet.rows for sheet in sheets)
        request = Request(provider, rows, filed_by, work, read_back=read_back, references=_references(provider, sheets))
        self._waiting.add(request)
        return request.answer

    def run(self, provider: str, work: Callable[[Desk], _T], *, filed_by: str) -> Future[_T]:
        """Let something else be done at the desk when the provider's turn has come, in no transaction with others.

        What it raises is the answer. Raises Busy and LedgerUnavailable as `submit` does.
        """
        request = Request(provider, 0, filed_by, work, alone=True)
        self._waiting.add(request)
        return request.answer

    @contextmanager
    def reading(self) -> Iterator[Desk]:
        """Give a desk at the ledger as it is now, to ask in any one thread; nothing can be recorded at it.

        Raises LedgerUnavailable while the ledger has to be opened again, QuotaledgerError if it cannot be read.
        """
        if (desk := self._desk) is None:
            raise LedgerUnavailable("the ledger is being opened again; try again in a moment")
        with desk.ledger.aside() as ledger:
            yield self._shared.desk(ledger, self._clock())

    @property
    def waiting(self) -> tuple[int, int]:
        """How many requests wait, and their rows."""
        return self._waiting.size

    def close(self) -> None:
        """Answer all that was accepted, and let go of the file."""
        self._waiting.close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        while group := self._waiting.take():
            self._record([request for request in group if request.answer.set_running_or_notify_cancel()])
        if self._desk:
            self._desk.ledger.close()

    def _record(self, group: Sequence[Request]) -> None:
        """Record requests in one transaction, and answer all of them.

        If one of them raises, none is recorded, and each is tried again alone: so only that one fails.
        """
        answers: list[Any] = []
        is_theirs = False
        """Whether what fails may be the fault of one of them."""
        try:
            desk = self._at_hand()
            # One alone has a transaction of its own making, which appends the first of many rows while others are
            # decided, and begins none if nothing is to be recorded.
            with desk.ledger.transaction() if len(group) > 1 else nullcontext():
                is_theirs = True
                if len(group) > 1:
                    look_ahead(desk.ledger, [name for request in group for name in request.references])
                answers = [_done(desk, request) for request in group]
                desk.ledger.insert_gathered()
                is_theirs = False
            # After which nobody need ask again.
            read_back(desk, [answer for request, answer in zip(group, answers, strict=True) if request.read_back])
        except BaseException as error:  # noqa: BLE001 -- whatever it was, somebody waits to be told
            self._start_afresh()
            if len(group) > 1 and is_theirs:
                for request in group:
                    self._record([request])
                return
            for request in group:
                request.answer.set_exception(error)
            return
        for request, answer in zip(group, answers, strict=True):
            if isinstance(answer, QuotaledgerError):
                request.answer.set_exception(answer)
            else:
                request.answer.set_result(answer)

    def _at_hand(self) -> Desk:
        """Give the desk, with the time of now; the ledger is opened again if it had to be let go."""
        self._desk = self._desk or self._open()
        self._desk.now = self._clock()
        return self._desk

    def _open(self) -> Desk:
        now = self._clock()
        return Desk(LedgerFile.open(self._path, now, self._key), "", now)

    def _start_afresh(self) -> None:
        """Forget what was taken back, and let go of a file that answers nothing any more, as after a full disk."""
        if self._desk is None:
            return
        self._desk.renew()
        if self._desk.ledger.last_batch() is None:
            ledger, self._desk = self._desk.ledger, None
            with suppress(Exception):  # it is broken, and whether it can be closed changes nothing
                ledger.close()


def _references(provider: str, sheets: Sequence[Sheet]) -> list[tuple[str, str]]:
    """Give the references of a request that is but a row, with the provider, as they will be looked for."""
    texts = [sheet.columns["reference"].item(0) for sheet in sheets if sheet.rows == 1 and "reference" in sheet.columns]
    return [(provider, text.strip()) for text in texts if isinstance(text, str)]


def _done(desk: Desk, request: Request) -> Any:
    """Do what was asked; what cannot be read, or decided as was asked, has touched nothing and hurts nobody beside."""
    desk.filed_by = request.filed_by
    try:
        return request.work(desk)
    except (InputRejected, PreconditionFailed) as error:
        return error
