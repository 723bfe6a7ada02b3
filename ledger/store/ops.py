"""The operational store `<ledger>.ops`: what decides nothing of the past, in SQLite beside the ledger.

A server holds the ledger's own file, and nobody else can open it then; keys must be made and revoked all the same.
SQLite lets several processes read and write, and what one has committed is seen by the next read of every other.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock, RLock
from typing import Any, Final, Self

from ledger.core.errors import LedgerUnavailable, NoRoom, QuotaledgerError, WrongUsage
from ledger.store import leftovers
from ledger.store.file import beside, see_file

SUFFIX: Final = ".ops"
FORMAT: Final = 3
"""Kept in the file as `user_version`; software that knows less than it finds leaves it alone."""
_APPLICATION: Final = 0x716C6F70
"""`qlop`: tells the file from other SQLite files."""
_OWNER_ONLY: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_WAIT_SECONDS: Final = 5
_PRIMARY: Final = 0xFF
"""The part of SQLite's result code that names the kind of error."""
_TABLES: Final = """
CREATE TABLE api_key (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT,
    provider TEXT NOT NULL,
    scope TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    created_by TEXT NOT NULL,
    last_used_at TEXT
);
CREATE TABLE permission (
    provider TEXT NOT NULL,
    party TEXT NOT NULL,
    granted_at TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    revoked_at TEXT
);
CREATE UNIQUE INDEX permission_in_force ON permission (provider, party) WHERE revoked_at IS NULL;
"""
_QUERIES: Final = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS query (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    provider TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    query TEXT NOT NULL,
    outcome TEXT NOT NULL,
    rows INTEGER,
    bytes INTEGER,
    seconds REAL NOT NULL,
    sequence INTEGER
);
PRAGMA user_version = 2;
COMMIT;
"""
"""What format 2 has more than format 1."""
_OUTGOING: Final = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS delivery (
    id TEXT NOT NULL PRIMARY KEY,
    report TEXT,
    period TEXT,
    bulletin INTEGER,
    recipient TEXT NOT NULL,
    planned_at TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at TEXT NOT NULL,
    delivered_at TEXT,
    error TEXT,
    CHECK ((report IS NULL) = (period IS NULL) AND (report IS NULL) <> (bulletin IS NULL))
);
CREATE TABLE IF NOT EXISTS alert (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    bulletin INTEGER,
    subject TEXT NOT NULL,
    level TEXT NOT NULL,
    sentence TEXT NOT NULL,
    raised_at TEXT NOT NULL,
    acknowledged_at TEXT,
    acknowledged_by TEXT
);
CREATE TABLE IF NOT EXISTS alert_level (
    subject TEXT NOT NULL PRIMARY KEY,
    level TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS alert_look (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL,
    batch INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS alert_mute (
    subject TEXT NOT NULL PRIMARY KEY,
    muted_at TEXT NOT NULL,
    muted_by TEXT NOT NULL,
    until TEXT
);
PRAGMA user_version = 3;
COMMIT;
"""
"""What format 3 has more than format 2: what goes out to whom, and what there is to be warned of."""
_STEPS: Final = {1: _QUERIES, 2: _OUTGOING}
"""What brings a store of a format to the next."""
_making = Lock()
"""Two threads of a process would take each other's unfinished file for a leftover."""


def ops_path(ledger: Path) -> Path:
    """Give where the operational store of a ledger is, or will be."""
    return beside(ledger, SUFFIX)


class Ops:
    """An open operational store. Any number of threads may use it, and other processes have it open as well.

    Everything raises QuotaledgerError where the file is damaged, of a newer format, or cannot be written, and
    LedgerUnavailable where another process writes for longer than anybody should.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()  # a read takes microseconds, which is less than a connection for each thread would cost
        self._identity = _identity(_made(path))
        with _told(path):
            self._connection = _connect(path)
            try:
                _see_format(path, self._connection)
            except BaseException:
                self._connection.close()
                raise

    @classmethod
    def open(cls, ledger: Path) -> Self:
        """Open the store of a ledger, made if there is none yet; the ledger itself is not opened.

        Raises LedgerUnavailable if there is no ledger.
        """
        see_file(ledger, f"make one with `quotaledger --ledger {ledger} init`")
        return cls(ops_path(ledger))

    @classmethod
    @contextmanager
    def found(cls, ledger: Path) -> Iterator[Self | None]:
        """Open the store of a ledger for a while, or give None if nothing was ever kept: reading makes no file."""
        see_file(ledger, f"make one with `quotaledger --ledger {ledger} init`")
        if not os.path.lexists(ops_path(ledger)):
            yield None
            return
        with cls.open(ledger) as ops:
            yield ops

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Give the rows of a query, as of now: what any process has committed is seen."""
        with self._lock, _told(self.path):
            return self._current().execute(query, parameters).fetchall()

    def write(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement, durable when this returns, and give how many rows it changed."""
        with self._lock, _told(self.path):
            return self._current().execute(statement, parameters).rowcount

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have all that is read and written inside done as one, or none of it; nobody else writes meanwhile."""
        with self._lock, _told(self.path):
            connection = self._current()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    def note(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement that nobody waits for and nothing depends on: where it cannot be written now, it is not."""
        with self._lock, _told(self.path):
            connection = self._current()
            connection.execute("PRAGMA busy_timeout = 0")
            try:
                connection.execute(statement, parameters)
            except sqlite3.OperationalError:  # busy, full or read-only; damage is another error, and is told
                return
            finally:
                connection.execute(f"PRAGMA busy_timeout = {_WAIT_SECONDS * 1000}")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current(self) -> sqlite3.Connection:
        """Give the connection, if the file that it was made to is in its place still.

        Otherwise keys that others revoke in the new file would go on being good here. To open that one instead would be
        no help: SQLite would add to it what waits in the log of the old one.
        """
        found = _found(self.path)
        if found is None or _identity(found) != self._identity:
            raise QuotaledgerError(
                f"{self.path} was moved, or another file put in its place, while it was in use: end all that use it,"
                " see that the right file is there, and start again"
            )
        return self._connection


def _identity(found: os.stat_result) -> tuple[int, int]:
    """Give what tells a file from another one of its name."""
    return found.st_dev, found.st_ino


def _found(path: Path) -> os.stat_result | None:
    """Ask about a file, by its name: to open and close it would take away the locks that SQLite has on it here."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise QuotaledgerError(f"{path} cannot be opened: {error.strerror or error}") from None


def _made(path: Path) -> os.stat_result:
    """Give what is known of a store that nobody but its owner may open; it is made if there is none."""
    if not _found(path):
        _make(path)
    found = _found(path)
    if found is None or not stat.S_ISREG(found.st_mode):
        raise QuotaledgerError(f"{path} is no file, and the keys to the ledger's API belong there; move it away")
    if found.st_mode & _OTHERS:
        raise QuotaledgerError(
            f"others may read or change the keys at {path} (mode {stat.S_IMODE(found.st_mode):04o}); keep it to"
            f" yourself with `chmod 600 {path}`, and look through `quotaledger key list`"
        )
    return found


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",  # makes no file: one that vanishes meanwhile is an error, not an empty store
        uri=True,
        timeout=_WAIT_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # the lock of `Ops` lets in one thread at a time
    )
    connection.execute("PRAGMA synchronous = FULL")  # a revocation survives a crash
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _make(path: Path) -> None:
    """Make a store without a row, mode 0600, which appears when it is whole, unless there is one by then."""
    made = leftovers.unfinished(path)
    log = path.with_name(path.name + "-wal")
    with _making:
        if log.exists() and not _found(path):  # in this order: whoever makes a store now makes its log after it
            raise QuotaledgerError(
                f"{path} is gone, but {log.name} is there: put back what belongs to it, or move it away"
            )
        leftovers.clear(path)
        try:
            # Its companions `-wal` and `-shm` get the mode that it has.
            os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
            with _told(path), closing(_connect(made)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")  # readers never wait for a writer
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.executescript(_TABLES)
                for step in _STEPS.values():
                    connection.executescript(step)
            with suppress(WrongUsage):  # another process was quicker: its store is as good
                leftovers.give_name(made, path)
        except OSError as error:
            raise QuotaledgerError(f"no keys can be kept at {path}: {error.strerror or error}") from None
        finally:
            with suppress(OSError):
                made.unlink(missing_ok=True)


def _see_format(path: Path, connection: sqlite3.Connection) -> None:
    ((application,),) = connection.execute("PRAGMA application_id")
    ((found,),) = connection.execute("PRAGMA user_version")
    if application == _APPLICATION and found > FORMAT:
        raise QuotaledgerError(f"{path} has format {found}, and this version knows {FORMAT}: use a newer quotaledger")
    ((soundness,),) = connection.execute("PRAGMA quick_check(1)")
    if application != _APPLICATION or not 0 < found <= FORMAT or soundness != "ok":
        raise damaged(path)
    for step in range(found, FORMAT):
        connection.executescript(_STEPS[step])


def damaged(path: Path) -> QuotaledgerError:
    """Give the error that says that what is in the file cannot be relied on."""
    return QuotaledgerError(
        f"{path} is damaged, or no store of keys: put a copy of it back, or move it away and make new keys"
        " (`quotaledger key create`)"
    )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say what went wrong with a store in words."""
    try:
        yield
    except sqlite3.ProgrammingError:  # ours alone
        raise
    except sqlite3.Error as error:
        raise _in_words(path, error) from None


def _in_words(path: Path, error: sqlite3.Error) -> QuotaledgerError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & _PRIMARY
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LedgerUnavailable(f"another process has been writing {path} for {_WAIT_SECONDS} seconds; try again")
    if code == sqlite3.SQLITE_FULL:
        return NoRoom(f"{path} cannot be written: there is no room for it; make some, and try again")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return QuotaledgerError(f"{path} cannot be written ({error}): let its owner write the file and its folder")
    if code == sqlite3.SQLITE_IOERR:
        return QuotaledgerError(f"{path} cannot be read or written ({error}); see whether its disk is full or failing")
    return damaged(path)
