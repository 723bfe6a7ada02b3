"""The command as a user runs it: a real process, with its exit code, what it prints and what it says."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tests.harness import copy_ledger

_FOLDER = TemporaryDirectory(prefix="quotaledger-cli-")
"""Goes when the tests end."""

ROOT = Path(__file__).parent.parent.parent

FILES = ["quota.duckdb", "quota.duckdb.checkpoints", "quota.duckdb.key"]
"""What making a ledger makes."""
PARTIES = """\
party,name,headquarters,parent
ALPHA,Alpha,AE,
USCO,Us Company,US,
SUB,Sub of Us,AE,USCO
"""
COUNTED = (
    "SELECT (SELECT count(*) FROM decisions) AS decisions, (SELECT count(*) FROM batches) AS batches, sequence, leaf"
    " FROM head"
)
HEADER = "reference,kind,date,destination,consignee,chip,quantity"
GOOD = "a1,allocation,2026-03-01,AE,ALPHA,H100,10"


def environment(**more: str) -> dict[str, str]:
    """Give the environment of a process: nothing of the tests' own but what Python needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | more


def arguments(ledger: Path, words: Sequence[str | bytes | Path]) -> list[str | bytes | Path]:
    """Give what starts the command."""
    return [sys.executable, "-m", "ledger", "--ledger", ledger, *words]


@dataclass(frozen=True)
class Ran:
    """What a run of the command gave."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The last line on standard error: the sentence that says why the command failed."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""


@dataclass(frozen=True)
class Ledger:
    """A ledger in a folder of its own, where the command is run."""

    folder: Path

    @property
    def path(self) -> Path:
        """The ledger's file."""
        return self.folder / "quota.duckdb"

    def run(
        self, *words: str | bytes | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None, ledger: str = ""
    ) -> Ran:
        """Run the command; no run may ever end in a traceback."""
        path = self.folder / ledger if ledger else self.path
        done = subprocess.run(
            arguments(path, words),
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=300,
            env=environment(**(env or {})),
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ran.out + ran.err, ran.err
        assert "should not have happened" not in ran.err, ran.err
        assert "Warning" not in ran.err, ran.err
        return ran

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def rows(self, query: str) -> list[dict[str, object]]:
        """Ask in SQL."""
        ran = self.run("sql", query, "--format", "json")
        assert ran.code == 0, ran.err
        found: list[dict[str, object]] = json.loads(ran.out)
        return found

    def counted(self) -> tuple[object, ...]:
        """Give how many decisions and batches there are, and where the ledger stands: as `sql` does, but fast."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            (row,) = connection.execute(COUNTED).fetchall()
        return tuple(row)


@cache
def _template() -> tuple[Path, tuple[object, ...]]:
    made = Ledger(Path(_FOLDER.name))
    assert made.run("init").code == 0
    made.write("parties.csv", PARTIES)
    assert made.run("register", "parties", "parties.csv").code == 0
    return made.path, made.counted()


def fresh(folder: Path) -> Ledger:
    """Give a ledger with three parties and no record."""
    made = Ledger(folder)
    copy_ledger(_template()[0], made.path)
    return made


def untouched() -> tuple[object, ...]:
    """Give what `counted` gives of a fresh ledger."""
    return _template()[1]
