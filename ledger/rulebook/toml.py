"""Reading a file of TOML that a person wrote: what is no TOML is shown as it stands, with how it would be written."""

import re
import tomllib
from typing import Any, Final

from ledger.core.text import shown

_PLACE: Final = re.compile(r"(?P<why>.*?)(?: \(at line (?P<line>\d+), column \d+\))?", re.DOTALL)
_WRITTEN: Final[tuple[tuple[str, str], ...]] = (
    (r"[“”„«»]", 'texts stand in straight double quotes, "like this"'),
    (
        r"^\s*\[\[?[^\[\]]*$|^\s*\[[^\[\]]+\]\]$|^\s*\[\[[^\[\]]+\]$",
        "a table begins with [name], one of several with [[name]]",
    ),
    (r"^\s*\[[^\[\]]+\]\s*$", "a table stands once; where there may be several, each begins with [[name]]"),
    (r"=\s*[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}\b", "a date is written 2025-01-31, without quotes"),
    (r"=\s*[0-9]+\s*(%|percent)", "a percentage is a whole number without a sign, 25"),
    (r"=\s*[0-9]{1,3}([,.' ][0-9]{3})+", "an amount is written 790_000_000 or 790000000"),
    (r"=\s*(True|False|TRUE|FALSE|[Yy]es|[Nn]o|on|off)\b", "a switch is true or false, in small letters"),
    (r"=\s*\"[^\"]*\"[^\"\s#]", 'a double quote within a text is written \\"'),
    (r"^[^\"]*=\s*\"[^\"]*$", "a text ends with a double quote, on the line on which it begins"),
    (r"[=\[,]\s*[A-Za-z]", 'a text stands in double quotes, "AE"'),
)
"""What a line looks like that people write, and how it would be written."""


class TomlFault(ValueError):
    """A text that is no TOML; its message says where, what stands there, and how it would be written."""


def read_toml(text: str) -> dict[str, Any]:
    """Read a text of TOML. Raises TomlFault."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # TOMLDecodeError is a ValueError; the others come of numbers and nesting past all measure.
        found = _PLACE.fullmatch(str(error))
        lines = text.splitlines()
        number = int(found["line"]) if found and found["line"] else 0
        if not found or not 0 < number <= len(lines):
            raise TomlFault(f"is not TOML: {error}") from None
        line = lines[number - 1]
        hint = next((f"; {written}" for pattern, written in _WRITTEN if re.search(pattern, line)), "")
        raise TomlFault(f"line {number}, {shown(line.strip())}, is not TOML{hint} ({found['why']})") from None
