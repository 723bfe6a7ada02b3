"""Reading an export that anyone may have made: nothing in it is believed before it is held against its manifest.

The manifest itself is believed by nobody: what it says of the log is held against the signed checkpoints afterwards.
"""

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.core.errors import VerificationFailed, WrongUsage
from ledger.core.text import shown, visible
from ledger.store.frozen import TABLES
from ledger.store.packing import CHECKPOINTS, FORMAT, LEAVES, MANIFEST, README, VERIFIER, table_file

_MANIFEST_BYTES_MAX: Final = 100_000
_ROW_GROUP_BYTES_MAX: Final = 1 << 32
"""What the rows that an export has together can never come to, unpacked."""
_AT_ONCE: Final = 50_000
_FILES: Final = frozenset({CHECKPOINTS, LEAVES, VERIFIER, README, *map(table_file, TABLES)})
_SAYS: Final = {
    **dict.fromkeys(("format", "origin", "made_at", "software_version", "root"), str),
    **dict.fromkeys(("leaves", "records", "redacted"), int),
    "files": dict,
}


@dataclass(frozen=True, slots=True)
class Export:
    """A folder whose files are those of its manifest."""

    folder: Path
    origin: str
    leaves: int
    records: int
    root: str

    def path(self, name: str) -> Path:
        """Give where a file is."""
        return self.folder / name

    def table(self, table: str, schema: pa.Schema) -> Iterator[pa.Table]:
        """Give the rows of a table some at a time. Raises VerificationFailed if they cannot be such rows."""
        name = table_file(table)
        try:
            with pq.ParquetFile(self.path(name), thrift_string_size_limit=1 << 24) as file:
                if not file.schema_arrow.equals(schema):
                    raise VerificationFailed(f"{name} has other columns than such a table; {_ELSE}")
                groups = range(file.metadata.num_row_groups)
                if any(file.metadata.row_group(group).total_byte_size > _ROW_GROUP_BYTES_MAX for group in groups):
                    raise VerificationFailed(f"{name} says that it is larger than an export can be; {_ELSE}")
                yield from (pa.Table.from_batches([batch]) for batch in file.iter_batches(_AT_ONCE))
        except (pa.ArrowException, OSError, MemoryError) as error:
            reason = visible(str(error).splitlines()[0]) if str(error) else type(error).__name__
            raise VerificationFailed(f"{name} cannot be read ({reason}); {_ELSE}") from None


_ELSE: Final = "nothing was restored, get the export again from whoever made it"


def open_export(folder: Path) -> Export:
    """Give an export whose files are exactly those of its manifest, byte for byte.

    Raises WrongUsage if there is no folder or it is one that leaves records out, VerificationFailed for anything in it
    that should not be so.
    """
    if not folder.is_dir():
        raise WrongUsage(f"there is no folder {folder}; name the folder of an export")
    says = _manifest(folder)
    if says["redacted"] or not any(name.startswith("tables/") for name in says["files"]):
        raise WrongUsage(
            f"{folder} leaves out what some providers filed: it can be verified, but no ledger be rebuilt from it; get"
            " a full export"
        )
    if says["files"].keys() != _FILES:
        odd = min(says["files"].keys() ^ _FILES)
        raise VerificationFailed(f"the manifest says too much or too little of files: {shown(odd)}; {_ELSE}")
    _check_names(folder)
    for name, said in sorted(says["files"].items()):
        _check_file(folder / name, name, said)
    return Export(folder, says["origin"], says["leaves"], says["records"], says["root"])


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > _MANIFEST_BYTES_MAX:
            raise VerificationFailed(f"{MANIFEST} is no file of such a size as an export's; {_ELSE}")
        says = json.loads(path.read_bytes(), object_pairs_hook=_named_once)
    except FileNotFoundError:
        raise VerificationFailed(f"there is no {MANIFEST} in {folder}, so it is no export, or not whole") from None
    except (OSError, ValueError, RecursionError) as error:
        raise VerificationFailed(f"{MANIFEST} cannot be read ({visible(str(error))}); {_ELSE}") from None
    if not isinstance(says, dict) or says.get("format") != FORMAT:
        raise VerificationFailed(f'{MANIFEST} is not of the format "{FORMAT}"; {_ELSE}')
    if {name: type(value) for name, value in says.items()} != _SAYS:
        raise VerificationFailed(f"{MANIFEST} says too much or too little; {_ELSE}")
    return says


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name said twice: readers differ in which of the two they take. Raises ValueError."""
    says = dict(pairs)
    if len(says) < len(pairs):
        raise ValueError("it says a name twice")
    return says


def _check_names(folder: Path) -> None:
    """Raise VerificationFailed if the folder has anything but the files of an export, as files."""
    missing = {*_FILES, MANIFEST}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if name == "tables" and stat.S_ISDIR(path.lstat().st_mode):
            continue
        if name not in missing:
            raise VerificationFailed(f"{shown(name)} is no file of an export; {_ELSE}")
        if not stat.S_ISREG(path.lstat().st_mode):
            raise VerificationFailed(f"{name} is no file, but a link or the like; {_ELSE}")
        missing.remove(name)
    if missing:
        raise VerificationFailed(f"{min(missing)} is missing; {_ELSE}")


def _check_file(path: Path, name: str, said: object) -> None:
    """Raise VerificationFailed if a file is not what the manifest says of it."""
    try:
        size = path.stat().st_size
        if not isinstance(said, dict) or said.keys() != {"sha256", "bytes"} or said["bytes"] != size:
            raise VerificationFailed(f"{name} has {size:,} bytes, which is not what the manifest says; {_ELSE}")
        with path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != said["sha256"]:
                raise VerificationFailed(f"{name} was changed: its SHA-256 is not that of the manifest; {_ELSE}")
    except OSError as error:
        raise VerificationFailed(f"{name} cannot be read: {error.strerror or error}") from None
