"""Processes that run the command, or another function of the tests, forked from one that has loaded its modules.

Each is a process of its own, with its own exit code and outputs, and is killed like any other; only the half second in
which Python loads modules is spent once and not hundreds of times.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Self

from tests.cli.command import Ledger, Ran, environment

_LOADED = [
    "tests.faults.recorder",
    "tests.faults.crowd",
    "tests.faults.migrating",
    "ledger.cli.verbs",
    "ledger.sequencer.answers",
    "ledger.sequencer.founding",
    "tests.faults.finding",
    "tests.faults.holder",
    "tests.faults.stepwise",
    "ledger.store.outputs",
]


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    return context


def _child(work: Callable[..., object], words: Sequence[str], folder: Path, outputs: Path) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment())
    for number, suffix in ((1, "out"), (2, "err")):
        os.dup2(os.open(outputs.with_suffix(f".{suffix}"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["quotaledger", *words]
    work()
    sys.stdout.flush()


def command() -> None:
    """Run the command."""
    from ledger.cli import main  # noqa: PLC0415 -- in the child

    main()


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Forked:
    """A running process, its outputs in files beside its folder."""

    process: ForkServerProcess
    outputs: Path

    @classmethod
    def start(cls, folder: Path, *words: str | Path, work: Callable[..., object] = command) -> Self:
        """Start a function as a command with its words, in a folder."""
        folder.mkdir(exist_ok=True)
        outputs = folder.with_name(f"{folder.name}-outputs")
        process = _context().Process(target=_child, args=(work, [str(word) for word in words], folder, outputs))
        process.start()
        return cls(process, outputs)

    def end(self, seconds: float | None = None) -> Ran:
        """Wait for its end, or kill it after some seconds, with SIGKILL; give what it printed and its exit code."""
        self.process.join(seconds)
        self.process.kill()
        self.process.join()
        out, err = (self.outputs.with_suffix(f".{suffix}") for suffix in ("out", "err"))
        code = self.process.exitcode
        assert code is not None
        ran = Ran(code, out.read_text() if out.exists() else "", err.read_text() if err.exists() else "")
        for file in (out, err):
            file.unlink(missing_ok=True)
        assert "Traceback" not in ran.err, ran.err
        assert "should not have happened" not in ran.err, ran.err
        assert "Warning" not in ran.err, ran.err
        return ran


@dataclass(frozen=True)
class Quick(Ledger):
    """A ledger whose commands are forked."""

    def go(self, *words: str | Path, ledger: Path | None = None) -> Ran:
        """Run the command; no run may ever end in a traceback."""
        return Forked.start(self.folder, "--ledger", ledger or self.path, *words).end(300)
