"""Which authorization applies to a record: the ladder that ends with the first line that holds."""

from ledger.rulebook.balances import Balances
from ledger.rulebook.claim import Claim
from ledger.rulebook.codebook import TIER_1, TIER_3, Codebook
from schemas.words import Basis


class Determination:
    """The ladder over one codebook and the balances as they stand when a record is decided."""

    def __init__(self, codebook: Codebook, balances: Balances) -> None:
        self._codebook = codebook
        self._balances = balances

    def tiers_of(self, claim: Claim) -> tuple[int, int, int]:
        """Give the tiers of destination, consignee's headquarters and ultimate parent's headquarters on its date."""
        tiers, headquarters = self._codebook.tiers(claim.day), self._codebook.headquarters
        return claim.tier, tiers[headquarters[claim.consignee]], tiers[headquarters[claim.family]]

    def is_prohibited(self, claim: Claim) -> bool:
        """Say if any of the three is tier 3: presumption of denial (742.6(b)(10)(iii)(A)(1))."""
        return TIER_3 in self.tiers_of(claim)

    def is_open(self, basis: Basis, claim: Claim) -> bool:
        """Say if an authorization is open to a record on the record's own date."""
        match basis:
            case Basis.LICENSE:
                return True
            case Basis.AIA:  # location, headquarters and ultimate parent alike (740.27)
                return self.tiers_of(claim) == (TIER_1, TIER_1, TIER_1)
            case Basis.UVEU:
                return self._codebook.holds_uveu(claim.family, claim.day)
            case Basis.NVEU:
                return self._codebook.holds_nveu(claim.family, claim.destination, claim.day)
            case Basis.LPP:
                return self._codebook.lpp_is_open(claim.destination, claim.day)
        return True

    def determine(self, claim: Claim, stated: Basis) -> Basis:
        """Find the authorization of an allocation or delivery without `under`, stated or not.

        Where one was stated that is not open, `claim.unavailable` is set: an allocation keeps what it stated, a
        delivery has what would apply had nothing been stated.
        """
        if self.is_prohibited(claim):
            return Basis.PROHIBITED
        if stated is not Basis.NONE:
            if self.is_open(stated, claim):
                return stated
            claim.unavailable = True
            if claim.is_request:
                return stated
        for basis in (Basis.AIA, Basis.UVEU, Basis.NVEU):
            if self.is_open(basis, claim):
                return basis
        if self.is_open(Basis.LPP, claim) and self._fits_lpp(claim):
            return Basis.LPP
        return Basis.LICENSE

    def _fits_lpp(self, claim: Claim) -> bool:
        used = self._balances.lpp[claim.family, claim.year]
        return used + claim.tpp <= self._codebook.figures.lpp_annual_tpp
