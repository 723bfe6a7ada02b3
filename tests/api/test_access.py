"""Who may do what: scopes, what others have filed, permissions, and how often a key may ask."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from ledger.api.access import Rate
from ledger.api.problems import TooMany
from ledger.sequencer.keys import create_key, revoke_key
from schemas.access import Scope
from tests.api.served import CSV, Served, allocation, record, rows_csv, served

CALLS = {
    ("POST", "/v1/allocations"): {Scope.IMPORT, Scope.ADMIN},
    ("POST", "/v1/imports"): {Scope.IMPORT, Scope.ADMIN},
    ("POST", "/v1/assessments"): set(Scope),
    ("GET", "/v1/key"): set(Scope),
    ("GET", "/v1/positions/countries"): {Scope.READ, Scope.ANALYST, Scope.ADMIN},
    ("GET", "/v1/positions/countries/AE"): {Scope.READ, Scope.ANALYST, Scope.ADMIN},
    ("GET", "/v1/positions/lpp"): {Scope.ANALYST, Scope.ADMIN},
    ("GET", "/v1/positions/nveu"): {Scope.ANALYST, Scope.ADMIN},
    ("GET", "/v1/positions/uveu"): {Scope.ANALYST, Scope.ADMIN},
    ("GET", "/v1/positions/uveu/countries"): {Scope.ANALYST, Scope.ADMIN},
    ("GET", "/v1/checkpoints/latest"): set(Scope),
    ("GET", "/v1/checkpoints/{leaves}"): set(Scope),
    ("GET", "/v1/proofs/consistency"): set(Scope),
    ("GET", "/v1/records"): set(Scope),
    ("GET", "/v1/decisions/{sequence}"): set(Scope),
    ("GET", "/v1/imports/{request_id}"): set(Scope),
    ("GET", "/v1/imports/{request_id}/decisions"): set(Scope),
    ("POST", "/v1/sql"): {Scope.ANALYST, Scope.ADMIN},
    ("DELETE", "/v1/sql/{query_id}"): {Scope.ANALYST, Scope.ADMIN},
    ("GET", "/v1/queries"): {Scope.ADMIN},
    ("POST", "/v1/registers/parties"): {Scope.ADMIN},
    ("POST", "/v1/rulebooks"): {Scope.ADMIN},
    ("POST", "/v1/reports/due"): {Scope.ADMIN},
    ("POST", "/v1/permissions"): {Scope.ADMIN},
    ("DELETE", "/v1/permissions/a/b"): {Scope.ADMIN},
}
"""Every call that needs a key, and the scopes of the keys that may make it."""
_PLACES = {"leaves": 66, "sequence": 1, "request_id": "x", "query_id": "x"}
OPEN = {"/healthz", "/readyz", "/metrics"}
"""What needs no key."""


def _end(path: str) -> str | None:
    return next((end for end in ("/parties", "/AE", "/a/b") if path.endswith(end)), None)


def test_every_call_is_here(server: Served) -> None:
    """A new route must say here who may call it."""
    document = httpx.get(f"{server.address}/openapi.json").json()
    names = {"/parties": "/{register}", "/AE": "/{country}", "/a/b": "/{provider}/{party}"}
    known = {(method, path.replace(end, names[end]) if (end := _end(path)) else path) for method, path in CALLS}

    assert known == {
        (method.upper(), path) for path, calls in document["paths"].items() for method in calls if path not in OPEN
    }


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_only_keys_of_its_scopes_may_make_a_call(server: Served, method: str, path: str) -> None:
    """The others are answered 403, whatever else is wrong with the call; without a key it is 401."""
    for scope in Scope:
        answer = server.caller(scope=scope).request(
            method, path.format(leaves=66, sequence=1, request_id="x", query_id="x")
        )
        if scope in CALLS[method, path]:
            assert answer.status_code not in (401, 403)
        else:
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
    without = httpx.request(method, server.address + path.format(**_PLACES))

    assert without.status_code == 401
    assert without.headers["www-authenticate"] == "Bearer"


def test_keys_that_do_not_hold_are_refused_at_once(server: Served) -> None:
    """Expired, revoked while the server runs, or changed by a character."""
    caller = server.caller()
    key = str(caller.headers["authorization"]).removeprefix("Bearer ")
    soon = create_key(server.path, "acme", Scope.IMPORT, datetime.now(UTC) + timedelta(days=1), datetime.now(UTC), "t")
    before = caller.post("/v1/allocations", json=allocation("a")).status_code
    revoke_key(server.path, key, datetime.now(UTC))
    after = caller.post("/v1/allocations", json=allocation("b"))
    other = key[:-1] + ("A" if key[-1] != "A" else "B")
    changed = caller.get("/v1/checkpoints/latest", headers={"authorization": f"Bearer {other}"})
    good = caller.get("/v1/checkpoints/latest", headers={"authorization": f"Bearer {soon.secret}"})

    assert (before, after.status_code, changed.status_code, good.status_code) == (201, 401, 401, 200)
    assert "revoked" in after.json()["detail"]
    assert key not in after.text + changed.text


def test_nobody_elses_records_are_seen(server: Served) -> None:
    """Neither by number nor by reference nor among what weighed most: of others there is one sum."""
    mine, other = server.caller("acme"), server.caller("secret-cloud")
    for number in range(3):
        other.post("/v1/allocations", json=allocation(f"hidden-{number}", 100))
    own = mine.post("/v1/allocations", json=allocation("own", 10)).json()
    last = mine.post("/v1/allocations", json=allocation("last", 1)).json()
    explained = mine.get(f"/v1/decisions/{last['sequence']}")
    (cap,) = (limit for limit in explained.json()["limits"] if limit["limit_id"] == "country-cap")
    tried = mine.post("/v1/assessments", json={k: v for k, v in allocation("x").items() if k != "reference"})

    assert mine.get("/v1/decisions/1").status_code == 404
    assert mine.get("/v1/records", params={"reference": "hidden-1", "provider": "secret-cloud"}).status_code == 404
    assert [weight["reference"] for weight in cap["weighed"]] == ["own"]
    assert int(cap["rest_tpp"]) == int(cap["observed_tpp"]) - int(own["tpp"])
    assert "hidden" not in explained.text + tried.text
    assert "secret-cloud" not in explained.text + tried.text


def test_an_analyst_sees_all_and_files_nothing(server: Served) -> None:
    """Every record, with what weighed on it."""
    server.caller("acme").post("/v1/allocations", json=allocation("a", 10))
    server.caller("acme").post("/v1/allocations", json=allocation("b", 10))
    analyst = server.caller("think tank", Scope.ANALYST)
    found = analyst.get("/v1/decisions/2").json()

    assert [w["reference"] for limit in found["limits"] for w in limit["weighed"]] == ["a"]
    assert analyst.get("/v1/records", params={"reference": "a", "provider": "acme"}).status_code == 200
    assert analyst.post("/v1/allocations", json=allocation("c")).status_code == 403


def test_filing_for_the_party_of_another_needs_a_permission(ledger: Path) -> None:
    """With the setting on: rejected until an administrator gives it, and again when it is taken away."""
    with served(ledger, guard_parties=True) as server:
        first, second = server.caller("first"), server.caller("second")
        admin = server.caller("boss", Scope.ADMIN)
        permission = {"provider": "second", "party": "ALPHA"}
        rejected = second.post("/v1/imports", content=rows_csv(record("no", chip="none")), headers=CSV)
        answers = [
            first.post("/v1/allocations", json=allocation("a")),
            second.post("/v1/allocations", json=allocation("a")),
            second.post("/v1/imports", content=rows_csv(record("b"), record("c", consignee="USCO")), headers=CSV),
            second.post("/v1/allocations", json=allocation("own", consignee="SUB")),
        ]
        given = admin.post("/v1/permissions", json=permission)
        answers.append(second.post("/v1/allocations", json=allocation("d")))
        taken = admin.delete("/v1/permissions/second/ALPHA")
        answers.append(second.post("/v1/allocations", json=allocation("e")))

    assert rejected.status_code == 422
    assert [answer.status_code for answer in answers] == [201, 422, 422, 201, 201, 422]
    assert (given.status_code, taken.status_code) == (204, 204)
    assert [(fault["row"], fault["code"]) for fault in answers[2].json()["errors"]] == [(1, "not-permitted")]
    assert "first" not in answers[1].text


def test_an_administrator_registers_and_adopts(server: Served) -> None:
    """Later requests are decided with the new rows and under the new rulebook; who did it is kept."""
    admin, caller = server.caller("boss", Scope.ADMIN), server.caller()
    unknown = caller.post("/v1/allocations", json=allocation("a", consignee="NEW"))
    party = admin.post("/v1/registers/parties", content=b"party,name,headquarters\nNEW,New,AE\n", headers=CSV)
    known = caller.post("/v1/allocations", json=allocation("a", consignee="NEW"))
    wrong = admin.post("/v1/registers/parties", content=b"party,name,headquarters\nX,X,XX\n", headers=CSV)
    adopted = admin.post("/v1/rulebooks", json={"rulebook": "bis-ai-diffusion-2025", "note": "the original"}).json()
    after = admin.get("/v1/positions/countries/AE").json()

    assert [unknown.status_code, party.status_code, known.status_code, wrong.status_code] == [422, 200, 201, 422]
    assert party.json() == {"batch": party.json()["batch"], "recorded": 1, "unchanged": 0}
    assert [fault["code"] for fault in wrong.json()["errors"]] == ["unknown-country"]
    assert adopted["rulebook"] == "bis-ai-diffusion-2025"
    assert after["positions"][0]["cap_tpp"] == "790000000"


def test_a_key_that_asks_too_often_is_told_when_to_come_again(ledger: Path) -> None:
    """Some requests at once, then 429 with the seconds to wait; another key is not held up by it."""
    now = [0.0]
    rate = Rate(2, 3, lambda: now[0])
    for _ in range(3):
        rate.take("a")
    with pytest.raises(TooMany) as caught:
        rate.take("a")
    rate.take("b")
    now[0] += caught.value.retry_after or 0
    rate.take("a")
    with served(ledger, requests_per_second=0.001, requests_at_once=1) as server:
        caller = server.caller()
        answers = [caller.get("/v1/checkpoints/latest") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert int(answers[1].headers["retry-after"]) > 1
