"""The stand-alone verifier, as somebody has it who has nothing else of this project."""

import shutil
from pathlib import Path

import pytest

from tests.standalone.running import SOURCE


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the verifier that lies far from the ledger."""
    return Path(shutil.copy(SOURCE, tmp_path_factory.mktemp("elsewhere") / "verify.py"))
