"""What the tests of verifying begin with."""

from pathlib import Path

import pytest

from tests.harness import copy_ledger
from tests.sequencer.sealed import sealed_ledger


@pytest.fixture
def sealed() -> Path:
    """A ledger with something in every table, closed, not to be changed."""
    return sealed_ledger()


@pytest.fixture
def path(sealed: Path, tmp_path: Path) -> Path:
    """A copy of it to be changed."""
    return copy_ledger(sealed, tmp_path / "ledger.duckdb")
