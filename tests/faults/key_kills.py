"""Kills while the signing key is changed: whichever key is in force then, its file is found, and no other is lost."""

import re
from pathlib import Path

import duckdb

from ledger.sequencer.verifying import verify
from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX
from ledger.store.signing import read_private_key
from ledger.tlog.note import VerifierKey
from tests.cli.command import GOOD, HEADER
from tests.faults.audit import audit
from tests.faults.forked import Quick
from tests.faults.ground import filled, said
from tests.faults.kills import Killed, Scenario, recorded

_NOTE = ("--note", "why")
_LEFT = re.compile(r"|\.key|\.checkpoints|\.key\.before-[0-9a-f]{8}")
_LEFT_BY_KILL = re.compile(rf"{_LEFT.pattern}|\.holder|\.wal|\.key\.next(\.\d+\.unfinished)?")


def _key(ledger: Quick) -> Path:
    return ledger.path.with_name(ledger.path.name + KEY_SUFFIX)


def _keys(ledger: Quick) -> dict[int, VerifierKey]:
    """Give the keys that the log has put in use, by their leaves."""
    with duckdb.connect(str(ledger.path)) as connection:
        found = connection.execute("SELECT leaf, key FROM key_row ORDER BY leaf").fetchall()
    return {leaf: VerifierKey.parse(key) for leaf, key in found}


def _beside(ledger: Quick) -> list[str]:
    """Give what lies beside the ledger by what its names end with."""
    name = ledger.path.name
    return sorted(path.name.removeprefix(name) for path in ledger.folder.iterdir() if path.name.startswith(name))


def _kept(ledger: Quick, origin: str) -> list[VerifierKey]:
    """Give the keys whose private halves are whole in a file beside the ledger."""
    files = [path for path in ledger.folder.glob(f"{_key(ledger).name}*") if not path.name.endswith(".unfinished")]
    return [VerifierKey.of(origin, read_private_key(file)) for file in files]


def _expect_signing(ledger: Quick, reference: str, lost: list[int]) -> None:
    """Expect that the next command records, with the key in force, and that all holds then."""
    keys = list(_keys(ledger).values())
    ledger.write("next.csv", f"{HEADER}\n{reference}{GOOD[2:]}\n")
    ran = ledger.go("import", "next.csv", "--provider", "after")

    assert (ran.code, ran.err) == (0, "")
    assert reference in recorded(ledger, "after")
    assert VerifierKey.of(keys[0].name, read_private_key(_key(ledger))) == keys[-1]
    assert audit(ledger.path, lost) == []
    assert verify(ledger.path, keys[-1:] if lost else []).key == keys[-1]


def _rotating() -> Scenario:
    def check(ledger: Quick, killed: Killed) -> None:
        assert [left for left in _beside(ledger) if not _LEFT_BY_KILL.fullmatch(left)] == []
        before = _keys(ledger)
        origin = before[0].name
        rotated = len(before) - 1
        assert rotated in ((0, 1) if killed.reached else (1,))
        assert killed.printed in ((), (str(list(before.values())[-1]),) if rotated else ())
        # Whatever the log says was in use, and what may yet be put in use, is in some file.
        assert [key for key in before.values() if key not in _kept(ledger, origin)] == []
        _expect_signing(ledger, "a1", [])
        assert _keys(ledger) == before

        again = ledger.go("signing-key", "rotate", *_NOTE)
        keys = _keys(ledger)
        assert again.code == 0
        assert len(keys) == len(before) + 1
        assert set(_kept(ledger, origin)) == set(keys.values())
        _expect_signing(ledger, "a2", [])
        assert [left for left in _beside(ledger) if not _LEFT.fullmatch(left)] == []

    def words(ledger: Quick) -> list[str | Path]:
        return ["--ledger", ledger.path, "signing-key", "rotate", *_NOTE]

    return Scenario("kill while changing the key", lambda folder: filled(folder, 3), words, check)


def _replacing() -> Scenario:
    def prepare(folder: Path) -> Quick:
        ledger = filled(folder, 3)
        _key(ledger).unlink()
        return ledger

    def check(ledger: Quick, killed: Killed) -> None:
        assert [left for left in _beside(ledger) if not _LEFT_BY_KILL.fullmatch(left)] == []
        keys = _keys(ledger)
        replaced = len(keys) - 1
        assert replaced in ((0, 1) if killed.reached else (1,))
        if not replaced:  # nothing is recorded yet, and what the key is, the log does not say
            ledger.write("next.csv", f"{HEADER}\n{GOOD}\n")
            assert "the signing key is not at" in said(ledger.go("import", "next.csv", "--provider", "after"))
            assert ledger.go("signing-key", "rotate", *_NOTE, "--lost").code == 0
        _expect_signing(ledger, "a1", list(_keys(ledger))[1:])
        # What a crash has cut short is not lost: saying so again is refused.
        assert ledger.go("signing-key", "rotate", *_NOTE, "--lost").code == 2
        keys = _keys(ledger)
        assert len(keys) == 2
        assert _kept(ledger, keys[0].name) == list(keys.values())[1:]
        assert _beside(ledger) == ["", OUTSIDE_SUFFIX, KEY_SUFFIX]

    def words(ledger: Quick) -> list[str | Path]:
        return ["--ledger", ledger.path, "signing-key", "rotate", *_NOTE, "--lost"]

    return Scenario("kill while replacing a lost key", prepare, words, check)


KEYS = (_rotating(), _replacing())
