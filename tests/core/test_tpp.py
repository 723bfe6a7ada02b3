"""Shares and percentages of TPP, against searches that are too simple to be wrong."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.core.tpp import ACCOUNT_TPP_MAX, CHIP_TPP_MAX, percent_of, share_left
from schemas.record import QUANTITY_MAX

PERCENTS = st.integers(0, 99)
SMALL = st.integers(-60, 300)
LARGE = st.integers(-ACCOUNT_TPP_MAX, ACCOUNT_TPP_MAX)


def fits(percent: int, numerator: int, whole: int) -> bool:
    return 100 * numerator <= percent * whole


@given(PERCENTS, SMALL, SMALL)
def test_share_left_is_the_greatest_that_fits(percent: int, numerator: int, whole: int) -> None:
    """What is left is the greatest x with 100 (n + x) <= p (w + x), found by trying; 0 where nothing fits."""
    left = 0
    if fits(percent, numerator, whole):
        while fits(percent, numerator + left + 1, whole + left + 1):
            left += 1

    assert share_left(percent, numerator, whole) == left


@given(PERCENTS, LARGE, LARGE)
def test_share_left_is_exact_for_great_amounts(percent: int, numerator: int, whole: int) -> None:
    """What is left fits and one more does not, to the last TPP of the greatest accounts."""
    left = share_left(percent, numerator, whole)

    assert left >= 0
    assert left == 0 or fits(percent, numerator + left, whole + left)
    assert not fits(percent, numerator + left + 1, whole + left + 1)


def test_share_left_of_section_9() -> None:
    """The case of SPEC section 9: 75,268 H100 of 1,075,268 leave 12,937 TPP of 7 percent."""
    assert share_left(7, 75_268 * 15_832, 1_075_268 * 15_832) == 12_937
    assert share_left(7, 75_269 * 15_832, 1_075_269 * 15_832) == 0


@given(st.integers(0, 100), LARGE)
def test_percent_of_is_rounded_down(percent: int, tpp: int) -> None:
    """A percentage is the greatest whole number that is not more than it."""
    part = percent_of(percent, tpp)

    assert 100 * part <= percent * tpp < 100 * (part + 1)


def test_accounts_hold_any_record_and_sums_of_many_fit_the_engine() -> None:
    """The greatest record fits an account, and a hundred of the greatest accounts fit 64 bits."""
    assert CHIP_TPP_MAX * QUANTITY_MAX <= ACCOUNT_TPP_MAX
    assert 100 * ACCOUNT_TPP_MAX < 2**63
