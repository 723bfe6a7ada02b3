"""Who holds a ledger's file, since when, for whoever finds it held.

DuckDB locks the file, and the system lets go of the lock when the process ends, however it ends: no lock is ever left
over. The file written here only tells about the holder; one that a killed process has left is not believed.
"""

import getpass
import json
import os
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ledger.core.text import visible

SUFFIX: Final = ".holder"
_WORDS_MAX: Final = 80


def write_holder(path: Path, now: datetime) -> None:
    """Say that this process holds the ledger. Nothing depends on it: where it cannot be written, it is not."""
    words = " ".join(["quotaledger", *sys.argv[1:]])[:_WORDS_MAX]
    said = {"pid": os.getpid(), "host": socket.gethostname(), "does": words, "since": now.astimezone(UTC).isoformat()}
    with suppress(OSError, KeyError):
        said["user"] = getpass.getuser()
    with suppress(OSError):
        path.write_text(json.dumps(said) + "\n", encoding="utf-8")


def remove_holder(path: Path) -> None:
    """Say that nobody holds the ledger any more."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def told_holder(path: Path, pid: int, program: str) -> str:
    """Tell who the process is that DuckDB says to hold the file: what it said of itself, else what the system says."""
    try:
        said = json.loads(path.read_text("utf-8"))
        if said["pid"] == pid:
            since = datetime.fromisoformat(said["since"]).astimezone(UTC)
            who = f"{said.get('user', 'somebody')} on {said['host']}"
            return f"process {pid} ({visible(said['does'])}, by {visible(who)}) since {since:%Y-%m-%d %H:%M:%S} UTC"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # no such file, or not from a version that we know: it is the system's word then
    with suppress(OSError):
        begun = datetime.fromtimestamp(Path(f"/proc/{pid}").stat().st_ctime, UTC)
        return f"process {pid} ({visible(program)}, running since {begun:%Y-%m-%d %H:%M:%S} UTC)"
    return f"process {pid} ({visible(program)})"
