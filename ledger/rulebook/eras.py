"""What depends on a record's date and on nothing else of it, era by era: an era is days on which nothing changes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ledger.core.columns import Numbers


@dataclass(frozen=True, slots=True)
class Eras:
    """A row an era, in order of days; columns of `tiers` and `caps` are the codebook's places."""

    first_days: Numbers
    tiers: Numbers
    caps: Numbers
    """The cap of each country, in TPP, whatever its tier."""
    counting: NDArray[np.bool_]
    """Whether figures are published for what is dated then."""
    lpp_open: NDArray[np.bool_]

    def of(self, days: Numbers) -> Numbers:
        """Give the era of each of some days."""
        return np.searchsorted(self.first_days, days, side="right") - 1
