"""A published copy for tests of the sandbox."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ledger.sequencer.publishing import publish
from tests.harness import bench
from tests.sequencer.sealed import ALLOCATION, PARTIES


@dataclass(frozen=True)
class Published:
    """A copy, and what the count of its decisions is answered with."""

    path: Path
    counted: bytes = b'{"columns":[{"name":"n","type":"BIGINT"}],"rows":[[3]]}'


def published(folder: Path, more: int = 0) -> Published:
    """Publish a ledger of three records, and more if wanted."""
    with bench(folder) as made:
        made.register("parties", *PARTIES)
        made.submit("p", *(ALLOCATION | {"reference": f"r{number}", "quantity": 1} for number in range(3 + more)))
        publish(made.ledger, datetime.now(UTC))
        return Published(next(folder.glob("*.published.duckdb")))
