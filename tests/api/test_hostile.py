"""What a hostile or broken caller sends is refused cheaply, and nothing of the inside is told."""

import gzip
import json
import socket
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.sequencer.verifying import verify
from tests.api.served import CSV, PATIENCE_SECONDS, Served, allocation, record, rows_csv, served
from tests.harness import bench
from tests.sequencer.sealed import PARTIES

JSON = {"content-type": "application/json"}
_LEAKS = ("Traceback", 'File "', "duckdb", "SELECT", "site-packages", ".py", ".duckdb", "sqlite")


def _parquet(**columns: Any) -> bytes:
    written = BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


def _record(**more: Any) -> dict[str, list[Any]]:
    return {name: [value] for name, value in (record("a") | more).items()}


PARQUET = {"content-type": "application/vnd.apache.parquet"}
ARROW = {"content-type": "application/vnd.apache.arrow.stream"}
NDJSON = {"content-type": "application/x-ndjson"}
DEEP = b'{"reference":' * 50_000
HOSTILE: dict[str, tuple[str, bytes, dict[str, str], int]] = {
    "no body": ("/v1/imports", b"", CSV, 400),
    "blanks": ("/v1/imports", b"\n\n\n", CSV, 422),
    "no type": ("/v1/imports", b"x", {}, 415),
    "a type of another thing": ("/v1/imports", b"x", {"content-type": "text/html"}, 415),
    "a coding that is not known": ("/v1/imports", b"x", CSV | {"content-encoding": "br"}, 415),
    "two codings": ("/v1/imports", b"x", CSV | {"content-encoding": "gzip, gzip"}, 415),
    "no gzip": ("/v1/imports", b"not gzip", CSV | {"content-encoding": "gzip"}, 422),
    "half a gzip": ("/v1/imports", gzip.compress(rows_csv(record("a")))[:-9], CSV | {"content-encoding": "gzip"}, 422),
    "no zstd": ("/v1/imports", b"not zstd", CSV | {"content-encoding": "zstd"}, 422),
    "no UTF-8": ("/v1/imports", b"reference,kind,date\n\xff\xfe,allocation,2026-03-01\n", CSV, 422),
    "a NUL": ("/v1/imports", rows_csv(record("a\0b")), CSV, 422),
    "10,000 columns": ("/v1/imports", ",".join(f"c{n}" for n in range(10_000)).encode() + b"\n", CSV, 422),
    "a column twice": ("/v1/imports", b"reference,reference,kind,date\n", CSV, 422),
    "an unclosed quote": ("/v1/imports", b'reference,kind,date\n"a,allocation,2026-03-01\n', CSV, 422),
    "deep NDJSON": ("/v1/imports", DEEP, NDJSON, 422),
    "NaN": ("/v1/imports", b'{"reference":"a","kind":"allocation","date":"2026-03-01","quantity":NaN}\n', NDJSON, 422),
    "a list": ("/v1/imports", b'{"reference":["a"],"kind":{},"date":1e400}\n', NDJSON, 422),
    "a number of a thousand digits": ("/v1/imports", rows_csv(record("a") | {"quantity": "9" * 1_000}), CSV, 422),
    "Parquet of floats": ("/v1/imports", _parquet(**_record(quantity=float("nan"))), PARQUET, 422),
    "Parquet of lists": ("/v1/imports", _parquet(**_record(reference=["a"])), PARQUET, 422),
    "Parquet of bytes": ("/v1/imports", _parquet(**_record(reference=b"\xff\xfe")), PARQUET, 422),
    "half a Parquet file": ("/v1/imports", _parquet(**_record())[:-30], PARQUET, 422),
    "a Parquet file that lies": ("/v1/imports", _parquet(**_record()).replace(b"PAR1", b"PAR1\xff", 1), PARQUET, 422),
    "CSV said to be Arrow": ("/v1/imports", rows_csv(record("a", chip="none")), ARROW, 422),
    "JSON that is none": ("/v1/allocations", b"{", JSON, 400),
    "deep JSON": ("/v1/allocations", DEEP, JSON, 400),
    "a list for an object": ("/v1/allocations", b"[]", JSON, 422),
    "NaN in JSON": ("/v1/allocations", json.dumps(allocation("a") | {"quantity": float("nan")}).encode(), JSON, 422),
    "a float": ("/v1/allocations", json.dumps(allocation("a", 1.5)).encode(), JSON, 422),  # type: ignore[arg-type]
    "a boolean": ("/v1/allocations", json.dumps(allocation("a", True)).encode(), JSON, 422),
    "half a character": ("/v1/allocations", json.dumps(allocation("\ud800")).encode(), JSON, 422),
    "a quantity past all": ("/v1/allocations", json.dumps(allocation("a", 10**30)).encode(), JSON, 422),
    "SQL": ("/v1/allocations", json.dumps(allocation("a", consignee="'; DROP TABLE entry; --")).encode(), JSON, 422),
    "a template": ("/v1/allocations", json.dumps(allocation("a", destination="{0.__class__}")).encode(), JSON, 422),
    "JSON of a megabyte": ("/v1/allocations", json.dumps(allocation("a", note="x" * (1 << 20))).encode(), JSON, 413),
    "a strange idempotency key": (
        "/v1/allocations",
        json.dumps(allocation("a")).encode(),
        JSON | {"idempotency-key": "a" * 256},
        400,
    ),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One server for all that is refused: none of it may matter to the next."""
    with bench(tmp_path_factory.mktemp("hostile")) as made:
        made.register("parties", *PARTIES)
        path = made.ledger.path
    with served(path) as server:
        yield server
    assert verify(path).records == {}


@pytest.mark.parametrize("what", HOSTILE)
def test_it_is_refused_and_nothing_of_the_inside_is_told(shared: Served, what: str) -> None:
    """With a problem of the right status, and no word of files, statements or code."""
    path, body, headers, status = HOSTILE[what]
    answer = shared.caller().post(path, content=body, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert not [leak for leak in _LEAKS if leak in answer.text]
    assert len(answer.content) < 1 << 18


def test_a_bomb_is_stopped_at_the_limit(ledger: Path) -> None:
    """A gigabyte out of a megabyte: what is unpacked is no more than may be."""
    bomb = gzip.compress(b"\0" * (1 << 26), 9)
    with served(ledger, inflated_max=1 << 22) as server:
        for coding, body in (("gzip", bomb), ("zstd", pa.compress(b"\0" * (1 << 26), codec="zstd", asbytes=True))):
            answer = server.caller().post("/v1/imports", content=body, headers=CSV | {"content-encoding": coding})
            assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


def test_a_body_without_end_is_stopped_at_the_limit(ledger: Path) -> None:
    """Whether it says how long it is, or comes in pieces for ever."""

    def endless() -> Any:
        for _ in range(1 << 12):  # as good as endless, were it read
            yield b"x" * 65_536

    with served(ledger, body_max=1 << 20) as server:
        said = server.caller().post("/v1/imports", content=b"x" * ((1 << 20) + 1), headers=CSV)
        try:
            pieces = server.caller().post("/v1/imports", content=endless(), headers=CSV).status_code
        except httpx.TransportError:  # the answer may come while the caller still writes
            pieces = 413

    assert said.status_code == pieces == 413


def test_a_slow_caller_is_not_waited_for(ledger: Path) -> None:
    """Who stops in the middle of a body is answered and let go of, and others are served meanwhile."""
    with served(ledger, idle_seconds=1) as server:
        key = server.caller().headers["authorization"]
        host, port = server.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), PATIENCE_SECONDS) as slow:
            slow.sendall(
                f"POST /v1/imports HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Type: text/csv\r\n"
                "Content-Length: 1000\r\n\r\nreference,".encode()
            )
            meanwhile = server.caller().post("/v1/allocations", json=allocation("a"))
            answer = slow.recv(65_536)

    assert meanwhile.status_code == 201
    assert answer.startswith(b"HTTP/1.1 408")


def test_what_nobody_has_foreseen_tells_nothing(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the server's own is a problem like others, with an id to ask about."""

    def broken(*_: object) -> None:
        raise RuntimeError("secret/path.py: SELECT")

    caller = server.caller()
    monkeypatch.setattr(type(server.service.writer), "submit", broken)
    answer = caller.post("/v1/allocations", json=allocation("a"))

    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/fault")
    assert answer.json()["instance"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text
