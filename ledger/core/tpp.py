"""Total processing performance: exact integers, and the bounds within which the ledger keeps them.

TPP of one integrated circuit is 2 x MacTOPS x bit length of the operation (technical notes to ECCN 3A090);
a record's `tpp` is quantity x the chip's TPP.
"""

from typing import Final

CHIP_TPP_MAX: Final = 10_000_000
ACCOUNT_TPP_MAX: Final = 90_000_000_000_000_000
"""No account may pass this: sums of a hundred accounts still fit a signed 64-bit integer. A bound of this
ledger, not of any law, and so not a rulebook's."""


def percent_of(percent: int, tpp: int) -> int:
    """Give `percent` percent of `tpp`, rounded down."""
    return percent * tpp // 100


def share_left(percent: int, numerator: int, whole: int) -> int:
    """Give the TPP that may still be added to `numerator`, with `whole` growing along, within `percent` (0..99).

    (n + x) / (w + x) <= p / 100  holds up to  x = (p w - 100 n) / (100 - p), rounded down, at least 0.
    """
    return max(0, (percent * whole - 100 * numerator) // (100 - percent))
