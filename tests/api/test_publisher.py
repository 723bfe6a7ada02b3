"""Publishing while records are recorded."""

import time
from pathlib import Path

import duckdb
import httpx
import pytest

from ledger.api import publisher
from ledger.core.errors import QuotaledgerError
from ledger.sequencer.publishing import copy_of
from ledger.store.publishing import copy_path
from tests.api.served import PATIENCE_SECONDS, Served, allocation, served


def _figure(server: Served, name: str) -> float:
    lines = httpx.get(f"{server.address}/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"quotaledger_{name} ")).split()[1])


def _until(server: Served, name: str, least: float) -> None:
    """Wait until a figure has grown: the metrics say when something was published, and nothing else does."""
    end = time.monotonic() + PATIENCE_SECONDS
    while _figure(server, name) < least:
        assert time.monotonic() < end


def test_the_copy_follows_what_is_recorded(ledger: Path) -> None:
    """It is there soon after the start, has more after more, and its readers need not care that the server writes."""
    with served(ledger, publish=True, publish_seconds=1, publish_share=1) as server:
        caller = server.caller()
        caller.post("/v1/allocations", json=allocation("a")).raise_for_status()
        size = int(caller.get("/v1/checkpoints/latest").text.split("\n")[1])
        _until(server, "copy_leaves", size)
        with duckdb.connect(str(copy_path(ledger)), read_only=True) as reader:
            caller.post("/v1/allocations", json=allocation("b")).raise_for_status()
            _until(server, "copy_leaves", size + 2)
            old = reader.execute("SELECT reference FROM decisions").fetchall()
        with duckdb.connect(str(copy_path(ledger)), read_only=True) as reader:
            new = reader.execute("SELECT reference FROM decisions ORDER BY sequence").fetchall()

    assert (old, new) == ([("a",)], [("a",), ("b",)])
    copy = copy_of(ledger)
    assert copy is not None
    assert copy.publication.leaves == copy.leaves_now == size + 2


def test_what_cannot_be_published_stops_nobody(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted and tried again; requests are answered meanwhile, and nothing is tried where nothing is new."""
    tried: list[float] = []

    def broken(*_: object) -> None:
        tried.append(time.monotonic())
        if len(tried) < 3:
            raise (QuotaledgerError, MemoryError)[len(tried) - 1]("no room")

    with monkeypatch.context() as patched:
        patched.setattr(publisher, "publish", broken)
        with served(ledger, publish=True, publish_seconds=1) as server:
            _until(server, "copy_failures", 2)
            assert server.caller().post("/v1/allocations", json=allocation("a")).status_code == 201

    assert not copy_path(ledger).exists()


def test_publishing_takes_its_part_of_the_time_and_no_more(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a second waits for twenty, whatever the least pause is."""
    waited: list[float] = []
    with served(ledger, publish_seconds=1, publish_share=0.05) as server:
        made = server.service.publisher  # which has not begun
        monkeypatch.setattr(made, "_publish", lambda: 2.0)
        monkeypatch.setattr(made, "_end", _Ending(waited))
        made._run()  # noqa: SLF001 -- the loop itself, with a clock of the test's

    assert waited == [0.0, 40.0]


class _Ending:
    """An end that comes at the second look."""

    def __init__(self, waited: list[float]) -> None:
        self._waited = waited

    def wait(self, seconds: float) -> bool:
        self._waited.append(seconds)
        return len(self._waited) > 1

    def set(self) -> None:
        """End."""

    def is_set(self) -> bool:
        """Say if it has come."""
        return True
