"""How the command speaks: data to standard output, everything else to standard error, colours only for people."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ledger.core.errors import RejectedRow
from ledger.core.text import visible
from ledger.store.outputs import plain, write_csv

REJECTED_SHOWN_MAX: Final = 100
_WIDE: Final = 200
_COLOURS: Final = {
    "open": "green",
    "watch": "yellow",
    "critical": "dark_orange",
    "exhausted": "red",
    "over": "bold red",
    "admitted": "green",
    "refused": "red",
    "breached": "bold red",
}
_BAR_WIDTH: Final = 20
_TEXT_WIDTH_LEAST: Final = 16
_GAP: Final = 2
_NAMES: Final = ("year", "sequence", "batch", "row")


class Format(StrEnum):
    """How data is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def rows_text(number: int) -> str:
    """Write a number of rows."""
    return f"{number:,} row{'' if number == 1 else 's'}"


def say(sentence: str) -> None:
    """Say something that is no data."""
    print(sentence, file=sys.stderr)


def say_rejected(rows: Sequence[RejectedRow], rest: str = "") -> None:
    """Name every rejected row, or as many as a person reads; `rest` says where the others are."""
    for row in rows[:REJECTED_SHOWN_MAX]:
        say(f"rejected: {visible(row.sentence())}")
    more = len(rows) - REJECTED_SHOWN_MAX
    if more > 0:
        say(f"rejected: and {more:,} more faults{rest}")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error while work goes on, if a person is looking."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(plain(value), ensure_ascii=False, indent=2))


def print_rows(rows: Sequence[dict[str, Any]], columns: Sequence[str], form: Format, title: str = "") -> None:
    """Print rows in one of the formats."""
    if form is Format.JSON:
        print_json([{name: row[name] for name in columns} for row in rows])
    elif form is Format.CSV:
        write_csv(sys.stdout, columns, rows)
    else:
        print_table(rows, columns, title)


def readable(row: dict[str, Any]) -> dict[str, Any]:
    """Write instants to the minute, for people."""
    return {name: f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value for name, value in row.items()}


def print_table(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], title: str = "", dispensable: Sequence[str] = ()
) -> None:
    """Print a table for people: separators in numbers, numbers to the right, statuses in colour.

    A number is never cut or folded. Where the width does not suffice the dispensable columns go, one after the other;
    where that does not suffice either, every row is a block of lines.
    """
    to, gone = console(), 0
    spans = {name: _span(rows, name) for name in columns}
    while gone < len(dispensable) and _missing(spans, to.width):
        spans.pop(dispensable[gone])
        gone += 1
    if _missing(spans, to.width):
        _print_blocks(to, rows, columns, title)
        return
    table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name, width in _widths(spans, to.width).items():
        right = _is_amount(rows, name)
        table.add_column(name, justify="right" if right else "left", overflow="fold", width=width)
    for row in rows:
        table.add_row(*(_named_cell(name, row[name]) for name in spans))
    to.print(table)
    if gone:
        say(f"not shown, for lack of width: {', '.join(dispensable[:gone])}; see a wider terminal, or --format csv")


Spans = dict[str, tuple[int, int]]
"""Of each column, how narrow it may be and how wide it is."""


def _is_amount(rows: Sequence[dict[str, Any]], name: str) -> bool:
    return any(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in rows)


def _span(rows: Sequence[dict[str, Any]], name: str) -> tuple[int, int]:
    """Give how narrow a column may be and how wide it is: texts can be folded, numbers and drawings cannot."""
    lines = [name, *(line for row in rows for line in _named_cell(name, row[name]).plain.split("\n"))]
    whole = max(map(cell_len, lines))
    firm = _is_amount(rows, name) or any(isinstance(row[name], Text) for row in rows)
    return (whole if firm else min(whole, _TEXT_WIDTH_LEAST)), whole


def _missing(spans: Spans, width: int) -> bool:
    """Say if a width does not suffice for columns as narrow as they may be."""
    return sum(least + _GAP for least, _ in spans.values()) - _GAP > width


def _widths(spans: Spans, width: int) -> dict[str, int]:
    """Share a width that suffices: what folding leaves over goes in equal parts, the columns that need least first."""
    spare = width - sum(least + _GAP for least, _ in spans.values()) + _GAP
    given = {}
    for left, name in enumerate(sorted(spans, key=lambda name: spans[name][1] - spans[name][0]), -len(spans)):
        least, whole = spans[name]
        given[name] = least + min(whole - least, spare // -left)
        spare -= given[name] - least
    return {name: given[name] for name in spans}


def _print_blocks(to: Console, rows: Sequence[dict[str, Any]], columns: Sequence[str], title: str) -> None:
    """Print every row as a block, a line for each column."""
    names = max(map(cell_len, columns))
    if title:
        to.print(Text(title, style="italic"))
    for number, row in enumerate(rows):
        if number:
            to.print()
        for name in columns:
            to.print(Text(name.ljust(names + _GAP), style="bold") + _named_cell(name, row[name]))


def console() -> Console:
    """Give a console on standard output that does not fold tables when nobody watches."""
    terminal = sys.stdout.isatty()
    return Console(width=None if terminal else _WIDE, highlight=False, soft_wrap=not terminal)


def _named_cell(name: str, value: Any) -> Text:
    """Write a value; numbers that name something, such as years, have no separators."""
    return Text(str(value)) if name in _NAMES and value is not None else cell(value)


def cell(value: Any) -> Text:
    """Write one value for people. Text is never read as markup."""
    if isinstance(value, Text):
        return value
    if value is None:
        return Text("")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, int):
        return Text(f"{value:,}")
    if isinstance(value, float):
        return Text(f"{value:,.1f}")
    text = str(plain(value))
    return Text(text, style=_COLOURS.get(text, ""))


def bar(percent: float | None, status: str) -> Text:
    """Draw how much of a limit is used; what is over shows as a full bar with a sign behind."""
    if percent is None:
        return Text("")
    filled = min(_BAR_WIDTH, int(percent / 100 * _BAR_WIDTH))
    drawn = "█" * filled + "·" * (_BAR_WIDTH - filled)
    tenths = int(percent * 10)  # rounded down, as all percentages are: what is not exhausted does not look so
    return Text(f"{drawn} {tenths // 10:,}.{tenths % 10}%", style=_COLOURS.get(status, ""))
