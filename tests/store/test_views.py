"""The views: what users rely on, commented to the last column, and equal to a direct count."""

from datetime import date
from pathlib import Path

import pytest

from ledger.sequencer.positions import status
from ledger.store.views import comments, view_files
from tests.harness import Bench, bench

CONTRACT = {
    "decisions": "sequence batch provider reference kind date recorded_at destination consignee family chip quantity"
    " tpp h100e basis outcome limit_id account remaining_tpp message under license_number expires evidence",
    "country_positions": "destination name cap_tpp used_tpp remaining_tpp used_percent delivered_tpp cap_h100e"
    " used_h100e remaining_h100e status",
    "lpp_positions": "family year cap_tpp used_tpp remaining_tpp status",
    "nveu_positions": "family destination quarter cap_tpp used_tpp remaining_tpp status",
    "uveu_positions": "family installed_tpp pending_tpp outside_us_tpp outside_us_percent outside_tier_1_tpp"
    " outside_tier_1_percent status",
    "uveu_country_shares": "family destination tpp percent remaining_tpp status",
    "batches": "batch provider filed_by recorded_at file sha256 records admitted refused breached rejected"
    " rulebook_digest software_version",
    "rulebook_parameters": "rulebook parameter value unit valid_from citation certainty sentence",
    "refusals": "sequence outcome message",
    "breaches": "sequence outcome message",
    "checkpoints": "",
    "parties": "party name headquarters parent",
    "chips": "chip name vendor tpp class source",
    "authorizations": "party basis destination valid_from valid_to citation",
    "assurances": "destination uplift_percent valid_from citation",
}
"""The columns that users rely on; a view may have more, never fewer."""

PARTIES = (
    {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"},
    {"party": "USCO", "name": "US Company", "headquarters": "US"},
    {"party": "USSUB", "name": "Its subsidiary", "headquarters": "SA", "parent": "USCO"},
)


def _row(reference: str, kind: str, date: str, quantity: int, **more: str) -> dict[str, object]:
    return {"reference": reference, "kind": kind, "date": date, "quantity": quantity, "chip": "H100"} | more


def _fill(made: Bench) -> None:
    """Two families, every account used: 10,000 H100 at home, shares abroad, a cap, LPP years, an NVEU base."""
    made.register("parties", *PARTIES)
    made.register("authorizations", {"party": "USCO", "basis": "UVEU", "valid_from": "2025-06-01"})
    made.register(
        "authorizations", {"party": "ALPHA", "basis": "NVEU", "destination": "SA", "valid_from": "2025-01-01"}
    )
    made.submit(
        "p",
        _row("o", "opening", "2024-06-01", 10_000, destination="US", consignee="USCO"),
        _row("s", "allocation", "2025-07-01", 600, destination="SA", consignee="USSUB"),
        _row("c", "allocation", "2025-07-02", 20_000, destination="AE", consignee="ALPHA"),
        _row("l", "allocation", "2025-12-31", 100, destination="AE", consignee="ALPHA"),
        {"reference": "d", "kind": "delivery", "date": "2026-02-01", "quantity": 40, "under": "l"},
        _row("n", "allocation", "2026-05-01", 1000, destination="SA", consignee="ALPHA", basis="NVEU"),
        _row("k", "delivery", "2026-06-01", 5, destination="KP", consignee="ALPHA"),
        _row("x", "allocation", "2026-06-02", 60_000, destination="AE", consignee="ALPHA"),
    )


@pytest.mark.parametrize("view", sorted(CONTRACT))
def test_a_view_has_the_columns_that_users_rely_on(view: str, tmp_path: Path) -> None:
    """Every view of the contract is there, with its columns, each with a comment in the database."""
    with bench(tmp_path) as made:
        columns = dict(
            made.ledger.rows("SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ?", [view])
        )

    assert set(CONTRACT[view].split()) <= columns.keys()
    assert columns.keys() == comments(view_files()[view]).keys() - {""}
    assert all(columns.values())


def test_positions_are_what_was_recorded(tmp_path: Path) -> None:
    """Each position is the sum that one works out by hand from the records."""
    with bench(tmp_path) as made:
        _fill(made)
        found = status(made.desk())

    countries = {row["destination"]: row for row in found["countries"]}
    h100 = 15_832
    assert found["as_of"] == date(2026, 6, 2)
    assert countries["AE"]["used_tpp"] == 20_000 * h100
    assert countries["AE"]["delivered_tpp"] == 40 * h100
    assert countries["AE"]["remaining_tpp"] == 790_000_000 - 20_000 * h100
    assert str(countries["AE"]["used_percent"]) == "40.0810"  # 316,640,000 of 790,000,000 = 40.08101...
    assert countries["SA"]["used_tpp"] == 0
    assert countries["SG"]["name"] == "Singapore"
    assert countries["KH"]["status"] == "open"
    assert not {"US", "CN", "HK", "KP"} & countries.keys()
    assert [(row["year"], row["used_tpp"]) for row in found["lpp"]] == [(2025, 60 * h100), (2026, 40 * h100)]
    nveu = {row["quarter"]: row["used_tpp"] for row in found["nveu"]}
    assert (nveu["2026Q1"], nveu["2026Q2"], nveu["2027Q4"]) == (0, 1000 * h100, 1000 * h100)
    (uveu,) = found["uveu"]
    assert uveu["installed_tpp"] == 10_000 * h100
    assert uveu["outside_us_tpp"] == uveu["outside_tier_1_tpp"] == uveu["pending_tpp"] == 600 * h100
    assert str(uveu["outside_us_percent"]) == "5.6603"  # 600 of 10,600, rounded down
    (share,) = found["uveu_country_shares"]
    assert (share["destination"], str(share["percent"])) == ("SA", "5.6603")
    assert share["remaining_tpp"] == (7 * 10_600 - 100 * 600) * h100 // 93
    assert share["status"] == "watch"  # 5.66 of 7 percent is 80.86 percent of the limit


def test_as_of_leaves_out_what_is_dated_later(tmp_path: Path) -> None:
    """A status of a day has the records dated up to it, and the tiers and authorizations of that day."""
    with bench(tmp_path) as made:
        _fill(made)
        early = status(made.desk(), as_of=date(2025, 5, 31))
        middle = status(made.desk(), as_of=date(2026, 1, 31))
        latest = status(made.desk(), as_of=date(2026, 6, 2))
        now = status(made.desk())

    assert early["uveu"] == []
    assert "KH" not in {row["destination"] for row in middle["countries"]}
    assert [(row["year"], row["used_tpp"]) for row in middle["lpp"]] == [(2025, 100 * 15_832)]
    assert latest == now


def test_one_country_and_one_family(tmp_path: Path) -> None:
    """A country or a party narrows every list to what concerns it; a territory is its country, a party its family."""
    with bench(tmp_path) as made:
        _fill(made)
        country = status(made.desk(), country="AE")
        family = status(made.desk(), family="USSUB")

    assert [row["destination"] for row in country["countries"]] == ["AE"]
    assert family["countries"] == []
    assert [row["family"] for row in family["uveu"]] == ["USCO"]


def test_an_uplift_raises_the_cap_from_its_first_day(tmp_path: Path) -> None:
    """A third more for AE from 2025-06-01: the cap before, the cap then, and the status that follows from it."""
    with bench(tmp_path) as made:
        made.register("parties", *PARTIES)
        made.register("assurances", {"destination": "AE", "uplift_percent": "33", "valid_from": "2025-06-01"})
        made.submit(
            "p",
            _row("a", "allocation", "2025-05-01", 49_898, destination="AE", consignee="ALPHA", basis="LICENSE"),
        )
        before, then = (status(made.desk(), "AE", as_of=date(2025, *day))["countries"][0] for day in ((5, 31), (6, 1)))

    assert (before["cap_tpp"], before["status"]) == (790_000_000, "critical")
    assert (then["cap_tpp"], then["status"]) == (1_050_700_000, "open")
    assert then["remaining_tpp"] == 1_050_700_000 - 49_898 * 15_832


def test_an_nveu_base_is_shown_from_its_first_day_and_after_its_last(tmp_path: Path) -> None:
    """What was installed under an NVEU that has ended stays in view; before it began there is nothing to show."""
    nveu = {
        "party": "ALPHA",
        "basis": "NVEU",
        "destination": "SA",
        "valid_from": "2025-04-01",
        "valid_to": "2025-12-31",
    }
    with bench(tmp_path) as made:
        made.register("parties", *PARTIES)
        made.register("authorizations", nveu)
        made.submit("p", _row("n", "allocation", "2025-05-01", 3, destination="SA", consignee="ALPHA", basis="NVEU"))
        before, first, ended = (
            {row["quarter"]: row["used_tpp"] for row in status(made.desk(), as_of=day)["nveu"]}
            for day in (date(2025, 3, 31), date(2025, 4, 1), date(2026, 1, 1))
        )

    assert before == {}
    assert first == dict.fromkeys(ended, 0)
    assert (ended["2025Q1"], ended["2025Q2"], ended["2027Q4"]) == (0, 3 * 15_832, 3 * 15_832)


def test_a_family_that_leaves_tier_1_holds_no_uveu(tmp_path: Path) -> None:
    """UVEU is for families headquartered in tier 1: one that moves out of it has no shares to show."""
    with bench(tmp_path) as made:
        _fill(made)
        before = status(made.desk())
        made.register("parties", {"party": "USCO", "name": "Moved", "headquarters": "SG"})
        moved = status(made.desk())

    assert [row["family"] for row in before["uveu"]] == ["USCO"]
    assert [row["family"] for row in before["uveu_country_shares"]] == ["USCO"]
    assert (moved["uveu"], moved["uveu_country_shares"]) == ([], [])


@pytest.mark.parametrize(("headquarters", "expected"), [("US", "over"), ("FR", "open")])
def test_only_families_of_the_home_country_must_keep_half_there(
    tmp_path: Path, headquarters: str, expected: str
) -> None:
    """All in France is too much outside the United States for a US family, and nothing to a French one."""
    with bench(tmp_path) as made:
        made.register("parties", {"party": "CLOUD", "name": "Cloud", "headquarters": headquarters})
        made.register("authorizations", {"party": "CLOUD", "basis": "UVEU", "valid_from": "2025-01-01"})
        made.submit("p", _row("o", "opening", "2024-06-01", 100, destination="FR", consignee="CLOUD"))
        (found,) = status(made.desk())["uveu"]

    assert (str(found["outside_us_percent"]), found["outside_tier_1_tpp"]) == ("100.0000", 0)
    assert found["status"] == expected


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [(39_919, "open"), (39_920, "watch"), (44_909, "watch"), (44_910, "critical"), (49_898, "critical")],
)
def test_status_changes_at_its_thresholds(tmp_path: Path, quantity: int, expected: str) -> None:
    """Watch from 80 percent of the cap (632,000,000 TPP = 39,919.2 H100), critical from 90 (711,000,000 = 44,909.0)."""
    with bench(tmp_path) as made:
        made.register("parties", *PARTIES)
        made.submit(
            "p",
            _row(
                "a",
                "allocation",
                "2026-01-01",
                quantity,
                destination="AE",
                consignee="ALPHA",
                basis="LICENSE",
            ),
        )

        found = status(made.desk(), country="AE")["countries"][0]["status"]

    assert found == expected


def test_a_fact_beyond_the_cap_shows_over_and_an_exact_fill_exhausted(tmp_path: Path) -> None:
    """A cap used to the last TPP is exhausted; one TPP beyond, it is over."""
    with bench(tmp_path, country_cap_tpp="15_832") as made:
        made.register("parties", *PARTIES)
        made.submit(
            "p",
            _row("a", "allocation", "2026-01-01", 1, destination="AE", consignee="ALPHA", basis="LICENSE"),
        )
        exhausted = status(made.desk(), country="AE")["countries"][0]
        made.submit(
            "p",
            _row("b", "delivery", "2026-01-02", 10**9, destination="AE", consignee="ALPHA", basis="LICENSE"),
        )
        over = status(made.desk(), country="AE")["countries"][0]

    assert (exhausted["status"], exhausted["remaining_tpp"]) == ("exhausted", 0)
    assert (over["status"], over["remaining_tpp"], str(over["used_percent"])) == ("over", 0, "99999.9999")
