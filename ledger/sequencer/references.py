"""Which references of an import are named more than once, or are known already, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from ledger.core.columns import ABSENT, Column, Numbers
from ledger.core.form import Form
from ledger.rulebook.columns import Standing
from ledger.sequencer.desk import Desk
from ledger.store import read

_UNCOMPARED = -2
"""The content number of a row whose reference nobody else has: it is never compared."""


@dataclass
class References:
    """References and contents of an import's rows as numbers, and the recorded records among them."""

    reference: Numbers
    under: Numbers
    content: Numbers
    named: frozenset[int]
    standings: dict[int, Standing]


def number_references(desk: Desk, provider: str, form: Form) -> References:
    """Number the references and contents of all rows, and look up which of them the provider has recorded."""
    reference, under, texts = _numbered(form.given["reference"], form.given["under"])
    times = np.bincount(reference[reference != ABSENT], minlength=len(texts) + 1)
    times_named = np.bincount(under[under != ABSENT], minlength=len(texts) + 1)
    named = frozenset(np.flatnonzero(times + times_named > 1).tolist())
    recorded: dict[str, tuple[Any, ...]] = {}
    if desk.head().sequence:
        recorded = read.find_references(desk.ledger.connection, provider, texts)
    found = read.standings(desk.ledger.connection, desk.codebook, [sequence for sequence, *_ in recorded.values()])
    contents: dict[tuple[Any, ...], int] = {}
    standings: dict[int, Standing] = {}
    for number, text in enumerate(texts if recorded else ()):
        if text in recorded:
            sequence, *content = recorded[text]
            standings[number] = found[sequence]
            standings[number].content = contents.setdefault(_recorded_content(content), len(contents))
    content_numbers = np.full(len(form), _UNCOMPARED, np.int64)
    compared = times > 1
    compared[list(standings)] = True
    for row in np.flatnonzero(compared[reference] & ~form.malformed).tolist():
        content_numbers[row] = contents.setdefault(_given_content(form, row), len(contents))
    return References(reference, under, content_numbers, named, standings)


def _numbered(reference: Column, under: Column) -> tuple[Numbers, Numbers, list[str]]:
    """Number the texts of both columns, equal ones alike. Gives the numbers, and the text of each number."""
    texts = reference.values
    if not any(under.values) and None not in texts and len(set(texts)) == len(texts):
        # Distinct texts that nothing names, as most files' references are: each is its own number.
        return reference.codes, under.numbers([ABSENT] * len(under.values)), texts
    numbers: dict[str, int] = {}
    tables = [
        [ABSENT if text is None else numbers.setdefault(text, len(numbers)) for text in column.values]
        for column in (reference, under)
    ]
    return reference.numbers(tables[0]), under.numbers(tables[1]), list(numbers)


def _recorded_content(content: Sequence[Any]) -> tuple[Any, ...]:
    """Give the compared columns of a recorded record as a row gives them: days as text."""
    return tuple(value.isoformat() if isinstance(value, date) else value for value in content)


def _given_content(form: Form, row: int) -> tuple[Any, ...]:
    """Give the compared columns of a row; quantities as numbers, however many zeros stand before them."""
    values = {name: form.given[name].item(row) for name in read.COMPARED}
    quantity = values["quantity"]
    return tuple((values | {"quantity": None if quantity is None else int(quantity)}).values())
