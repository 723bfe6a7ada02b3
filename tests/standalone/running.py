"""Running the stand-alone verifier as a user does, away from the ledger."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.standalone.exports import Export, key_text, rotated_log

ROOT: Final = Path(__file__).parent.parent.parent
SOURCE: Final = ROOT / "ledger/standalone/verify.py"


def run(program: Path, *arguments: str | Path) -> tuple[int, str]:
    """Run the verifier without the ledger's folder or environment, and give exit code and what it says."""
    command = [sys.executable, "-I", "-W", "error", program, *arguments]
    done = subprocess.run(command, capture_output=True, check=False, cwd=program.parent, text=True, encoding="utf-8")
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def verdict(program: Path, folder: Path, export: Export, *keys: str) -> tuple[int, str]:
    """Write an export and verify it."""
    export.write(folder, export.root() if "leaves.ndjson" not in export.files else b"")
    return run(program, folder, *(part for text in keys for part in ("--key", text)))


def stated(program: Path, folder: Path, what: str, text: str | bytes, *keys: Any) -> tuple[int, str]:
    """Verify a receipt or a statement."""
    (folder / "stated.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    return run(program, what, folder / "stated.json", *(part for one in keys for part in ("--key", key_text(one))))


def planted(program: Path, folder: Path, plant: Callable[[Export], object]) -> tuple[int, str]:
    """Change an export of the rotated log, make its manifest fit as far as that can be, and verify it."""
    export = Export.of(rotated_log())
    plant(export)
    try:
        root = export.root()
    except (KeyError, ValueError, TypeError, AttributeError):
        root = bytes(32)  # of leaves that are none
    export.write(folder, root)
    return run(program, folder)
