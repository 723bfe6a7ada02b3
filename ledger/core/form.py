"""The form of records: every field of every row understood, or every fault of it named.

The first of three ways to reject a row; it looks at the row alone and never at the ledger.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ledger.core.columns import ABSENT, Column, Numbers
from ledger.core.dates import day_text, parse_date
from ledger.core.text import Fault, did_you_mean, likely_country, nearest, normals, shown
from schemas.record import (
    COLUMNS,
    LENGTH_MAX,
    QUANTITY_MAX,
    REQUIRED,
    REQUIRED_WITHOUT_UNDER,
    SUPERFLUOUS,
)
from schemas.words import STATED_BASES, Kind, word

_KINDS: Final = {word(kind): kind for kind in Kind}
_BASES: Final = {word(basis): basis for basis in STATED_BASES}
_SLASHED_DATE_PARTS: Final = 3
_POINT_ZERO: Final = re.compile(r"[0-9]+\.0+")
_HINTED_MAX: Final = 100
"""Distinct unknown values of a column that get a hint; more would be slow, and nobody reads them."""

Parser = Callable[[str], Any]


@dataclass(frozen=True)
class Vocabulary:
    """The codes that a record may name, each with its number; `regions` gives a cloud region's country."""

    places: Mapping[str, int]
    place_names: Mapping[str, str]
    """Country codes by folded name, for hints."""
    regions: Mapping[str, str]
    parties: Mapping[str, int]
    chips: Mapping[str, int]
    counting_start: int

    def likely_country(self, text: str) -> str | None:
        """Give the code of a country written in small letters, by name, or nearly by name."""
        return likely_country(text, self.places, self.place_names)


@dataclass(frozen=True, slots=True)
class RowFault:
    """A fault of one row, from 0 within its import: the column, a stable word, a sentence."""

    row: int
    field: str
    code: str
    message: str


@dataclass
class Form:
    """Records by column, understood: numbers where the fold wants them (-1 for blank), texts as they were given.

    `given` has every column of the record as text without outer blanks, or None; what a row with faults has is void.
    """

    given: dict[str, Column]
    numbers: dict[str, Numbers]
    malformed: NDArray[np.bool_]
    faults: list[RowFault] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.malformed)


def _digits(text: str) -> int | Fault:
    allowed = f"expected digits only, 1 to {QUANTITY_MAX:,}"
    if not (text.isascii() and text.isdigit()):
        hint = ""
        if text.isdigit():
            hint = "; write it with the digits 0 to 9"
        elif text.replace(",", "").isdigit():
            hint = "; write it without the thousands separators that a spreadsheet adds"
        elif _POINT_ZERO.fullmatch(text):
            hint = (
                "; a decimal point usually comes from a spreadsheet or from pandas, which makes floats of a column"
                " with gaps: write whole numbers, or file Parquet, where whole floats are understood"
            )
        return Fault("malformed", f"found {shown(text)}, {allowed}{hint}")
    digits = text.lstrip("0")
    if not digits or len(digits) > len(str(QUANTITY_MAX)) or int(digits) > QUANTITY_MAX:
        return Fault("out-of-range", f"found {shown(text)}, {allowed}")
    return int(digits)


def _day(text: str) -> int | Fault:
    try:
        return parse_date(text)
    except ValueError:
        slashed = len(text.replace(".", "/").split("/")) == _SLASHED_DATE_PARTS
        hint = "; it cannot be told which part is the day and which the month" if slashed else ""
        return Fault("malformed", f"found {shown(text)}, expected a day that exists, as YYYY-MM-DD{hint}")


def _hint(guess: Callable[[str], str | None]) -> Callable[[str], str]:
    """Give what names a near code, for the first values that ask."""
    asked = count()
    return lambda text: did_you_mean(guess(text)) if next(asked) < _HINTED_MAX else ""


def _word(words: Mapping[str, int], code: str, what: str) -> Parser:
    near = _hint(lambda text: nearest(text, words))

    def parse(text: str) -> int | Fault:
        if text in words:
            return words[text]
        return Fault(code, f"found {shown(text)}, expected {what}{near(text)}")

    return parse


def _place(vocabulary: Vocabulary) -> Parser:
    near_region = _hint(lambda text: nearest(text, vocabulary.regions))
    near_country = _hint(vocabulary.likely_country)

    def parse(text: str) -> int | Fault:
        if text in vocabulary.places:
            return vocabulary.places[text]
        if ":" in text:
            if text in vocabulary.regions:
                return vocabulary.places[vocabulary.regions[text]]
            message = f"found {shown(text)}, which is no known cloud region{near_region(text)}"
            return Fault("unknown-region", message)
        return Fault(
            "unknown-country",
            f"found {shown(text)}, expected an ISO 3166-1 alpha-2 code or a cloud:region{near_country(text)}",
        )

    return parse


def _text(length_max: int) -> Parser:
    def parse(text: str) -> str | Fault:
        if len(text) <= length_max:
            return text
        return Fault("too-long", f"found {len(text):,} characters, expected at most {length_max:,}")

    return parse


def _parsers(vocabulary: Vocabulary) -> dict[str, Parser]:
    texts = {name: _text(length) for name, length in LENGTH_MAX.items()}
    return texts | {
        "kind": _word(_KINDS, "unknown-kind", "one of " + ", ".join(_KINDS)),
        "date": _day,
        "destination": _place(vocabulary),
        "consignee": _word(vocabulary.parties, "unknown-party", "a party of the register `parties`"),
        "chip": _word(vocabulary.chips, "unknown-chip", "a chip of the register `chips`"),
        "quantity": _digits,
        "basis": _word(_BASES, "unknown-basis", "blank or one of " + ", ".join(_BASES)),
        "expires": _day,
    }


ALL: Final = 2**62
"""More rows than there are."""

NUMBERS: Final = ("kind", "date", "destination", "consignee", "chip", "quantity", "basis")
"""The columns that the fold reads as numbers."""


def parse_records(columns: Mapping[str, Column], rows: int, vocabulary: Vocabulary, listed: int = ALL) -> Form:
    """Understand every row. `columns` has any of `schemas.record.COLUMNS`; those missing are blank throughout.

    Of so many rows with faults, from the first, the faults are `listed`; of others it is known that they have some.
    """
    given: dict[str, Column] = {}
    numbers: dict[str, Numbers] = {}
    faulty: dict[str, Mapping[int, Fault]] = {}
    masks = np.zeros(rows, np.int64)
    malformed = np.zeros(rows, np.bool_)
    parsers = _parsers(vocabulary)
    for bit, name in enumerate(COLUMNS):
        column = columns.get(name) or Column.blank(rows)
        texts = normals(column.values)
        if name in LENGTH_MAX and _is_good_text(texts, LENGTH_MAX[name]):
            given[name] = column.mapped(texts)
            masks |= 1 << bit
            continue
        parsed = [parsers[name](text) if isinstance(text, str) else text for text in texts]
        given[name] = column.mapped([None if isinstance(text, Fault) else text for text in texts])
        wrong = {code: value for code, value in enumerate(parsed) if isinstance(value, Fault)}
        if wrong:
            faulty[name] = wrong
            malformed |= _has_one(column, wrong)
        if name in NUMBERS:
            numbers[name] = column.numbers([ABSENT if n is None or isinstance(n, Fault) else n for n in parsed])
        masks |= column.numbers([0 if value is None else 1 << bit for value in parsed])
    pairs, misgiven = _misgiven(numbers["kind"], masks)
    misplaced = _on_wrong_side(numbers["kind"], numbers["date"], vocabulary.counting_start)
    malformed |= np.isin(pairs, list(misgiven)) | misplaced
    few = slice(_end_of(malformed, listed))
    faults = [
        RowFault(row, name, wrong[code].code, wrong[code].message)
        for name, wrong in faulty.items()
        for row, code in _rows_with(columns[name][few], wrong)
    ]
    faults += _presence(pairs[few], misgiven)
    faults += _sides(misplaced[few], numbers["kind"], numbers["date"], vocabulary.counting_start)
    order = {name: place for place, name in enumerate(COLUMNS)}
    faults.sort(key=lambda fault: (fault.row, order[fault.field]))
    return Form(given, numbers, malformed, faults)


def _end_of(malformed: NDArray[np.bool_], listed: int) -> int:
    """Give the row before which so many are malformed, or all of them."""
    found = np.flatnonzero(malformed)
    return int(found[listed]) if len(found) > listed else len(malformed)


def _is_good_text(texts: list[Any], length_max: int) -> bool:
    """Say if all distinct values are texts and short enough, and so need no further look."""
    return set(map(type, texts)) == {str} and max(map(len, texts)) <= length_max


def _has_one(column: Column, codes: Collection[int]) -> NDArray[np.bool_]:
    """Say of each row if it has one of some codes."""
    sought = np.zeros(len(column.values), np.bool_)
    sought[list(codes)] = True
    return sought[column.codes]


def _rows_with(column: Column, codes: Collection[int]) -> Iterator[tuple[int, int]]:
    """Give the rows, with their codes, that have one of some codes."""
    rows = np.flatnonzero(_has_one(column, codes))
    return zip(rows.tolist(), column.codes[rows].tolist(), strict=True)


def _misgiven(kinds: Numbers, masks: Numbers) -> tuple[Numbers, dict[int, list[tuple[str, str, str]]]]:
    """Give each row's pair of kind and given columns, and of each pair that is wrong what is missing or superfluous."""
    pairs = (kinds + 1 << len(COLUMNS)) | masks
    judged: dict[int, list[tuple[str, str, str]]] = {}
    for pair in np.flatnonzero(np.bincount(pairs)).tolist():
        found = _presence_of((pair >> len(COLUMNS)) - 1, pair & (1 << len(COLUMNS)) - 1)
        if found:
            judged[pair] = found
    return pairs, judged


def _presence(pairs: Numbers, misgiven: Mapping[int, list[tuple[str, str, str]]]) -> list[RowFault]:
    """Name what is missing and superfluous."""
    return [
        RowFault(row, name, code, message)
        for row in np.flatnonzero(np.isin(pairs, list(misgiven))).tolist()
        for name, code, message in misgiven[int(pairs[row])]
    ]


def _presence_of(kind_number: int, mask: int) -> list[tuple[str, str, str]]:
    given = {name for bit, name in enumerate(COLUMNS) if mask >> bit & 1}
    if kind_number == ABSENT:
        missing: tuple[str, ...] = ("reference", "kind", "date")
        return [(name, "missing", "found nothing, every record has one") for name in missing if name not in given]
    kind = Kind(kind_number)
    required = REQUIRED[kind]
    if "under" not in given:
        required = (*required, *REQUIRED_WITHOUT_UNDER.get(kind, ()))
    a_kind = f"{'an' if word(kind)[0] in 'aeiou' else 'a'} {word(kind)}"
    without = " without `under`" if kind is Kind.DELIVERY and "under" not in given else ""
    return [
        (name, "missing", f"found nothing, {a_kind}{without} must give it") for name in required if name not in given
    ] + [
        (name, "superfluous", f"found a value, {a_kind} must leave it blank")
        for name in SUPERFLUOUS[kind]
        if name in given
    ]


def _on_wrong_side(kinds: Numbers, days: Numbers, start: int) -> NDArray[np.bool_]:
    """Find openings that are not before the count begins, and allocations and deliveries that are."""
    asked = (kinds == Kind.ALLOCATION) | (kinds == Kind.DELIVERY)
    wrong: NDArray[np.bool_] = (days != ABSENT) & ((kinds == Kind.OPENING) & (days >= start) | asked & (days < start))
    return wrong


def _sides(misplaced: NDArray[np.bool_], kinds: Numbers, days: Numbers, start: int) -> list[RowFault]:
    """Name those found."""
    faults = []
    for row in np.flatnonzero(misplaced).tolist():
        kind, found = Kind(int(kinds[row])), f"found {day_text(int(days[row]))}"
        if kind is Kind.OPENING:
            message = f"{found}, an opening is dated before {day_text(start)}"
        else:
            named = f"an {word(kind)}" if kind is Kind.ALLOCATION else f"a {word(kind)}"
            message = f"{found}, {named} is dated {day_text(start)} or later"
        faults.append(RowFault(row, "date", "wrong-side", message))
    return faults
