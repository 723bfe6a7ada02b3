"""A PostgreSQL server of the benchmark's own, and records through it by psql: no other client has to be installed."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

_SQL: Final = Path(__file__).with_suffix(".sql")
_PROGRAMS: Final = ("postgres", "initdb", "psql")
_PLACES: Final = "usr/lib/postgresql"
"""Where Debian has its versions, which are not on the path."""
_PREFERRED: Final = "15"
_UNPRIVILEGED: Final = "nobody"
_LOG: Final = "log"
_WAIT_SECONDS: Final = 30
_SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
}
"""Durable, on a socket alone; with room enough that nothing waits for a checkpoint."""
_NOW: Final = "SELECT 'at ' || extract(epoch FROM clock_timestamp());"

Record = tuple[str, str, str, str, str, str, int]
"""Reference, kind, date, destination, consignee, chip and quantity."""


def find_programs() -> Path | None:
    """Give the folder of PostgreSQL's programs, 15 rather than another; None if it is not here."""
    places = Path("/", _PLACES)
    folders = sorted(places.glob("*/bin"), key=lambda folder: folder.parent.name != _PREFERRED)
    known = shutil.which("postgres")
    folders += [Path(known).resolve().parent] if known else []
    return next((folder for folder in folders if all((folder / name).exists() for name in _PROGRAMS)), None)


class NotServed(Exception):
    """PostgreSQL is here, but no server could be started."""


class Postgres:
    """A server that runs, and its client."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder

    def run(self, script: str) -> str:
        """Run a script of SQL, each statement on its own unless the script says otherwise, and give what it prints."""
        psql = [str(self.programs / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-U", "bench"]
        done = subprocess.run([*psql, "-d", "postgres"], input=script, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"psql: {done.stderr}")
        return done.stdout

    @property
    def version(self) -> str:
        """Give its version."""
        return self.run("SHOW server_version;").split()[0]

    def prepare(self, chips: Mapping[str, int], countries: Iterable[str], cap: int) -> None:
        """Make the tables, with chips and countries."""
        self.run(
            _SQL.read_text("utf-8")
            + _inserts("chip (chip, tpp)", chips.items())
            + _inserts("balance (country, cap)", ((country, cap) for country in countries))
        )

    def one_by_one(self, provider: str, records: Sequence[Record], warm: int) -> tuple[float, list[str]]:
        """Send records one at a time, each in its own transaction. Gives the seconds of all after the first ones."""
        types = "text, text, text, date, text, text, text, bigint"
        lines = [f"PREPARE decide ({types}) AS SELECT decide($1, $2, $3, $4, $5, $6, $7, $8);"]
        lines += [f"EXECUTE decide ({_values((provider, *record))});" for record in records]
        lines.insert(1 + warm, _NOW)
        return _timed(self.run("\n".join([*lines, _NOW, ""])))

    def in_batches(self, provider: str, batches: Sequence[Sequence[Record]]) -> tuple[float, list[str]]:
        """Send batches, each a statement that decides its records in order. Gives the seconds of all."""
        lines = [_NOW]
        for batch in batches:
            given = ", ".join(f"({_values((provider, *record))})" for record in batch)
            columns = "p, r, k, d, c, o, h, q"
            lines.append(f"SELECT decide(p, r, k, d::date, c, o, h, q) FROM (VALUES {given}) AS given ({columns});")
        return _timed(self.run("\n".join([*lines, _NOW, ""])))


@contextmanager
def serving(programs: Path) -> Iterator[Postgres]:
    """Start a server in a folder of its own, as a user without privileges, and end it by its id.

    Raises NotServed if that is impossible here.
    """
    # Not in the benchmark's folder: that is root's alone, and the path of a socket may not be long.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        server = _started(programs, folder)
        try:
            served = Postgres(programs, folder)
            _wait(server, served)
            yield served
        finally:
            _end(server)
    finally:
        shutil.rmtree(folder)


def _started(programs: Path, folder: Path) -> "subprocess.Popen[bytes]":
    data, log = str(folder / "data"), folder / _LOG
    initdb = [str(programs / "initdb"), "-D", data, "-U", "bench", "--auth=trust", "-E", "UTF8", "--no-locale"]
    settings = _SETTINGS | {"unix_socket_directories": str(folder)}
    command = [str(programs / "postgres"), "-D", data]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    user: dict[str, Any] = {}
    try:
        if os.geteuid() == 0:  # as which PostgreSQL does not run
            who = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(folder, who.pw_uid, who.pw_gid)
            user = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        with log.open("wb") as file:
            subprocess.run(initdb, check=True, stdout=file, stderr=file, cwd=folder, **user)
            return subprocess.Popen(command, stdout=file, stderr=file, cwd=folder, **user)
    except (OSError, KeyError, subprocess.SubprocessError) as error:
        raise NotServed(_last_line(log, str(error))) from None


def _wait(server: "subprocess.Popen[bytes]", served: Postgres) -> None:
    """Wait until it answers."""
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until and server.poll() is None:
        with suppress(ValueError):
            served.run("SELECT 1;")
            return
        with suppress(subprocess.TimeoutExpired):
            server.wait(0.1)
    raise NotServed(_last_line(served.folder / _LOG, "it does not answer"))


def _last_line(log: Path, otherwise: str) -> str:
    lines = log.read_text("utf-8", "replace").split("\n") if log.exists() else []
    return next((line for line in reversed(lines) if line.strip()), otherwise)


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.send_signal(signal.SIGINT)  # end now, and tidily: with SIGTERM it would wait for its clients
    try:
        server.wait(_WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _inserts(table: str, rows: Iterable[tuple[str, int]]) -> str:
    return f"INSERT INTO {table} VALUES {', '.join(f'({_values(row)})' for row in rows)};\n"


def _values(values: Iterable[object]) -> str:
    return ", ".join(str(value) if isinstance(value, int) else f"'{_doubled(str(value))}'" for value in values)


def _doubled(text: str) -> str:
    return text.replace("'", "''")


def _timed(printed: str) -> tuple[float, list[str]]:
    """Give the seconds between two times that a script printed, and the answers: starting psql is not measured."""
    times = [float(time) for time in re.findall(r"^at ([\d.]+)$", printed, re.MULTILINE)]
    return times[1] - times[0], [line for line in printed.splitlines() if not line.startswith("at ")]
