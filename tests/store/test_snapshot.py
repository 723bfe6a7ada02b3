"""The views as of a day, on a handle of their own."""

from datetime import date
from pathlib import Path

import pytest

from ledger.core.errors import WrongUsage
from ledger.sequencer.adopting import adopt
from ledger.store.snapshot import snapshot
from ledger.store.views import view_files
from tests.harness import Bench, amended, bench

DAYS = ("2025-03-01", "2025-06-01", "2026-01-15")
USED = "SELECT used_tpp FROM country_positions WHERE destination = 'IN'"
REQUEST = {"kind": "allocation", "destination": "IN", "consignee": "P", "chip": "H100", "quantity": 2_000}


def filled(made: Bench) -> None:
    made.register("parties", {"party": "P", "name": "Paul", "headquarters": "IN"})
    made.submit("p", *(REQUEST | {"reference": day, "date": day} for day in DAYS))


def used(made: Bench, day: date | None) -> int:
    with snapshot(made.ledger, day) as views:
        _, rows = views.ask("used", USED)
        return int(next(rows)["used_tpp"])


def test_positions_are_those_of_the_day(tmp_path: Path) -> None:
    """A record counts from its legal date on, and the tier is that of the day."""
    with bench(tmp_path) as made:
        filled(made)
        one = used(made, date(2025, 3, 1))
        tiers = []
        for day in (date(2026, 2, 2), date(2026, 2, 3)):
            with snapshot(made.ledger, day) as views:
                _, rows = views.ask("kh", "SELECT count(*) AS n FROM country_positions WHERE destination = 'KH'")
                tiers.append(next(rows)["n"])

        assert one == 2_000 * 15_832
        assert [used(made, date.fromisoformat(day)) for day in DAYS] == [one, 2 * one, 3 * one]
        assert used(made, date(2025, 2, 28)) == 0
        assert used(made, None) == 3 * one
    assert tiers == [0, 1]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """After a snapshot the ledger shows what it showed, and records can be added."""
    with bench(tmp_path) as made:
        filled(made)
        before = made.ledger.rows(USED)
        assert used(made, date(2025, 2, 28)) == 0
        after = made.ledger.rows(USED)
        (answer,) = made.submit("p", REQUEST | {"reference": "more", "date": "2025-02-01"})

        assert after == before
        assert answer["outcome"] == "admitted"
        assert used(made, date(2025, 2, 28)) == 2_000 * 15_832


def test_a_named_query_is_a_view_for_the_next(tmp_path: Path) -> None:
    """Queries read those named before them, and all rows come, however many."""
    with bench(tmp_path) as made, snapshot(made.ledger) as views:
        views.name("numbers", "SELECT range AS n FROM range(25_000)")
        columns, rows = views.ask("sums", "SELECT n, n * 2 AS twice FROM numbers ORDER BY n")
        found = list(rows)

    assert columns == ["n", "twice"]
    assert found == [{"n": n, "twice": 2 * n} for n in range(25_000)]


def test_a_ledger_of_an_earlier_version_has_the_views_too(tmp_path: Path) -> None:
    """The views of a snapshot are this software's: one that the file does not have yet is there."""
    with bench(tmp_path) as made:
        filled(made)
        made.ledger.connection.execute("DROP VIEW country_changes")
        with snapshot(made.ledger, date(2025, 6, 1)) as views:
            _, rows = views.ask("changes", "SELECT count(*) AS n FROM country_changes")
            found = list(rows)

    assert found == [{"n": 2}]


def test_what_was_recorded_by_a_checkpoint_is_seen_whatever_came_later(tmp_path: Path) -> None:
    """Records, registers and rulebook are those of the checkpoint: every view says what it said then."""
    asked = [f"FROM {name}" for name in view_files() if name not in ("ledger_state", "months")]
    with bench(tmp_path) as made:
        filled(made)
        leaves = made.ledger.rows("SELECT leaf FROM head")[0][0]
        before = [made.ledger.rows(query) for query in asked]
        made.submit("p", REQUEST | {"reference": "more", "date": "2026-02-01"})
        made.register("parties", {"party": "P", "name": "Paula", "headquarters": "IN"})
        adopt(made.desk(), amended(country_cap_tpp="5_000_000_000"), "to see")
        with snapshot(made.ledger, leaves=leaves) as views:
            then = [[tuple(row.values()) for row in views.ask("q", query)[1]] for query in asked]
            state = list(views.ask("state", "SELECT sequence, leaves, latest_date FROM ledger_state")[1])
        now = [made.ledger.rows(query) for query in asked]

    assert then == before
    assert now != before
    assert state == [{"sequence": 3, "leaves": leaves, "latest_date": date(2026, 1, 15)}]


def test_a_day_and_a_checkpoint_bind_together(tmp_path: Path) -> None:
    """Of what was recorded by the checkpoint, what is dated later than the day is left out."""
    with bench(tmp_path) as made:
        filled(made)
        leaves = made.ledger.rows("SELECT leaf FROM head")[0][0]
        made.submit("p", REQUEST | {"reference": "early", "date": "2025-01-20"})
        with snapshot(made.ledger, date(2025, 6, 1), leaves) as views:
            _, rows = views.ask("n", "SELECT list(reference ORDER BY reference) AS n FROM decisions")
            assert list(rows) == [{"n": ["2025-03-01", "2025-06-01"]}]
        assert used(made, date(2025, 6, 1)) == 3 * 2_000 * 15_832


def test_a_number_of_leaves_that_was_never_signed_is_none(tmp_path: Path) -> None:
    """Only states that a checkpoint is of can be asked for."""
    with bench(tmp_path) as made:
        filled(made)
        with pytest.raises(WrongUsage, match="no checkpoint of 2 leaves"), snapshot(made.ledger, leaves=2):
            pass
