"""A column of input as its distinct values and, for each row, the number of its value.

A file of a million rows has few chips, parties and dates: each distinct value is checked once, in Python, and
the rows only look it up. Numbers of rows are numpy arrays of 64 bits: exact, and without an object a row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
"""Whole numbers, one a row."""

ABSENT: Final = -1
"""What a column of numbers has where a record gives nothing."""

_SPARSE: Final = 8
"""How many times as many numbers as rows may lie between the least and the greatest for looking them up to be quick."""


@dataclass(slots=True)
class Column:
    """`values[codes[row]]` is what row `row` gives; values may be texts, numbers, dates or None."""

    values: list[Any]
    codes: Numbers

    @classmethod
    def of(cls, items: Iterable[Any]) -> "Column":
        """Make a column of the items of its rows. 1, 1.0 and True are different values here."""
        numbers: dict[tuple[type, Any], int] = {}
        codes = np.array([numbers.setdefault((type(item), item), len(numbers)) for item in items], np.int64)
        return cls([item for _, item in numbers], codes)

    @classmethod
    def of_texts(cls, texts: list[str | None]) -> "Column":
        """Make a column of texts, most of which differ."""
        if len(set(texts)) == len(texts):
            return cls(texts, np.arange(len(texts)))
        values = list(dict.fromkeys(texts))
        numbers = dict(zip(values, range(len(values)), strict=True))
        return cls(values, np.array([numbers[text] for text in texts], np.int64))

    @classmethod
    def blank(cls, rows: int) -> "Column":
        """Make a column in which no row gives anything."""
        return cls.constant(None, rows)

    @classmethod
    def constant(cls, value: Any, rows: int) -> "Column":
        """Make a column in which every row gives the same."""
        return cls([value], np.zeros(rows, np.int64))

    def __len__(self) -> int:
        return len(self.codes)

    def item(self, row: int) -> Any:
        """Give what a row gives."""
        return self.values[self.codes[row]]

    def items(self) -> list[Any]:
        """Give what each row gives."""
        return self.spread(self.values)

    def spread(self, table: Sequence[Any]) -> list[Any]:
        """Look every row up in a table with an item for each distinct value."""
        return [table[code] for code in self.codes.tolist()]

    def numbers(self, table: Sequence[int]) -> Numbers:
        """Look every row up in a table with a whole number for each distinct value."""
        return np.array(table, np.int64)[self.codes]

    def mapped(self, values: list[Any]) -> "Column":
        """Give the same rows with another value for each distinct one."""
        return Column(values, self.codes)

    def trimmed(self) -> "Column":
        """Give the same rows without the values that none of them has, if those are many."""
        if len(self.values) <= len(self.codes):
            return self
        used, codes = distinct(self.codes)
        return Column([self.values[code] for code in used.tolist()], codes)

    def __getitem__(self, rows: Numbers | slice) -> "Column":
        """Give some of the rows, as an array of numbers does."""
        return Column(self.values, self.codes[rows])


def concatenate(columns: Sequence[Column]) -> Column:
    """Put the rows of several columns after one another."""
    if len(columns) == 1:
        return columns[0]
    values: list[Any] = []
    codes = [np.zeros(0, np.int64)]
    for column in columns:
        codes.append(column.codes + len(values))
        values += column.values
    return Column(values, np.concatenate(codes))


def distinct(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Give the distinct numbers in order and, for each row, the place of its own among them.

    What `np.unique` gives, but sorted only where the numbers lie far apart: looking up is several times quicker.
    """
    if not len(numbers):
        return numbers, numbers
    low = int(numbers.min())
    span = int(numbers.max()) - low + 1
    if span > _SPARSE * (len(numbers) + _SPARSE):
        values, places = np.unique(numbers, return_inverse=True)
        return values, places
    seen = np.zeros(span, np.bool_)
    seen[numbers - low] = True
    return np.flatnonzero(seen) + low, (np.cumsum(seen) - 1)[numbers - low]


def listed(column: Column | Numbers) -> list[Any]:
    """Give what each row of a column gives; of numbers, None where it gives nothing."""
    if isinstance(column, Column):
        return column.items()
    return [None if number == ABSENT else number for number in column.tolist()]
