"""Single requests: decided, durable when answered, and answered alike whenever they are repeated."""

from pathlib import Path

from ledger.sequencer.verifying import verify
from ledger.store.file import LedgerFile
from tests.api.served import Served, allocation, served


def test_a_request_is_recorded_and_answered_with_its_decision(server: Served) -> None:
    """The decision is in the ledger, with all that the answer says, and who filed it is kept with the batch."""
    caller = server.caller()
    answer = caller.post("/v1/allocations", json=allocation("a", 1_000, note="first"))
    again = caller.get(answer.headers["location"]).json()

    assert answer.status_code == 201
    assert answer.json() == again["decision"] | {"duplicate": False}
    assert (answer.json()["outcome"], answer.json()["limit_id"], answer.json()["tpp"]) == (
        "admitted",
        "country-cap",
        "15832000",
    )
    assert answer.json()["remaining_tpp"] == "47496000"
    server.close()
    server.service.close()
    with LedgerFile.open(server.path) as ledger:
        ((provider, filed_by, note),) = ledger.rows(
            "SELECT b.provider, b.filed_by, e.note FROM batch AS b JOIN entry AS e USING (batch)"
        )
    assert (provider, note) == ("acme", "first")
    assert filed_by.startswith("key ")


def test_a_refusal_is_an_answer(server: Served) -> None:
    """More than the cap is recorded as refused, with the paragraph, and takes nothing from it."""
    caller = server.caller()
    refused = caller.post("/v1/allocations", json=allocation("a", 4_001))
    full = caller.post("/v1/allocations", json=allocation("b", 4_000))

    assert (refused.status_code, refused.json()["outcome"]) == (201, "refused")
    assert "15 CFR" in refused.json()["message"]
    assert (full.json()["outcome"], full.json()["remaining_tpp"]) == ("admitted", "0")


def test_the_same_record_again_is_a_duplicate_and_another_is_rejected(server: Served) -> None:
    """Without an idempotency key, too: records are known by their references."""
    caller = server.caller()
    first = caller.post("/v1/allocations", json=allocation("a")).json()
    again = caller.post("/v1/allocations", json=allocation("a"))
    other = caller.post("/v1/allocations", json=allocation("a", 2))

    assert (again.status_code, again.json()) == (200, first | {"duplicate": True})
    assert other.status_code == 422
    assert [fault["code"] for fault in other.json()["errors"]] == ["reference-reused"]


def test_a_repetition_is_answered_as_the_first_was_for_ever(ledger: Path) -> None:
    """Same key and body: the same answer, also after a restart. Same key, other body: 422. Nothing twice."""
    name = {"idempotency-key": "order 7"}
    with served(ledger) as server:
        caller = server.caller()
        first = caller.post("/v1/allocations", json=allocation("a"), headers=name)
        again = caller.post("/v1/allocations", json=allocation("a"), headers=name)
        other = caller.post("/v1/allocations", json=allocation("b"), headers=name)
        else_whose = server.caller("other").post("/v1/allocations", json=allocation("a"), headers=name)
    with served(ledger) as server:
        later = server.caller().post("/v1/allocations", json=allocation("a"), headers=name)
    records = verify(ledger, deep=True).records

    assert first.status_code == else_whose.status_code == 201
    assert again.json() == later.json() == first.json()
    assert other.json()["type"] == "/problems/idempotency-key-reused"
    assert sum(records.values()) == 2


def test_a_duplicate_that_was_filed_with_a_key_is_repeated_as_one(server: Served) -> None:
    """The answer to a key is kept even where nothing was recorded for it."""
    caller = server.caller()
    caller.post("/v1/allocations", json=allocation("a"))
    answers = [
        caller.post("/v1/allocations", json=allocation("a"), headers={"idempotency-key": "k"}).json() for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert answers[0]["duplicate"] is True


def test_what_is_rejected_takes_no_key(server: Served) -> None:
    """Every fault is named with a pointer; the mended request may have the same key."""
    caller = server.caller()
    name = {"idempotency-key": "k"}
    wrong = allocation("a", destination="XX", chip="H1000000")
    rejected = caller.post("/v1/allocations", json=wrong, headers=name)
    mended = caller.post("/v1/allocations", json=allocation("a"), headers=name)

    assert rejected.status_code == 422
    assert rejected.headers["content-type"] == "application/problem+json"
    assert [fault["pointer"] for fault in rejected.json()["errors"]] == ["/destination", "/chip"]
    assert mended.status_code == 201


def test_an_assessment_says_the_same_and_records_nothing(server: Served) -> None:
    """What is tried is decided like what is filed, limit by limit."""
    caller = server.caller()
    body = allocation("a", 5_000)
    del body["reference"]
    tried = caller.post("/v1/assessments", json=body).json()
    filed = caller.post("/v1/allocations", json=allocation("a", 5_000)).json()
    explained = caller.get(f"/v1/decisions/{filed['sequence']}").json()

    assert {name: tried[name] for name in ("outcome", "limit_id", "message")} == {
        name: filed[name] for name in ("outcome", "limit_id", "message")
    }
    assert tried["limits"] == explained["limits"]
    assert filed["sequence"] == 1


def test_a_record_is_found_by_its_reference_with_a_receipt(server: Served, tmp_path: Path) -> None:
    """The receipt is the ledger's own, which needs no ledger to be checked."""
    caller = server.caller()
    filed = caller.post("/v1/allocations", json=allocation("a/1 x")).json()
    found = caller.get("/v1/records", params={"reference": "a/1 x"}).json()
    (tmp_path / "receipt.json").write_text(found["receipt"])

    assert filed == found["decision"] | {"duplicate": False}
    assert caller.get("/v1/records", params={"reference": "b"}).status_code == 404
    assert '"reference":"a/1 x"' in found["receipt"].replace(" ", "").replace("a/1x", "a/1 x")
