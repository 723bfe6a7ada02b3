"""The limits, in the order in which they speak. A new limit is a class here, its text in the rulebook, its cases.

A limit says on which accounts a record is tested, and measures an account as it stands. A record is tested only where
it makes things worse. Openings are tested against nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ledger.core.dates import quarter_text
from ledger.core.tpp import percent_of, share_left
from ledger.rulebook.balances import Balances
from ledger.rulebook.claim import Claim
from ledger.rulebook.codebook import TIER_1, TIER_2, Codebook
from schemas.words import LIMIT_IDS, Basis, Kind


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


class AllocationExceeded(Ban):
    """A delivery has chips beyond its allocation."""

    number = 0

    def tested(self, claim: Claim, rules: Rules) -> bool:
        """Test deliveries that name an allocation."""
        return claim.under_allocation

    def forbidden(self, claim: Claim, rules: Rules) -> int:
        """Give the TPP of the chips beyond."""
        return claim.tpp // claim.quantity * claim.beyond


class Prohibited(Ban):
    """Destination, consignee or ultimate parent is in tier 3 (742.6(b)(10)(iii)(A)(1))."""

    number = 1

    def tested(self, claim: Claim, rules: Rules) -> bool:
        """Test allocations and deliveries."""
        return claim.kind in (Kind.ALLOCATION, Kind.DELIVERY)

    def forbidden(self, claim: Claim, rules: Rules) -> int:
        """Give all of the record."""
        return claim.tpp if claim.prohibited else 0


class AuthorizationUnavailable(Prohibited):
    """The authorization relied on is not open to the record on its own date."""

    number = 2

    def forbidden(self, claim: Claim, rules: Rules) -> int:
        """Give all of the record."""
        return claim.tpp if claim.unavailable else 0


class BeyondHorizon(Ban):
    """No figure is published for the time after the horizon (742.6(b)(10)(iii)(B)(2); 748.15, table 1)."""

    number = 3

    def tested(self, claim: Claim, rules: Rules) -> bool:
        """Test chips newly asked for under NVEU, or under LICENSE in tier 2."""
        licensed = claim.basis is Basis.LICENSE and claim.tier == TIER_2
        return claim.asked_tpp > 0 and (licensed or claim.basis is Basis.NVEU)

    def forbidden(self, claim: Claim, rules: Rules) -> int:
        """Give what is asked for after the last day that has a figure."""
        return claim.asked_tpp if claim.day > rules.codebook.figures.horizon_end else 0


class CountryCap(Limit):
    """What is licensed to a tier-2 country, cumulatively (742.6(b)(10)(iii)(B)(1))."""

    number = 4
    weighs = "cap"
    of_family = False

    def account_name(self, family: str, destination: str, period: int) -> str:
        """Name the country."""
        return destination

    def accounts(self, claim: Claim, rules: Rules) -> Iterable[Account]:
        """Test the destination, where the record adds to what is licensed."""
        return (Account(claim.destination),) if claim.counts.cap > 0 else NO_ACCOUNTS

    def measure(self, claim: Claim, account: Account, rules: Rules) -> Reading:
        """Hold the country's total against its cap with the uplift in force on the record's date."""
        used = rules.balances.cap[account.destination]
        most = rules.codebook.cap(account.destination, claim.day)
        return Reading(self.number, account, used, most, max(0, most - used), used - most)


class LppAnnual(Limit):
    """What a family receives under LPP in a calendar year (740.29(a), (d), (h))."""

    number = 5
    weighs = "lpp"

    def account_name(self, family: str, destination: str, period: int) -> str:
        """Name family and year."""
        return f"{family}/{period:04d}"

    def destinations(self, claim: Claim, account: Account, codebook: Codebook) -> None:
        """Count the year wherever the chips went."""
        return

    def accounts(self, claim: Claim, rules: Rules) -> Iterable[Account]:
        """Test the year to which the record adds; a reversal may give back to the year that chips had left."""
        counts = claim.counts
        if counts.lpp > 0:
            return (Account(period=counts.lpp_year),)
        return (Account(period=counts.lpp_from_year),) if counts.lpp_from < 0 else NO_ACCOUNTS

    def measure(self, claim: Claim, account: Account, rules: Rules) -> Reading:
        """Hold the family's year against the annual figure."""
        used, most = rules.balances.lpp[claim.family, account.period], rules.codebook.figures.lpp_annual_tpp
        return Reading(self.number, account, used, most, max(0, most - used), used - most)


class NveuInstalledBase(Limit):
    """A family's installed base in a destination, quarter by quarter (748.15(a)(2)(iii)(B), table 1)."""

    number = 6
    weighs = "nveu"
    cumulative = True

    def account_name(self, family: str, destination: str, period: int) -> str:
        """Name family, destination and quarter."""
        return f"{family}/{destination}/{quarter_text(period)}"

    def accounts(self, claim: Claim, rules: Rules) -> Iterable[Account]:
        """Test the quarter of the record and every later one of the schedule: what is added stays."""
        counts = claim.counts
        if claim.basis is not Basis.NVEU or counts.nveu <= 0:
            return NO_ACCOUNTS
        schedule = rules.codebook.figures.nveu_schedule
        return [Account(claim.destination, q) for q in schedule if q >= counts.nveu_quarter]

    def measure(self, claim: Claim, account: Account, rules: Rules) -> Reading:
        """Hold the base at the end of the quarter against the schedule."""
        base = rules.balances.nveu_base(claim.family, account.destination, account.period)
        most = rules.codebook.figures.nveu_schedule[account.period]
        return Reading(self.number, account, base, most, max(0, most - base), base - most)


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


class UveuSingleCountry(Share):
    """The share of one country outside tier 1."""

    number = 7

    def account_name(self, family: str, destination: str, period: int) -> str:
        """Name family and destination."""
        return f"{family}/{destination}"

    def accounts(self, claim: Claim, rules: Rules) -> Iterable[Account]:
        """Test its own country where it adds chips; every other country with chips where it lowers the whole."""
        counts = claim.counts
        adds = counts.committed > 0 and claim.tier != TIER_1
        lowers = counts.installed < 0
        if not (adds or lowers) or not self.binds(claim, rules):
            return NO_ACCOUNTS
        tested = {claim.destination} if adds else set()
        if lowers:
            tiers = rules.codebook.tiers(claim.day)
            committed = rules.balances.committed[claim.family].items()
            tested |= {
                place for place, tpp in committed if tpp > 0 and tiers[place] != TIER_1 and place != claim.destination
            }
        return [Account(place) for place in sorted(tested)]

    def measure(self, claim: Claim, account: Account, rules: Rules) -> Reading:
        """Hold what is committed there against everything installed and what is pending there."""
        balances, place = rules.balances, account.destination
        committed = balances.committed[claim.family][place]
        whole = balances.installed[claim.family] + balances.pending[claim.family][place]
        return self.share(rules.codebook.figures.single_country_percent, account, committed, whole)


class UveuOutsideTier1(Share):
    """The share of everything outside tier 1."""

    number = 8

    def destinations(self, claim: Claim, account: Account, codebook: Codebook) -> list[int]:
        """Count everything outside tier 1."""
        return [place for place, tier in enumerate(codebook.tiers(claim.day)) if tier != TIER_1]

    def accounts(self, claim: Claim, rules: Rules) -> Iterable[Account]:
        """Test what adds chips outside tier 1, and what lowers the whole inside it."""
        worse = claim.counts.committed > 0 if claim.tier != TIER_1 else claim.counts.installed < 0
        return ONE_ACCOUNT if worse and self.binds(claim, rules) else NO_ACCOUNTS

    def measure(self, claim: Claim, account: Account, rules: Rules) -> Reading:
        """Hold what is committed outside tier 1 against everything installed and what is pending outside tier 1."""
        balances, family = rules.balances, claim.family
        committed = self.outside(balances.committed[family], claim, rules)
        whole = balances.installed[family] + self.outside(balances.pending[family], claim, rules)
        return self.share(rules.codebook.figures.outside_tier_1_percent, account, committed, whole)


class UveuOutsideUs(Share):
    """The share of everything outside the United States, for families whose ultimate parent is there."""

    number = 9

    def destinations(self, claim: Claim, account: Account, codebook: Codebook) -> list[int]:
        """Count everything abroad."""
        return [place for place in set(codebook.counted) if place != codebook.figures.home]

    def accounts(self, claim: Claim, rules: Rules) -> Iterable[Account]:
        """Test what adds chips abroad and what lowers the whole at home, where the switch measures each record."""
        codebook = rules.codebook
        home = codebook.figures.home
        abroad = claim.destination != home
        worse = claim.counts.committed > 0 if abroad else claim.counts.installed < 0
        if not worse or not codebook.figures.outside_us_each_record:
            return NO_ACCOUNTS
        of_home = codebook.headquarters[claim.family] == home
        return ONE_ACCOUNT if of_home and self.binds(claim, rules) else NO_ACCOUNTS

    def measure(self, claim: Claim, account: Account, rules: Rules) -> Reading:
        """Hold what is committed abroad against everything installed and what is pending abroad."""
        balances, family, home = rules.balances, claim.family, rules.codebook.figures.home
        committed = balances.committed_total[family] - balances.committed[family][home]
        pending = balances.pending_total[family] - balances.pending[family][home]
        whole = balances.installed[family] + pending
        return self.share(rules.codebook.figures.outside_us_percent, account, committed, whole)


LIMITS: tuple[Limit, ...] = (
    AllocationExceeded(),
    Prohibited(),
    AuthorizationUnavailable(),
    BeyondHorizon(),
    CountryCap(),
    LppAnnual(),
    NveuInstalledBase(),
    UveuSingleCountry(),
    UveuOutsideTier1(),
    UveuOutsideUs(),
)
