"""Columns: what is put in comes out, row by row, of the very type."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.columns import ABSENT, Column, concatenate, distinct, listed

ITEMS = st.lists(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-2, 2),
        st.sampled_from((0.0, 1.0, 2.0)),
        st.sampled_from((Decimal(1), Decimal(2))),
        st.sampled_from(("", "1", "a")),
        st.dates(date(2025, 1, 1), date(2025, 1, 3)),
    ),
    max_size=20,
)


def typed(items: list[Any]) -> list[tuple[type, Any]]:
    return [(type(item), item) for item in items]


def rows(column: Column) -> list[tuple[type, Any]]:
    return typed([column.item(row) for row in range(len(column))])


@given(ITEMS)
def test_every_row_gives_what_was_put_in(items: list[Any]) -> None:
    """A column of items gives them back in order, and has each distinct value once."""
    column = Column.of(items)

    assert rows(column) == typed(items)
    assert len(set(typed(column.values))) == len(column.values)
    assert rows(Column(column.values, column.codes)) == typed(column.spread(column.values))


def test_equal_numbers_of_other_types_are_other_values() -> None:
    """1, 1.0, True and the decimal 1 are equal to Python and yet different things to have given."""
    items = [1, 1.0, True, Decimal(1), "1", 0, False, 0.0, 1]
    column = Column.of(items)

    assert rows(column) == typed(items)
    assert column.codes.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0]


@given(st.lists(ITEMS, min_size=1, max_size=4))
def test_columns_after_one_another_have_all_their_rows(parts: list[list[Any]]) -> None:
    """The rows of several columns follow one another, each as it was."""
    column = concatenate([Column.of(items) for items in parts])

    assert rows(column) == typed([item for items in parts for item in items])


@given(ITEMS, st.integers(0, 5))
def test_a_missing_column_is_blank_throughout(items: list[Any], missing: int) -> None:
    """A file without a column has rows that give nothing, wherever it stands among others."""
    column = concatenate([Column.blank(missing), Column.of(items), Column.blank(missing)])

    assert rows(Column.blank(missing)) == typed([None] * missing)
    assert rows(column) == typed([None] * missing + items + [None] * missing)


def test_no_columns_have_no_rows() -> None:
    """An import without files has no rows."""
    assert len(concatenate([])) == 0


@given(ITEMS)
def test_spread_looks_every_row_up(items: list[Any]) -> None:
    """A table of one thing for each distinct value gives that thing for each row."""
    column = Column.of(items)

    assert column.spread([repr(value) for value in column.values]) == [repr(item) for item in items]


@given(ITEMS, st.lists(st.integers(0, 19), max_size=20))
def test_some_rows_of_a_column_are_those_rows(items: list[Any], picked: list[int]) -> None:
    """Rows picked out of a column give what they gave there."""
    wanted = np.array([row for row in picked if row < len(items)], np.int64)

    assert typed(Column.of(items)[wanted].items()) == typed([items[row] for row in wanted])


@given(st.lists(st.one_of(st.none(), st.sampled_from(("", "a", "b"))), max_size=20))
def test_a_column_of_texts_is_one_of_items(texts: list[str | None]) -> None:
    """The quicker way to make a column of texts gives the same column."""
    assert Column.of_texts(texts).items() == texts
    assert len(set(Column.of_texts(texts).values)) == len(Column.of_texts(texts).values)


def test_a_column_of_one_value_or_of_numbers_lists_it_for_each_row() -> None:
    """A constant is given by every row; of numbers, nothing is None."""
    assert listed(Column.constant("me", 3)) == ["me"] * 3
    assert listed(np.array([3, ABSENT, 0])) == [3, None, 0]


@given(st.lists(st.one_of(st.integers(-5, 30), st.integers(-(2**40), 2**40)), max_size=40))
def test_distinct_numbers_are_what_sorting_finds(numbers: list[int]) -> None:
    """Near or far apart, each number is found once, in order, and each row at its place."""
    rows = np.array(numbers, np.int64)

    values, places = distinct(rows)

    assert values.tolist() == sorted(set(numbers))
    assert values[places].tolist() == numbers
