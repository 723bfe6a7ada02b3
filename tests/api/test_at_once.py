"""Many callers at the edge of a cap: what is admitted never passes it, and could have come one after the other."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger.sequencer.verifying import verify
from ledger.store.file import LedgerFile
from tests.api.served import CSV, PATIENCE_SECONDS, Served, allocation, record, rows_csv, served

_CALLERS, _EACH = 12, 8
_ROOM = 4_000
"""So many H100 fill the country."""


def _file(server: Served, caller: int, answers: dict[str, Any], again: threading.Event) -> None:
    """File allocations and small files, some of them more than once, until every one is answered."""
    order = random.Random(caller)  # noqa: S311 -- chance that can be had again
    key = str(server.caller(f"p{caller % 5}").headers["authorization"])
    with httpx.Client(base_url=server.address, headers={"authorization": key}, timeout=PATIENCE_SECONDS) as client:
        for number in range(_EACH):
            name = f"{caller}-{number}"
            size = order.choice((20, 60, 100))
            headers = {"idempotency-key": name}
            for _ in range(order.choice((1, 2))):
                if number % 3:
                    answer = client.post("/v1/allocations", json=allocation(name, size), headers=headers)
                else:
                    body = rows_csv(record(f"{name}-a", size), record(f"{name}-b", size))
                    answer = client.post("/v1/imports", content=body, headers=CSV | headers)
                if answer.status_code == 409:
                    again.set()
                    continue
                assert answer.is_success, answer.text
                said = answer.json()
                assert answers.setdefault(name, said) == said


def _recorded(path: Path) -> list[tuple[str, int, str, int | None]]:
    with LedgerFile.open(path) as ledger:
        return ledger.rows("SELECT reference, quantity, outcome, remaining_tpp FROM entry ORDER BY sequence")


def test_the_accepted_total_never_passes_the_cap(ledger: Path) -> None:
    """Twelve callers of five providers; replayed one by one, every decision is what it was."""
    answers: dict[str, Any] = {}
    with served(ledger) as server, ThreadPoolExecutor(_CALLERS) as pool:
        event = threading.Event()
        for done in [pool.submit(_file, server, caller, answers, event) for caller in range(_CALLERS)]:
            done.result(PATIENCE_SECONDS)
    recorded = _recorded(ledger)
    left = _ROOM
    for reference, quantity, outcome, _ in recorded:
        assert outcome == ("admitted" if quantity <= left else "refused"), reference
        left -= quantity if outcome == "admitted" else 0

    assert left >= 0
    assert {outcome for _, _, outcome, _ in recorded} == {"admitted", "refused"}
    assert len({reference for reference, *_ in recorded}) == len(recorded)
    assert len(answers) == _CALLERS * _EACH
    assert {name: said["outcome"] for name, said in answers.items() if "outcome" in said} == {
        reference: outcome for reference, _, outcome, _ in recorded if reference in answers
    }
    assert verify(ledger, deep=True).remarks == []


@pytest.mark.parametrize("kind", ["allocation", "file"])
def test_the_same_request_many_times_at_once_is_recorded_once(server: Served, kind: str) -> None:
    """The others are told that it is being answered, or are given its answer."""
    callers = [server.caller() for _ in range(8)]
    start = threading.Barrier(len(callers))

    def send(caller: httpx.Client) -> httpx.Response:
        start.wait(PATIENCE_SECONDS)
        if kind == "allocation":
            return caller.post("/v1/allocations", json=allocation("a"), headers={"idempotency-key": "k"})
        return caller.post("/v1/imports", content=rows_csv(record("a")), headers=CSV | {"idempotency-key": "k"})

    with ThreadPoolExecutor(len(callers)) as pool:
        answers = list(pool.map(send, callers))
    said = [answer.json() for answer in answers if answer.is_success]

    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert said
    assert all(one == said[0] for one in said)
    assert callers[0].get("/v1/decisions/1").status_code == 200
    assert callers[0].get("/v1/decisions/2").status_code == 404
