"""What every account holds: the sums that the limits look at, by family as the registers stand."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ledger.core.columns import Numbers, distinct


@dataclass(slots=True)
class Counts:
    """What one record adds to each account, in TPP, negative where it takes away.

    The periods stand beside their amounts because a reversal takes back in the same year and quarter.
    """

    cap: int = 0
    lpp: int = 0
    lpp_year: int = 0
    lpp_from: int = 0
    """Chips that fulfil an allocation of another year leave that year: -lpp_from, in `lpp_from_year`."""
    lpp_from_year: int = 0
    nveu: int = 0
    nveu_quarter: int = 0
    committed: int = 0
    installed: int = 0
    pending: int = 0

    def taken_back(self) -> "Counts":
        """Give what a reversal adds: exactly the opposite, account by account, in the same periods."""
        return Counts(
            cap=-self.cap,
            lpp=-self.lpp,
            lpp_year=self.lpp_year,
            lpp_from=-self.lpp_from,
            lpp_from_year=self.lpp_from_year,
            nveu=-self.nveu,
            nveu_quarter=self.nveu_quarter,
            committed=-self.committed,
            installed=-self.installed,
            pending=-self.pending,
        )


class Balances:
    """The accounts, in TPP. Countries and families are the codebook's numbers; years and quarters are `core.dates`'."""

    def __init__(self) -> None:
        self.cap: defaultdict[int, int] = defaultdict(int)
        self.lpp: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.nveu: defaultdict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        self.committed: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
        self.pending: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
        self.installed: defaultdict[int, int] = defaultdict(int)
        self.committed_total: defaultdict[int, int] = defaultdict(int)
        self.pending_total: defaultdict[int, int] = defaultdict(int)

    def largest(self) -> int:
        """Give the largest of the accounts that have a bound."""
        family = [self.installed[f] + self.pending_total[f] for f in {*self.installed, *self.pending_total}]
        return max([0, *self.cap.values(), *self.lpp.values(), *self.committed_total.values(), *family])

    def add(self, family: int, destination: int, counts: Counts, sign: int = 1) -> None:
        """Count a record, or with sign -1 uncount it again."""
        if counts.cap:
            self.cap[destination] += sign * counts.cap
        if counts.lpp:
            self.lpp[family, counts.lpp_year] += sign * counts.lpp
        if counts.lpp_from:
            self.lpp[family, counts.lpp_from_year] -= sign * counts.lpp_from
        if counts.nveu:
            quarters = self.nveu[family, destination]
            quarters[counts.nveu_quarter] = quarters.get(counts.nveu_quarter, 0) + sign * counts.nveu
        if counts.committed:
            self.committed[family][destination] += sign * counts.committed
            self.committed_total[family] += sign * counts.committed
        if counts.pending:
            self.pending[family][destination] += sign * counts.pending
            self.pending_total[family] += sign * counts.pending
        if counts.installed:
            self.installed[family] += sign * counts.installed

    def add_many(self, columns: Mapping[str, Numbers], places: int) -> None:
        """Count what many records commit, promise and install, and nothing else of them.

        `columns` are those of decisions, `places` is how many countries there are.
        """
        keys = columns["family"] * places + columns["destination"]
        accounts, at = distinct(keys)
        sums = {name: np.zeros(len(accounts), np.int64) for name in ("committed", "installed", "pending")}
        for name, total in sums.items():
            np.add.at(total, at, columns[name])
        for place, account in enumerate(accounts.tolist()):
            counts = Counts(**{name: int(total[place]) for name, total in sums.items()})
            self.add(account // places, account % places, counts)

    def nveu_base(self, family: int, destination: int, quarter: int) -> int:
        """Give the installed base of a quarter: everything dated up to its last day."""
        return sum(tpp for at, tpp in self.nveu[family, destination].items() if at <= quarter)
