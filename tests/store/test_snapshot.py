"""The views as of a day, on a handle of their own."""

from datetime import date
from pathlib import Path

from ledger.store.snapshot import snapshot
from tests.harness import Bench, bench

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

    assert found == [{"n": 3}]
