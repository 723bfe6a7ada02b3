"""What a record would add to each account, were it to count: section by section of `docs/decisions.md`."""

from ledger.rulebook.claim import Claim
from ledger.rulebook.codebook import TIER_2, TIER_3, Figures
from ledger.rulebook.columns import Standing
from schemas.words import Basis, Kind


def ask(claim: Claim, quantity: int, figures: Figures) -> None:
    """Count chips newly asked for: an allocation, a delivery without `under`, or chips beyond an allocation."""
    tpp = claim.tpp // claim.quantity * quantity
    counts = claim.counts
    claim.asked_tpp = tpp
    counts.committed += tpp
    if claim.basis is Basis.LICENSE and claim.tier == TIER_2:
        # Only what is licensed to the destination draws on its cap: 742.6(b)(10)(iii)(B)(1).
        if figures.counting_start <= claim.day <= figures.horizon_end:
            counts.cap = tpp
    elif claim.basis is Basis.LPP:
        counts.lpp += tpp
        counts.lpp_year = claim.year
    elif claim.basis is Basis.NVEU:
        counts.nveu = tpp
        counts.nveu_quarter = claim.quarter


def fulfil(claim: Claim, allocation: Standing) -> None:
    """Count chips that were outstanding on an allocation: they are committed already and change only their state."""
    tpp = claim.tpp // claim.quantity * claim.fulfilled
    counts = claim.counts
    counts.pending = -tpp
    if claim.basis is Basis.LPP and allocation.year != claim.year:
        # The rule counts what is received in a calendar year, not what was promised in it: 740.29(h)(2).
        counts.lpp += tpp
        counts.lpp_year = claim.year
        counts.lpp_from = tpp
        counts.lpp_from_year = allocation.year


def install(claim: Claim) -> None:
    """Count the chips of an opening or delivery as installed, unless they are where they must not be."""
    if claim.tier != TIER_3 and not claim.prohibited:
        claim.counts.installed = claim.tpp


def open_base(claim: Claim) -> None:
    """Count an opening: committed, installed, and part of its family's NVEU base whatever its own basis."""
    claim.counts.committed = claim.tpp
    claim.counts.nveu = claim.tpp
    claim.counts.nveu_quarter = claim.quarter
    install(claim)


def lapse(claim: Claim, allocation: Standing, figures: Figures) -> None:
    """Uncount what of an allocation will not be used."""
    counts = claim.counts
    counts.committed = counts.pending = -claim.tpp
    if figures.lapse_restores_cap and allocation.counts.cap:
        counts.cap = -claim.tpp
    if claim.basis is Basis.LPP:
        counts.lpp, counts.lpp_year = -claim.tpp, allocation.year
    elif claim.basis is Basis.NVEU:
        counts.nveu, counts.nveu_quarter = -claim.tpp, claim.quarter


def attrit(claim: Claim, chips: Standing) -> None:
    """Uncount chips that are gone, wherever the record that brought them had counted them."""
    counts = claim.counts
    counts.committed = -claim.tpp
    if chips.counts.installed:
        counts.installed = -claim.tpp
    if claim.basis is Basis.NVEU or chips.kind is Kind.OPENING:
        # Loss, damage, failure, relocation and resale do not count toward allocations: 748.15(a)(2)(iii)(B).
        counts.nveu, counts.nveu_quarter = -claim.tpp, claim.quarter
