"""A column of input as its distinct values and, for each row, the number of its value.

A file of a million rows has few chips, parties and dates: each distinct value is checked once, in Python, and
the rows only look it up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

ABSENT: Final = -1
"""What a column of numbers has where a record gives nothing."""


@dataclass(slots=True)
class Column:
    """`values[codes[row]]` is what row `row` gives; values may be texts, numbers, dates or None."""

    values: list[Any]
    codes: Sequence[int]

    @classmethod
    def of(cls, items: Iterable[Any]) -> "Column":
        """Make a column of the items of its rows. 1, 1.0 and True are different values here."""
        numbers: dict[tuple[type, Any], int] = {}
        codes = [numbers.setdefault((type(item), item), len(numbers)) for item in items]
        return cls([item for _, item in numbers], codes)

    @classmethod
    def blank(cls, rows: int) -> "Column":
        """Make a column in which no row gives anything."""
        return cls([None], [0] * rows)

    def __len__(self) -> int:
        return len(self.codes)

    def item(self, row: int) -> Any:
        """Give what a row gives."""
        return self.values[self.codes[row]]

    def spread(self, table: Sequence[Any]) -> list[Any]:
        """Look every row up in a table with an item for each distinct value."""
        return [table[code] for code in self.codes]


def concatenate(columns: Sequence[Column]) -> Column:
    """Put the rows of several columns after one another."""
    if len(columns) == 1:
        return columns[0]
    values: list[Any] = []
    codes: list[int] = []
    for column in columns:
        offset = len(values)
        values += column.values
        codes += [code + offset for code in column.codes]
    return Column(values, codes)
