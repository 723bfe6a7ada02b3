"""What a limit is: it says on which accounts a record is tested, and measures an account as it stands.

Apart from `limits`, which has the ten, so that a new one shows only what is its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ledger.core.tpp import percent_of, share_left
from ledger.rulebook.balances import Balances
from ledger.rulebook.claim import Claim
from ledger.rulebook.codebook import TIER_1, Codebook
from schemas.words import LIMIT_IDS, Basis


class Account(NamedTuple):
    """Which account of a limit: a country's number, a year or quarter number; -1 where it has none."""

    destination: int = -1
    period: int = -1


class Reading(NamedTuple):
    """An account as it stands, in TPP: what is observed, the most there may be, what is left, by how much exceeded.

    `excess` is above 0 exactly where the limit is exceeded; of a share it is in hundredths of a TPP.
    """

    limit: int
    account: Account
    observed: int
    most: int
    left: int
    excess: int


@dataclass(frozen=True)
class Rules:
    """What a limit reads: figures and registers by number, and the balances as they stand."""

    codebook: Codebook
    balances: Balances


NO_ACCOUNTS: tuple[Account, ...] = ()
ONE_ACCOUNT = (Account(),)


class Limit:
    """One limit: its id, the accounts on which it tests a record, and the measure of one of them."""

    number: int
    has_account = True
    """Limits 0 to 3 forbid outright: they have no account and leave nothing."""
    weighs = "committed"
    """Which of the counts adds up to what is observed: cap, lpp, nveu or committed."""
    of_family = True
    """Whether the account is a family's; else it is a country's, whoever uses it."""
    bases = frozenset(Basis)
    """The authorizations under which it can bind."""
    cumulative = False
    """Whether what earlier periods counted weighs on a later one."""

    @property
    def id(self) -> str:
        """The limit's stable name."""
        return LIMIT_IDS[self.number]

    def account_name(self, family: str, destination: str, period: int) -> str | None:
        """Write an account for people: `AE`, `FAMILY/2026`, `FAMILY/AE/2026Q3`; None where there is none."""
        raise NotImplementedError

    def accounts(self, claim: Claim, rules: Rules) -> Iterable[Account]:
        """Give the accounts on which the record is tested, in the order in which ties are settled."""
        raise NotImplementedError

    def measure(self, claim: Claim, account: Account, rules: Rules) -> Reading:
        """Measure one account as the balances stand."""
        raise NotImplementedError

    def destinations(self, claim: Claim, account: Account, codebook: Codebook) -> list[int] | None:
        """Give the countries whose records weigh on an account; None if all do."""
        return [account.destination]

    def read(self, claim: Claim, rules: Rules) -> Reading | None:
        """Give the account that speaks: the one with the greatest excess, else the least left; None if untested."""
        speaking: Reading | None = None
        for account in self.accounts(claim, rules):
            reading = self.measure(claim, account, rules)
            if (
                speaking is None
                or reading.excess > max(0, speaking.excess)
                or (speaking.excess <= 0 and reading.left < speaking.left)
            ):
                speaking = reading
        return speaking


class Ban(Limit):
    """A limit that allows none of something."""

    has_account = False

    def account_name(self, family: str, destination: str, period: int) -> None:
        """Name none."""

    def tested(self, claim: Claim, rules: Rules) -> bool:
        """Say if the record is of a sort that this limit looks at."""
        raise NotImplementedError

    def forbidden(self, claim: Claim, rules: Rules) -> int:
        """Give the TPP that should not be, 0 if all is well."""
        raise NotImplementedError

    def accounts(self, claim: Claim, rules: Rules) -> Iterable[Account]:
        """Give one account without a name."""
        return ONE_ACCOUNT if not claim.is_reversal and self.tested(claim, rules) else NO_ACCOUNTS

    def measure(self, claim: Claim, account: Account, rules: Rules) -> Reading:
        """Measure what is forbidden of this record alone."""
        forbidden = self.forbidden(claim, rules)
        return Reading(self.number, account, forbidden, 0, 0, forbidden)


class Share(Limit):
    """A share of a UVEU family's whole (supp. no. 10 to part 748, paragraph 6): strict "no more than"."""

    def account_name(self, family: str, destination: str, period: int) -> str:
        """Name the family."""
        return family

    def binds(self, claim: Claim, rules: Rules) -> bool:
        """Say if the family holds UVEU on the record's date."""
        return rules.codebook.holds_uveu(claim.family, claim.day)

    def share(self, percent: int, account: Account, numerator: int, whole: int) -> Reading:
        """Hold 100 x numerator against percent x whole, in integers."""
        most, left = percent_of(percent, max(0, whole)), share_left(percent, numerator, whole)
        return Reading(self.number, account, numerator, most, left, 100 * numerator - percent * max(0, whole))

    @staticmethod
    def outside(sums: dict[int, int], claim: Claim, rules: Rules) -> int:
        """Add up what is outside tier 1, as the tiers are on the record's date."""
        tiers = rules.codebook.tiers(claim.day)
        return sum(tpp for place, tpp in sums.items() if tiers[place] != TIER_1)
