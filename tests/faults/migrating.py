"""The command of a later version that has more migrations: `migrating FOLDER WORDS...`, where FOLDER has `migrations/`.

It is the command itself, told to find its migrations elsewhere.
"""

import sys
from pathlib import Path

from ledger import cli as command
from ledger.store import schema

ROWS = 100_000
"""So much is written by each test migration: long enough to be killed within."""


def later(folder: Path, newest: int) -> Path:
    """Write a folder of migrations: those of this version, and test migrations up to a number."""
    into = folder / "migrations"
    into.mkdir()
    known = schema.migrations()
    for number, (name, text) in known.items():
        (into / f"{number:04d}_{name.replace(' ', '_')}.sql").write_text(text, "utf-8")
    for number in range(max(known) + 1, newest + 1):
        made = f"CREATE TABLE later_{number} AS SELECT range AS number, hash(range) AS digest FROM range({ROWS});"
        (into / f"{number:04d}_test_{number}.sql").write_text(made, "utf-8")
    return folder


def main() -> None:
    """Run the command with the migrations of a folder."""
    at = Path(sys.argv.pop(1))
    vars(schema)["files"] = lambda _: at
    command.main()
