"""The positions against the second implementation's history, on random streams, now and as of other days."""

import tempfile
from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.sequencer.positions import status
from ledger.store.seeds import country_names
from tests.harness import bench
from tests.oracle.oracle import Oracle
from tests.sequencer.test_against_oracle import (
    AUTHORIZATIONS,
    DATES,
    LATER,
    MOVED_TO_ANOTHER_YEAR,
    PARTIES,
    PLACES,
    SLOW,
    STEPS,
    VARIANTS,
    Variant,
    play,
)

Row = dict[str, Any]
WORSE = ("open", "watch", "critical", "exhausted", "over")
FOR_READING = ("name", "cap_h100e", "used_h100e", "remaining_h100e", "rulebook", "rulebook_digest")
"""Columns that say again what another column says, or whose figures these are: not compared."""
DAYS = tuple(map(date.fromisoformat, DATES))
NVEU_BEGINS = {
    date.fromisoformat(row["valid_from"])
    for row in (*AUTHORIZATIONS, *(row for register, row in LATER if register == "authorizations"))
    if row["basis"] == "NVEU"
}


@settings(deadline=None, suppress_health_check=SLOW, max_examples=settings().max_examples // 3)
@given(st.sampled_from(VARIANTS), STEPS, st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)))
@example(VARIANTS[1], MOVED_TO_ANOTHER_YEAR, (date(2025, 12, 31), date(2026, 2, 2)))
def test_every_position_is_a_sum_over_the_history(variant: Variant, steps: Any, days: tuple[date, date]) -> None:
    """Every list of a status, now and as of two days, is what the oracle's records up to that day add up to."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), **dict(variant.amendments)) as made:
        oracle = play(made, variant, steps, rows_a_file=14)
        latest = max([variant.rules.counting_start, *(record.day for record in oracle.history)])

        assert shown(status(made.desk())) == expected(oracle, latest)
        for day in days:
            assert shown(status(made.desk(), as_of=day)) == expected(oracle, day)


def shown(found: Mapping[str, Any]) -> Row:
    lists = {
        name: [{column: value for column, value in row.items() if column not in FOR_READING} for row in rows]
        for name, rows in found.items()
        if isinstance(rows, list)
    }
    return {"as_of": found["as_of"]} | lists


def expected(oracle: Oracle, day: date) -> Row:
    """Work the lists out of the records dated up to a day, with tiers, uplifts and authorizations of that day."""
    known = copy(oracle)
    known.history = [record for record in oracle.history if record.day <= day]
    families = sorted({known.registers.family(row["party"]) for row in PARTIES})
    places = sorted({known.rules.counted(place) for place in PLACES})
    uveu = [family for family in families if known.registers.holds("UVEU", family, "", day)]
    shares = {family: _shares(known, family, places, day) for family in uveu}
    return {
        "as_of": day,
        "countries": _countries(known, day),
        "lpp": _lpp(known, families),
        "nveu": _nveu(known, families, places, day),
        "uveu": [_uveu(known, family, places, shares[family], day) for family in uveu],
        "uveu_country_shares": [row for rows in shares.values() for row in rows],
    }


def _countries(known: Oracle, day: date) -> list[Row]:
    rules = known.rules
    entries = [entry for record in known.history for entry in record.entries]
    rows = []
    for place in sorted(country_names()):
        if rules.counted(place) != place or rules.tier(place, day) != 2:
            continue
        cap = rules.cap_tpp + rules.cap_tpp * known.registers.uplift_percent(place, day) // 100
        used = known.cap_used(place)
        delivered = sum(entry.tpp for entry in entries if (entry.account, entry.destination) == ("installed", place))
        rows.append(
            {"destination": place}
            | _against(cap, used)
            | {"used_percent": _percent(used, cap), "delivered_tpp": delivered}
        )
    return rows


def _lpp(known: Oracle, families: Sequence[str]) -> list[Row]:
    years = sorted({entry.day.year for record in known.history for entry in record.entries if entry.account == "lpp"})
    return [
        {"family": family, "year": year} | _against(known.rules.lpp_annual_tpp, used)
        for family in families
        for year in years
        if (used := known.lpp_used(family, year))
    ]


def _nveu(known: Oracle, families: Sequence[str], places: Sequence[str], day: date) -> list[Row]:
    """Every quarter of every destination for which a family holds or held NVEU."""
    return [
        {"family": family, "destination": place, "quarter": quarter}
        | _against(most, known.nveu_base(family, place, quarter))
        for family in families
        for place in places
        if any(known.registers.holds("NVEU", family, place, first) for first in NVEU_BEGINS if first <= day)
        for quarter, most in sorted(known.rules.nveu_schedule.items())
    ]


def _shares(known: Oracle, family: str, places: Sequence[str], day: date) -> list[Row]:
    percent = known.rules.single_country_percent
    rows = []
    for place in places:
        committed = known.committed(family, place)
        if known.rules.tier(place, day) == 1 or committed <= 0:
            continue
        whole = known.installed(family) + known.pending(family, place)
        rows.append(
            {
                "family": family,
                "destination": place,
                "tpp": committed,
                "percent": _percent(committed, whole),
                "remaining_tpp": max(percent * whole - 100 * committed, 0) // (100 - percent),
                "status": _share_status(committed, whole, percent),
            }
        )
    return rows


def _uveu(known: Oracle, family: str, places: Sequence[str], shares: Sequence[Row], day: date) -> Row:
    rules, installed = known.rules, known.installed(family)
    outside_us = [place for place in places if place != rules.united_states]
    outside_tier_1 = [place for place in places if rules.tier(place, day) != 1]

    def measured(inside: Sequence[str]) -> tuple[int, int]:
        committed = sum(known.committed(family, place) for place in inside)
        return committed, installed + sum(known.pending(family, place) for place in inside)

    states = [row["status"] for row in shares]
    states.append(_share_status(*measured(outside_tier_1), rules.outside_tier_1_percent))
    if known.registers.headquarters(family) == rules.united_states:
        states.append(_share_status(*measured(outside_us), rules.outside_us_percent))
    return {
        "family": family,
        "installed_tpp": installed,
        "pending_tpp": sum(known.pending(family, place) for place in places),
        "outside_us_tpp": measured(outside_us)[0],
        "outside_us_percent": _percent(*measured(outside_us)),
        "outside_tier_1_tpp": measured(outside_tier_1)[0],
        "outside_tier_1_percent": _percent(*measured(outside_tier_1)),
        "status": max(states, key=WORSE.index),
    }


def _against(most: int, used: int) -> Row:
    return {"cap_tpp": most, "used_tpp": used, "remaining_tpp": max(most - used, 0), "status": _status(used, most)}


def _status(used: int, most: int) -> str:
    if used > most:
        return "over"
    if used == most:
        return "exhausted"
    return "critical" if used * 100 >= most * 90 else "watch" if used * 100 >= most * 80 else "open"


def _share_status(part: int, whole: int, percent: int) -> str:
    """Of nothing, nothing is used."""
    return _status(part * 100, max(whole, 0) * percent) if part else "open"


def _percent(part: int, whole: int) -> Decimal | None:
    """In percent, rounded down to four places, at most what a column holds; none of nothing."""
    return min(Decimal(part * 1_000_000 // whole) / 10_000, Decimal("99999.9999")) if whole > 0 else None
