"""Columns of the ledger's own as Arrow: nothing is lost, and no object is made for a row."""

from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ledger.core.columns import ABSENT, Column, Numbers
from schemas.tables import Entry

BLANKABLE: Final = {name for name, field in Entry.model_fields.items() if not field.is_required()}
"""The columns of `entry` that may be blank."""
DAYS: Final = ("date", "expires")
"""Those that hold days."""
TEXTS: Final = {name for name, field in Entry.model_fields.items() if field.annotation in (str, str | None)}
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
