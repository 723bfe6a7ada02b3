"""The server under load: single allocations, beside an endpoint that does nothing, and a large file over HTTP."""

import asyncio
import json
import signal
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from ledger.sequencer.keys import create_key
from schemas.access import Scope
from tests.api.process import serving
from tests.benchmarks import measures
from tests.benchmarks.results import Result, progress
from tests.benchmarks.workload import one_record
from tests.harness import copy_ledger

CLIENTS: Final = (1, 8, 64)
_SECONDS: Final = 5.0
_NOTHING: Final = b"GET /healthz HTTP/1.1\r\nHost: ledger\r\n\r\n"


def measure_serving(folder: Path, base: Path, records: Path, rows: int) -> list[Result]:
    """Measure a server of a copy of a ledger: requests a second, and `records`, a Parquet file, as one import."""
    progress("the server under load")
    path = copy_ledger(base, folder / "served.duckdb")
    key = create_key(path, measures.PROVIDER, Scope.IMPORT, None, datetime.now(UTC), measures.PROVIDER).secret
    results: list[Result] = []
    with serving(path) as process:
        for clients in CLIENTS:
            nothing, _ = measures.apart(load, process.address, key, clients, True)
            rate, waits = measures.apart(load, process.address, key, clients, False)
            what = f"allocations over HTTP, durable, clients at once: {clients}"
            must = 0.25 if clients == max(CLIENTS) else None
            results += [
                Result(what, rate, "1/s", nothing, must, base="requests that do nothing", is_least=True),
                Result(f"{what}: p50", 1_000 * statistics.median(waits), "ms"),
                Result(f"{what}: p99", 1_000 * sorted(waits)[int(len(waits) * 0.99)], "ms"),
            ]
        process.stop(signal.SIGTERM)
    progress(f"{rows:,} records over HTTP")
    local = [measures.apart(measures.load, copy_ledger(base, folder / "local.duckdb"), [records])[0] for _ in range(3)]
    remote = [measures.apart(partial(upload, folder, base), records) for _ in range(3)]
    over = statistics.median(remote)
    base_seconds = statistics.median(local)
    return [*results, Result(f"import of {rows:,} records over HTTP", over, "s", base_seconds, 1.3, base="in process")]


def load(address: str, key: str, clients: int, nothing: bool) -> tuple[float, Sequence[float]]:
    """Send requests from so many clients, each the next when it is answered. Gives requests a second, and each wait."""
    return asyncio.run(_loaded(address, key, clients, nothing=nothing))


def upload(folder: Path, base: Path, records: Path) -> float:
    """Send a file to a server of its own, and ask until it is recorded. Gives seconds."""
    path = copy_ledger(base, folder / "remote.duckdb")
    key = create_key(path, measures.PROVIDER, Scope.IMPORT, None, datetime.now(UTC), measures.PROVIDER).secret
    headers = {"authorization": f"Bearer {key}", "content-type": "application/vnd.apache.parquet"}
    with serving(path) as process, httpx.Client(base_url=process.address, headers=headers, timeout=600) as client:
        client.get("/v1/checkpoints/latest")
        start = time.perf_counter()
        with records.open("rb") as content:
            answer = client.post("/v1/imports", content=content)
        while client.get(answer.headers["location"]).json()["state"] != "done":
            time.sleep(0.02)
        spent = time.perf_counter() - start
        process.stop(signal.SIGTERM)
    return spent


async def _loaded(address: str, key: str, clients: int, *, nothing: bool) -> tuple[float, Sequence[float]]:
    waits: list[float] = []
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for client in range(clients):
            group.create_task(_client(address, key, client, waits, start + _SECONDS, nothing=nothing))
    return len(waits) / (time.perf_counter() - start), waits


async def _client(address: str, key: str, client: int, waits: list[float], end: float, *, nothing: bool) -> None:
    """Send and wait, over one connection, with as little work as there can be: it has the same processors."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    run = f"{time.time_ns()}-{client}"
    while (began := time.perf_counter()) < end:
        writer.write(_NOTHING if nothing else _request(key, run, len(waits)))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.partition(b":")[2]))
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise RuntimeError(body.decode())
        waits.append(time.perf_counter() - began)
    writer.close()


def _request(key: str, run: str, number: int) -> bytes:
    given = {name: value for name, value in one_record(number).items() if name != "kind"}
    body = json.dumps(given | {"reference": f"{run}-{number}", "quantity": 1}).encode()
    head = (
        "POST /v1/allocations HTTP/1.1\r\nHost: ledger\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
