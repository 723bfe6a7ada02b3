"""Files of records: every format and coding, tried, filed, repeated, and asked for row by row."""

import gzip
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from ledger.sequencer.verifying import verify
from tests.api.served import CSV, Served, record, rows_csv, served

ROWS = [record("a", 5), record("b", 4_000), record("c", 7)]
_LARGE = 30_000
"""So many rows are more than are answered at once."""


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows)


def _ndjson(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    written = BytesIO()
    pq.write_table(_table(rows), written)
    return written.getvalue()


def _arrow(rows: list[dict[str, Any]]) -> bytes:
    written = BytesIO()
    with pa.ipc.new_stream(written, _table(rows).schema) as stream:
        stream.write_table(_table(rows))
    return written.getvalue()


FORMATS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "text/csv": lambda rows: rows_csv(*rows),
    "application/x-ndjson": _ndjson,
    "application/vnd.apache.parquet": _parquet,
    "application/vnd.apache.arrow.stream": _arrow,
}


def ended(caller: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """Ask for an import until it is done, however often; give what became of it."""
    assert answer.status_code == 202
    while (found := caller.get(answer.headers["location"]).json())["state"] not in ("done", "failed"):
        assert found["progress"]["done"] <= max(found["progress"]["total"], found["progress"]["done"])
    return found  # type: ignore[no-any-return]


def many(count: int = _LARGE, **more: Any) -> bytes:
    """Give a file that is too large to be answered at once."""
    return rows_csv(
        *(record(f"m{number}", 0 if not number else 1, **more) | {"quantity": 1} for number in range(count))
    )


@pytest.mark.parametrize("coding", ["", "gzip", "zstd"])
@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_and_coding_is_read(server: Served, kind: str, coding: str) -> None:
    """The same rows, however they come, are decided alike."""
    body = FORMATS[kind](ROWS)
    pressed = {"": body, "gzip": gzip.compress(body), "zstd": pa.compress(body, codec="zstd", asbytes=True)}[coding]
    headers = {"content-type": kind} | ({"content-encoding": coding} if coding else {})
    caller = server.caller()
    answer = caller.post("/v1/imports", content=pressed, headers=headers)
    rows = caller.get(answer.json()["decisions"]).json()["decisions"]

    assert answer.status_code == 200
    assert (answer.json()["records"], answer.json()["admitted"], answer.json()["refused"]) == (3, 2, 1)
    assert [(row["reference"], row["outcome"]) for row in rows] == [
        ("a", "admitted"),
        ("b", "refused"),
        ("c", "admitted"),
    ]


def test_a_rejected_row_rejects_all_and_every_fault_is_named(server: Served) -> None:
    """With row, column and code; with `skip_invalid` the others are recorded, and all can be asked for."""
    caller = server.caller()
    body = rows_csv(record("a"), record("b", destination="XX", chip="none"), record("a"))
    rejected = caller.post("/v1/imports", content=body, headers=CSV)
    skipped = caller.post("/v1/imports?skip_invalid=true", content=body, headers=CSV).json()
    rows = caller.get(skipped["decisions"]).json()["decisions"]

    assert rejected.status_code == 422
    assert [(fault["row"], fault["column"], fault["code"]) for fault in rejected.json()["errors"]] == [
        (2, "destination", "unknown-country"),
        (2, "chip", "unknown-chip"),
    ]
    assert {name: skipped[name] for name in ("admitted", "rejected", "duplicates")} == {
        "admitted": 1,
        "rejected": 1,
        "duplicates": 1,
    }
    assert [(row["row"], row["outcome"], row["duplicate"], row["sequence"]) for row in rows] == [
        (1, "admitted", False, 1),
        (2, "rejected", False, None),
        (3, "admitted", True, 1),
    ]
    assert "destination: " in rows[1]["message"]
    assert "chip: " in rows[1]["message"]


def test_a_repeated_import_is_answered_as_the_first_was(ledger: Path) -> None:
    """Also after a restart, with the same rows under the same address; another body under the key is refused."""
    name = CSV | {"idempotency-key": "f1"}
    body = rows_csv(*ROWS, record("a", 5))
    with served(ledger) as server:
        caller = server.caller()
        first = caller.post("/v1/imports", content=body, headers=name).json()
        again = caller.post("/v1/imports", content=body, headers=name).json()
        rows = caller.get(first["decisions"]).json()
        other = caller.post("/v1/imports", content=rows_csv(*ROWS), headers=name)
    with served(ledger) as server:
        caller = server.caller()
        later = caller.post("/v1/imports", content=body, headers=name).json()
        later_rows = caller.get(first["decisions"]).json()

    assert first == again == later
    assert rows == later_rows
    assert [row["duplicate"] for row in rows["decisions"]] == [False, False, False, True]
    assert other.json()["type"] == "/problems/idempotency-key-reused"


def test_a_large_file_is_recorded_while_one_asks_how_far_it_is(ledger: Path) -> None:
    """202 and an address; then the decisions in pages or as a file, the same ones whenever they are asked for."""
    name = CSV | {"idempotency-key": "large"}
    with served(ledger) as server:
        caller = server.caller()
        done = ended(caller, caller.post("/v1/imports", content=many(), headers=name))
        again = caller.post("/v1/imports", content=many(), headers=name)
        page = caller.get(done["decisions"], params={"limit": 7, "after": 4_000 - 3}).json()
        following = caller.get(page["next"]).json()["decisions"]
        as_file = pq.read_table(BytesIO(caller.get(done["decisions"], params={"format": "parquet"}).content))
        accepted = {"accept": "application/vnd.apache.arrow.stream"}
        as_stream = pa.ipc.open_stream(caller.get(done["decisions"], headers=accepted).content).read_all()
    assert (done["records"], done["admitted"], done["refused"]) == (_LARGE, 4_000, _LARGE - 4_000)
    assert (again.status_code, again.json()) == (200, done)
    assert [row["outcome"] for row in page["decisions"]] == ["admitted"] * 3 + ["refused"] * 4
    assert following[0]["row"] == page["decisions"][-1]["row"] + 1
    assert as_file.num_rows == _LARGE
    assert as_file.equals(as_stream)
    assert as_file.column("row").to_pylist() == list(range(1, _LARGE + 1))
    assert verify(ledger, deep=True).remarks == []


def test_a_large_file_that_is_rejected_records_nothing_and_names_its_rows(server: Served) -> None:
    """The import has failed, says why, and its decisions are the rejected rows."""
    caller = server.caller()
    body = many() + rows_csv(record("bad", chip="none")).split(b"\n", 1)[1]
    failed = ended(caller, caller.post("/v1/imports", content=body, headers=CSV))
    rows = caller.get(failed["decisions"]).json()["decisions"]
    after = caller.post("/v1/allocations", json={k: v for k, v in record("x").items() if k != "kind"}).json()

    assert failed["state"] == "failed"
    assert failed["batch"] is None
    assert failed["problem"]["type"] == "/problems/rejected"
    assert [(row["row"], row["code"]) for row in rows] == [(_LARGE + 1, "unknown-chip")]
    assert after["sequence"] == 1


def test_a_file_that_breaks_off_fails_as_a_whole(server: Served) -> None:
    """A Parquet file of which the end is missing is a fault of the whole file, small or large."""
    caller = server.caller()
    kind = {"content-type": "application/vnd.apache.parquet"}
    small = caller.post("/v1/imports", content=_parquet(ROWS)[:-20], headers=kind)

    assert (small.status_code, small.json()["type"]) == (422, "/problems/rejected")
    assert small.json()["errors"][0]["row"] is None


@pytest.mark.parametrize("rows", [3, _LARGE])
def test_a_dry_run_is_filed_by_its_token_or_not_at_all(server: Served, rows: int) -> None:
    """The token records just those decisions; if an account that they read has changed since, nothing."""
    caller = server.caller()
    body = many(rows)

    def filed(query: str, **headers: str) -> dict[str, Any]:
        answer = caller.post(f"/v1/imports{query}", content=body, headers=CSV | headers)
        return ended(caller, answer) if answer.status_code == 202 else answer.json()

    tried = filed("?dry_run=true")
    caller.post("/v1/allocations", json={k: v for k, v in record("between").items() if k != "kind"})
    late = filed("", **{"if-match": tried["token"]})
    tried_again = filed("?dry_run=true")
    done = filed("", **{"if-match": f'"{tried_again["token"]}"'})

    assert tried["batch"] is None
    assert (late.get("problem") or late)["type"] == "/problems/decisions-changed"
    assert done["state"] == "done"
    assert {name: done[name] for name in ("records", "admitted", "refused")} == {
        name: tried_again[name] for name in ("records", "admitted", "refused")
    }
    assert done["batch"] is not None


def test_the_decisions_of_a_dry_run_can_be_asked_for(server: Served) -> None:
    """Each row as it would be decided, with no number in the ledger that it has not."""
    caller = server.caller()
    tried = caller.post("/v1/imports?dry_run=true", content=rows_csv(*ROWS), headers=CSV).json()
    rows = caller.get(tried["decisions"]).json()["decisions"]

    assert [row["outcome"] for row in rows] == ["admitted", "refused", "admitted"]
    assert caller.get("/v1/decisions/1").status_code == 404


def test_others_do_not_see_an_import(server: Served) -> None:
    """What is there and what is not are answered alike to whoever may not see it."""
    mine = server.caller().post("/v1/imports", content=rows_csv(*ROWS), headers=CSV).json()
    other = server.caller("other")
    answers = [other.get(mine["decisions"]), other.get(f"/v1/imports/{mine['id']}"), other.get("/v1/imports/none")]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({answer.json()["detail"] for answer in answers}) == 1
