"""Columns of the ledger's own as Arrow: nothing is lost, and no object is made for a row."""

from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ledger.core.columns import ABSENT, Column, Numbers

BLANKABLE: Final = frozenset(
    (
        *("stated_destination", "stated_consignee", "stated_chip", "stated_quantity", "stated_basis", "under"),
        *("license_number", "expires", "exporter", "site", "evidence", "note"),
        *("basis", "limit_id", "account", "remaining_tpp", "limit_tpp", "under_sequence"),
    )
)
"""The columns of `entry` that may be blank. They are named here once more, and held against the declaration by a test:
to load that takes longer than most commands take for all else."""
DAYS: Final = ("date", "expires")
"""Those that hold days."""
TEXTS: Final = frozenset(
    (
        *("provider", "reference", "kind", "stated_destination", "stated_consignee", "stated_chip", "stated_basis"),
        *("under", "license_number", "exporter", "site", "evidence", "note"),
        *("destination", "counted_destination", "consignee", "family", "chip"),
        *("basis", "outcome", "limit_id", "account"),
    )
)
"""Those that hold texts."""
_FEW: Final = 10_000


def entry_array(name: str, column: Column | Numbers) -> Any:
    """Give a column of the table `entry`; numbers that may be blank are blank where they are `ABSENT`."""
    if isinstance(column, Column):
        return dictionary(column)
    return pa.array(column, mask=column == ABSENT if name in BLANKABLE else None)


def entry_value(name: str, column: Column | Numbers, row: int) -> Any:
    """Give what one row of a column of `entry` has, None where it is blank."""
    if isinstance(column, Column):
        return column.item(row)
    number = int(column[row])
    return None if number == ABSENT and name in BLANKABLE else number


def dictionary(column: Column) -> Any:
    """Give a column of texts or days; where its values are few, each of them once."""
    days = isinstance(next((value for value in column.values if value is not None), None), date)
    values = pa.array(column.values, pa.date32() if days else pa.string())
    array = pa.DictionaryArray.from_arrays(pa.array(column.codes.astype(np.int32)), values)
    # DuckDB reads all values again for every few thousand rows.
    return array if len(values) <= _FEW else array.dictionary_decode()


def numbers(array: Any) -> Numbers:
    """Give the whole numbers of an array or column, none of them blank, where they lie.

    pyarrow's own `to_numpy` would load pandas, where it is installed: a second in every process.
    """
    return np.from_dlpack(array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array)  # type: ignore[return-value]
