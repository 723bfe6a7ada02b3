"""Requests made from the OpenAPI document that nobody thought of: every answer is as the document says."""

import subprocess
import sys
from pathlib import Path

from schemas.access import Scope
from tests.api.served import Served, publish_copy

_CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
_EXAMPLES = 6


def test_every_answer_is_as_the_document_says(server: Served, tmp_path: Path) -> None:
    """Examples, edges, chance, and calls that follow one another, with all checks; the same ones each time."""
    publish_copy(server)
    key = str(server.caller("boss", Scope.ADMIN).headers["authorization"])
    words = ["-m", "schemathesis.cli", "--config-file", str(_CONFIGURATION), "run", f"{server.address}/openapi.json"]
    words += ["-H", f"Authorization: {key}", "--checks", "all", "--max-examples", str(_EXAMPLES)]
    words += ["--seed", "7", "--generation-deterministic", "--no-color", "--workers", "1"]
    told = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=600
    )

    assert told.returncode == 0, told.stdout[-6_000:]
    assert " passed" in told.stdout
