"""Rules that change in the middle of random streams: the ledger against the second implementation."""

import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.sequencer.adopting import adopt
from ledger.sequencer.explaining import explain
from ledger.sequencer.positions import status
from tests.harness import Bench, bench
from tests.oracle.rules import Rules
from tests.sequencer.test_against_oracle import (
    DATES,
    DRAFTS,
    LATER,
    PROVIDERS,
    ROWS_A_FILE,
    SLOW,
    SMALL,
    VARIANTS,
    Draft,
    Variant,
    balances,
    play,
    sums,
)
from tests.sequencer.test_positions_against_oracle import expected, shown

_OWN = ("PR", "HK")
OTHERS = (
    Variant(
        (("country_cap_tpp", "1_500_000"), ("lpp_annual_tpp", "320_000")),
        replace(SMALL, aliases={code: to for code, to in Rules().aliases.items() if code not in _OWN}),
        (('countries = ["HK"]', "countries = []"), ('"MP", "PR", "UM"', '"MP", "UM"')),
    ),
    Variant((("counted_class", '"3A090.b"'),), replace(Rules(), counted_class="3A090.b")),
    Variant((("horizon_end", "2026-02-02"),), replace(Rules(), horizon_end=date(2026, 2, 2))),
    Variant((("uplift_percent_max", "10"),), replace(Rules(), uplift_percent_max=10)),
)
"""Other rules than the variants': territories that count for themselves, another class, horizon and uplift."""


def _steps(*variants: Variant) -> Any:
    """Draw files, register rows and adoptions; about every third step puts another rulebook in force."""
    files = st.tuples(st.sampled_from(PROVIDERS), st.lists(DRAFTS, min_size=2, max_size=10))
    adoption = st.tuples(st.just("adopt"), st.sampled_from(variants))
    return st.lists(st.one_of(files, files, adoption, st.sampled_from(LATER)), min_size=2, max_size=7)


def _draft(kind: str, place: str, chip: str, day: str, quantity: int, names: int = 0) -> Draft:
    """Draft a row with nothing wrong, under a licence if it may have one; see `Draft` for `picks`."""
    number = DATES.index(day)
    return Draft(kind, place, "ALPHA", chip, "LICENSE", number, quantity, at_edge=False, picks=names * 1000 + 103)


_SETTLED = [
    ("adopt", OTHERS[0]),
    ("p", [_draft("allocation", "PR", "H100", "2025-04-01", 40), _draft("allocation", "AE", "H100", "2025-04-01", 50)]),
    ("adopt", VARIANTS[0]),
    ("p", [_draft("delivery", "PR", "H100", "2025-12-31", 10), _draft("lapse", "PR", "H100", "2025-12-31", 5)]),
    ("adopt", OTHERS[1]),
    ("p", [_draft("delivery", "AE", "H100", "2026-02-02", 9, 1), _draft("reversal", "AE", "H100", "2026-02-03", 0, 2)]),
    ("adopt", VARIANTS[2]),
    ("p", [_draft("reversal", "AE", "H100", "2026-02-03", 0, 1), _draft("allocation", "PR", "H100", "2026-07-01", 9)]),
]
"""A territory and a class that count otherwise by the time that records are drawn on and taken back."""


def _stored(made: Bench) -> list[tuple[object, ...]]:
    """Give every stored decision: the record, its leaf, and the sentence and citation that a person reads."""
    return made.ledger.rows(
        "SELECT e.*, d.message, d.h100e, d.rulebook_digest, l.salt, l.hash"
        " FROM entry AS e JOIN decisions AS d USING (sequence) JOIN leaf AS l ON l.leaf = e.leaf ORDER BY e.sequence"
    )


@settings(deadline=None, suppress_health_check=SLOW)
@given(st.sampled_from(VARIANTS), _steps(*VARIANTS, *OTHERS), ROWS_A_FILE)
@example(VARIANTS[0], _SETTLED, 14)
@example(VARIANTS[0], _SETTLED, 1)
def test_decisions_under_rules_that_change_are_those_of_the_second_implementation(
    variant: Variant, steps: Any, rows_a_file: int
) -> None:
    """Figures, switches, territories, class and horizon change between files: decisions and balances agree."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), **dict(variant.amendments)) as made:
        oracle = play(made, variant, steps, rows_a_file)

        assert balances(made) == sums(oracle)


@settings(deadline=None, suppress_health_check=SLOW, max_examples=settings().max_examples // 3)
@given(st.sampled_from(VARIANTS), _steps(*VARIANTS, *OTHERS), st.sampled_from(OTHERS), st.data())
def test_no_adoption_changes_a_stored_decision(variant: Variant, steps: Any, last: Variant, data: Any) -> None:
    """Entries, leaves, sentences and balances are the same after an adoption, and decisions are explained as before."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), **dict(variant.amendments)) as made:
        recorded = len(play(made, variant, steps, rows_a_file=14).history)
        before, held = _stored(made), balances(made)
        some = data.draw(st.sets(st.integers(1, recorded), max_size=4)) if recorded else set()
        explained = [explain(made.desk(), sequence) for sequence in sorted(some)]

        adopt(made.desk(), last.rulebook(), "once more")

        assert (_stored(made), balances(made)) == (before, held)
        assert [explain(made.desk(), sequence) for sequence in sorted(some)] == explained


@settings(deadline=None, suppress_health_check=SLOW, max_examples=settings().max_examples // 3)
@given(st.sampled_from(VARIANTS), _steps(*VARIANTS), st.sampled_from(DATES))
def test_positions_are_held_against_the_rules_in_force(variant: Variant, steps: Any, day: str) -> None:
    """After any adoptions, every position is the sum of the history against the figures that are in force now."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), **dict(variant.amendments)) as made:
        oracle = play(made, variant, steps, rows_a_file=14)
        latest = max([variant.rules.counting_start, *(record.day for record in oracle.history)])

        assert shown(status(made.desk())) == expected(oracle, latest)
        as_of = date.fromisoformat(day)
        assert shown(status(made.desk(), as_of=as_of)) == expected(oracle, as_of)
