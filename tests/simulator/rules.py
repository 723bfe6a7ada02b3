"""Rulebooks to put in force, drawn at random: caps lowered and raised, shares, dates and switches."""

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any, Final

from tests.oracle.rules import Rules
from tests.sequencer.test_adopting_against_oracle import OTHERS
from tests.sequencer.test_against_oracle import SMALL, Variant, schedule, toml

_SMALL_FIGURES: Final = {"country_cap_tpp": "1_500_000", "lpp_annual_tpp": "320_000"}
_FIGURES: Final[tuple[tuple[str, str, tuple[Any, ...]], ...]] = (
    ("country_cap_tpp", "cap_tpp", (100_000, 1_500_000, 3_000_000, 790_000_000)),
    ("lpp_annual_tpp", "lpp_annual_tpp", (160_000, 320_000, 640_000, 26_900_000)),
    ("uplift_percent_max", "uplift_percent_max", (10, 100)),
    ("uveu_single_country_percent", "single_country_percent", (7, 30, 60)),
    ("uveu_outside_tier_1_percent", "outside_tier_1_percent", (25, 70)),
    ("uveu_outside_us_percent", "outside_us_percent", (40, 50)),
    ("lapse_restores_cap", "lapse_restores_cap", (False, True)),
    ("lpp_open_from", "lpp_open_from", (date(2025, 1, 13), date(2025, 3, 31))),
    ("horizon_end", "horizon_end", (date(2026, 2, 2), date(2027, 12, 31))),
)
"""What a rulebook's file calls a figure, what the oracle does, and the values that it may have."""


def random_variant(random: Random) -> Variant:
    """Give a rulebook: small figures, so that edges are met often, some of them changed; or one of a few odd ones."""
    if random.random() < 0.15:
        return random.choice(OTHERS)
    amendments, changes = dict(_SMALL_FIGURES), {}
    for name, field, values in _FIGURES:
        if random.random() < 0.3:
            changes[field] = value = random.choice(values)
            amendments[name] = value.isoformat() if isinstance(value, date) else str(value).lower()
    if random.random() < 0.2:
        changes["nveu_schedule"] = bases = schedule(500_000, 250_000)
        amendments["nveu_installed_base_tpp"] = toml(bases)
    if random.random() < 0.2:
        changes["lpp_closed_to"] = frozenset(("AE", "SA"))
        amendments |= {"lpp_destinations": '"except-listed"', "lpp_excluded_destinations": '["AE", "SA"]'}
    if random.random() < 0.2:
        changes["outside_us_each_record"] = False
        amendments["uveu_outside_us_measured"] = '"reporting-dates"'
    rules: Rules = replace(SMALL, **changes)
    return Variant(tuple(sorted(amendments.items())), rules)
