"""What is killed, and what must hold afterwards: a scenario is a way to start a process and a way to check its ledger.

A process is killed after a delay drawn from a seeded generator over the measured time that it takes undisturbed. The
delay only decides where the kill comes: whatever that is, and also when the process was done before, all must hold.
Who kills tries again earlier if it was too late, so that every kill reaches something.
"""

import random
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import duckdb

from ledger.store import schema
from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX
from tests.cli.command import GOOD, HEADER
from tests.faults import crowd, migrating, recorder
from tests.faults.audit import audit
from tests.faults.forked import Forked, Quick, command, nothing
from tests.faults.ground import fresh

_SEED = 20_270_113
_OWN = max(schema.migrations())
"""The newest migration of this version."""
_BATCHES, _ROWS, _MIGRATIONS = 20, 4_000, 4


@dataclass(frozen=True)
class Killed:
    """A process that was killed or had ended: the lines that it had printed, and whether the kill reached it."""

    printed: tuple[str, ...]
    reached: bool


@dataclass(frozen=True)
class Scenario:
    """What is killed: `prepare` makes the ledger, `words` are for `work`, `check` says what must hold after."""

    name: str
    prepare: Callable[[Path], Quick]
    words: Callable[[Quick], Sequence[str | Path]]
    check: Callable[[Quick, Killed], None]
    work: Callable[..., object] = command

    def run(self, ledger: Quick, seconds: float | None = None) -> Killed:
        """Start the process and kill it after some seconds, or let it end."""
        ran = Forked.start(ledger.folder, *self.words(ledger), work=self.work).end(seconds)
        assert ran.code in (0, -signal.SIGKILL), ran.err
        return Killed(tuple(ran.out.split("\n")[:-1]), ran.code != 0)

    def undisturbed(self, folder: Path) -> float:
        """Give how long the process runs if nobody kills it."""
        ledger = self.prepare(folder)
        Forked.start(folder, work=nothing).end()  # the modules are loaded when the clock starts
        start = monotonic()
        killed = self.run(ledger)
        assert not killed.reached
        return monotonic() - start


def moment(number: int, lasted: float) -> float:
    """Give when to kill: anywhere in most of an undisturbed run, at the same share of it for the same number."""
    return random.Random(_SEED + number).uniform(0, 0.9 * lasted)  # noqa: S311 -- the same kills in every run


def expect_whole(ledger: Quick) -> None:
    """Expect that recording works at once, that all holds of the ledger then, and that nothing else lies around it."""
    ledger.write("next.csv", f"{HEADER}\n{GOOD}\n")
    ran = ledger.go("import", "next.csv", "--provider", "after")
    beside = {path.name for path in ledger.folder.iterdir() if path.name.startswith(ledger.path.name)}

    assert (ran.code, ran.err) == (0, "")
    assert "1 admitted" in ran.out
    assert audit(ledger.path) == []
    assert ledger.go("verify").code == 0
    assert beside == {ledger.path.name + suffix for suffix in ("", KEY_SUFFIX, OUTSIDE_SUFFIX)}


def recorded(ledger: Quick, provider: str) -> set[str]:
    """Give the references of a provider, each of which must be there once."""
    with duckdb.connect(str(ledger.path), read_only=True) as connection:
        found = connection.execute("SELECT reference FROM entry WHERE provider = ?", [provider]).fetchall()
    assert len(found) == len(set(found))
    return {reference for (reference,) in found}


def _recording(mode: str) -> Scenario:
    """Many small batches: those acknowledged are there, and of the next one all or nothing."""

    def check(ledger: Quick, killed: Killed) -> None:
        expect_whole(ledger)
        last = len(killed.printed)
        certain = {reference for batch in range(1, last + 1) for reference in recorder.references(batch)}
        found = recorded(ledger, recorder.PROVIDER)
        assert killed.printed == tuple(str(batch) for batch in range(1, last + 1))
        assert found in (certain, certain | recorder.references(last + 1))

    def words(ledger: Quick) -> list[str | Path]:
        return [ledger.path, mode, str(_BATCHES)]

    return Scenario(f"kill while recording ({mode})", fresh, words, check, recorder.main)


def _crowding(mode: str) -> Scenario:
    """Many threads that record through one writer: all that was acknowledged is there, nothing of a request by half."""

    def check(ledger: Quick, killed: Killed) -> None:
        expect_whole(ledger)
        found, told = recorded(ledger, crowd.PROVIDER), set(killed.printed)
        for client in range(crowd.CLIENTS):
            turns = [crowd.references(client, turn) for turn in range(1, crowd.TURNS + 1)]
            acknowledged = [f"{client}-{turn}" in told for turn in range(1, crowd.TURNS + 1)]
            there = [references <= found for references in turns]
            done = acknowledged.count(True)
            assert acknowledged == [True] * done + [False] * (crowd.TURNS - done)
            # Of the request that was under way all or nothing, and none that was not filed yet.
            assert there in ([place < more for place in range(crowd.TURNS)] for more in (done, done + 1))
            assert all(references <= found or not references & found for references in turns)
        assert killed.reached or len(told) == crowd.CLIENTS * crowd.TURNS

    def words(ledger: Quick) -> list[str | Path]:
        return [ledger.path, mode, str(crowd.TURNS)]

    return Scenario(f"kill while many record ({mode})", fresh, words, check, crowd.main)


def _importing() -> Scenario:
    """An import of many rows: all or nothing, and the same again completes it."""

    def prepare(folder: Path) -> Quick:
        ledger = fresh(folder)
        rows = (f"k{n},allocation,2026-03-01,AE,ALPHA,H100,{n % 7 + 1}\n" for n in range(_ROWS))
        ledger.write("many.csv", HEADER + "\n" + "".join(rows))
        return ledger

    def check(ledger: Quick, killed: Killed) -> None:
        expect_whole(ledger)
        found = len(recorded(ledger, "prov"))
        assert found == _ROWS or (found == 0 and killed.reached and not killed.printed)
        assert ledger.go("import", "many.csv", "--provider", "prov").code == 0
        assert len(recorded(ledger, "prov")) == _ROWS

    def words(ledger: Quick) -> list[str | Path]:
        return ["--ledger", ledger.path, "import", "many.csv", "--provider", "prov"]

    return Scenario("kill while importing", prepare, words, check)


def _founding() -> Scenario:
    """The making of a ledger: it is there and whole, or the same command makes it; no leftover stays after that."""

    def check(ledger: Quick, killed: Killed) -> None:
        there = ledger.path.exists()
        assert there or killed.reached
        again = ledger.go("init")
        assert again.code == (2 if there else 0)
        ledger.write("parties.csv", "party,name,headquarters\nALPHA,Alpha,AE\n")
        assert ledger.go("register", "parties", "parties.csv").code == 0
        expect_whole(ledger)

    return Scenario("kill while making a ledger", Quick, lambda ledger: ["--ledger", ledger.path, "init"], check)


def _migrating() -> Scenario:
    """The opening of a file that is migrations behind: each is there or not, and the next opening makes the others."""

    def prepare(folder: Path) -> Quick:
        ledger = fresh(folder)
        (folder / "later").mkdir()
        migrating.later(folder / "later", _MIGRATIONS)
        ledger.write("some.csv", f"{HEADER}\n{GOOD}\n")
        return ledger

    def check(ledger: Quick, killed: Killed) -> None:
        with duckdb.connect(str(ledger.path), read_only=True) as connection:
            ((done,),) = connection.execute("SELECT max(number) FROM migration").fetchall()
            tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'later%'")
            there = sorted(name for (name,) in tables.fetchall())
        assert there == [f"later_{number}" for number in range(_OWN + 1, done + 1)]
        assert killed.reached or done == _MIGRATIONS
        # To the command of this version the file is one of a newer version, or its own.
        assert ledger.go("status").code == (5 if done > _OWN else 0)
        assert Forked.start(ledger.folder, *words(ledger), work=migrating.main).end().code == 0
        assert audit(ledger.path) == []
        assert recorded(ledger, "prov") == {"a1"}
        with duckdb.connect(str(ledger.path), read_only=True) as connection:
            counts = [
                connection.execute(f"SELECT count(*) FROM later_{number}").fetchall()
                for number in range(_OWN + 1, _MIGRATIONS + 1)
            ]
        assert counts == [[(migrating.ROWS,)]] * (_MIGRATIONS - _OWN)

    def words(ledger: Quick) -> list[str | Path]:
        return [ledger.folder / "later", "--ledger", ledger.path, "import", "some.csv", "--provider", "prov"]

    return Scenario("kill while migrating", prepare, words, check, migrating.main)


RECORDING = (
    *(_recording(mode) for mode in recorder.MODES),
    *(_crowding(mode) for mode in crowd.MODES),
    _importing(),
    _founding(),
    _migrating(),
)
