"""What an adapter is: it says of every row of a foreign file what is to be recorded, or why nothing is.

It never guesses and never loses a row: what it cannot map, it reports with a reason.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Final

from ledger.core.dates import parse_date
from ledger.core.text import shown
from schemas.record import LENGTH_MAX, QUANTITY_MAX

Row = Mapping[str, str]
"""A row of a foreign file: the adapter's columns by name, as text without outer blanks; blank where nothing stands."""

Record = Mapping[str, str]
"""A record by column, as `schemas/record.py` has them."""

_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
_NEARLY: Final = Decimal("0.000001")
_DIGEST_LENGTH: Final = 12
_BASE_LENGTH_MAX: Final = 96
"""Characters of a name in a reference: what is put behind it must fit in too."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is not recorded: a stable word to count by, and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Adapted:
    """What becomes of one row: it is recorded as `records`, unless it is left out or reported.

    A row is *left out* because the file itself says that it must not be added up, and *reported* because it cannot be
    mapped. A row that lacks nothing but its owner's headquarters names the `owner` and has its records all the same,
    without consignee, so that one can see how much hangs on it.
    """

    name: str
    records: tuple[Record, ...] = ()
    left_out: Reason | None = None
    reported: tuple[Reason, ...] = ()
    owner: str = ""
    references: tuple[str, ...] = ()
    """Every reference under which this or an earlier file may have recorded something of this row."""
    country: str = ""
    given_h100e: Decimal = Decimal(0)
    """The file's own H100 equivalents, to compare with; the ledger never counts by them."""


@dataclass(frozen=True)
class Known:
    """What an adapter may look up: the ledger's codes, and the layout's names for them."""

    places: Collection[str]
    country_names: Mapping[str, str]
    """Country codes by folded name."""
    regions: Mapping[str, str]
    chips: Collection[str]
    chip_names: Mapping[str, tuple[str, str]]
    """Chip id, blank where there is none on purpose, and a note, by folded name."""
    parties: Mapping[str, str]
    """Party ids by folded name of an owner; blank where several have that name."""
    counting_start: int
    consignee: str = ""
    """Whose chips they are, where the layout does not say."""

    def country(self, text: str) -> str | None:
        """Give the code of a country written as code or by name."""
        return text if text in self.places else self.country_names.get(folded(text))

    def owner(self, text: str) -> str | None:
        """Give the party that a layout calls so, if it has headquarters."""
        return (text and self.parties.get(folded(text))) or None


@dataclass(frozen=True)
class Adapter:
    """A foreign layout: its name for `--from`, what it is, its columns, and the function that adapts its rows.

    A file must have every `required` column and may have any other; of these, the `optional` are read too.
    """

    name: str
    title: str
    required: tuple[str, ...]
    adapt: Callable[[Sequence[Row], Known], list[Adapted]]
    optional: tuple[str, ...] = ()
    label: str = ""
    """The column that names a row, for people."""
    chip_names: str = ""
    """The file in `seeds/adapters/` of the layout's names for chips; without one, they are the ledger's."""
    owners: str = ""
    """The file in `seeds/parties/` of the layout's owners with their headquarters, if there is one."""
    names_owner: bool = True
    """Whether the layout says whose chips they are; if not, `--consignee` must."""
    explained: str = ""
    """Why the file's own H100 equivalents differ from the ledger's, if it gives any: whole sentences."""


def folded(text: str) -> str:
    """Give a name as names are compared: blanks and case make no difference."""
    return re.sub(r"\s*,\s*", ",", " ".join(text.split())).casefold()


def number(text: str) -> Decimal | None:
    """Give a number that is not negative, or None if this is none."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def whole_count(text: str) -> int | Reason:
    """Give a count of chips. A float's last digits, such as 30000.000000000004, are not taken for parts of a chip."""
    value = number(text)
    count = round(value) if value is not None else 0
    if value is None or abs(value - count) > _NEARLY or not 1 <= count <= QUANTITY_MAX:
        return Reason("bad-count", f"found {shown(text)} chips, expected a whole number, 1 to {QUANTITY_MAX:,}")
    return count


def day(text: str) -> int | Reason:
    """Give a day; a month or a year alone is none."""
    try:
        return parse_date(text)
    except ValueError:
        return Reason("partial-date", f"found {shown(text)}, which is no single day as YYYY-MM-DD")


def reference_base(name: str) -> str:
    """Give a name as the beginning of references: on one line, and short enough whatever is put behind it."""
    text = " ".join(name.split())
    if len(text) <= _BASE_LENGTH_MAX:
        return text
    digest = sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{text[: _BASE_LENGTH_MAX - _DIGEST_LENGTH - 2]} ~{digest}"


def content_base(name: str, facts: Sequence[object]) -> str:
    """Give the beginning of references of a row that has no name of its own: a digest of its facts stands in for it."""
    digest = sha256(json.dumps(facts).encode()).hexdigest()[:_DIGEST_LENGTH]
    return reference_base(f"{name} ~{digest}")


def joined_note(*parts: str) -> str:
    """Put parts of a note together, those that say something, cut to what a note may hold."""
    text = "; ".join(part for part in parts if part)
    return text if len(text) <= LENGTH_MAX["note"] else text[: LENGTH_MAX["note"] - 1] + "…"
