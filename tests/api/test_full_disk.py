"""A server whose disk is full: told as such, nothing is lost, and it goes on when there is room."""

import shutil
from pathlib import Path

import httpx

from ledger.sequencer.verifying import verify
from tests.api.served import CSV, allocation, record, rows_csv, served
from tests.faults.disk import disk


def test_without_room_it_is_not_ready_and_with_room_it_goes_on(ledger: Path, tmp_path: Path) -> None:
    """Each request is answered with 503 and when to come again; what was sent again is recorded once."""
    file = rows_csv(*(record(f"f{number}") for number in range(300)))
    with disk(tmp_path / "small", 96 << 20) as small:
        for part in ledger.parent.glob(ledger.name + "*"):
            shutil.copy(part, small.folder)
        with served(small.folder / ledger.name) as server:
            caller = server.caller()
            ready = caller.get("/readyz").status_code
            small.fill()
            full = [
                caller.post("/v1/imports", content=file, headers=CSV | {"idempotency-key": "f"}),
                caller.post("/v1/allocations", json=allocation("a"), headers={"idempotency-key": "a"}),
                caller.get("/readyz"),
            ]
            free = next(line for line in _metrics(server.address) if line.startswith("quotaledger_disk_free_bytes"))
            small.make_room()
            again = [
                caller.post("/v1/imports", content=file, headers=CSV | {"idempotency-key": "f"}),
                caller.post("/v1/allocations", json=allocation("a"), headers={"idempotency-key": "a"}),
                caller.get("/readyz"),
            ]
        remarks = verify(small.folder / ledger.name).remarks

        assert small.mounted  # or nothing here was full
        assert ready == 200
        assert [(answer.status_code, "retry-after" in answer.headers) for answer in full] == [(503, True)] * 3
        assert "room" in full[0].json()["detail"]
        assert float(free.split()[1]) < 1 << 20
        assert [answer.status_code for answer in again] == [200, 201, 200]
        assert again[0].json()["admitted"] == 300
        assert remarks == []


def _metrics(address: str) -> list[str]:
    return httpx.get(f"{address}/metrics").text.splitlines()
