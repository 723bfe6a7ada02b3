"""What a single given value is: blank, a text, or malformed; with the sentence that says so."""

import difflib
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

_BYTE_MAX: Final = 0xFF
_BLANKS: Final = " \t\r\n\u00a0"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SHOWN_MAX: Final = 60
_RESERVED: Final = {"UK": "GB", "EL": "GR"}
"""Codes that people write and that ISO 3166-1 only reserves."""
_CODE_LENGTH: Final = 2
_TYPES: Final = (
    (bool, "a true or false"),
    (bytes, "binary data"),
    (time, "a time of day"),
    (timedelta, "a length of time"),
    (tuple, "a list or an object"),
)
"""What the values of types that no column takes are called."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value is not understood: a stable word, and what was found and is allowed in one sentence."""

    code: str
    message: str


def shown(value: Any) -> str:
    """Quote a value for a message: short, on one line, control characters visible."""
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"
    return f'"{visible(text)}"'


def visible(text: str) -> str:
    """Give a text on one line, harmless to a terminal: control characters as Python escapes them."""
    return _CONTROL.sub(_escaped, text).replace("\n", "\\n")


def _escaped(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number <= _BYTE_MAX else f"\\u{number:04x}"


def normal(value: Any) -> str | Fault | None:
    """Give a value as text without outer blanks, None where it is blank, or a Fault.

    Typed values are as good as text: whole numbers, dates, and floats that are whole, as pandas makes of a column
    with gaps.
    """
    if isinstance(value, str):
        text = value.strip(_BLANKS).replace("\r\n", "\n")
        control = _CONTROL.search(text)
        if control:
            number = ord(control[0])
            kind = "a NUL byte" if not number else f"the control character U+{number:04X}"
            if number > _BYTE_MAX:
                kind = f"U+{number:04X}, half of a character"
            return Fault("control-character", f"found {shown(text)} with {kind}; only tab and newline are allowed")
        return text or None
    if value is None:
        return None
    if isinstance(value, float | Decimal):
        if math.isnan(value):
            return None
        whole = math.isfinite(value) and value == int(value)
        return str(int(value)) if whole else Fault("malformed", f"found {value}, which is not whole")
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date().isoformat()
        return Fault("malformed", f"found {value}, a day with a time; expected the day alone")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    kind = next((name for known, name in _TYPES if isinstance(value, known)), f"a {type(value).__name__}")
    return Fault("malformed", f"found {shown(value)}, {kind}; expected a text, number or date")


def normals(values: list[Any]) -> list[Any]:
    """Give `normal` of each value; texts that have nothing to mend, as most files' have, are seen to be so at once."""
    try:
        joined = "|".join(["", *(value for value in values if value is not None), ""])
    except TypeError:  # not texts alone
        return [normal(value) for value in values]
    # No blank and no control character is printable, but for the space; an empty or padded text shows at its ends.
    if joined.isprintable() and not any(end in joined for end in ("||", "| ", " |")):
        return values
    return [normal(value) for value in values]


def nearest(text: str, known: Collection[str]) -> str | None:
    """Give the known code that looks most like a typing error of `text`, or None if none is near."""
    folded = {code.casefold(): code for code in reversed(list(known))}
    near = difflib.get_close_matches(text.casefold(), folded, n=1, cutoff=0.7)
    return folded[near[0]] if near else None


def likely_country(text: str, codes: Collection[str], names: Mapping[str, str]) -> str | None:
    """Give the code of a country written in small letters, by name, or nearly by name; `names` are folded."""
    if text.upper() in codes:
        return text.upper()
    if len(text) <= _CODE_LENGTH:
        return _RESERVED.get(text.upper())
    name = nearest(text, names)
    return names[name] if name else None


def did_you_mean(code: str | None) -> str:
    """Give a hint that names a code, or nothing if there is none."""
    return f'; did you mean "{code}"?' if code else ""
