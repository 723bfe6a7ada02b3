"""The writer: many threads, few transactions, and each request its own right answer."""

import asyncio
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, get_ident
from typing import Any, cast

import pytest

from ledger.core.columns import Numbers
from ledger.core.errors import Busy, InputRejected, LedgerUnavailable
from ledger.sequencer import writer as module
from ledger.sequencer.answers import answer_rows
from ledger.sequencer.desk import Desk
from ledger.sequencer.imported import ImportResult
from ledger.sequencer.importing import import_sheets, record_sheet
from ledger.sequencer.verifying import verify
from ledger.sequencer.waiting import ROWS_TOGETHER_MAX, Room
from ledger.store.file import LedgerFile
from ledger.store.guard import BATCHES_MAX
from ledger.store.outside import OutsideCheckpoints
from tests.faults.audit import audit
from tests.harness import NOW, Row, copy_ledger, sheet
from tests.sequencer.queueing import PATIENCE_SECONDS, allocation, answered, base, batches, queue

_CLIENTS, _TURNS = 64, 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with parties and no record, of which `base` is a copy."""
    made = base(tmp_path)
    (tmp_path / "base").mkdir()
    copy_ledger(made, tmp_path / "base" / made.name)
    return made


def _contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Give what a ledger has, but for chance: salts, and so hashes and notes, and what is gathered of balances."""
    queries = {
        "entry": "FROM entry ORDER BY sequence",
        "batch": "SELECT * EXCLUDE recorded_at FROM batch ORDER BY batch",
        "file": "FROM batch_file ORDER BY batch, number",
        "leaf": "SELECT leaf, kind FROM leaf ORDER BY leaf",
        "checkpoint": "SELECT batch, size FROM checkpoint ORDER BY batch",
        "head": "SELECT sequence, leaf, batch, latest_date FROM head",
        "balance": "SELECT account, consignee, destination, period, sum(tpp) FROM balance GROUP BY ALL ORDER BY ALL",
    }
    with LedgerFile.open(path) as ledger:
        return {name: ledger.rows(query) for name, query in queries.items()}


def _rows(client: int, turn: int) -> list[Row]:
    """Give what a client files in a turn: countries fill up, references come again, some rows are wrong."""
    own = f"{client}-{turn}"
    match (client + turn) % 6:
        case 0:
            return [allocation(own, 40), allocation(f"{own}b", 60, destination="SA")]
        case 1 if turn:
            return _rows(client, turn - 1)  # the same again
        case 2 if turn:
            under = {"kind": "delivery", "date": "2026-03-05", "quantity": 3, "under": f"{client}-{turn - 1}"}
            return [under | {"reference": own}]
        case 3:
            return [allocation(own, 5), allocation(f"{own}x", chip="unknown")]
        case 4:
            return [allocation("everybody's", 7)]  # of one provider, many at once
    return [allocation(own, 90)]


def test_many_threads_at_once_get_their_own_right_answers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty-four threads file at once: each is told what the same requests, one after another, are told alone."""
    ready = Barrier(_CLIENTS)

    def client(number: int) -> list[tuple[int, int, ImportResult]]:
        ready.wait(PATIENCE_SECONDS)
        told = []
        for turn in range(_TURNS):
            answer = made.file(f"p{number % 8}", *_rows(number, turn), skip_invalid=turn == 2, by=f"client {number}")
            told.append((number, turn, answer.result(PATIENCE_SECONDS)))
        return told

    with queue(path, monkeypatch) as made, ThreadPoolExecutor(_CLIENTS) as pool:
        told = [answer for answers in pool.map(client, range(_CLIENTS)) for answer in answers]
        commits = made.statements[0].commits
    recorded = sorted((result.batch, number, turn) for number, turn, result in told if result.batch)
    answers = {(number, turn): result for number, turn, result in told}

    again = path.parent / "base" / path.name
    replayed = {}
    with LedgerFile.open(again, NOW) as ledger:
        for _, number, turn in recorded:
            desk = Desk(ledger, f"client {number}", NOW)
            rows = [sheet(_rows(number, turn))]
            replayed[number, turn] = import_sheets(desk, f"p{number % 8}", rows, skip_invalid=turn == 2)
        desk = Desk(ledger, "", NOW)
        for place, result in replayed.items():
            said = [list(answer_rows(desk, each, skip_invalid=place[1] == 2)) for each in (answers[place], result)]
            assert said[0] == said[1]

    assert len(told) == _CLIENTS * _TURNS
    assert commits < len(recorded)
    assert _contents(path) == _contents(again)
    assert {result.rejected[0].code for _, _, result in told if not result.batch} >= {"unknown-chip"}
    assert verify(path, deep=True).remarks == []
    assert audit(path) == []


def test_the_last_of_a_group_sees_the_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one request records is known to those after it, though nothing of the group is inserted before its end."""
    under = {"kind": "delivery", "date": "2026-03-05", "quantity": 3, "under": "a"}
    with queue(path, monkeypatch) as made:
        with made.clock.held(made):
            rows = [
                allocation("a", 5),
                allocation("b"),
                allocation("a", 5),
                allocation("a", 6),
                under | {"reference": "d"},
            ]
            answers = [made.file("p", row) for row in rows] + [made.file("q", allocation("a", 6))]
        results = answered(answers)
        commits = made.statements[0].commits
    with LedgerFile.open(path) as ledger:
        delivered = ledger.rows("SELECT under_sequence, fulfilled FROM entry WHERE reference = 'd'")

    assert commits == 2
    assert [result.counts["admitted"] for result in results] == [1, 1, 0, 0, 1, 1]
    assert [result.counts["duplicates"] for result in results] == [0, 0, 1, 0, 0, 0]
    assert [fault.code for fault in results[3].rejected] == ["reference-reused"]
    assert delivered == [(2, 3)]
    assert verify(path, deep=True).remarks == []


def test_a_group_takes_few_statements(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One asks which references are known, of all; what all of them record is inserted at the end."""
    with queue(path, monkeypatch) as made:
        taken = []
        for requests in (8, BATCHES_MAX):
            with made.clock.held(made):
                answers = [
                    made.file(f"p{number % 9}", allocation(f"{requests}-{number}")) for number in range(requests)
                ]
            before = len(made.statements[0].said)
            answered(answers)
            taken.append(len(made.statements[0].said) - before)

    assert 0 < taken[1] <= taken[0]


def test_what_waits_shares_one_commit_and_one_append_outside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty-four batches with a checkpoint each are one transaction, at one instant, and one append of all of them."""
    appended: list[int] = []
    append = OutsideCheckpoints.append

    def counted(outside: OutsideCheckpoints, notes: list[str]) -> None:
        appended.append(len(notes))
        append(outside, notes)

    monkeypatch.setattr(OutsideCheckpoints, "append", counted)
    with queue(path, monkeypatch) as made:
        with made.clock.held(made) as first:
            answers = [made.file(f"p{number % 9}", allocation(f"{number}")) for number in range(BATCHES_MAX)]
        results = answered([first, *answers])
        commits = made.statements[0].commits
        threads = made.statements[0].threads
    with LedgerFile.open(path) as ledger:
        instants = ledger.rows("SELECT count(*) FROM batch WHERE kind = 'import' GROUP BY recorded_at ORDER BY ALL")
        notes = ledger.rows("SELECT count(*) FROM checkpoint")[0][0]

    assert BATCHES_MAX >= 64
    assert commits == 2
    assert appended == [1, BATCHES_MAX]
    assert instants == [(1,), (BATCHES_MAX,)]
    assert len({result.batch for result in results}) == BATCHES_MAX + 1
    assert len(list(OutsideCheckpoints(path.with_name(path.name + ".checkpoints")).notes())) == notes
    assert len(threads) == 1
    assert get_ident() not in threads


def test_nobody_is_told_before_all_is_synced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the checkpoints are appended outside, after the COMMIT, nobody of the group has an answer yet."""
    seen: list[tuple[int, list[bool]]] = []
    answers: list[Future[ImportResult]] = []
    append = OutsideCheckpoints.append

    def watched(outside: OutsideCheckpoints, notes: list[str]) -> None:
        append(outside, notes)
        seen.append((made.statements[0].commits, [answer.done() for answer in answers]))

    monkeypatch.setattr(OutsideCheckpoints, "append", watched)
    with queue(path, monkeypatch) as made:
        with made.clock.held(made):
            answers += [made.file("p", allocation(f"{number}")) for number in range(5)]
            answers.append(made.file("p", allocation("wrong", chip="unknown")))
        answered(answers)

    assert seen == [(1, [False] * 6), (2, [False] * 6)]


def _instants(path: Path) -> list[tuple[Any, ...]]:
    with LedgerFile.open(path) as ledger:
        return ledger.rows("SELECT batch, recorded_at FROM batch")


def test_one_who_files_much_delays_another_by_no_more_than_a_round(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a thousand of one provider waiting, another one's request is in the next transaction, right at its start."""
    with queue(path, monkeypatch) as made:
        with made.clock.held(made) as first:
            for number in range(1000):
                made.file("much", allocation(f"{number}"))
            late = made.file("little", allocation("late"))
        before = answered([first])[0].batch
        recorded = answered([late])[0].batch
    recorded_at = dict(_instants(path))

    # Of those that were there before, one had its turn first.
    assert recorded == (before or 0) + 2
    assert recorded_at[recorded] == recorded_at[recorded - 1]
    assert len(batches(path)) == 1002


def test_rejected_and_unreadable_requests_hurt_nobody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gets its own answer, with nothing recorded of it; those beside them are recorded in the same transaction."""
    with queue(path, monkeypatch) as made:
        with made.clock.held(made):
            good = [made.file("p", allocation("a", 3)), made.file("q", allocation("b", 4))]
            rejected = made.file("p", allocation("c"), allocation("d", chip="unknown"))
            some = made.file("q", allocation("e"), allocation("f", chip="unknown"), skip_invalid=True)
            unreadable = made.writer.submit("p", [record_sheet("broken.csv", b"\xff\xfe\x00")], filed_by="x")
            nobody = made.file("", allocation("g"))
            good.append(made.file("p", allocation("h")))
        results = answered(good)
        assert [answered([rejected])[0].batch, len(answered([rejected])[0].rejected)] == [None, 1]
        assert answered([some])[0].counts["rejected"] == 1
        with pytest.raises(InputRejected, match="a file cannot be read"):
            unreadable.result(PATIENCE_SECONDS)
        with pytest.raises(InputRejected, match="the provider's name"):
            nobody.result(PATIENCE_SECONDS)
        commits = made.statements[0].commits

    assert commits == 2
    assert [result.counts["admitted"] for result in results] == [1, 1, 1]
    assert [(row[1], *row[3:]) for row in batches(path)[1:]] == [
        ("p", 1, 0, 0, 0),
        ("q", 1, 0, 0, 0),
        ("q", 1, 0, 1, 0),
        ("p", 1, 0, 0, 0),
    ]
    assert audit(path) == []


def test_the_same_again_in_one_transaction_is_a_duplicate(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request sent again while the first one waits is not recorded twice; with other facts it is rejected."""
    with queue(path, monkeypatch) as made:
        with made.clock.held(made):
            answers = [made.file("p", allocation("a", quantity)) for quantity in (3, 3, 4)]
            others = [made.file("q", allocation("a", 3)), made.file("p", allocation("b"), allocation("a", 3))]
        first, again, changed = answered(answers)
        other, beside = answered(others)

    assert first.counts["admitted"] == 1
    assert again.duplicates == [(0, cast("Numbers", first.parts[0].columns["sequence"])[0])]
    assert [fault.code for fault in changed.rejected] == ["reference-reused"]
    assert other.counts["admitted"] == 1
    assert (beside.counts["admitted"], beside.counts["duplicates"]) == (1, 1)


def test_a_large_file_has_a_transaction_of_its_own(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has more rows than requests may have together is recorded alone, before and after those beside it."""
    many = [allocation(f"m{number}") for number in range(ROWS_TOGETHER_MAX + 1)]
    with queue(path, monkeypatch) as made:
        with made.clock.held(made):
            answers = [made.file("a", allocation("1")), made.file("b", *many), made.file("c", allocation("2"))]
            answers.append(made.file("c", *many[:-1], allocation("wrong", chip="unknown")))
        results = answered(answers)
        commits = made.statements[0].commits

    assert commits == 4
    assert [result.counts["admitted"] for result in results[:3]] == [1, len(many), 1]
    assert results[3].batch is None
    assert audit(path) == []


def test_too_many_are_told_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds no room is told so, and accepted when the others have their answers."""
    with queue(path, monkeypatch, Room(requests=4)) as made:
        with made.clock.held(made):
            answers = [made.file(f"p{number}", allocation("a")) for number in range(4)]
            with pytest.raises(Busy, match="send it again in a moment"):
                made.file("p5", allocation("a"))
        answered(answers)
        answered([made.file("p5", allocation("a"))])

    assert [row[1] for row in batches(path)] == ["held", "p0", "p1", "p2", "p3", "p5"]


def test_the_end_answers_all_that_was_accepted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who closes waits until everybody has an answer; then nobody is let in, and the file is free."""
    with queue(path, monkeypatch) as made, ThreadPoolExecutor(1) as pool:
        with made.clock.held(made) as first:
            answers = [first, *(made.file(f"p{number % 3}", allocation(f"{number}")) for number in range(200))]
            closing = pool.submit(made.writer.close)
        closing.result(PATIENCE_SECONDS)
        assert all(answer.done() for answer in answers)
        with pytest.raises(LedgerUnavailable, match="is being closed"):
            made.file("p", allocation("late"))
        made.writer.close()

    assert len({result.batch for result in answered(answers)}) == len(batches(path)) == 201
    with LedgerFile.open(path, NOW) as ledger:
        assert ledger.last_batch() == 204


def test_who_goes_away_before_the_turn_comes_is_not_recorded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request may be cancelled while it waits; one that was taken is recorded, whoever still listens."""

    async def ask() -> ImportResult:
        return await asyncio.wrap_future(made.file("awaited", allocation("a")))

    with queue(path, monkeypatch) as made:
        with made.clock.held(made) as first:
            gone, stays = made.file("gone", allocation("a")), made.file("stays", allocation("a"))
            assert [gone.cancel(), first.cancel()] == [True, False]
        answered([first, stays])
        with pytest.raises(CancelledError):
            gone.result(PATIENCE_SECONDS)
        assert asyncio.run(ask()).counts["admitted"] == 1

    assert [row[1] for row in batches(path)] == ["held", "stays", "awaited"]


def test_what_cannot_be_opened_is_told_at_once(path: Path) -> None:
    """A writer of a ledger that is not there, or held, is not made."""
    with pytest.raises(LedgerUnavailable, match="there is no ledger"):
        module.Writer(path.with_name("none"), lambda: NOW)
