"""The ledger's file: making and opening it, one transaction at a time, and the plain words for what can go wrong."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb

from ledger.core.errors import LedgerUnavailable, NoRoom, QuotaledgerError, VerificationFailed, WrongUsage
from ledger.store import contributions, derived, guard, leftovers, schema
from ledger.store.gathered import Gathered
from ledger.store.holder import SUFFIX as HOLDER_SUFFIX
from ledger.store.holder import remove_holder, told_holder, write_holder
from ledger.store.outside import OutsideCheckpoints
from ledger.store.query import CONFINED, parsed
from ledger.store.query import rows as query_rows
from ledger.store.signing import Signer
from ledger.tlog.checkpoint import Checkpoint

_HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
_LOCK: Final = re.compile(r"\block\b")
"""The word: a damaged block is nobody's lock."""
_NO_ROOM: Final = re.compile("no space left", re.IGNORECASE)
_MUCH: Final = 1 << 23
"""So many bytes that a transaction has left behind are given back to the disk when it is taken back."""


KEY_SUFFIX: Final = ".key"
_LOG_SUFFIX: Final = ".wal"
_NEVER_PAST_LOG: Final = "1TB"
OUTSIDE_SUFFIX: Final = ".checkpoints"


class LedgerFile:
    """An open ledger. One process at a time holds it; close it soon. Use as a context manager."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self._connection = connection
        self._idle = connection.cursor()
        """Asked nothing by anybody, so that any thread may begin another connection from it."""
        self.said: str | None = None
        """The last checkpoint outside before the moment that is seen, where the ledger is read `aside`."""
        self.gathered = Gathered()
        """What is recorded in this transaction and waits for its end."""
        self.signer: Signer | None = None
        """Who signs checkpoints; None for reading alone."""
        self.outside: OutsideCheckpoints | None = None
        self._holder: Path | None = None
        self._in_transaction = False
        self._signed: list[str] = []
        """The checkpoints that were signed in this transaction."""
        self._is_behind = False
        """Whether checkpoints may be committed that are not in the file of outside checkpoints yet."""

    @classmethod
    def create(cls, path: Path, now: datetime, signer: Signer) -> Self:
        """Make a file with the tables and views of a ledger, and nothing in them; it has no outside checkpoints yet.

        Raises WrongUsage if there is a file, QuotaledgerError if none can be made.
        """
        if path.exists():
            raise WrongUsage(f"there is a file at {path} already; choose another path with --ledger")
        try:
            ledger = cls(path, _connect(path, read_only=False))
            schema.migrate(ledger.connection, now)
            derived.derive_again(ledger.connection)
        except duckdb.Error as error:
            raise QuotaledgerError(f"no ledger can be made at {path}: {_reason(error)}") from None
        ledger.signer = signer
        return ledger

    @classmethod
    def blank(cls, path: Path) -> Self:
        """Make a file with the tables of a ledger, into which another one is copied. Raises duckdb.Error."""
        ledger = cls(path, _connect(path, read_only=False))
        schema.make_tables(ledger.connection)
        return ledger

    @classmethod
    def open(cls, path: Path, now: datetime | None = None, key: Path | None = None, *, key_lost: bool = False) -> Self:
        """Open a ledger for writing at an instant `now`, or without one for reading alone.

        `key` is the file of its signing key, beside the ledger unless given; if it is lost, nothing can be recorded
        but the change to another. Raises LedgerUnavailable if the ledger is not there or held by another process;
        QuotaledgerError if it is damaged, was changed by something else, is of a newer version, is behind its outside
        checkpoints or disagrees with them, or if its signing key is not there.
        """
        see_file(path, f"make one with `quotaledger --ledger {path} init`")
        unclosed = beside(path, _LOG_SUFFIX).exists()
        try:
            if now is not None and path.stat().st_nlink > 1:  # the command that made it was killed just then
                leftovers.clear(path.resolve())
            ledger = cls(path, _connect(path, read_only=now is None))
        except duckdb.Error as error:
            raise _unavailable(path, error) from None
        try:
            if now is not None:
                ledger._holder = beside(path, HOLDER_SUFFIX)
                write_holder(ledger._holder, now)
            ledger._make_ready(now, unclosed=unclosed)
            if now is not None:
                if not key_lost:
                    ledger.signer = guard.signer(ledger.connection, key or beside(path, KEY_SUFFIX))
                ledger.outside = OutsideCheckpoints(beside(path, OUTSIDE_SUFFIX))
                guard.hold_head(ledger.connection)
                guard.catch_up(ledger.connection, ledger.outside)
        except duckdb.Error as error:
            ledger.close()
            if _NO_ROOM.search(_reason(error)):
                raise NoRoom(
                    f"{path} cannot be opened for recording: its disk has no room left; make some, and try again"
                ) from None
            raise QuotaledgerError(f"{path} is no ledger, or damaged: {_reason(error)}") from None
        except BaseException:
            ledger.close()
            raise
        return ledger

    @classmethod
    def examine(cls, path: Path) -> Self:
        """Open a ledger for reading alone, whatever was done to it: only its bytes must still make a file of DuckDB's.

        Raises LedgerUnavailable if it is not there or held by another process, VerificationFailed if it is damaged.
        """
        see_file(path, "give the path of one with --ledger")
        try:
            return cls(path, _connect(path, read_only=True))
        except duckdb.Error as error:
            unavailable = _unavailable(path, error)
            raise unavailable if isinstance(unavailable, LedgerUnavailable) else _unreadable(path, error) from None

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection; what waits is inserted first, so that whoever asks sees all that was recorded."""
        self.insert_gathered()
        return self._connection

    @connection.setter
    def connection(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    @contextmanager
    def aside(self) -> Iterator[Self]:
        """Give the ledger as it is now, to be read in any one thread, whatever others record meanwhile.

        Raises QuotaledgerError where the file cannot be read.
        """
        # Before the moment: what is said outside later may not be in it.
        said, _ = OutsideCheckpoints(beside(self.path, OUTSIDE_SUFFIX)).last()
        try:
            with self._idle.cursor() as connection:
                connection.execute("SET TimeZone = 'UTC'; BEGIN TRANSACTION READ ONLY")
                connection.execute("SELECT leaf FROM head").fetchall()  # the first question fixes the moment
                ledger = type(self)(self.path, connection)
                ledger.said = said
                yield ledger
        except duckdb.Error as error:
            raise QuotaledgerError(f"{self.path} cannot be read: {_reason(error)}") from None

    def _make_ready(self, now: datetime | None, *, unclosed: bool) -> None:
        """Bring the file up to date if it may be written to, and check that nothing else has changed its tables."""
        for stranger in schema.strangers(self.connection):
            raise QuotaledgerError(
                f"{self.path} has {stranger}, which quotaledger did not make and which can change what every question"
                " and decision means: it was changed by another program, and what was recorded since is not to be"
                " trusted; go back to a backup"
            )
        schema.check_migrated(self.connection, self.path, writing=now is not None)
        if now is not None:
            if unclosed:
                self._settle_log()
            schema.migrate(self.connection, now)
        if schema.fingerprint(self.connection) != schema.expected_fingerprint():
            raise QuotaledgerError(
                f"the tables or triggers of {self.path} are not as quotaledger made them: it was changed by another"
                " program; go back to a backup"
            )
        if now is not None:
            derived.derive_again(self.connection)
            if contributions.are_many(self.connection):
                with self.transaction() as connection:
                    contributions.gather_balances(connection)

    def _settle_log(self) -> None:
        """Bring what a crash left in the write-ahead log into the file, before anything can go past the log.

        A COMMIT so large that it goes past the log brings the log into the file, too, but DuckDB 2.0 does that wrong
        right after a crash. What it has replayed is then missing in the indexes for good: records that were
        acknowledged would not be found, and be recorded again. And a log of which nothing is whole, as a crash in the
        middle of a COMMIT leaves it, stays beside a file that has moved on, which cannot be opened any more; a small
        COMMIT takes the place of such a log.
        """
        self.connection.execute(f"SET checkpoint_threshold = '{_NEVER_PAST_LOG}'")
        self.connection.execute("CHECKPOINT")
        derived.write_again(self.connection)
        self.connection.execute("CHECKPOINT")
        self.connection.execute("RESET checkpoint_threshold")

    def sign(self, size: int, root: bytes) -> str:
        """Give the signed checkpoint of the log, to be appended in this transaction; outside it goes after that.

        Raises QuotaledgerError if the ledger is open without a signing key, or if the transaction has as many batches
        as it may.
        """
        if self.signer is None:
            raise QuotaledgerError(f"{self.path} was opened without its signing key, and nothing is recorded unsigned")
        if len(self._signed) == guard.BATCHES_MAX:  # were it committed, no opening after a crash would believe it
            raise QuotaledgerError(
                f"nothing was recorded: one transaction records at most {guard.BATCHES_MAX} batches; record them in"
                " several"
            )
        self._signed.append(self.signer.sign(Checkpoint(self.signer.origin, size, root)))
        return self._signed[-1]

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection whose statements take effect together when the block ends, or not at all.

        A block within another takes effect with the outer one.
        """
        if self._in_transaction:
            yield self._connection
            return
        if self._is_behind:  # nothing is committed on top of what is not said outside
            self._say_outside()
        before = self._bytes()
        self._connection.execute("BEGIN")
        self._in_transaction = self._is_behind = True
        self._signed = []
        try:
            yield self._connection
            self.insert_gathered()
            # Here the write-ahead log is synced: what is acknowledged after this line survives a crash, and a crash
            # before it leaves the ledger as it was.
            self._connection.execute("COMMIT")
        except duckdb.Error as error:
            self._roll_back(before)
            kind = NoRoom if _NO_ROOM.search(_reason(error)) else QuotaledgerError
            raise kind(f"nothing was recorded in {self.path}: {_reason(error)}") from error
        except BaseException:
            self._roll_back(before)
            raise
        finally:
            self._in_transaction = False
            self.gathered.forget()
        self._say_outside(self._signed)

    def insert_gathered(self) -> None:
        """Insert what waits. Raises duckdb.Error, or QuotaledgerError if the ledger has moved."""
        self.gathered.insert(self._connection)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, in which all takes effect together or nothing."""
        return self._in_transaction

    def _say_outside(self, committed: Sequence[str] = ()) -> None:
        """Append checkpoints outside when they are committed; what a crash prevents is made up for at the opening.

        `committed` are all that can be missing there, if the file still ends with what this process has appended.
        """
        if self.outside:
            if committed and self.outside.ends_as_left():
                self.outside.append(committed)
            else:
                guard.catch_up(self._connection, self.outside)
        self._is_behind = False

    def _roll_back(self, before: int) -> None:
        # After a failed COMMIT there is no transaction left to roll back, and after a full disk no connection: what
        # is in the file then is what was committed before.
        try:
            self._connection.execute("ROLLBACK")
            if self._bytes() > before + _MUCH:  # or a disk that a large import has filled stays full
                self._connection.execute("CHECKPOINT")
        except (duckdb.Error, QuotaledgerError):
            return

    def _bytes(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise QuotaledgerError(
                f"{self.path} is not there any more ({error.strerror or error}): it was renamed or removed while it was"
                " open; put it back, and start again whatever has it open"
            ) from None

    def last_batch(self) -> int | None:
        """Give the number of the last batch that is recorded, 0 if there is none, or None if the file cannot tell."""
        try:
            return int(self.rows("SELECT batch FROM head")[0][0])
        except (duckdb.Error, RuntimeError, IndexError):  # after a full disk there is no connection left
            return None

    def flush(self) -> None:
        """Write all into the file itself, so that it can be renamed. Raises QuotaledgerError if that is impossible."""
        try:
            self.connection.execute("CHECKPOINT")
        except duckdb.Error as error:
            raise QuotaledgerError(f"{self.path} cannot be written: {_reason(error)}") from None

    def as_inserted(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Give the rows of a query that is often asked, of what is inserted: what waits is not seen."""
        return self._connection.execute(parsed(self._connection, query), parameters).fetchall()

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Give the rows of a query."""
        return query_rows(self.connection, query, parameters)

    def close(self) -> None:
        """Let go of the file."""
        if self.outside:
            self.outside.close()
        if self._holder:
            remove_holder(self._holder)
        self._idle.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def beside(path: Path, suffix: str) -> Path:
    """Give the path of a file that belongs to a ledger's, wherever links to the ledger lie."""
    real = path.resolve()
    return real.with_name(real.name + suffix)


def size_of(path: Path) -> int:
    """Give the bytes of a ledger's file and of its write-ahead log."""
    return sum(file.stat().st_size for file in (path, beside(path, _LOG_SUFFIX)) if file.exists())


def see_file(path: Path, otherwise: str) -> None:
    """See that there is a file. Raises LedgerUnavailable if nothing is there, WrongUsage for what can be no ledger."""
    if not path.exists():
        raise LedgerUnavailable(f"there is no ledger at {path}; {otherwise}")
    if not path.is_file():  # to open a pipe for reading would be to wait for a writer
        raise WrongUsage(f"{path} is a folder or a pipe and no ledger; choose another path with --ledger")


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    # An absolute path, so that no name is taken for one of DuckDB's own, such as `:memory:` or `md:name`.
    connection = duckdb.connect(str(path.absolute()), read_only=read_only, config=dict(CONFINED))
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    return connection


def _unavailable(path: Path, error: duckdb.Error) -> QuotaledgerError:
    holder = _HOLDER.search(str(error))
    if holder:
        who = told_holder(beside(path, HOLDER_SUFFIX), int(holder["pid"]), Path(holder["program"]).name)
        return LedgerUnavailable(
            f"{path} is held by {who}, and only one process at a time can have it; try again when that one has ended"
        )
    if "different configuration" in _reason(error):
        return LedgerUnavailable(f"{path} is open in this same program by other means; close that and try again")
    if _LOCK.search(_reason(error)):
        return LedgerUnavailable(f"{path} is held by another process; try again when that one has ended")
    return QuotaledgerError(f"{path} cannot be opened as a ledger: {_reason(error)}")


@contextmanager
def legible(path: Path) -> Iterator[None]:
    """Raise VerificationFailed where DuckDB finds in a block that what it reads is damaged."""
    try:
        yield
    except duckdb.Error as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: duckdb.Error) -> VerificationFailed:
    return VerificationFailed(
        f"{path} cannot be read, so what is in it cannot be verified ({_reason(error)}): the file is damaged, or no"
        " ledger; keep it, and go back to the newest backup that verifies"
    )


def _reason(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
