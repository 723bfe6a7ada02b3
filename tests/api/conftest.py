"""A server of its own for a test: the real one, on a free port of the loopback address, in a thread of the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.served import Served, served
from tests.harness import bench
from tests.sequencer.sealed import PARTIES


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger in which 4,000 H100 fill a country, with parties and no record, closed."""
    with bench(tmp_path, country_cap_tpp="63_328_000", lpp_annual_tpp="0") as made:
        made.register("parties", *PARTIES)
        return made.ledger.path


@pytest.fixture
def server(ledger: Path) -> Iterator[Served]:
    """That ledger, served."""
    with served(ledger) as made:
        yield made
