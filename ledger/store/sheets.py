"""Reading input files: CSV, NDJSON, Parquet and Arrow, by content or suffix, into columns of given values.

Whatever is wrong with a file is a fault with a sentence, never an exception of a library.
"""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from io import SEEK_END, BytesIO
from typing import Final

from ledger.store.arrow_sheets import ARROW_FILE, arrow_parts, parquet_rows
from ledger.store.sheet import (
    ALL_ROWS,
    Content,
    FileFault,
    Sheet,
    check_known,
    check_there,
    too_many_rows,
)
from ledger.store.text_sheets import text_parts

_FORMATS: Final = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
_ARROW_STREAM: Final = b"\xff\xff\xff\xff"
_LOOKED_AT: Final = 4_096


def read_sheet(file: str, content: bytes, known: Sequence[str] | None, always: Sequence[str]) -> Sheet:
    """Read a file as a whole. `known` are the columns it may have, any if None, `always` those it must have.

    A file that cannot be read has one fault, of the row `WHOLE_FILE`, and no rows.
    """
    opened = SheetFile(file, BytesIO(content), known, always)
    try:
        (sheet,) = opened.parts(ALL_ROWS)
    except FileFault as error:
        return Sheet(opened.file, opened.sha256, faults=[error.fault])
    return sheet


@dataclass
class SheetFile:
    """An input file that is read some rows at a time, so that it may be larger than memory.

    `content` can be sought; it is read from its beginning as often as parts are asked for.
    """

    file: str
    content: Content
    known: Sequence[str] | None
    always: Sequence[str]
    rows_max: int | None = None
    """How many rows it may have; of one's own file that is not asked, nor what it may become in memory."""
    sha256: str = field(init=False)
    rows: int = field(init=False, default=0)
    """So many have been read."""
    lines: Sequence[int] | None = None
    _counted: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        # A file's name on disk is bytes; those that are no text cannot be recorded as they are.
        self.file = self.file.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        self.sha256 = self._digest()
        self._size = self.content.tell()

    @property
    def rows_expected(self) -> int:
        """About how many rows there are, as far as what was read tells."""
        if self._counted is not None:
            return self._counted
        return self.rows * self._size // max(1, self.content.tell())

    def parts(self, rows: int) -> Iterator[Sheet]:
        """Give the rows, so many at a time; at least one part.

        Raises FileFault at the part in which it shows that the file cannot be read, or at the end if it is not what it
        was when it was opened.
        """
        kind = _format(self.file, self.content)
        names: dict[str, None] = {}
        self.rows, garbled = 0, False
        if kind == "parquet":
            self._counted = parquet_rows(self.content)
            self._check_rows(self._counted)
        if kind in ("csv", "ndjson"):
            parts = text_parts(kind, self.content, rows)
        else:
            parts = arrow_parts(kind, self.content, rows, self.rows_max)
        for part in parts:
            names |= dict.fromkeys(part.columns)
            garbled |= bool(part.faults)
            check_known(list(part.columns), self.known)
            if kind != "ndjson":
                check_there(names, self.always)
            part.file, part.sha256 = self.file, self.sha256
            self.rows += part.rows
            self._check_rows(self.rows)
            yield part
        if names or not garbled:
            check_there(names, self.always)
        if self._digest() != self.sha256:
            raise FileFault("changed", "the file was written to while it was read; import it again")

    def _check_rows(self, rows: int) -> None:
        if self.rows_max is not None and rows > self.rows_max:
            raise too_many_rows(self.rows_max)

    def _digest(self) -> str:
        """Give the SHA-256 of the file, which is then at its end."""
        self.content.seek(0)
        digest = file_digest(self.content, "sha256").hexdigest()
        self.content.seek(0, SEEK_END)  # of bytes in memory, `file_digest` reads nothing
        return digest


def _format(file: str, content: Content) -> str:
    """Say what a file is, by how it begins, or else by its name. Raises FileFault for one that is empty."""
    content.seek(0)
    head = content.read(_LOOKED_AT)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((ARROW_FILE, _ARROW_STREAM)):
        return "arrow"
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    while not text and head:
        head = content.read(_LOOKED_AT)
        text = head.lstrip()
    if not text:
        raise FileFault("empty", "the file is empty; a file of records begins with a line of column names")
    suffix = file[file.rfind(".") :].lower() if "." in file else ""
    return _FORMATS.get(suffix) or ("ndjson" if text.startswith(b"{") else "csv")
