"""The machine that a simulated ledger runs on: it can stop between any two steps of a transaction, as by a kill.

DuckDB itself is real. What stands between the ledger and its file is counted: every statement that writes, and every
write and sync of the outside checkpoints. When the machine stops, what is on its disk at that moment is copied aside,
and nothing that the stopped process still does reaches the copy: the next one goes on from there.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import duckdb
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.store import file as ledger_file
from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX
from ledger.store.signing import make_private_key
from tests.harness import copy_ledger

_WRITES: Final = re.compile(
    r"\s*(BEGIN|COMMIT|CHECKPOINT|(?:WITH \w+ AS \()?INSERT INTO \w+|UPDATE \w+|DELETE FROM \w+|CREATE \w+|DROP \w+)"
)
_WAL: Final = ".wal"
_PAST_LOG: Final = "SET checkpoint_threshold = '1B'"
"""What makes a COMMIT of anything go past the write-ahead log, as a very large one does."""
_THRESHOLD: Final = re.compile(r"(SET|RESET) checkpoint_threshold")
_BALANCE_LINES: Final = 6
"""So few beyond a row an account that balances are gathered now and then at an opening."""


class Crash(BaseException):
    """The machine has stopped. Nothing of the ledger may catch it, as nothing catches a kill."""


class Machine:
    """A disk with one ledger, and how many steps are left before everything stops."""

    def __init__(self, folder: Path, made: Path) -> None:
        self.folder = folder
        self.lives = 0
        self.stopped = ""
        """At which step the machine stopped; blank while it runs."""
        self.committed = False
        """Whether a COMMIT has come to the disk whole since the machine was armed."""
        self.fails_outside = False
        """Whether the next write of outside checkpoints finds no room."""
        self.past_log = False
        """Whether a COMMIT goes past the write-ahead log, straight into the file."""
        self._steps: int | None = None
        self._fraction = 0.0
        self._torn: tuple[int, int] | None = None
        self._synced = 0
        self.path = copy_ledger(made, self._home() / "ledger.duckdb")

    @property
    def outside(self) -> Path:
        """The file of outside checkpoints."""
        return self.path.with_name(self.path.name + OUTSIDE_SUFFIX)

    @property
    def key(self) -> Path:
        """The file of the signing key."""
        return self.path.with_name(self.path.name + KEY_SUFFIX)

    def arm(self, steps: int | None, fraction: float = 0.0) -> None:
        """Let the machine stop after so many steps, never if None; of a write in progress, a fraction is done."""
        self._steps, self._fraction, self.committed = steps, fraction, False

    def rename(self, path: Path, to: Path) -> Path:
        """Rename a file, or stop before or after it."""
        self.step(f"before {path.name} is renamed")
        os.rename(path, to)  # noqa: PTH104 -- this is what stands in for Path.rename
        self.step(f"after {to.name} has its name")
        return to

    def make_key(self, path: Path) -> Ed25519PrivateKey:
        """Make a signing key, or stop before or after it; what the opening has committed is not the change."""
        self.committed = False
        self.step("before a key is made")
        made = make_private_key(path)
        self.step("after a key was made")
        return made

    def due(self, step: str) -> bool:
        """Count a step, and say if the machine stops there. Raises Crash if it has stopped before."""
        if self.stopped:
            raise Crash(self.stopped)
        if self._steps is None:
            return False
        self._steps -= 1
        return self._steps == 0 and bool(step)

    def step(self, name: str) -> None:
        """Pass a step, or stop there."""
        if self.due(name):
            self.stop(name)

    def stop(self, name: str) -> None:
        """Stop, with what is on the disk now copied aside. Raises Crash."""
        self.stopped = name
        self.lives += 1
        old, self.path = self.path, self._home() / self.path.name
        for file in old.parent.iterdir():
            shutil.copy(file, self.path.with_name(file.name))
        if self._torn:
            before, after = self._torn
            os.truncate(self._wal(), before + int(self._fraction * (after - before)))
        raise Crash(name)

    def start_again(self) -> None:
        """Run again, on what was on the disk when everything stopped."""
        shutil.rmtree(self.folder / f"life-{self.lives - 1}")
        self.stopped, self._torn = "", None
        self.arm(None)

    def commit(self, connection: duckdb.DuckDBPyConnection, *, past_log: bool) -> duckdb.DuckDBPyConnection:
        """Commit, or stop while the write-ahead log is written."""
        self.step("before COMMIT")
        before = _size(self._wal())
        if past_log:
            connection.execute(_PAST_LOG)
        done = connection.execute("COMMIT")
        if past_log:
            connection.execute("RESET checkpoint_threshold")
        elif self.due("in the middle of COMMIT"):
            self._torn = before, _size(self._wal())
            self.stop("in the middle of COMMIT")
        self.committed = True
        self.step("after COMMIT")
        return done

    def write(self, number: int, octets: bytes) -> int:
        """Write of the outside checkpoints what `os.write` would, or a part; the system may always write less."""
        self.step("before the outside write")
        part = octets[: 1 + int(self._fraction * (len(octets) - 1))]
        if self.due("half-way through the outside write"):
            os.write(number, part)
            self.stop("half-way through the outside write")
        if self.fails_outside:
            self.fails_outside = False
            os.write(number, part)
            raise OSError(28, "No space left on device")
        done = os.write(number, part if len(octets) % 2 else octets)
        self.step("after an outside write")
        return done

    def sync(self, number: int) -> None:
        """Sync what `os.fsync` would; what was written may be on the disk in part until then."""
        size = os.fstat(number).st_size
        if self.due("before the outside sync"):
            os.ftruncate(number, self._synced + int(self._fraction * (size - self._synced)))
            self.stop("before the outside sync")
        os.fsync(number)
        self._synced = size
        self.step("after the outside sync")

    def open_outside(self, path: Path, *arguments: Any) -> int:
        """Open what `os.open` would; what is there has been synced."""
        self._synced = _size(path)
        return os.open(path, *arguments)

    def _home(self) -> Path:
        home = self.folder / f"life-{self.lives}"
        home.mkdir(parents=True)
        return home

    def _wal(self) -> Path:
        return self.path.with_name(self.path.name + _WAL)


class Connection:
    """A connection whose statements that write are steps of a machine."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, machine: Machine) -> None:
        self._connection, self._machine = connection, machine
        self._through_log = False
        """Whether the ledger itself has seen to it that no COMMIT goes past the log."""

    def execute(self, statement: str | duckdb.Statement, *parameters: Any) -> duckdb.DuckDBPyConnection:
        """Execute a statement, or stop before it."""
        query = statement if isinstance(statement, str) else statement.query
        if self._machine.stopped:
            raise Crash(self._machine.stopped)
        if threshold := _THRESHOLD.match(query):
            self._through_log = threshold[1] == "SET"
        step = _WRITES.match(query)
        if not step:
            return self._connection.execute(statement, *parameters)
        if step[1] == "COMMIT":
            return self._machine.commit(self._connection, past_log=self._machine.past_log and not self._through_log)
        self._machine.step(f"before {step[1]}")
        return self._connection.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Disk:
    """`os` for the outside checkpoints, with steps of a machine where something is written."""

    def __init__(self, machine: Machine) -> None:
        self.open, self.write, self.fsync = machine.open_outside, machine.write, machine.sync
        self._machine = machine

    def truncate(self, path: Path, size: int) -> None:
        """Cut a file off, or stop before it."""
        self._machine.step("before the outside file is cut")
        os.truncate(path, size)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


@contextmanager
def running_on(machine: Machine) -> Iterator[None]:
    """Let every ledger that is opened in this block run on a machine."""
    connect = ledger_file._connect  # noqa: SLF001 -- the one place that gives a connection

    def connected(path: Path, *, read_only: bool) -> Connection:
        connection = connect(path, read_only=read_only)
        connection.execute("SET threads = 1")  # files are small, and other simulations run beside this one
        return Connection(connection, machine)

    def renamed(path: Path, to: Path) -> Path:
        return machine.rename(path, to)

    with (
        patch("ledger.store.file._connect", connected),
        patch("ledger.store.outside.os", Disk(machine)),
        patch("ledger.sequencer.rotating.make_private_key", machine.make_key),
        patch.object(Path, "rename", renamed),
        patch("ledger.store.contributions._LINES_ALWAYS", _BALANCE_LINES),
        patch("ledger.store.contributions._LINES_AN_ACCOUNT", 1),
    ):
        yield


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
