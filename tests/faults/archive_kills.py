"""Kills while a ledger is exported, restored or copied: the thing is there and whole, or the same command makes it."""

from pathlib import Path

from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX
from tests.faults.audit import audit, contents
from tests.faults.forked import Quick
from tests.faults.ground import filled
from tests.faults.kills import Killed, Scenario

_MADE = "made"
_DERIVED = {"balance", "limit_text", "country", "parameter", "tile", "head"}


def _exported(folder: Path) -> Quick:
    ledger = filled(folder)
    assert ledger.go("export", "export").code == 0
    return ledger


def _names(ledger: Quick) -> set[str]:
    return {path.name for path in ledger.folder.iterdir() if path.name.startswith(_MADE)}


def _again(ledger: Quick, killed: Killed, *words: str | Path) -> None:
    """Give the command again: it makes what is not there, and refuses to write over what is."""
    there = (ledger.folder / _MADE).exists()
    assert there or killed.reached
    ran = ledger.go(*words) if words[0] != "restore" else ledger.go(*words, ledger=ledger.folder / _MADE)
    assert ran.code == (2 if there else 0), ran.err


def _expect_same(ledger: Quick) -> None:
    """Expect a copy that is the ledger to the last row, holds, and has nothing lying around it."""
    made = ledger.folder / _MADE
    assert audit(made) == []
    assert ledger.go("verify", ledger=made).code == 0
    mine, copied = contents(ledger.path), contents(made)
    assert {name: rows for name, rows in mine.items() if name not in _DERIVED} == {
        name: rows for name, rows in copied.items() if name not in _DERIVED
    }
    assert _names(ledger) == {_MADE, _MADE + OUTSIDE_SUFFIX}
    assert not (ledger.folder / (_MADE + KEY_SUFFIX)).exists()


def _exporting() -> Scenario:
    def check(ledger: Quick, killed: Killed) -> None:
        _again(ledger, killed, "export", _MADE)
        assert _names(ledger) == {_MADE}
        restored = ledger.folder / "restored"
        assert ledger.go("restore", _MADE, ledger=restored).code == 0
        assert audit(restored) == []

    return Scenario("kill while exporting", filled, lambda ledger: ["--ledger", ledger.path, "export", _MADE], check)


def _restoring() -> Scenario:
    def check(ledger: Quick, killed: Killed) -> None:
        _again(ledger, killed, "restore", "export")
        _expect_same(ledger)

    def words(ledger: Quick) -> list[str | Path]:
        return ["--ledger", ledger.folder / _MADE, "restore", "export"]

    return Scenario("kill while restoring", _exported, words, check)


def _backing_up() -> Scenario:
    def check(ledger: Quick, killed: Killed) -> None:
        _again(ledger, killed, "backup", _MADE)
        _expect_same(ledger)

    return Scenario("kill while copying", filled, lambda ledger: ["--ledger", ledger.path, "backup", _MADE], check)


ARCHIVE = (_exporting(), _restoring(), _backing_up())
