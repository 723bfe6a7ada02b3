"""Every trap of the layout: what becomes of a row, and why."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.adapters.accounting import Fate
from tests.adapters.layouts import NAMELESS, bring, fates, references, row
from tests.harness import bench

COLUMNS = ("reference", "kind", "date", "destination", "consignee", "chip", "quantity", "under")

RECORDED = [
    (row(), [("Aurora Example 1", "opening", "2024-05-15", "JP", "MSFT", "H100", 1000, None)]),
    (row(date="2025-01-01"), [("Aurora Example 1", "delivery", "2025-01-01", "JP", "MSFT", "H100", 1000, None)]),
    (row(date="2024-12-31"), [("Aurora Example 1", "opening", "2024-12-31", "JP", "MSFT", "H100", 1000, None)]),
    (
        row(status="Planned", date="2027-03-01", country="Malaysia", owner="YTL Power"),
        [("Aurora Example 1 (planned)", "allocation", "2027-03-01", "MY", "YTL-POWER", "H100", 1000, None)],
    ),
    (
        row(status="Decommissioned", gone="2025-02-03"),
        [
            ("Aurora Example 1", "opening", "2024-05-15", "JP", "MSFT", "H100", 1000, None),
            (
                "Aurora Example 1 (decommissioned)",
                "attrition",
                "2025-02-03",
                "JP",
                "MSFT",
                "H100",
                1000,
                "Aurora Example 1",
            ),
        ],
    ),
    (
        row(chip2="NVIDIA A100 SXM4 80 GB", count2="24.0", total="1024.0"),
        [
            ("Aurora Example 1", "opening", "2024-05-15", "JP", "MSFT", "H100", 1000, None),
            ("Aurora Example 1 [2]", "opening", "2024-05-15", "JP", "MSFT", "A100", 24, None),
        ],
    ),
    (
        row(country="Korea (Republic of)", owner="  samsung ", chip="Google TPU v3", count="30000.000000000004"),
        [("Aurora Example 1", "opening", "2024-05-15", "KR", "SAMSUNG", "TPU-V3", 30000, None)],
    ),
    (
        row(count="", total="8.0", owner="DeepMind", country="United Kingdom of Great Britain and Northern Ireland"),
        [("Aurora Example 1", "opening", "2024-05-15", "GB", "DEEPMIND", "H100", 8, None)],
    ),
]


@pytest.mark.parametrize(("given_row", "expected"), RECORDED)
def test_a_row_becomes_the_records_that_it_says(
    tmp_path: Path, given_row: dict[str, str], expected: list[tuple[object, ...]]
) -> None:
    """Existing before 2025 is an opening, later a delivery; planned an allocation; gone an attrition under it."""
    with bench(tmp_path) as made:
        done = bring(made, given_row)
        found = made.ledger.rows(f"SELECT {', '.join(COLUMNS)} FROM decisions ORDER BY sequence")

    assert fates(done) == ["recorded"]
    assert [tuple(str(v) if n == 2 else v for n, v in enumerate(each)) for each in found] == expected


REPORTED = [
    (row(date=""), "no-date"),
    (row(status="Planned", date=""), "no-date"),
    (row(date="2024"), "partial-date"),
    (row(date="2024-05"), "partial-date"),
    (row(date="2024-02-30"), "partial-date"),
    (row(status="Planned", date="2024-05-15"), "planned-in-the-past"),
    (row(status="Rumoured"), "unknown-status"),
    (row(status=""), "unknown-status"),
    (row(status="Decommissioned"), "no-decommissioning-date"),
    (row(status="Decommissioned", gone="2025-02"), "partial-date"),
    (row(status="Decommissioned", gone="2023-02-01"), "dates-disagree"),
    (row(gone="2025-02-01"), "dates-disagree"),
    (row(country=""), "no-country"),
    (row(country="Europe"), "unknown-country"),
    (row(chip=""), "no-chip"),
    (row(chip="NVIDIA H9000"), "unknown-chip"),
    (row(chip="Cerebras CS-3"), "unknown-chip"),
    (row(count="", total=""), "no-count"),
    (row(count="0"), "bad-count"),
    (row(count="10.5"), "bad-count"),
    (row(count="-3"), "bad-count"),
    (row(count="many"), "bad-count"),
    (row(count="1e99"), "bad-count"),
    (row(count="9" * 30), "bad-count"),
    (row(total="1001.0"), "counts-disagree"),
    (row(total="lots"), "counts-disagree"),
    (row(chip2="NVIDIA A100"), "no-split"),
    (row(count2="24.0"), "no-split"),
    (row(chip2="NVIDIA A100", count2="24.0"), "counts-disagree"),
    (row(chip2="Cerebras CS-3", count2="24.0", total="1024.0"), "unknown-chip"),
    (row(owner=""), "no-owner"),
    (row(owner="Nobody Computing"), "no-headquarters"),
    (row(owner="Microsoft,OpenAI"), "several-owners"),
    (row(name=""), "no-name"),
    (row(name="A\x07B"), "malformed"),
    (row(country="Jap\x00an"), "malformed"),
]


@pytest.mark.parametrize(("given_row", "code"), REPORTED)
def test_what_cannot_be_mapped_is_reported_with_its_reason(
    tmp_path: Path, given_row: dict[str, str], code: str
) -> None:
    """A row that lacks something is never guessed at: nothing of it is recorded, and its reason is counted."""
    with bench(tmp_path) as made:
        done = bring(made, given_row)

        assert fates(done) == [f"reported: {code}"]
        assert done.accounting.rows[0].reasons[0].sentence
        assert done.registered == []
        assert made.desk().head().sequence == 0


@pytest.mark.parametrize(
    ("given_row", "code"),
    [
        (row(superseded="Aurora Example 2"), "superseded"),
        (row(duplicate="True"), "possible-duplicate"),
        (row(duplicate_of="Borealis"), "possible-duplicate"),
        (row(exclude="True"), "excluded"),
        (row(certainty="Unlikely"), "unlikely"),
        (row(superseded="Aurora Example 2", chip="", owner=""), "superseded"),
    ],
)
def test_what_must_not_be_added_up_is_left_out(tmp_path: Path, given_row: dict[str, str], code: str) -> None:
    """Superseded, duplicate, excluded and unlikely rows are left out, whatever else they lack."""
    with bench(tmp_path) as made:
        done = bring(made, given_row, row("Borealis", duplicate="False", certainty="Likely"))

    assert fates(done) == [f"left out: {code}", "recorded"]
    assert done.accounting.counts()[Fate.LEFT_OUT] == 1


def test_all_that_a_row_lacks_is_told(tmp_path: Path) -> None:
    """A row is counted by its first reason, and all of them are told."""
    with bench(tmp_path) as made:
        done = bring(made, row(date="", country="", chip="", owner=""))

    assert [reason.code for reason in done.accounting.rows[0].reasons] == [
        *("no-date", "no-country", "no-chip", "no-owner")
    ]


def test_the_files_own_equivalents_decide_nothing(tmp_path: Path) -> None:
    """TPP comes from chip and count, however wrong the file's own H100 equivalents are."""
    with bench(tmp_path) as made:
        wrong = row(chip="NVIDIA GB300 (Blackwell Ultra)", count="18000.0") | {"H100 equivalents": "1501.0"}
        done = bring(made, wrong, row("B") | {"H100 equivalents": "'=1+1"})
        found = made.ledger.rows("SELECT tpp FROM decisions ORDER BY sequence")

    assert found == [(18_000 * 60_000,), (15_832_000,)]
    assert [each.adapted.given_h100e for each in done.accounting.rows] == [1501, 0]


def test_rows_without_a_name_of_their_own_are_known_by_their_facts(tmp_path: Path) -> None:
    """Their references do not hang on their order or on other columns; rows that are the same stay two."""
    mine = {"chip": "NVIDIA A100", "owner": "Alibaba", "country": "China"}
    rows = [
        row(NAMELESS, **mine, count="500.0"),
        row(NAMELESS, **mine, count="500.0"),
        row(NAMELESS, **mine, count="500.0", duplicate="True"),
        row(NAMELESS, **mine, count="600.0"),
        row(NAMELESS, **mine, count="500.0", date="2023-05-15"),
    ]
    for turn in range(5):
        with bench(tmp_path) as made:
            first = bring(made, *rows)
            again = [*rows[turn:], *rows[:turn]][::-1]
            second = bring(made, *[{"New": "x", **each, "Other": str(n)} for n, each in enumerate(again)])
            third = bring(made, *again, rows[0])
            recorded = references(made, first)

        assert len(set(recorded)) == 4
        assert sorted(fates(second)) == ["already there"] * 4 + ["left out: possible-duplicate"]
        assert sorted(fates(third)).count("recorded") == 1


def test_rows_that_share_a_name_are_not_told_apart_by_guessing(tmp_path: Path) -> None:
    """The same row twice counts once; rows that differ under one name are reported, all of them."""
    with bench(tmp_path) as made:
        twice = bring(made, row(), row("B"), row())
        shared = bring(made, row("C"), row("c ", count="7"))
        one_left = bring(made, row("D"), row("D", count="7", duplicate="True"))
        again = bring(made, row("D"), row(), row(), row("D", count="7", duplicate="True"))

    assert fates(twice) == ["recorded", "recorded", "left out: repeated-row"]
    assert fates(shared) == ["reported: shared-name"] * 2
    assert fates(one_left) == ["recorded", "left out: possible-duplicate"]
    assert fates(again) == [
        *("already there", "already there", "left out: repeated-row", "left out: possible-duplicate")
    ]


def test_a_long_or_odd_name_makes_a_good_reference(tmp_path: Path) -> None:
    """Names of any length, with line breaks or markup, are recorded, and told apart where they differ at the end."""
    names = ["N" * 500 + "1", "N" * 500 + "2", "two\nlines", "[bold]{asked}</b>\t\"'", "日本の計算機"]
    with bench(tmp_path) as made:
        done = bring(made, *[row(name, status="Decommissioned", gone="2025-03-01") for name in names])
        again = bring(made, *[row(name, status="Decommissioned", gone="2025-03-01") for name in names])
        recorded = references(made, done)

    assert fates(done) == ["recorded"] * 5
    assert fates(again) == ["already there"] * 5
    assert len(set(recorded)) == 10


CHOICES = {
    "name": st.sampled_from(["A", "B", "C", NAMELESS, ""]),
    "status": st.sampled_from(["Existing", "Planned", "Decommissioned", "?"]),
    "certainty": st.sampled_from(["Confirmed", "Unlikely"]),
    "chip": st.sampled_from(["NVIDIA A100", "Google TPU v4", "Cerebras CS-2", ""]),
    "count": st.sampled_from(["8.0", "16", "", "x", "1000000000"]),
    "chip2": st.sampled_from(["", "", "NVIDIA V100"]),
    "country": st.sampled_from(["France", "China", "India", "", "Europe"]),
    "owner": st.sampled_from(["Google", "Alibaba", "Nobody", "A,B", ""]),
    "date": st.sampled_from(["2019-01-01", "2025-06-01", "2026-06-01", "2024", ""]),
    "gone": st.sampled_from(["", "", "2026-01-01"]),
    "superseded": st.sampled_from(["", "", "", "A"]),
}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.fixed_dictionaries(CHOICES), max_size=8), st.randoms())
def test_every_row_has_one_fate(drawn: list[dict[str, str]], shuffler: random.Random) -> None:
    """Rows in = recorded + already there + rejected + left out + reported, and a second time records nothing."""
    rows = [row(**each) for each in drawn]
    with TemporaryDirectory() as folder, bench(Path(folder)) as made:
        tried = bring(made, *rows, dry_run=True)
        first = bring(made, *rows)
        head = made.desk().head().sequence
        shuffler.shuffle(rows)
        second = bring(made, *rows)

        assert fates(tried) == fates(first)
        assert len(first.accounting.rows) == sum(first.accounting.counts().values()) == len(rows)
        assert first.accounting.counts()[Fate.REJECTED] == 0
        assert head == sum(len(each.adapted.records) for each in first.accounting.rows if each.fate == Fate.RECORDED)
        assert made.desk().head().sequence == head
        assert second.accounting.counts()[Fate.ALREADY_THERE] == first.accounting.counts()[Fate.RECORDED]
        total = sum(sums.rows for sums in first.accounting.by_country().values())
        assert total == len(rows)
