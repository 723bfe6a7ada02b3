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
from tests.api.test_imports import ended
from tests.harness import bench
from tests.sequencer.sealed import PARTIES

JSON = {"content-type": "application/json"}
_LEAKS = ("Traceback", 'File "', "duckdb", "SELECT", "site-packages", ".py", ".duckdb", "sqlite")


def _parquet(**columns: Any) -> bytes:
    return _parquet_of(pa.table(columns))


def _arrow(table: pa.Table, compression: str | None = None) -> bytes:
    written = BytesIO()
    with pa.ipc.new_stream(written, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as stream:
        stream.write_table(table)
    return written.getvalue()


def _arrow_file(table: pa.Table) -> bytes:
    written = BytesIO()
    with pa.ipc.new_file(written, table.schema) as file:
        file.write_table(table)
    return written.getvalue()


def _record(**more: Any) -> dict[str, list[Any]]:
    return {name: [value] for name, value in (record("a") | more).items()}


def _parquet_of(table: pa.Table) -> bytes:
    written = BytesIO()
    pq.write_table(table, written)
    return written.getvalue()


PARQUET = {"content-type": "application/vnd.apache.parquet"}
ARROW = {"content-type": "application/vnd.apache.arrow.stream"}
NDJSON = {"content-type": "application/x-ndjson"}
DEEP = b'{"reference":' * 50_000
HOSTILE: dict[str, tuple[str, bytes, dict[str, str], int]] = {
    "no body": ("/v1/imports", b"", CSV, 400),
    "blanks": ("/v1/imports", b"\n\n\n", CSV, 422),
    "no type": ("/v1/imports", b"x", {}, 415),
    "another charset": ("/v1/imports", rows_csv(record("a")), {"content-type": "text/csv; charset=latin-1"}, 415),
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
    "Arrow with compressed buffers": ("/v1/imports", _arrow(pa.table(_record()), "zstd"), ARROW, 422),
    "an Arrow file, which is no stream": ("/v1/imports", _arrow_file(pa.table(_record())), ARROW, 422),
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


def test_a_run_of_one_value_is_stopped_at_the_limit(ledger: Path) -> None:
    """Two kilobytes that say 300 million rows are refused before any of them is made, and others are served."""
    run = pa.RunEndEncodedArray.from_arrays(pa.array([300_000_000], pa.int32()), pa.array(["R"]))
    with served(ledger) as server:
        caller = server.caller()
        bomb = _arrow(pa.Table.from_batches([pa.RecordBatch.from_arrays([run] * len(record("a")), list(record("a")))]))
        answer = caller.post("/v1/imports", content=bomb, headers=ARROW)
        after = caller.post("/v1/allocations", json=allocation("a"))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too-many-rows")
    assert after.status_code == 201


def test_an_empty_token_files_nothing(ledger: Path) -> None:
    """A script whose variable is empty is told, and does not lose what the token is for."""
    with served(ledger) as server:
        answer = server.caller().post("/v1/imports", content=rows_csv(record("a")), headers=CSV | {"if-match": ""})

    assert (answer.status_code, verify(ledger).records) == (400, {})


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_few_bytes_with_many_rows_are_stopped_at_the_limit(ledger: Path, kind: str) -> None:
    """Rows that cost nothing to send cost no more than may be; nor do their faults, or what a text repeats."""
    many = pa.table({name: pa.nulls(3_000_000) for name in record("a")})
    bomb, headers = (_parquet_of(many), PARQUET) if kind == "parquet" else (_arrow(many), ARROW)
    assert len(bomb) < 1 << 20
    with served(ledger, rows_max=1_000_000, rejected_max=1_000_000) as server:
        caller = server.caller()
        answer = caller.post("/v1/imports", content=bomb, headers=headers)
        problem = answer.json()

    assert problem["errors"][0]["code"] == "too-many-rows"


def test_a_file_of_which_too_much_is_rejected_is_given_up(ledger: Path) -> None:
    """What is wrong with the first rows is told, and the rest is not looked at; also where bad rows are left out."""
    bomb = _parquet_of(pa.table({name: pa.nulls(600_000) for name in record("a")}))
    with served(ledger, rejected_max=500) as server:
        caller = server.caller()
        for how in ("", "?skip_invalid=true", "?dry_run=true"):
            found = ended(caller, caller.post(f"/v1/imports{how}", content=bomb, headers=PARQUET))
            kept = caller.get(f"{found['decisions']}?limit=10000").json()["decisions"]
            assert found["problem"]["detail"].endswith("The rest was not looked at.")
            assert [row["row"] for row in kept] == list(range(1, 501))
        assert found["records"] == 600_000

    assert verify(ledger).records == {}


def test_a_text_that_a_few_bytes_repeat_is_one_text(ledger: Path) -> None:
    """65,536 rows of a megabyte would be 64 GB, were each of them written out."""
    rows = 65_536
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * (1 << 20)]))
    written = BytesIO()
    pq.write_table(pa.table({"note": texts, "reference": pa.nulls(rows)}), written, store_schema=False)
    with served(ledger) as server:
        answer = server.caller().post("/v1/imports", content=written.getvalue(), headers=PARQUET)

    assert answer.json()["errors"][0]["code"] == "missing-column"


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
