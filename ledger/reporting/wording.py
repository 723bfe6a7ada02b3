"""Numbers, days and links as a page shows them: apart, because every page and report words them alike.

Whatever is shortened is rounded down, as in the ledger's own sentences: no room is shown that is not there.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from ledger.store.outputs import plain

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SMALL: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SHORT: Final = ((10**12, "trillion", 2), (10**9, "billion", 2), (10**6, "million", 1))
_COUNTRY_COLUMNS: Final = ("destination", "country", "largest_country", "headquarters")
_BRIEF_MAX: Final = 240
_NAME_MAX: Final = 80
_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]#|~>])")
_ADDRESS: Final = re.compile(r"""https?://[^\s\x00-\x20\x7f"'<>\\`]+""", re.IGNORECASE)


def thousands(number: int) -> str:
    """Give a whole number with thousands separators."""
    return f"{number:,}"


def short_number(number: int) -> str:
    """Give a large number in millions, billions or trillions, rounded down: 1,052,640,000 is 1.05 billion."""
    for unit, name, places in _SHORT:
        if number >= unit:
            scaled = number * 10**places // unit
            whole, part = divmod(scaled, 10**places)
            fraction = f"{part:0{places}}".rstrip("0")
            return f"{whole:,}{'.' if fraction else ''}{fraction} {name}"
    return f"{number:,}"


def percent_text(percent: Decimal | None) -> str:
    """Give a percentage to one place, rounded down; "none" of nothing."""
    if percent is None:
        return "none"
    return f"{percent.quantize(Decimal('0.1'), ROUND_DOWN):,}%"


def day_words(day: date) -> str:
    """Give a day in words: 13 May 2025."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def instant_text(instant: datetime) -> str:
    """Give an instant to the second, in UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def number_words(number: int) -> str:
    """Give a number below eleven as a word, else in digits."""
    return _SMALL[number] if 0 <= number < len(_SMALL) else thousands(number)


def counted(number: int, noun: str, plural: str | None = None, *, words: bool = False) -> str:
    """Give a number with its noun: 1 record, 2 records, 3 countries."""
    shown = number_words(number) if words else thousands(number)
    return f"{shown} {noun if number == 1 else plural or noun + 's'}"


def listed(items: list[str]) -> str:
    """Join items as a sentence does: a, b and c."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def link_host(text: str | None) -> str | None:
    """Give the host of a web address, and None of any other text: only what this accepts becomes a link."""
    if not text or not _ADDRESS.fullmatch(text):
        return None
    try:
        host = urlsplit(text).hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None


def figure_text(value: str) -> str:
    """Give a rulebook's figure as text, with thousands separators if it has more than four digits."""
    return thousands(int(value)) if value.isdigit() and len(value) > len("2025") else value


def named(code: str, names: Mapping[str, str]) -> str:
    """Give the name of a country, or its code if it has none."""
    return names.get(code, code)


def placed(value: Any, column: str, row: Mapping[str, Any], names: Mapping[str, str]) -> Any:
    """Give a value for a reader: of a column of countries the name with the code, and any other as it is.

    Where the row has that name already, beside the code, the code is enough.
    """
    name = names.get(value) if column in _COUNTRY_COLUMNS and isinstance(value, str) else None
    return value if name is None or row.get("name") == name else f"{name} ({value})"


def brief(text: str | None) -> str:
    """Give a text for a table: no longer than a reader bears; what is cut is marked."""
    return _cut(text or "", _BRIEF_MAX)


def harmless(name: str) -> str:
    """Give a name that can stand within a sentence: on one line, not long, and unable to turn its neighbours around."""
    return _cut(" ".join(_TURNING.sub("", name).split()), _NAME_MAX)


def markdown_cell(value: Any) -> str:
    """Give a value for a cell of a table in Markdown: on one line, with nothing that Markdown or HTML would read."""
    if value is None:
        return ""
    text = " ".join(str(plain(value)).split())
    return _MARKDOWN.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
