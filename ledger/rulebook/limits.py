"""The limits, in the order in which they speak. A new limit is a class here, its text in the rulebook, its cases.

A record is tested only where it makes things worse. Openings are tested against nothing.
"""

from collections.abc import Iterable

from ledger.core.dates import quarter_text
from ledger.rulebook.claim import Claim
from ledger.rulebook.codebook import TIER_1, TIER_2, Codebook
from ledger.rulebook.limit import NO_ACCOUNTS, ONE_ACCOUNT, Account, Ban, Limit, Reading, Rules, Share
from schemas.words import Basis, Kind


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
    bases = frozenset({Basis.LICENSE})
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
    bases = frozenset({Basis.LPP})

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
    bases = frozenset({Basis.NVEU})
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
