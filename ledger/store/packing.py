"""An export's folder in the making: every file is hashed as it is written, and all appear together or not at all."""

import errno
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.core.errors import QuotaledgerError, WrongUsage
from ledger.store import leftovers
from ledger.store.leftovers import sync_folder

FORMAT: Final = "quotaledger export 1"
MANIFEST: Final = "manifest.json"
CHECKPOINTS: Final = "checkpoints.txt"
LEAVES: Final = "leaves.ndjson"
VERIFIER: Final = "verify.py"
README: Final = "README.txt"


def table_file(table: str) -> str:
    """Give the name of a table's file."""
    return f"tables/{table}.parquet"


class Pack:
    """A folder in the making, and what its manifest says of the files in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files: dict[str, dict[str, Any]] = {}

    @contextmanager
    def file(self, name: str) -> Iterator["Hashed"]:
        """Give a file to write, which is in the manifest when it is whole and would survive a crash."""
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        with Hashed(path) as file:
            yield file
            self.files[name] = {"sha256": file.digest, "bytes": file.written}

    def write(self, name: str, content: str | bytes) -> None:
        """Write a small file."""
        with self.file(name) as file:
            file.write(content.encode() if isinstance(content, str) else content)

    def write_table(self, name: str, pieces: Iterable[pa.Table]) -> None:
        """Write the pieces of a table, at least one, as Parquet: a row group each."""
        remaining = iter(pieces)
        piece = next(remaining)
        # What is written depends on the rows alone: the same ledger gives the same bytes.
        with self.file(name) as file, pq.ParquetWriter(file, piece.schema, compression="zstd") as writer:
            while piece is not None:
                writer.write_table(piece, row_group_size=max(1, len(piece)))
                piece = next(remaining, None)

    def close(self, says: Mapping[str, Any]) -> None:
        """Write the manifest, and make the names of all files survive a crash."""
        manifest = {"format": FORMAT, **says, "files": dict(sorted(self.files.items()))}
        self.write(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
        for folder in {path.parent for path in self._folder.rglob("*")}:
            sync_folder(folder)


class Hashed(io.RawIOBase):
    """A new file whose SHA-256 is known when it is written; closing makes it survive a crash."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("xb", buffering=0)
        self._hash = sha256()
        self.written = 0

    def write(self, content: Any) -> int:
        """Write all of some bytes."""
        left = memoryview(content).cast("B")
        self._hash.update(left)
        size = len(left)
        while left:
            left = left[self._file.write(left) :]
        self.written += size
        return size

    def tell(self) -> int:
        """Give how many bytes are written."""
        return self.written

    def writable(self) -> bool:
        """Say that it is for writing."""
        return True

    @property
    def digest(self) -> str:
        """The SHA-256 of what is written, hex."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Sync and let go."""
        if not self.closed:
            try:
                os.fsync(self._file.fileno())
            finally:
                self._file.close()
                super().close()

    def __enter__(self) -> Self:
        return self


@contextmanager
def new_folder(path: Path) -> Iterator[Pack]:
    """Give a folder to write into, which appears under its name when the block has ended and is whole.

    Raises WrongUsage if there is something at the path but an empty folder, or no folder to make it in;
    QuotaledgerError if it cannot be written, of which nothing is left then.
    """
    to = path.resolve()
    if to.exists() and not (to.is_dir() and not any(to.iterdir())):
        raise WrongUsage(f"{path} is there already and not an empty folder; name another one")
    if not to.parent.is_dir():
        raise WrongUsage(f"there is no folder {to.parent} to make {to.name} in; make it first")
    leftovers.clear(to)
    unfinished = leftovers.unfinished(to)
    try:
        unfinished.mkdir()
        yield Pack(unfinished)
        unfinished.rename(to)
        sync_folder(to.parent)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise WrongUsage(f"{path} was made by something else meanwhile; name another one") from None
        raise QuotaledgerError(
            f"{path} cannot be written: {error.strerror or error}; nothing is left of it, make room or name another"
            " place"
        ) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
