"""A sheet: an input file, or some rows of it, by column; and what makes a file one that cannot be read."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import BufferedRandom, BufferedReader, BytesIO
from typing import Any, Final, Protocol, Self

from ledger.core.columns import Column
from ledger.core.form import RowFault
from ledger.core.text import did_you_mean, nearest, shown

WHOLE_FILE: Final = -1
"""The row of a fault that concerns the file as a whole."""

ALL_ROWS: Final = 2**62
"""More rows than any file has: all of them at a time."""
_UNKNOWN_SHOWN_MAX = 5

Content = BufferedReader | BufferedRandom | BytesIO
"""The bytes of a file, which can be sought."""


class FileFault(ValueError):
    """A file that cannot be read at all: a stable word, and one sentence."""

    def __init__(self, code: str, message: str, column: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.column = column

    @property
    def fault(self) -> RowFault:
        """The fault of the whole file."""
        return RowFault(WHOLE_FILE, self.column, self.code, str(self))


@dataclass(slots=True)
class Sheet:
    """One input file by column. `faults` has rows that could not be split into fields; they stay as blank rows."""

    file: str
    sha256: str
    rows: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)
    lines: Sequence[int] | None = None
    """Of each row, the row of the file, from 1, that it was made from, where an adapter made them."""

    @property
    def rows_expected(self) -> int:
        """How many rows there are."""
        return self.rows

    def parts(self, rows: int) -> Iterator["Sheet"]:
        """Give the rows, so many at a time; at least one part. Raises FileFault for a file that cannot be read."""
        for fault in self.faults:
            if fault.row == WHOLE_FILE:
                raise FileFault(fault.code, fault.message, fault.field)
        if self.rows <= rows:
            yield self
            return
        for start in range(0, self.rows, rows):
            end = min(start + rows, self.rows)
            columns = {name: column[start:end].trimmed() for name, column in self.columns.items()}
            faults = [replace(fault, row=fault.row - start) for fault in self.faults if start <= fault.row < end]
            yield Sheet(self.file, self.sha256, end - start, columns, faults)


class Source(Protocol):
    """What the rows of an import come from: a sheet, or a file that is read some rows at a time."""

    @property
    def file(self) -> str:
        """Its name, as given."""

    @property
    def sha256(self) -> str:
        """SHA-256 of its bytes, hex."""

    @property
    def rows(self) -> int:
        """How many rows it has, as far as it was read."""

    @property
    def rows_expected(self) -> int:
        """About how many it will have had."""

    @property
    def lines(self) -> Sequence[int] | None:
        """Of each row, the row of the file, from 1, that it was made from, where an adapter made them."""

    def parts(self, rows: int) -> Iterator[Sheet]:
        """Give the rows, so many at a time; at least one part. Raises FileFault for a file that cannot be read."""


def too_many_rows(most: int) -> FileFault:
    """Give the fault of a file that has more rows than it may."""
    return FileFault("too-many-rows", f"the file has more than the {most:,} rows that it may have")


def check_names(names: Sequence[str]) -> None:
    """Raise FileFault if a column is there twice."""
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise FileFault("malformed", f"the column {shown(twice[0])} is there twice", twice[0])


def check_known(columns: Sequence[str], known: Sequence[str] | None) -> None:
    """Raise FileFault for columns that a file may not have; it may have any if `known` is None."""
    unknown = [name for name in columns if known is not None and name not in known]
    if known is None or not unknown:
        return
    names = ", ".join(
        shown(name) + did_you_mean(nearest(name, known)).replace(";", ",") for name in unknown[:_UNKNOWN_SHOWN_MAX]
    )
    more = f" and {len(unknown) - _UNKNOWN_SHOWN_MAX:,} more" if len(unknown) > _UNKNOWN_SHOWN_MAX else ""
    raise FileFault(
        "unknown-column",
        f"the file has the unknown column{'s' if len(unknown) > 1 else ''} {names}{more}; known are {', '.join(known)}",
        unknown[0],
    )


def check_there(columns: Collection[str], always: Sequence[str]) -> None:
    """Raise FileFault for a column that a file must have, and has not."""
    missing = [name for name in always if name not in columns]
    if missing:
        raise FileFault("missing-column", f"the file lacks the column {shown(missing[0])}", missing[0])


def nested_column(items: Iterable[Any]) -> Column:
    """Make a column of values of any type; lists and objects, which are malformed anyway, become their text."""
    return Column.of(
        _Nested(json.dumps(item, default=str)) if isinstance(item, list | dict) else item for item in items
    )


class _Nested(tuple[str]):
    """A list or an object where a single value belongs: hashable, and no text, number or date."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        return super().__new__(cls, (text,))

    def __str__(self) -> str:
        return self[0]
