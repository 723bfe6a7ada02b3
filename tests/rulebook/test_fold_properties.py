"""What holds of every history: tighter limits, reversals, files and rows, and decisions explained again."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.sequencer.explaining import SHOWN, explain
from ledger.sequencer.positions import VIEWS, status
from ledger.store.answers import recorded_answers
from tests.harness import Answer, Bench, bench

EXAMPLES: Final = settings(
    max_examples=25, deadline=None, suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large)
)
PARTIES: Final = (
    {"party": "BETA", "name": "Beta", "headquarters": "IN"},
    {"party": "EURO", "name": "European Company", "headquarters": "FR"},
    {"party": "GULF", "name": "Its subsidiary", "headquarters": "AE", "parent": "EURO"},
    {"party": "USCO", "name": "US Company", "headquarters": "US"},
)
AUTHORIZATIONS: Final = (
    {"party": "EURO", "basis": "UVEU", "valid_from": "2025-01-01"},
    {"party": "USCO", "basis": "UVEU", "valid_from": "2025-01-01", "valid_to": "2026-12-31"},
    {"party": "BETA", "basis": "NVEU", "destination": "IN", "valid_from": "2025-01-01"},
)
LATER: Final = (
    ("parties", {"party": "GULF", "name": "Sold", "headquarters": "AE", "parent": "BETA"}),
    ("parties", {"party": "GULF", "name": "Free", "headquarters": "SA"}),
    ("parties", {"party": "EURO", "name": "Moved", "headquarters": "SG"}),
    ("parties", {"party": "BETA", "name": "Bought", "headquarters": "IN", "parent": "USCO"}),
    ("authorizations", {"party": "USCO", "basis": "UVEU", "valid_from": "2025-01-01", "valid_to": "2025-12-31"}),
    ("authorizations", {"party": "BETA", "basis": "NVEU", "destination": "AE", "valid_from": "2025-01-01"}),
    ("assurances", {"destination": "AE", "uplift_percent": 50, "valid_from": "2025-06-01"}),
)


def _schedule(step: int) -> str:
    quarters = [f"{year}Q{quarter}" for year in (2025, 2026, 2027) for quarter in (1, 2, 3, 4)]
    return "{" + ", ".join(f'"{quarter}" = {300_000 + step * n}' for n, quarter in enumerate(quarters)) + "}"


SMALL: Final = {
    "country_cap_tpp": "1_500_000",
    "lpp_annual_tpp": "320_000",
    "nveu_installed_base_tpp": _schedule(100_000),
    "uveu_single_country_percent": "30",
    "uveu_outside_tier_1_percent": "40",
}
"""Limits that a few chips meet."""
TIGHTER: Final = (
    {"country_cap_tpp": "900_000"},
    {"lpp_annual_tpp": "150_000"},
    {"nveu_installed_base_tpp": _schedule(20_000)},
    {"uveu_single_country_percent": "12"},
    {"uveu_outside_tier_1_percent": "20"},
)

DATES: Final = ("2025-01-13", "2025-05-05", "2025-12-31", "2026-01-01", "2026-07-01", "2027-12-31")
OPEN: Final = (
    *(("BETA", "LICENSE", "AE"), ("BETA", "LICENSE", "IN"), ("BETA", "LPP", "AE"), ("BETA", "LPP", "IN")),
    *(("BETA", "NVEU", "IN"), ("EURO", "UVEU", "AE"), ("EURO", "UVEU", "FR"), ("GULF", "UVEU", "IN")),
    *(("EURO", "LICENSE", "AE"), ("GULF", "LPP", "AE")),
)
"""Who, on what basis, where: each open on every day, so that no figure changes what a record counts under."""
QUANTITIES: Final = st.one_of(st.integers(1, 60), st.sampled_from((1, 9, 10, 20, 21, 56, 57, 94, 95)))

Draft = tuple[str, int, int, tuple[str, str, str], int]
KINDS: Final = (
    "opening",
    "allocation",
    "allocation",
    "delivery",
    "delivery",
    "fulfil",
    "lapse",
    "attrition",
    "reversal",
)
NAMED: Final = {
    "fulfil": ("allocation",),
    "lapse": ("allocation",),
    "attrition": ("opening", "delivery"),
    "reversal": ("opening", "allocation", "delivery", "lapse", "attrition"),
}


def drafts(kinds: tuple[str, ...], said: tuple[tuple[str, str, str], ...]) -> st.SearchStrategy[Draft]:
    """Give rows before it is known what they may name: kind, date, quantity, who and where, which earlier record."""
    return st.tuples(
        *(st.sampled_from(kinds), st.integers(0, len(DATES) - 1), QUANTITIES, st.sampled_from(said)),
        st.integers(0, 99),
    )


FACTS: Final = st.lists(drafts(("opening", "delivery", "delivery", "attrition"), OPEN), max_size=8)
ANYTHING: Final = (
    *OPEN,
    ("USCO", "", "US"),
    ("USCO", "", "SA"),
    ("EURO", "", "KP"),
    ("GULF", "", "AE"),
    ("BETA", "", "IN"),
)
STREAM: Final = st.lists(drafts(KINDS, ANYTHING), min_size=1, max_size=12)


def rows_of(stream: list[Draft], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make records of drafts; each may name one of those before it."""
    rows = list(before)
    for kind, day, quantity, (party, basis, place), pick in stream:
        row: dict[str, Any] = {"reference": f"r{len(rows)}", "quantity": quantity, "date": DATES[day]}
        if kind in NAMED:
            row["kind"] = "delivery" if kind == "fulfil" else kind
            suitable = [other for other in rows if other["kind"] in NAMED[kind]]
            if not suitable:
                continue
            named = suitable[pick % len(suitable)]
            row |= {"under": named["reference"], "date": max(row["date"], named["date"])}
        else:
            row |= {"kind": kind, "destination": place, "consignee": party, "chip": "H100", "basis": basis}
        if kind == "opening":
            row |= {"date": "2024-12-31", "quantity": quantity * 5}
        if kind == "reversal":
            del row["quantity"]
            row["note"] = "a mistake"
        rows.append(row)
    return rows[len(before) :]


@contextmanager
def started(**amendments: str) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), **{**SMALL, **amendments}) as ledger:
        ledger.register("parties", *PARTIES)
        ledger.register("authorizations", *AUTHORIZATIONS)
        yield ledger


def balances(ledger: Bench) -> list[tuple[Any, ...]]:
    query = "SELECT account, consignee, destination, period, sum(tpp) FROM balance GROUP BY ALL HAVING sum(tpp) <> 0"
    return ledger.ledger.rows(f"{query} ORDER BY ALL")


def positions(ledger: Bench) -> dict[str, Any]:
    """Give every list of a status as of the last day, without what grows with every record."""
    found = status(ledger.desk(), as_of=date(2027, 12, 31))
    return {name: found[name] for name in VIEWS}


@EXAMPLES
@given(st.sampled_from(TIGHTER), FACTS, drafts(("allocation",), OPEN))
def test_a_tighter_limit_never_admits_more(tighter: dict[str, str], facts: list[Draft], asked: Draft) -> None:
    """After the same facts, what a lower limit admits the higher one admits too, and leaves at least as much of."""
    history = rows_of(facts, [])
    (request,) = rows_of([asked], history)
    answers: list[Answer] = []
    for amendments in ({}, tighter):
        with started(**amendments) as ledger:
            ledger.submit("CLOUD", *history)
            answers += ledger.submit("CLOUD", request)
    loose, tight = answers

    assert {loose["outcome"], tight["outcome"]} <= {"admitted", "refused"}
    assert loose["basis"] == tight["basis"]
    assert (loose["outcome"], tight["outcome"]) != ("refused", "admitted")
    if loose["limit_id"] == tight["limit_id"] and loose["outcome"] == tight["outcome"]:
        assert int(str(tight["remaining_tpp"] or 0)) <= int(str(loose["remaining_tpp"] or 0))


@EXAMPLES
@example([("allocation", 2, 20, ("BETA", "LPP", "AE"), 0)], ("fulfil", 3, 20, ("BETA", "LPP", "AE"), 0))
@given(STREAM, drafts(KINDS[:-1], ANYTHING))
def test_a_reversal_restores_every_account(stream: list[Draft], last: Draft) -> None:
    """A record and its reversal leave all balances and positions exactly as they were before the record."""
    history = rows_of(stream, [])
    with started() as ledger:
        recorded = ledger.submit("CLOUD", *history)
        kept = [row for row, answer in zip(history, recorded, strict=True) if answer["outcome"] != "rejected"]
        undone = rows_of([last], kept)
        before = balances(ledger), positions(ledger)
        for row in undone:
            row["reference"] = "undone"
            (answer,) = ledger.submit("CLOUD", row)
            reversal = {"reference": "undoing", "kind": "reversal", "date": row["date"], "under": "undone", "note": "-"}
            (taken_back,) = ledger.submit("CLOUD", reversal)
            recorded_at_all = answer["outcome"] in ("admitted", "breached")

            assert (taken_back["outcome"] != "rejected") is recorded_at_all
            assert balances(ledger) == before[0]
            assert positions(ledger) == before[1]


@EXAMPLES
@given(STREAM)
def test_a_file_is_its_rows_one_at_a_time(stream: list[Draft]) -> None:
    """The same records as one file and one at a time get the same answers and leave the same balances."""
    rows = rows_of(stream, [])
    if not rows:
        return
    with started() as ledger:
        together, kept = ledger.submit("CLOUD", *rows), balances(ledger)
    with started() as ledger:
        singly = [{**ledger.submit("CLOUD", row)[0], "row": number} for number, row in enumerate(rows, 1)]

        assert together == singly
        assert kept == balances(ledger)


def told(ledger: Bench) -> list[Answer]:
    """Explain every record, and give what was said of each."""
    desk = ledger.desk()
    count = desk.head().sequence
    stored = recorded_answers(ledger.ledger.connection, list(range(1, count + 1)), SHOWN)
    said = []
    for sequence in range(1, count + 1):
        assessment = explain(desk, sequence)

        assert assessment.decision == stored[sequence]
        said.append(assessment.decision)
    return said


@EXAMPLES
@given(STREAM, st.lists(st.sampled_from(LATER), max_size=2), STREAM, st.sampled_from(LATER))
def test_every_decision_can_be_derived_again(
    stream: list[Draft], changes: list[tuple[str, Any]], more: list[Draft], last: tuple[str, Any]
) -> None:
    """Explaining decides each record again as of its place and agrees, also after registers have changed since."""
    first = rows_of(stream, [])
    second = rows_of(more, first)
    with started() as ledger:
        ledger.submit("CLOUD", *first)
        for register, row in changes:
            ledger.register(register, row)
        ledger.submit("CLOUD", *second)
        before = told(ledger)
        ledger.register(*last)

        assert told(ledger) == before
