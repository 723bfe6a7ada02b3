"""What a single given value is: blank, a text, or a fault with its sentence."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.text import Fault, did_you_mean, nearest, normal, shown

GOOD: tuple[tuple[Any, str | None], ...] = (
    (None, None),
    ("", None),
    (" \t\r\n\u00a0", None),
    (float("nan"), None),
    (Decimal("NaN"), None),
    ("  AE\u00a0", "AE"),
    ("a\tb", "a\tb"),
    ("a\r\nb", "a\nb"),
    ("a\nb\n", "a\nb"),
    ("Ünïcode 芯片 \U0001f600\u2028", "Ünïcode 芯片 \U0001f600\u2028"),
    (10, "10"),
    (-1, "-1"),
    (10.0, "10"),
    (-0.0, "0"),
    (1e15, "1000000000000000"),
    (2.0**63, "9223372036854775808"),
    (Decimal("10.00"), "10"),
    (Decimal("1E+3"), "1000"),
    (date(2025, 1, 31), "2025-01-31"),
    (date(999, 1, 1), "0999-01-01"),
    (datetime(2025, 1, 31, tzinfo=UTC), "2025-01-31"),
)
BAD: tuple[tuple[Any, str, str], ...] = (
    (10.5, "malformed", "found 10.5, which is not whole"),
    (float("inf"), "malformed", "found inf, which is not whole"),
    (Decimal("-Infinity"), "malformed", "found -Infinity, which is not whole"),
    (Decimal("0.1"), "malformed", "found 0.1, which is not whole"),
    (datetime(2025, 1, 31, 12, tzinfo=UTC), "malformed", "expected the day alone"),
    (True, "malformed", 'found "True"'),
    (b"AE", "malformed", "expected a text, number or date"),
    ([1], "malformed", 'found "[1]"'),
    ({"a": 1}, "malformed", "expected a text, number or date"),
    ("a\0b", "control-character", "a NUL byte"),
    ("a\x1bb", "control-character", "U+001B"),
    ("a\x7f", "control-character", "U+007F"),
    ("a\x85", "control-character", "U+0085"),
    ("a\rb", "control-character", "U+000D"),
    ("a\ud800", "control-character", "U+D800"),
)


@pytest.mark.parametrize(("value", "text"), GOOD, ids=repr)
def test_typed_values_are_as_good_as_text(value: Any, text: str | None) -> None:
    """Texts lose their outer blanks; whole numbers, whole floats and days are what text they would be."""
    assert normal(value) == text


@pytest.mark.parametrize(("value", "code", "part"), BAD, ids=lambda value: ascii(value)[:20])
def test_what_is_neither_is_a_fault(value: Any, code: str, part: str) -> None:
    """Anything else is a fault, with a stable word and what was found."""
    fault = normal(value)

    assert isinstance(fault, Fault)
    assert fault.code == code
    assert part in fault.message


@given(st.text())
def test_a_text_that_is_understood_is_understood_so_again(text: str) -> None:
    """What comes out is not changed by going in again, and it has no outer blanks and no control characters."""
    once = normal(text)
    if isinstance(once, str):
        assert normal(once) == once
        assert once == once.strip(" \t\r\n\u00a0")
        assert not ({chr(code) for code in (*range(32), *range(127, 160))} - {"\t", "\n"}) & set(once)
        once.encode()


@given(st.integers(-(10**18), 10**18))
def test_a_number_is_the_text_of_its_digits(number: int) -> None:
    """A number given as a number is the number given as text."""
    assert normal(number) == normal(str(number)) == normal(Decimal(number)) == str(number)


@given(st.text(max_size=200))
def test_a_shown_value_is_short_and_on_one_line(text: str) -> None:
    """A value in a message is quoted, on one line, without control characters, and can be written as UTF-8."""
    quoted = shown(text)

    assert quoted[0] == quoted[-1] == '"'
    assert not set("\n\r\0\x1b\x7f\x85") & set(quoted)
    assert len(quoted) <= 60 * 6 + 2
    assert len(text) <= 60 or "…" in quoted
    quoted.encode()


def test_the_nearest_code_is_named() -> None:
    """A typing error is met with the code that was meant, whatever its case; nonsense with none."""
    known = ("country-cap", "lpp-annual", "H100")

    assert [nearest(text, known) for text in ("country-cpa", "h100", "LPP-ANUAL", "zebra")] == [
        *("country-cap", "H100", "lpp-annual", None)
    ]
    assert (did_you_mean("AE"), did_you_mean(None)) == ('; did you mean "AE"?', "")
