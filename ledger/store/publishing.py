"""The published copy: a file of DuckDB's own with the contents of the views, for whoever reads while others record.

Views that read tables of the ledger become tables, so that nothing else of the ledger is in it; those made of other
views stay views. It has a format that DuckDB 1.4 and later open, and needs nothing of this project.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from ledger.core.errors import LedgerUnavailable, QuotaledgerError, WrongUsage
from ledger.store.leaves import literal
from ledger.store.leftovers import sync_folder
from ledger.store.query import CONFINED, lent, rows
from ledger.store.views import body, comment_on, comments, copied_macros, is_stored, view_files

SUFFIX: Final = ".published.duckdb"
FORMAT: Final = "v1.4.0"
"""The oldest version of DuckDB that opens a copy."""
PUBLICATION: Final = "publication"
_BY_MONTH: Final = "decisions"
_ABOUT: Final = {
    "": "What this copy is: one row.",
    "published_at": "instant of publication, UTC",
    "sequence": "the last record in it",
    "leaves": "the leaves of the log that its records are of",
    "checkpoint": "their signed checkpoint: origin, leaves, root, signature",
    "software_version": "version of quotaledger",
}
_AT_ONCE: Final = 4 * 122_880
"""So many records are read at a time: views are in order, and to order all of a large ledger's takes much memory."""

_READ_AT_ONCE: Final = 122_880

Advanced = Callable[[int, int], None]
"""Told how many of how many records are written."""


@dataclass(frozen=True)
class Publication:
    """What a copy is."""

    published_at: datetime
    sequence: int
    leaves: int
    checkpoint: str
    """The signed note."""
    software_version: str


def copy_path(ledger: Path) -> Path:
    """Give where the published copy of a ledger is unless told otherwise: `quota.published.duckdb` beside it."""
    return ledger.with_name(ledger.name.removesuffix(".duckdb") + SUFFIX)


def is_copy(path: Path) -> bool:
    """Say if a path is that of a published copy: by its name, so that a ledger is never opened as one."""
    return path.name.endswith(SUFFIX)


@contextmanager
def open_copy(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a published copy, to be read and nothing else. Raises LedgerUnavailable where there is none to be read."""
    try:
        copy = duckdb.connect(str(path.absolute()), read_only=True, config=dict(CONFINED))
    except (OSError, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        raise LedgerUnavailable(f"the copy at {path} cannot be read: {reason}; publish it again") from None
    with copy:
        copy.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        yield copy


def read_publication(path: Path) -> Publication:
    """Say what a copy is. Raises LedgerUnavailable for what is none."""
    with open_copy(path) as copy:
        try:
            return Publication(*rows(copy, f"FROM {PUBLICATION}")[0])
        except (duckdb.Error, IndexError, TypeError):
            raise LedgerUnavailable(f"{path} is no published copy; publish it again") from None


def write_copy(connection: duckdb.DuckDBPyConnection, to: Path, made: Publication, advanced: Advanced) -> None:
    """Write the copy of a ledger as a connection sees it, which must see one moment. It appears when it is whole.

    Raises WrongUsage for a path that can be none of a copy, QuotaledgerError if it cannot be written; what was there is
    there still.
    """
    if not is_copy(to):
        raise WrongUsage(f"{to} would be taken for a ledger; give a name that ends in {SUFFIX}")
    if to.is_dir() or not to.absolute().parent.is_dir():
        raise WrongUsage(f"nothing can be published at {to}: give a file in a folder that is there")
    partial = to.with_name(f"{to.name}.{os.getpid()}.partial")
    try:
        with _written(partial) as copy:
            for name, text in view_files().items():
                if is_stored(body(text)):
                    _store(connection, copy, name, made.sequence, advanced)
                    comment_on(copy, "TABLE", name, comments(text))
            _store_publication(copy, made)
            copy.execute(copied_macros())
            for name, text in view_files().items():
                if not is_stored(body(text)):
                    copy.execute(f"CREATE VIEW {name} AS {body(text)}")
                    comment_on(copy, "VIEW", name, comments(text))
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(to)
        sync_folder(to.absolute().parent)
    except (OSError, duckdb.Error) as error:
        raise _unwritten(to, error) from None
    finally:
        for left in (partial, partial.with_name(partial.name + ".wal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def check_folder(folder: Path) -> None:
    """Raise WrongUsage for a folder that has anything else in it than what was published before."""
    is_ours = (folder / f"{PUBLICATION}.parquet").exists()
    if folder.exists() and not is_ours and (not folder.is_dir() or any(folder.iterdir())):
        raise WrongUsage(f"{folder} is no folder of a copy published before; give one that is not there yet, or empty")


def write_parquet(copy: Path, folder: Path, made: Publication) -> None:
    """Write what a copy has into a new folder of Parquet files, decisions by month, in place of the one before.

    Each file has the checkpoint in its metadata. Raises WrongUsage as `check_folder` does, QuotaledgerError if it
    cannot be written; then what was there is there still.
    """
    check_folder(folder)
    partial, old = (folder.with_name(f"{folder.name}.{os.getpid()}.{what}") for what in ("partial", "old"))
    try:
        partial.mkdir(parents=True)
        with duckdb.connect(str(copy.absolute()), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            for name in (PUBLICATION, *view_files()):
                connection.execute(_parquet_sql(name, partial, made))
        if folder.exists():
            folder.rename(old)
        try:
            partial.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        sync_folder(folder.absolute().parent)
    except (OSError, duckdb.Error) as error:
        raise _unwritten(folder, error) from None
    finally:
        for left in (partial, old):
            shutil.rmtree(left, ignore_errors=True)


def _parquet_sql(name: str, folder: Path, made: Publication) -> str:
    """Give the statement that writes a view; of many rows, a folder of each month."""
    about = f"KV_METADATA {{checkpoint: {literal(made.checkpoint)}, sequence: '{made.sequence}'}}"
    if name != _BY_MONTH:
        return f"COPY {name} TO {literal(str(folder / name))[:-1]}.parquet' (FORMAT parquet, {about})"
    query = f"SELECT *, strftime(date, '%Y-%m') AS month FROM {name} ORDER BY month, sequence"
    return f"COPY ({query}) TO {literal(str(folder / name))} (FORMAT parquet, PARTITION_BY (month), {about})"


def _unwritten(path: Path, error: OSError | duckdb.Error) -> QuotaledgerError:
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    return QuotaledgerError(f"nothing can be published at {path}: {reason}")


@contextmanager
def _written(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection to a new file, which is whole at the end."""
    path.unlink(missing_ok=True)
    with duckdb.connect() as copy:
        copy.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET python_enable_replacements = false")
        copy.execute(f"ATTACH {literal(str(path.absolute()))} AS copy (STORAGE_VERSION '{FORMAT}')")
        copy.execute("USE copy")
        yield copy
        copy.execute("CHECKPOINT copy; USE memory; DETACH copy")


def _store(
    connection: duckdb.DuckDBPyConnection, copy: duckdb.DuckDBPyConnection, view: str, last: int, advanced: Advanced
) -> None:
    """Write what a view has as a table, in its order; what has many rows, some records at a time."""
    columns = [column for column, *_ in rows(connection, f"DESCRIBE {view}")]
    spans = [""]
    if "sequence" in columns and "leaves" not in columns:
        starts = range(0, max(last, 1), _AT_ONCE)
        spans = [f"WHERE sequence > {start:d} AND sequence <= {start + _AT_ONCE:d}" for start in starts]
    into = f"CREATE TABLE {view} AS"
    for number, span in enumerate(spans):
        with lent(copy, "coming", connection.sql(f"FROM {view} {span}").to_arrow_reader(_READ_AT_ONCE)):
            copy.execute(f"{into} FROM coming")
        into = f"INSERT INTO {view}"
        advanced(min(last, (number + 1) * _AT_ONCE) if len(spans) > 1 else last, last)


def _store_publication(copy: duckdb.DuckDBPyConnection, made: Publication) -> None:
    with lent(copy, "coming", pa.Table.from_pylist([asdict(made)])):
        copy.execute(f"CREATE TABLE {PUBLICATION} AS FROM coming")
    comment_on(copy, "TABLE", PUBLICATION, _ABOUT)
