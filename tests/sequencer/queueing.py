"""Writers for tests: a clock that holds the thread until it is let go, a connection that writes its statements down.

The thread asks for the time when it has taken a group and before it does anything with it: whoever holds the clock
knows what waits, and nothing is left to chance.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, get_ident
from typing import Any, cast

import duckdb
import pytest

from ledger.sequencer.imported import ImportResult
from ledger.sequencer.waiting import Room
from ledger.sequencer.writer import Writer
from ledger.store.file import LedgerFile
from tests.harness import NOW, Row, bench, sheet
from tests.sequencer.sealed import ALLOCATION, PARTIES

PATIENCE_SECONDS = 120
"""After which an answer that has not come is taken for one that never will: nothing is measured."""


def base(folder: Path) -> Path:
    """Make a ledger in which 4,000 H100 fill a country, with parties and no record, closed."""
    with bench(folder, country_cap_tpp="63_328_000", lpp_annual_tpp="0") as made:
        made.register("parties", *PARTIES)
        return made.ledger.path


def allocation(reference: str, quantity: int = 1, **more: object) -> Row:
    """Give a row that is admitted while there is room."""
    return ALLOCATION | {"reference": reference, "quantity": quantity} | more


@dataclass
class Clock:
    """A clock that goes a second further at each look; while it is held, who looks waits."""

    looks: int = 0
    _free: Event = field(default_factory=Event)
    _looking: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self._free.set()

    def __call__(self) -> datetime:
        """Give the time, when it is not held."""
        self._looking.set()
        assert self._free.wait(PATIENCE_SECONDS)
        self.looks += 1
        return NOW + timedelta(seconds=self.looks)

    @contextmanager
    def held(self, queue: "Queue") -> Iterator[Future[ImportResult]]:
        """Hold the thread with one request that it has taken already, while more come; give that one's answer."""
        self._free.clear()
        self._looking.clear()
        try:
            answer = queue.file("held", allocation(f"held-{self.looks}"))
            assert self._looking.wait(PATIENCE_SECONDS)
            yield answer
        finally:
            self._free.set()


@dataclass
class Statements:
    """A connection that writes down what is executed, and by which thread."""

    connection: Any
    said: list[str] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    failing: dict[int, Exception] = field(default_factory=dict)
    """What is raised instead of the COMMIT of some number, from 1."""
    breaks: bool = False
    """Whether the connection is gone then."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, query: str | duckdb.Statement, *values: Any) -> Any:
        """Execute a statement."""
        self.said.append(query if isinstance(query, str) else query.query)
        self.threads.add(get_ident())
        if query == "COMMIT" and self.commits in self.failing:
            if self.breaks:
                self.connection.close()
            raise self.failing[self.commits]
        return self.connection.execute(query, *values)

    @property
    def commits(self) -> int:
        """How many transactions there were."""
        return self.said.count("COMMIT")


@dataclass
class Queue:
    """A writer on a test's bench."""

    writer: Writer
    clock: Clock
    statements: list[Statements]
    """Those of each opening, the last one now."""

    def file(self, provider: str, *rows: Row, skip_invalid: bool = False, by: str = "tests") -> Future[ImportResult]:
        """Submit rows as one file."""
        return self.writer.submit(provider, [sheet(rows)], filed_by=by, skip_invalid=skip_invalid)


@contextmanager
def queue(path: Path, monkeypatch: pytest.MonkeyPatch, room: Room | None = None) -> Iterator[Queue]:
    """Give a writer of a ledger; it is closed at the end."""
    opened, statements = LedgerFile.open, list[Statements]()

    def watched(path: Path, now: datetime, key: Path | None) -> LedgerFile:
        ledger = opened(path, now, key)
        statements.append(Statements(ledger.connection))
        ledger.connection = cast("Any", statements[-1])
        return ledger

    clock = Clock()
    with monkeypatch.context() as patched:
        patched.setattr(LedgerFile, "open", watched)
        with Writer(path, clock, room=room or Room()) as writer:
            yield Queue(writer, clock, statements)


def answered(answers: Sequence[Future[ImportResult]]) -> list[ImportResult]:
    """Wait for answers, none of which may be an error."""
    return [answer.result(PATIENCE_SECONDS) for answer in answers]


def batches(path: Path) -> list[tuple[Any, ...]]:
    """Give number, provider, who filed it and counts of each import of a closed ledger, in order."""
    with LedgerFile.open(path) as ledger:
        return ledger.rows(
            "SELECT batch, provider, filed_by, admitted, refused, rejected, duplicates FROM batch"
            " WHERE kind = 'import' ORDER BY batch"
        )
