"""A report as a workbook: a sheet of what it is, and one for each table, with real numbers, days and formats.

The same rows give the same bytes: nothing of the clock or the machine is in the file.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from ledger.store.outputs import plain

Rows = Iterable[Mapping[str, Any]]

ROWS_MAX: Final = 1_048_000
"""A sheet has no room for more."""
ROWS_SHOWN: Final = 50_000
"""So many rows of a table that has a file of its own: a workbook is for people, and each cell takes its time."""
_TEXT_MAX: Final = 32_000
_NAME_MAX: Final = 31
_WHOLE_MAX: Final = 10**15
"""Spreadsheets keep fifteen digits of a number; a larger one is written as a text, so that no digit is lost."""
_WIDTHS: Final = (9, 48)
_FORMATS: Final = {
    "heading": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
    "title": {"bold": True, "font_size": 14},
    "whole": {"num_format": "#,##0"},
    "number": {"num_format": "0"},
    "fraction": {"num_format": "#,##0.0###"},
    "day": {"num_format": "yyyy-mm-dd"},
    "instant": {"num_format": "yyyy-mm-dd hh:mm:ss"},
    "text": {},
}
_NAMING: Final = ("sequence", "batch", "leaf", "year", "row")
"""Columns whose numbers name something, and have no separators."""


def write_workbook(
    path: Path, about: Mapping[str, str], tables: Iterable[tuple[str, Sequence[str], Rows]], file: str | None
) -> None:
    """Write a workbook: `about` as pairs on the first sheet, then each table: its name, columns and rows.

    `file` is the suffix of the files that have all rows of a table, where a sheet has the first `ROWS_SHOWN`; None if
    there are none: then it has as many as there is room for.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    # Above some rows, what is written goes to temporary files: memory stays small.
    with xlsxwriter.Workbook(
        str(path), {**options, "constant_memory": True, "default_date_format": "yyyy-mm-dd"}
    ) as book:
        book.set_properties({"title": about.get("Title", ""), "created": datetime(1980, 1, 1)})  # noqa: DTZ001 -- the format has no zone
        formats = {name: book.add_format(said) for name, said in _FORMATS.items()}
        sheet = book.add_worksheet("About")
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 110)
        for number, (name, value) in enumerate(about.items()):
            sheet.write_string(number, 0, name, formats["heading"])
            sheet.write_string(number, 1, value[:_TEXT_MAX], formats["text"])
        for number, (name, columns, rows) in enumerate(tables, 1):
            sheet = book.add_worksheet(_sheet_name(name, number))
            coming = iter(rows)
            last = _write_table(sheet, columns, islice(coming, ROWS_SHOWN if file else ROWS_MAX), formats)
            if next(coming, None):
                where = f"all are in {name}.{file}" if file else "a sheet has no room for more, a CSV file has"
                sheet.write_string(last + 1, 0, f"These are the first {last:,} rows; {where}.", formats["heading"])


def _write_table(sheet: Worksheet, columns: Sequence[str], rows: Rows, formats: Mapping[str, Format]) -> int:
    """Write a table with its headings, which stay in sight and on every printed page. Gives how many rows it has."""
    sheet.freeze_panes(1, 1)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    coming = iter(rows)
    some = list(islice(coming, 1000))  # by which the widths are set, before the first row is written
    for place, column in enumerate(columns):
        longest = max([len(column), *(len(str(row[column])) for row in some if row[column] is not None)])
        sheet.set_column(place, place, min(max(longest + 2, _WIDTHS[0]), _WIDTHS[1]))
        sheet.write_string(0, place, column, formats["heading"])
    count = 0
    for part in (some, coming):
        for row in part:
            count += 1
            for place, column in enumerate(columns):
                _write(sheet, (count, place), column, row[column], formats)
    sheet.autofilter(0, 0, count, max(len(columns) - 1, 0))
    return count


def _write(sheet: Worksheet, at: tuple[int, int], column: str, value: Any, formats: Mapping[str, Format]) -> None:
    """Write a value as what it is; a text that looks like a formula stays a text."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(*at, value)
    elif isinstance(value, int) and abs(value) < _WHOLE_MAX:
        sheet.write_number(*at, value, formats["number" if column in _NAMING else "whole"])
    elif isinstance(value, Decimal | float):
        sheet.write_number(*at, float(value), formats["fraction"])
    elif isinstance(value, datetime):
        sheet.write_datetime(*at, value.astimezone(UTC).replace(tzinfo=None), formats["instant"])
    elif isinstance(value, date) and value.year > 1900:  # noqa: PLR2004 -- spreadsheets know no day before
        sheet.write_datetime(*at, datetime(value.year, value.month, value.day), formats["day"])  # noqa: DTZ001
    else:
        sheet.write_string(*at, str(plain(value))[:_TEXT_MAX], formats["text"])


def _sheet_name(name: str, number: int) -> str:
    """Give a name that a sheet can have, other than those before."""
    return name if len(name) <= _NAME_MAX else f"{name[: _NAME_MAX - 4]}~{number}"
