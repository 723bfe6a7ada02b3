"""Thresholds of a report: read with every fault named, and compared exactly."""

import tomllib
from decimal import Decimal
from typing import Any

import pytest

from ledger.core.errors import InputRejected
from ledger.reporting.thresholds import crossed, parse_thresholds

GOOD = 'column = "used"\nat_least = 75.5\nsubject = ["family", "country"]\nsentence = "{family} has {used}, {left}."'


def _parsed(text: str) -> tuple[Any, list[str]]:
    problems: list[str] = []
    return parse_thresholds(tomllib.loads(f"[countries]\n{text}"), ["countries"], problems), problems


def test_a_row_at_the_threshold_has_come_to_it() -> None:
    """Figures of any size and scale are compared as they are; a blank one has come to nothing."""
    thresholds, problems = _parsed(GOOD)
    figures = [Decimal("75.4999"), Decimal("75.5000"), 10**18, None]
    rows = [{"family": "A", "country": f"C{n}", "used": used, "left": None} for n, used in enumerate(figures)]

    assert problems == []
    assert [(one.subject, one.sentence) for one in crossed(thresholds, {"countries": rows})] == [
        ("A/C1", "A has 75.5000, not given."),
        ("A/C2", "A has 1,000,000,000,000,000,000, not given."),
    ]


def test_both_bounds_hold() -> None:
    """`at_least` and `at_most` together are a range, both ends in it."""
    thresholds, _ = _parsed('column = "d"\nat_least = 0\nat_most = 30\nsubject = "s"\nsentence = "x"')
    rows = [{"s": str(d), "d": d} for d in (-1, 0, 30, 31)]
    assert [one.subject for one in crossed(thresholds, {"countries": rows})] == ["0", "30"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD.replace("at_least", "at_lest"), 'unknown key at_lest; did you mean "at_least"?'),
        (GOOD.replace("75.5", '"75"'), "needs at_least or at_most, a number"),
        (GOOD.replace("75.5", "true"), "needs at_least or at_most, a number"),
        (GOOD.replace("sentence", "# sentence"), "needs sentence, a text"),
        (GOOD.replace('["family", "country"]', "[]"), "needs subject"),
    ],
)
def test_a_fault_is_named(text: str, fault: str) -> None:
    """What is wrong is said with the name of the query."""
    thresholds, problems = _parsed(text)
    assert thresholds == {}
    assert any(problem.startswith("thresholds.countries ") and fault in problem for problem in problems), problems


def test_a_query_that_is_not_there_is_named() -> None:
    """A slip of the pen is answered."""
    problems: list[str] = []
    parse_thresholds({"countrys": tomllib.loads(GOOD)}, ["countries"], problems)
    assert problems == ['thresholds.countrys is no query on the page; did you mean "countries"?']


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"family": "A", "country": "B", "use": 80, "left": 1}, "column used, which its query has not"),
        ({"family": "A", "country": "B", "used": "much", "left": 1}, "in the column used, and found much"),
    ],
)
def test_a_query_with_other_columns_is_refused(row: dict[str, object], fault: str) -> None:
    """The report fails in words, and makes no files."""
    thresholds, _ = _parsed(GOOD)
    with pytest.raises(InputRejected) as caught:
        crossed(thresholds, {"countries": [row]})
    assert fault in str(caught.value)
