"""The program of a sandboxed process: opens the copy for reading, and answers one query after another.

Started with the number of the descriptor on which it answers. A query comes as a line of JSON on standard input; the
answer is a line of JSON with `bytes`, and behind it so many bytes. Nothing that SQL can write to is that descriptor.
"""

import contextlib
import json
import os
import resource
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

import duckdb
import pyarrow as pa

from ledger.sandbox.judging import Catalogue, Refused, catalogue
from ledger.sandbox.running import Limits, run
from ledger.store.publishing import PUBLICATION

_SETTINGS: Final = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "python_scan_all_frames": "false",
    "max_temp_directory_size": "0B",
    "temp_directory": "",
    "secret_directory": "none",
    "home_directory": "none",
    # What this changes from one time to the next, the order of rows and sums of floats, is said not to be reproducible.
    "threads": "2",
}
_FILES_MAX: Final = 64
_LOOK_SECONDS: Final = 1.0
"""So often it is looked whether another copy was published."""
_CPU_GRACE: Final = 2


class _Copy:
    """The copy, open, and which file it is.

    Each query has a connection of its own, so that nothing that one makes is there for the next; what the connections
    share are the settings, which are locked, and what of the file was read already.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self.file = _identity(name)
        settings: dict[str, Any] = {**_SETTINGS, "memory_limit": f"{limits.memory * 3 // 4}B"}
        self.connection = duckdb.connect(name, read_only=True, config=settings)
        for setting in ("TimeZone = 'UTC'", f"max_execution_time = {int(1000 * limits.seconds)}"):
            self.connection.execute(f"SET GLOBAL {setting}")
        self.connection.execute("SET lock_configuration = true")
        self.known: Catalogue = catalogue(self.connection)
        query = f"SELECT published_at, sequence, leaves, checkpoint FROM {PUBLICATION}"
        ((published, sequence, leaves, checkpoint),) = self.connection.execute(query).fetchall()
        self.facts = {
            "published_at": published.isoformat(),
            "sequence": sequence,
            "leaves": leaves,
            "checkpoint": checkpoint,
        }
        # So that the first query need not wait for what is done once.
        self.connection.sql(f"FROM {PUBLICATION}").to_arrow_table()
        self._attached = self._databases()

    @contextlib.contextmanager
    def asked(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection for one query. Ends the process if the query has brought another database."""
        with self.connection.cursor() as own:
            yield own
        if self._databases() != self._attached:
            os._exit(1)

    def _databases(self) -> list[Any]:
        return self.connection.execute("SELECT database_oid FROM duckdb_databases()").fetchall()


def _identity(name: str) -> tuple[int, int] | None:
    """Say which file a name stands for now; None where it stands for none, as before anything was published."""
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(name)  # noqa: PTH116
        return found.st_dev, found.st_ino
    return None


def _confine(memory: int) -> None:
    """Take from this process what no query needs. What it has already is not counted."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    for what, most in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _FILES_MAX),
    ):
        resource.setrlimit(what, (most, most))


def _grant(seconds: float) -> None:
    """Give the next query its time on the processor: beyond it the process is ended, whatever it does."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + seconds) + _CPU_GRACE
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _answer(copy: _Copy, asked: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], bytes]:
    _grant(limits.seconds)
    about = {name: str(copy.facts[name]) for name in ("checkpoint", "sequence")}
    try:
        with copy.asked() as own:
            facts, content = run(own, copy.known, asked["query"], asked["parameters"], asked["format"], limits, about)
    except Refused as error:
        return {"error": str(error), "kind": "refused"}, b""
    except (MemoryError, duckdb.OutOfMemoryException, pa.ArrowMemoryError):
        return {"error": "the query takes more memory than it may", "kind": "stopped"}, b""
    except duckdb.InterruptException:
        return {
            "error": f"the query takes more than the {limits.seconds:g} seconds that it may",
            "kind": "stopped",
        }, b""
    except (duckdb.Error, pa.ArrowException, ValueError, OverflowError, RecursionError) as error:
        return {"error": _reason(error), "kind": "refused"}, b""
    return facts | copy.facts, content


def _reason(error: Exception) -> str:
    """Give DuckDB's own words on one line, without the picture of where and what to install."""
    words = str(error).partition("\nLINE ")[0].partition("\n\nPlease try")[0]
    return " ".join(line.strip() for line in words.splitlines() if line.strip()) or type(error).__name__


def main() -> None:
    """Answer until standard input ends."""
    begun = json.loads(sys.argv[2])
    limits = Limits(**begun["limits"])
    lines: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    with open(int(sys.argv[1]), "wb") as answers:  # noqa: PTH123
        copy = _Copy(begun["copy"], limits)
        _confine(limits.memory)
        while True:
            _say(answers, {"ready": True}, b"")
            line = None
            while not line:
                with contextlib.suppress(Empty):
                    line = lines.get(timeout=_LOOK_SECONDS)
                # Another was published; also while nobody asks, since the old one takes room until it is let go.
                try:
                    copy = _newest(copy, begun["copy"], limits)
                except (duckdb.Error, OSError):
                    _say(answers, {"error": "the published copy cannot be read", "kind": "unavailable"}, b"")
                    return
            _say(answers, *_answer(copy, json.loads(line), limits))


def _newest(copy: _Copy, name: str, limits: Limits) -> _Copy:
    """Give the copy that a name stands for now. Raises duckdb.Error and OSError where that cannot be opened."""
    if _identity(name) in (copy.file, None):
        return copy
    _grant(limits.seconds)
    copy.connection.close()  # or DuckDB would take the one for the other: they have one name
    return _Copy(name, limits)


def _say(answers: Any, facts: dict[str, Any], content: bytes) -> None:
    answers.write(json.dumps(facts | {"bytes": len(content)}).encode() + b"\n" + content)
    answers.flush()


def _read(lines: "SimpleQueue[str]") -> None:
    """Read what is asked; when nothing more can come, because the server has gone, end at once."""
    with contextlib.suppress(Exception):
        for line in sys.stdin:
            lines.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
