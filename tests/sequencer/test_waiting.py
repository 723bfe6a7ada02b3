"""What waits to be recorded: whose turn comes when, how many share a transaction, and when no more are let in."""

import pytest

from ledger.core.errors import Busy, LedgerUnavailable
from ledger.sequencer.waiting import ROWS_TOGETHER_MAX, Request, Room, Waiting
from ledger.store.guard import BATCHES_MAX


def _request(provider: str, rows: int = 1) -> Request:
    return Request(provider, rows, "tests", lambda _: None)


def _groups(waiting: Waiting) -> list[list[Request]]:
    """Close the queue, and give all that waits, as it is taken."""
    waiting.close()
    return list(iter(waiting.take, []))


def test_providers_take_turns() -> None:
    """One of each in turn, whoever files more, and those of one provider in order."""
    waiting = Waiting(Room())
    filed = {name: [_request(name) for _ in range(count)] for name, count in (("a", 4), ("b", 1), ("c", 2))}
    for requests in filed.values():
        for request in requests:
            waiting.add(request)
    (group,) = _groups(waiting)

    assert [request.provider for request in group] == ["a", "b", "c", "a", "c", "a", "a"]
    assert {name: [request for request in group if request.provider == name] for name in filed} == filed


def test_who_comes_later_waits_for_no_more_than_a_round() -> None:
    """One provider has a thousand waiting: another one's is the second of the next transaction, and so on."""
    waiting = Waiting(Room())
    for _ in range(1000):
        waiting.add(_request("much"))
    taken = [waiting.take()]
    for _ in range(5):
        waiting.add(_request("little"))
        taken.append(waiting.take())

    assert [len(group) for group in taken] == [BATCHES_MAX] * 6
    assert all([request.provider for request in group][:2].count("little") == 1 for group in taken[1:])


def test_a_turn_is_kept_from_one_transaction_to_the_next() -> None:
    """With more providers than a transaction has places, those that got none are the first of the next."""
    waiting = Waiting(Room())
    for _ in range(2):
        for number in range(BATCHES_MAX + 10):
            waiting.add(_request(f"p{number}"))
    names = [[request.provider for request in group] for group in _groups(waiting)]

    assert [len(group) for group in names] == [BATCHES_MAX, BATCHES_MAX, 20]
    assert names[0] == [f"p{number}" for number in range(BATCHES_MAX)]
    assert names[1][:10] == [f"p{number}" for number in range(BATCHES_MAX, BATCHES_MAX + 10)]


def test_a_transaction_has_only_so_many_rows_and_a_large_request_is_alone() -> None:
    """Rows add up to the most that a transaction may have; what has more by itself shares with nobody."""
    waiting = Waiting(Room())
    half, large = ROWS_TOGETHER_MAX // 2, ROWS_TOGETHER_MAX + 1
    for provider, rows in (("a", half), ("b", half), ("c", 1), ("d", large), ("e", 0), ("f", ROWS_TOGETHER_MAX)):
        waiting.add(_request(provider, rows))

    assert [[request.provider for request in group] for group in _groups(waiting)] == [
        ["a", "b"],
        ["c"],
        ["d"],
        ["e", "f"],
    ]


def test_no_more_than_there_is_room_for_are_let_in() -> None:
    """All together, and of one provider a quarter: the next one is told at once, and let in when one was taken."""
    waiting = Waiting(Room(requests=8))
    for provider in "aabbccdd":
        waiting.add(_request(provider))
    with pytest.raises(Busy, match="2 requests of this provider, with 2 rows, wait"):
        waiting.add(_request("a"))
    with pytest.raises(Busy, match="8 requests, with 8 rows, wait"):
        waiting.add(_request("e"))
    assert len(waiting.take()) == 8

    waiting.add(_request("a"))
    assert [len(group) for group in _groups(waiting)] == [1]


def test_rows_are_let_in_where_they_find_room_or_nobody() -> None:
    """A large file is accepted where nothing waits; beside others only if there is room for all its rows."""
    waiting = Waiting(Room(rows=400))
    waiting.add(_request("a", 1000))
    with pytest.raises(Busy, match="1 requests, with 1,000 rows, wait"):
        waiting.add(_request("b", 1))
    assert len(waiting.take()) == 1
    waiting.add(_request("a", 60))
    with pytest.raises(Busy, match="of this provider, with 60 rows"):
        waiting.add(_request("a", 41))
    waiting.add(_request("a", 40))
    waiting.add(_request("b", 300))
    with pytest.raises(Busy):
        waiting.add(_request("c", 1))

    assert [request.rows for request in _groups(waiting)[0]] == [60, 300, 40]


def test_nothing_comes_after_the_end() -> None:
    """What waits when it is closed is taken, and then there is nothing; who comes then is told why."""
    waiting = Waiting(Room())
    waiting.add(_request("a"))
    waiting.close()
    with pytest.raises(LedgerUnavailable, match="is being closed"):
        waiting.add(_request("a"))

    assert [len(waiting.take()) for _ in range(3)] == [1, 0, 0]
