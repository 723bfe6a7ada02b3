"""Which references of an import are named more than once, or are known already, and what is known of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypeVar

import numpy as np

from ledger.core.columns import ABSENT, Column, Numbers
from ledger.core.form import Form
from ledger.rulebook.columns import Standing
from ledger.sequencer.desk import Desk
from ledger.store import read

_UNCOMPARED = -2
"""The content number of a row whose reference nobody else has: it is never compared."""


_T = TypeVar("_T")


class Ask(Protocol):
    """Has a question to the ledger answered after all that was appended before it."""

    def __call__(self, question: Callable[[], _T]) -> _T:
        """Give what the question gives."""


class Seen:
    """The references of the rows before, as hashes: those of a large file would not fit into memory."""

    def __init__(self) -> None:
        self._hashes = np.zeros(0, np.int64)

    def add(self, texts: Sequence[str | None]) -> None:
        """Remember references."""
        merged = np.concatenate((self._hashes, np.sort(_hashes(texts))))
        merged.sort(kind="stable")  # which merges what is in order already
        self._hashes = merged

    def likely(self, texts: Sequence[str]) -> list[str]:
        """Give those texts that may be among them: all that are, and perhaps others."""
        if not len(self._hashes):
            return []
        hashes = _hashes(texts)
        places = np.searchsorted(self._hashes, hashes)
        found = self._hashes[np.minimum(places, len(self._hashes) - 1)] == hashes
        return [texts[place] for place in np.flatnonzero(found).tolist()]


def _hashes(texts: Sequence[str | None]) -> Numbers:
    return np.fromiter(map(hash, texts), np.int64, len(texts))


@dataclass
class References:
    """References and contents of some rows of an import as numbers, and the recorded records among them."""

    reference: Numbers
    under: Numbers
    content: Numbers
    named: frozenset[int]
    standings: dict[int, Standing]


def number_references(desk: Desk, provider: str, form: Form, seen: Seen, ask: Ask) -> References:
    """Number the references and contents of some rows, and look up which of them the provider has recorded.

    `seen` has the references of the import's rows before these, and gets theirs, if they are the ledger's first.
    """
    reference, under, texts = _numbered(form.given["reference"], form.given["under"])
    times = np.bincount(reference[reference != ABSENT], minlength=len(texts) + 1)
    times_named = np.bincount(under[under != ABSENT], minlength=len(texts) + 1)
    named = frozenset(np.flatnonzero(times + times_named > 1).tolist())
    sought = texts
    if not desk.head().sequence:
        # Before the first record of a ledger, only the rows before these can have been recorded.
        sought = seen.likely(texts)
        seen.add(form.given["reference"].values)
    recorded, found = ask(lambda: _recorded(desk, provider, sought)) if sought else ({}, {})
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


def _recorded(
    desk: Desk, provider: str, texts: Sequence[str]
) -> tuple[dict[str, tuple[Any, ...]], dict[int, Standing]]:
    """Look up which references are recorded: sequence and content of each, and how those records stand."""
    if not read.may_know(desk.ledger, provider, texts):
        return {}, {}
    recorded = read.find_references(desk.ledger.connection, provider, texts)
    return recorded, read.standings(desk.ledger.connection, desk.codebook, [row[0] for row in recorded.values()])


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
