"""Columns: what is put in comes out, row by row, of the very type."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.core.columns import Column, concatenate

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
    assert list(column.codes) == [0, 1, 2, 3, 4, 5, 6, 7, 0]


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
