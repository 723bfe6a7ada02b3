"""A run: one seed, many steps, and after each of them every invariant."""

import json
import traceback
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from ledger.core.errors import QuotaledgerError
from ledger.sequencer.desk import Desk
from ledger.sequencer.explaining import explain
from ledger.sequencer.founding import found_ledger
from ledger.store.file import LedgerFile
from ledger.store.outside import OutsideCheckpoints
from tests.harness import NOW, Answer, amended
from tests.oracle.oracle import Oracle, Rules
from tests.sequencer.test_against_oracle import CHIPS, COMPARED
from tests.simulator.invariants import Broken, Seen, View, check
from tests.simulator.machine import Crash, Machine, running_on
from tests.simulator.model import Model
from tests.simulator.operations import Operation, Outcome, Rotate
from tests.simulator.world import World

STEPS: Final = 60
_SHOWN: Final = 8
_FOLDER: Final = TemporaryDirectory(prefix="quotaledger-simulator-")
_KEPT: Final = (
    ("entry", "sequence", ""),
    ("batch", "batch", ""),
    ("batch_file", "batch, number", ""),
    ("leaf", "leaf", "EXCLUDE (salt, hash)"),
    ("party_row", "leaf", ""),
    ("authorization_row", "leaf", ""),
    ("assurance_row", "leaf", ""),
    ("chip_row", "leaf", ""),
    ("rulebook_row", "leaf", ""),
)
"""What a run records, in order, but for what is left to chance: salts, keys, and the hashes that come of them."""


@cache
def _template() -> tuple[Path, str]:
    """Make a ledger to copy, and give it with the digest of its rulebook."""
    path, rulebook = Path(_FOLDER.name) / "template.duckdb", amended()
    found_ledger(path, rulebook, "simulator", NOW)
    return path, rulebook.digest


@dataclass(frozen=True)
class Run:
    """What became of a run; `failure` is blank if nothing was found."""

    seed: int
    steps: int
    crashes: int
    checks: int
    """How often every invariant was asked."""
    digest: str
    failure: str = ""
    invariant: str = ""


def run(seed: int, steps: int = STEPS) -> Run:
    """Give one seed so many steps."""
    made, digest = _template()
    with TemporaryDirectory(prefix="quotaledger-simulation-") as folder:
        simulation = Simulation(seed, Machine(Path(folder), made), digest)
        with running_on(simulation.machine):
            return simulation.run(steps)


@dataclass
class Simulation:
    """One ledger, its machine, the world around it and the model of what it must hold."""

    seed: int
    machine: Machine
    rulebook_digest: str
    done: int = 0
    crashes: int = 0
    checks: int = 0
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_SHOWN))

    def __post_init__(self) -> None:
        """Begin with a ledger that was just made."""
        self.random = Random(self.seed)  # noqa: S311 -- a seed gives the same run again
        self.world = World(self.random)
        self.model = Model(Oracle(Rules(), CHIPS), self.rulebook_digest)
        self.ledger: LedgerFile | None = None
        self.desk: Desk | None = None
        self.seen = Seen()
        self.behind = False
        """Whether outside checkpoints may be missing since a write of them failed."""
        self.kept_key = b""
        """The private key before the last change."""
        self.started_again = False
        """Whether the step before ended in a crash."""
        self.said = sha256()

    def run(self, steps: int) -> Run:
        """Go through the steps, or up to the first that breaks something."""
        failure = invariant = digest = ""
        try:
            desk = self._open()
            self.model.batches, self.model.leaves = desk.ledger.rows("SELECT batch, leaf FROM head")[0]
            self._check()
            beginning = self.world.beginning()
            for self.done in range(1, steps + 1):
                operation = beginning[0] if beginning else self.world.next(self.model)
                if self._step(operation) and beginning:
                    beginning.pop(0)  # nothing can be done without it, so it is done at once until it is done
            self._end()
            digest = self._digest()
        except Broken as broken:
            failure, invariant = self._told(str(broken)), broken.invariant
        except Exception:  # noqa: BLE001 -- whatever it is, it is told with its seed
            failure, invariant = self._told(traceback.format_exc()), "no fault of the ledger's own"
        finally:
            self._close()
        return Run(self.seed, self.done, self.crashes, self.checks, digest, failure, invariant)

    def _step(self, operation: Operation) -> bool:
        """Do one thing, perhaps on a machine that stops meanwhile, and check all that must hold; say if it is done."""
        random, mark, done = self.random, self.model.mark(), True
        stops = random.random() < 0.4
        self.machine.arm(random.randint(1, 22) if stops else None, random.random())
        # Right after a crash is when a COMMIT past the log may do harm.
        self.machine.past_log = random.random() < (0.5 if self.started_again else 0.1)
        self.started_again = False
        fails = not stops and random.random() < 0.04
        self.lines.append(f"{self.done:4} {self.world.now:%Y-%m-%d %H:%M} {operation}")
        foreseen: Outcome | None = None
        try:
            desk = self._open()
            self.machine.committed, self.machine.fails_outside = False, fails
            foreseen = operation.foresee(self.model)
            self._perform(operation, foreseen, desk)
            if stops:
                self.machine.stop("before the answer was given")
        except Crash as crash:
            self.lines.append(f"     crash {crash}{', committed' * self.machine.committed}")
            if not (foreseen and foreseen.recorded and self.machine.committed):
                self.model.go_back(mark)
                done = False
            if random.random() < 0.9:
                self.world.waiting.append(operation)
            self._start_again()
        self._check()
        if random.random() < 0.25:
            self._close()
        return done

    def _perform(self, operation: Operation, foreseen: Outcome, desk: Desk) -> None:
        """Perform an operation and compare what came of it; an outside write that fails leaves it unacknowledged."""
        failing = self.machine.fails_outside
        if isinstance(operation, Rotate):
            self.kept_key = self.machine.key.read_bytes()
        try:
            came = operation.perform(desk)
            if isinstance(operation, Rotate):
                self._close()
        except QuotaledgerError as error:
            if not failing or self.machine.fails_outside or "outside checkpoint" not in str(error):
                raise
            self.lines.append("     no room for the outside checkpoint")
            self.behind, self.desk = True, None
            if isinstance(operation, Rotate):
                self._close()
            self.world.waiting.append(operation)
            return
        self.behind = self.behind and not came.recorded
        expected = _compared(foreseen.answers)
        if (_compared(came.answers), came.recorded) != (expected, foreseen.recorded):
            raise Broken("the answers are the oracle's", f"{_difference(foreseen, came)}")
        self._hear(came)
        self.said.update(repr((str(operation), came)).encode())

    def _hear(self, came: Outcome) -> None:
        """Hold sentences against those told before: a duplicate is told exactly what was told first."""
        for answer in came.answers or ():
            sequence, message = answer.get("sequence"), str(answer["message"])
            if not isinstance(sequence, int) or sequence > len(self.model.oracle.history):
                continue  # what a dry run tells may come otherwise
            first = self.model.messages.setdefault(sequence, message)
            if first != message:
                raise Broken("a duplicate is told what was told first", f"{sequence}: {first!r}, then {message!r}")

    def _open(self) -> Desk:
        """Give a desk: that of before, one anew on the same open file, or one on a file that is opened for it."""
        if self.ledger is None:
            self.ledger, self.behind = self._opened(), False
            self.desk = None
        if self.desk is None or self.random.random() < 0.5:
            self.desk = Desk(self.ledger, "simulator", self.world.now)
        self.desk.now = self.world.now
        return self.desk

    def _opened(self) -> LedgerFile:
        """Open the ledger; a key that was said to be lost is found again where another one never came to be in use."""
        try:
            return LedgerFile.open(self.machine.path, self.world.now)
        except QuotaledgerError as error:
            if "the signing key is not at" not in str(error):
                raise
        self.machine.key.write_bytes(self.kept_key)
        self.machine.key.chmod(0o600)
        return LedgerFile.open(self.machine.path, self.world.now)

    def _close(self) -> None:
        if self.ledger:
            self.ledger.close()
        self.ledger = self.desk = None

    def _start_again(self) -> None:
        """Go on from what is on the disk; the machine may stop while the ledger is opened, too."""
        while True:
            self.crashes += 1
            self.started_again = True
            self._close()
            self.machine.start_again()
            self.machine.past_log = self.random.random() < 0.3
            if self.random.random() < 0.25:
                self.machine.arm(self.random.randint(1, 12), self.random.random())
            with suppress(Crash):
                self._open()
                self.machine.arm(None)
                return
            self.lines.append(f"     crash {self.machine.stopped} at the opening")

    def _check(self) -> None:
        self.machine.arm(None)
        self.machine.fails_outside = False
        view = View(self._open(), self.model, OutsideCheckpoints(self.machine.outside), self.seen, not self.behind)
        self.seen = check(view)
        self.checks += 1

    def _end(self) -> None:
        """Check what takes longer: sentences as told, and decisions that follow from their own history."""
        desk = self._open()
        told = dict(desk.ledger.rows("SELECT sequence, message FROM decisions"))
        wrong = {sequence for sequence, said in self.model.messages.items() if told.get(sequence) != said}
        if wrong:
            raise Broken("old sentences never change", f"those of {sorted(wrong)[:9]} did")
        for sequence in self.random.sample(range(1, len(told) + 1), min(3, len(told))):
            explain(desk, sequence)

    def _digest(self) -> str:
        for table, order, columns in _KEPT:
            rows: list[tuple[Any, ...]] = self._open().ledger.rows(f"SELECT * {columns} FROM {table} ORDER BY {order}")
            self.said.update(f"{table} {rows}".encode())
        return self.said.hexdigest()

    def _told(self, found: str) -> str:
        """Tell a failure: the seed, the step, what does not hold, how to see it again, and the steps before."""
        again = f"python -m tests.simulator --seed {self.seed} --steps {self.done}"
        history = "\n".join(line[:2000] for line in self.lines)
        return f"seed {self.seed}, step {self.done}: {found}\nagain: {again}\nlast steps:\n{history}"


def _compared(answers: list[Answer] | None) -> list[list[object]] | None:
    return None if answers is None else [[answer.get(name) for name in COMPARED] for answer in answers]


def _difference(foreseen: Outcome, came: Outcome) -> str:
    """Give the first answer that differs."""
    if foreseen.answers is None or came.answers is None or len(foreseen.answers) != len(came.answers):
        return f"expected {str(foreseen)[:1500]}, came {str(came)[:1500]}"
    pairs = zip(foreseen.answers, came.answers, strict=True)
    unlike = [pair for pair in pairs if _compared([pair[0]]) != _compared([pair[1]])]
    told = json.dumps(unlike[:1], default=str)
    return f"recorded {foreseen.recorded} and {came.recorded}; expected and came {told}"
