"""The writer where something goes wrong: who is told, who is recorded all the same, and what comes after it."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ledger.core.errors import QuotaledgerError
from ledger.sequencer import desk as desk_module
from ledger.sequencer.verifying import verify
from ledger.store import read
from ledger.store.append import Appending
from ledger.store.file import OUTSIDE_SUFFIX, beside
from ledger.store.head import Head, Move
from ledger.store.insert import insert_before
from ledger.store.outside import OutsideCheckpoints
from tests.faults.audit import audit
from tests.harness import sheet
from tests.sequencer.queueing import PATIENCE_SECONDS, allocation, answered, base, batches, queue

_FULL = 4_000
"""So many H100 fill a country of the base."""
_ELSEWHERE = Head(7, 7, 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with parties and no record."""
    return base(tmp_path)


class _Bang(Exception):
    """What nobody has thought of."""


@pytest.fixture
def explosive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of providers named `bang` raise when all of them is written."""
    close = Appending.close

    def closed(appending: Appending, *arguments: Any) -> Head:
        head = close(appending, *arguments)
        if appending._batch.provider == "bang":  # noqa: SLF001 -- a fault in the middle of it
            raise _Bang
        return head

    monkeypatch.setattr(Appending, "close", closed)


@pytest.mark.usefixtures("explosive")
@pytest.mark.parametrize("bangs", [(0,), (3,), (6,), (1, 2, 6), tuple(range(7))])
def test_only_who_raises_fails(path: Path, monkeypatch: pytest.MonkeyPatch, bangs: tuple[int, ...]) -> None:
    """What raises after it has written takes all of its group back, and the others are then recorded without it."""
    names = ["bang" if number in bangs else f"p{number}" for number in range(7)]
    with queue(path, monkeypatch) as made:
        with made.clock.held(made):
            answers = [made.file(name, allocation(f"{number}", _FULL // 7)) for number, name in enumerate(names)]
        for name, answer in zip(names, answers, strict=True):
            if name == "bang":
                with pytest.raises(_Bang):
                    answer.result(PATIENCE_SECONDS)
            else:
                assert answered([answer])[0].counts["admitted"] == 1
        # What was taken back counts nowhere: there is just so much room left, and no more.
        left = _FULL - 1 - (7 - len(bangs)) * (_FULL // 7)
        full = answered([made.file("q", allocation("all", left)), made.file("q", allocation("more"))])

    assert [result.counts["admitted"] for result in full] == [1, 0]
    assert sorted(row[1] for row in batches(path)[1:-2]) == sorted(name for name in names if name != "bang")
    assert audit(path) == []


def test_only_whose_rows_cannot_be_inserted_fails(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a group are inserted together: where one of them cannot be, the others are recorded without it."""

    def inserted(connection: Any, tables: Any, *change: Any) -> int:
        if any(row["provider"] == "bang" for row in tables["batch"]):
            raise duckdb.ConversionException("no such text")
        return insert_before(connection, tables, *change)

    monkeypatch.setattr("ledger.store.gathered.insert_before", inserted)
    with queue(path, monkeypatch) as made:
        with made.clock.held(made):
            answers = [made.file(name, allocation("a", _FULL // 4)) for name in ("p", "bang", "q", "bang", "r")]
        for answer in (answers[1], answers[3]):
            with pytest.raises(QuotaledgerError, match=r"nothing was recorded in .*no such text"):
                answer.result(PATIENCE_SECONDS)
        done = answered([answers[0], answers[2], answers[4]])
        full = answered([made.file("q", allocation("b", _FULL // 4 - 1)), made.file("q", allocation("more"))])

    assert [result.counts["admitted"] for result in (*done, *full)] == [1, 1, 1, 1, 0]
    assert sorted(row[1] for row in batches(path)) == ["held", "p", "q", "q", "q", "r"]
    assert audit(path) == []


def test_a_ledger_that_has_moved_takes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the head is not where a group was decided, none of it is recorded, and what comes after is decided anew."""
    sql = Move.sql
    with queue(path, monkeypatch) as made:
        with monkeypatch.context() as patched:
            patched.setattr(Move, "sql", lambda move: sql(replace(move, at=_ELSEWHERE)))
            with made.clock.held(made):
                answers = [made.file(f"p{number}", allocation("a")) for number in range(8)]
            for answer in answers:
                with pytest.raises(QuotaledgerError, match="the ledger has moved since this was decided"):
                    answer.result(PATIENCE_SECONDS)
        again = answered([made.file(f"p{number}", allocation("a")) for number in range(8)])

    assert [result.counts["admitted"] for result in again] == [1] * 8
    assert len(batches(path)) == 8
    assert audit(path) == []


@pytest.mark.usefixtures("explosive")
def test_what_is_known_is_read_once_for_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts and head are read for the first request, and after something was taken back: never in between.

    Not either after requests that are rejected: whoever sends many of them would slow all others down.
    """
    reads: list[str] = []
    for of, name in ((read, "balances"), (desk_module, "head"), (read, "registers")):
        monkeypatch.setattr(of, name, partial(_noted, reads, name, getattr(of, name)))
    with queue(path, monkeypatch) as made:
        with made.clock.held(made):
            answers = [
                made.file("p", allocation(f"{number}"), allocation("x", chip="H100" if number % 3 else "unknown"))
                for number in range(150)
            ]
        answered(answers)
        once, commits = sorted(reads), made.statements[0].commits
        with pytest.raises(_Bang):
            made.file("bang", allocation("x")).result(PATIENCE_SECONDS)
        answered([made.file("p", allocation(f"more {number}")) for number in range(9)])

    assert commits == 4
    assert once == ["balances", "head", "registers"]
    assert sorted(reads) == sorted(2 * once)


def _noted(reads: list[str], name: str, work: Any, *arguments: Any) -> Any:
    reads.append(name)
    return work(*arguments)


def test_a_commit_that_fails_fails_for_all_of_its_group(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody of it is recorded or told so, none is tried again, and the next ones are recorded."""
    with queue(path, monkeypatch) as made:
        with made.clock.held(made) as first:
            answers = [made.file(f"p{number}", allocation("a", _FULL // 8)) for number in range(8)]
            answers.append(made.file("p", allocation("wrong", chip="unknown")))
            made.statements[0].failing = {2: duckdb.IOException("no room")}
        answered([first])
        for answer in answers:
            with pytest.raises(QuotaledgerError, match=r"nothing was recorded in .*no room"):
                answer.result(PATIENCE_SECONDS)
        commits = made.statements[0].commits
        after = answered([made.file("p", allocation("a", _FULL - 1)), made.file("p", allocation("b"))])

    assert commits == 2
    assert [result.counts["admitted"] for result in after] == [1, 0]
    assert [row[1] for row in batches(path)] == ["held", "p", "p"]
    assert audit(path) == []


def test_a_connection_that_is_gone_is_made_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a failed COMMIT takes the connection with it, its group is told, and the ledger opened again for the next."""
    with queue(path, monkeypatch) as made:
        first = made.statements[0]
        with made.clock.held(made):
            answers = [made.file(f"p{number}", allocation("a")) for number in range(8)]
            first.failing = {2: duckdb.FatalException("the database has been invalidated")}
            first.breaks = True
        for answer in answers:
            with pytest.raises(QuotaledgerError, match="invalidated"):
                answer.result(PATIENCE_SECONDS)
        again = answered([made.file(f"p{number}", allocation("a")) for number in range(8)])

    assert len(made.statements) == 2
    assert [result.counts["admitted"] for result in again] == [1] * 8
    assert len(batches(path)) == 9
    assert audit(path) == []


def test_what_is_not_said_outside_is_not_acknowledged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the checkpoints find no room, all of the group are told an error, and so is who comes while that lasts.

    The records are there, and whoever sends them again when there is room is told that they are duplicates.
    """
    append, full = OutsideCheckpoints.append, [False]

    def refusing(outside: OutsideCheckpoints, notes: list[str]) -> None:
        if full[0] and len(notes) > 1:
            raise QuotaledgerError("the outside checkpoint cannot be written")
        append(outside, notes)

    monkeypatch.setattr(OutsideCheckpoints, "append", refusing)
    with queue(path, monkeypatch) as made:
        with made.clock.held(made) as first:
            answers = [made.file(f"p{number}", allocation("a")) for number in range(20)]
            full[0] = True
        answered([first])
        answers.append(made.file("later", allocation("a")))
        for answer in answers:
            with pytest.raises(QuotaledgerError, match="outside checkpoint cannot be written"):
                answer.result(PATIENCE_SECONDS)
        full[0] = False
        again = answered([made.file(f"p{number}", allocation("a")) for number in range(20)])
        later = answered([made.file("later", allocation("a"))])[0]

    assert [result.counts["duplicates"] for result in again] == [1] * 20
    assert later.counts["admitted"] == 1
    assert audit(path) == []
    assert verify(path).remarks == []


@pytest.mark.parametrize("how", ["copied back", "removed and copied back"])
def test_an_outside_file_that_is_replaced_is_appended_to_where_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """An editor, rsync or a restore makes another file of the same name: notes in the old one are nobody's."""
    outside = beside(path, OUTSIDE_SUFFIX)
    with queue(path, monkeypatch) as made:
        answered([made.file("p", allocation("a"))])
        copy = outside.with_suffix(".copy")
        copy.write_bytes(outside.read_bytes())
        if how.startswith("removed"):
            outside.unlink()
        copy.replace(outside)
        answered([made.file("p", allocation(f"{number}")) for number in range(5)])
        for number in range(5, 10):
            answered([made.file("p", allocation(f"{number}"))])

    assert audit(path) == []
    assert verify(path).remarks == []


def test_a_ledger_that_is_renamed_while_it_is_open_is_told_of(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sentence, and nothing is recorded; when it is back, so is all that was."""
    elsewhere = path.with_name("elsewhere")
    with queue(path, monkeypatch) as made:
        answered([made.file("p", allocation("a"))])
        path.rename(elsewhere)
        with pytest.raises(QuotaledgerError, match="renamed or removed"):
            made.file("p", allocation("b")).result(PATIENCE_SECONDS)
        elsewhere.rename(path)
        assert answered([made.file("p", allocation("b"))])[0].counts["admitted"] == 1

    assert audit(path) == []


def test_the_decisions_of_many_rows_are_read_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of so many that what was decided is not kept."""
    rows = [allocation(f"{number}") for number in range(1_500)]
    with queue(path, monkeypatch) as made:
        answer = made.writer.submit("p", [sheet([*rows, rows[7]])], filed_by="tests", read_back=True)
        found = answer.result(PATIENCE_SECONDS).read_back

    assert [values["reference"] for _, values in sorted(found.items())] == [row["reference"] for row in rows]
