"""Which references of an import are named more than once, or are known already, and what is known of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.core.columns import ABSENT, Column
from ledger.core.form import Form
from ledger.rulebook.columns import Standing
from ledger.sequencer.desk import Desk
from ledger.store import read

_UNCOMPARED = -2
"""The content number of a row whose reference nobody else has: it is never compared."""


@dataclass
class References:
    """References and contents of an import's rows as numbers, and the recorded records among them."""

    reference: list[int]
    under: list[int]
    content: list[int]
    named: set[int]
    standings: dict[int, Standing]


def number_references(desk: Desk, provider: str, form: Form) -> References:
    """Number the references and contents of all rows, and look up which of them the provider has recorded."""
    numbers: dict[str, int] = {}
    reference = _numbered(form.given["reference"], numbers)
    under = _numbered(form.given["under"], numbers)
    seen = Counter(number for number in (*reference, *under) if number != ABSENT)
    named = {number for number, times in seen.items() if times > 1}
    connection = desk.ledger.connection
    recorded = read.find_references(connection, provider, list(numbers))
    found = read.standings(connection, desk.codebook, [sequence for sequence, *_ in recorded.values()])
    contents: dict[tuple[Any, ...], int] = {}
    standings: dict[int, Standing] = {}
    for text, (sequence, *content) in recorded.items():
        standing = found[sequence]
        standing.content = contents.setdefault(_recorded_content(content), len(contents))
        standings[numbers[text]] = standing
    compared = named | standings.keys()
    content_numbers = [
        contents.setdefault(_given_content(form, row), len(contents))
        if number in compared and not form.malformed[row]
        else _UNCOMPARED
        for row, number in enumerate(reference)
    ]
    return References(reference, under, content_numbers, named, standings)


def _numbered(column: Column, numbers: dict[str, int]) -> list[int]:
    table = [ABSENT if text is None else numbers.setdefault(text, len(numbers)) for text in column.values]
    return column.spread(table)


def _recorded_content(content: Sequence[Any]) -> tuple[Any, ...]:
    """Give the compared columns of a recorded record as a row gives them: days as text."""
    return tuple(value.isoformat() if isinstance(value, date) else value for value in content)


def _given_content(form: Form, row: int) -> tuple[Any, ...]:
    """Give the compared columns of a row; quantities as numbers, however many zeros stand before them."""
    values = {name: form.given[name].item(row) for name in read.COMPARED}
    quantity = values["quantity"]
    return tuple((values | {"quantity": None if quantity is None else int(quantity)}).values())
