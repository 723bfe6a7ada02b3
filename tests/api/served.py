"""Servers for tests, and callers with keys of theirs."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from ledger.api.service import Service
from ledger.api.serving import listening, made_server
from ledger.api.settings import ApiSettings
from ledger.sequencer.keys import create_key
from ledger.sequencer.publishing import publish
from schemas.access import Scope

PATIENCE_SECONDS = 60
"""After which an answer that has not come is taken for one that never will: nothing is measured."""
ALLOCATION: dict[str, Any] = {"destination": "AE", "consignee": "ALPHA", "chip": "H100", "date": "2026-03-01"}
CSV = {"content-type": "text/csv"}


@dataclass
class Served:
    """A ledger that is served at an address."""

    path: Path
    address: str
    service: Service
    _clients: list[httpx.Client] = field(default_factory=list)

    def caller(self, provider: str = "acme", scope: Scope = Scope.IMPORT) -> httpx.Client:
        """Give a client with a new key."""
        key = create_key(self.path, provider, scope, None, datetime.now(UTC), "tests").secret
        self._clients.append(
            httpx.Client(base_url=self.address, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE_SECONDS)
        )
        return self._clients[-1]

    def close(self) -> None:
        """Let go of all connections."""
        for client in self._clients:
            client.close()


@contextmanager
def served(path: Path, **settings: Any) -> Iterator[Served]:
    """Serve a ledger until the end of the block, which waits for what was accepted."""
    usual = {
        "port": 0,
        "requests_per_second": 100_000,
        "requests_at_once": 100_000,
        "publish": False,
        "schedule": False,
    }
    chosen = ApiSettings(**usual | settings)
    with listening(chosen) as socket:
        service = Service(path, chosen)
        server = made_server(service)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[socket])))
        thread.start()
        host, port = socket.getsockname()[:2]
        made = Served(path, f"http://{host}:{port}", service)
        try:
            yield made
        finally:
            made.close()
            server.should_exit = True
            thread.join()
            service.close()


def publish_copy(server: Served) -> None:
    """Publish the copy that queries are asked of, now."""
    with server.service.writer.reading() as desk:
        publish(desk.ledger, desk.now)


def rows_csv(*rows: dict[str, Any]) -> bytes:
    """Write rows as CSV."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(names), *(",".join(str(row.get(name, "")) for name in names) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def allocation(reference: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """Give a request that is admitted while there is room."""
    return ALLOCATION | {"reference": reference, "quantity": quantity} | more


def record(reference: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """Give a row of a file that is admitted while there is room."""
    return {"kind": "allocation"} | allocation(reference, quantity, **more)
