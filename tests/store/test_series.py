"""Views over time, of allocations, of who uses a cap: equal to what plain Python works out of the same records."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ledger.rulebook.rulebook import Rulebook
from ledger.sequencer.adopting import adopt
from ledger.sequencer.positions import status
from ledger.store.query import table
from ledger.store.seeds import parse_rulebook
from tests.harness import Bench, amended, bench
from tests.store.varied import FIRST, PARTIES, Varied, other_rulebooks, varied

Row = dict[str, Any]
ACCOUNTS = ("cap", "lpp", "nveu", "committed", "installed", "pending")


@pytest.fixture(scope="module", name="history", params=[1])
def _history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Varied]:
    with varied(tmp_path_factory.mktemp("varied"), request.param) as history:
        yield history


def ask(made: Bench, query: str) -> list[Row]:
    return table(made.ledger.connection, query)


def days() -> list[date]:
    """Days from before the count to after the last record, and those on which something changes."""
    every = [date(2024, 11, 29) + timedelta(days=37 * number) for number in range(21)]
    return [*every, date(2025, 5, 31), date(2025, 6, 1), date(2026, 2, 2), date(2026, 2, 3), date(2028, 1, 1)]


def test_the_sample_has_everything_in_it(history: Varied) -> None:
    """Every kind, basis and outcome, and rulebooks of three meanings: the other tests would say little otherwise."""
    found = ask(history.made, "SELECT kind, basis, outcome FROM decisions")

    assert {row["kind"] for row in found} == {"opening", "allocation", "delivery", "lapse", "attrition", "reversal"}
    assert {row["basis"] for row in found} >= {"LICENSE", "LPP", "AIA", "NVEU", "UVEU", "UNCOUNTED", "PROHIBITED"}
    assert {row["outcome"] for row in found} == {"admitted", "refused", "breached"}
    assert len({row["digest"] for row in ask(history.made, "FROM rulebooks")}) == 3


def test_as_of_is_the_status_of_a_day(history: Varied) -> None:
    """Row for row and column for column, on any day."""
    for day in days():
        expected = status(history.made.desk(), as_of=day)["countries"]
        assert ask(history.made, f"FROM as_of(DATE '{day}')") == expected, day


def test_known_at_is_what_the_ledger_said_then(history: Varied) -> None:
    """After each import, with the registers and the rulebook of then, though others have come since."""
    assert len({str(step.countries) for step in history.steps}) > 10
    for step in history.steps:
        assert ask(history.made, f"FROM known_at({step.sequence})") == step.countries, step.sequence


def test_known_at_inside_a_batch_is_what_the_next_record_was_decided_on(tmp_path: Path) -> None:
    """One batch of rows says after each what the same rows one by one say; 0 says nothing, too far the last."""
    rows: list[Row] = [
        {"reference": "o", "kind": "opening", "date": "2024-01-01", "quantity": 5, "destination": "AE"},
        *({"reference": f"a{n}", "kind": "allocation", "date": f"2025-0{n}-01", "destination": "AE"} for n in (7, 3)),
        {"reference": "d", "kind": "delivery", "date": "2026-03-03", "destination": "SG"},
    ]
    usual: Row = {"consignee": "ALPHA", "chip": "H100", "basis": "LICENSE", "quantity": 3}
    rows = [{**usual, **row} for row in rows]
    rows[0] = {**rows[0], "basis": None}
    uplift = {"destination": "AE", "uplift_percent": "50", "valid_from": "2025-04-01"}
    for folder in ("together", "single"):
        (tmp_path / folder).mkdir()
    with bench(tmp_path / "single") as single, bench(tmp_path / "together") as together:
        for made in (single, together):
            made.register("parties", *PARTIES)
            made.register("assurances", uplift)
        together.submit("p", *rows)
        for number, row in enumerate(rows, 1):
            single.submit("p", row)
            assert ask(together, f"FROM known_at({number})") == status(single.desk())["countries"], number

        assert ask(together, "FROM known_at(0)") == []
        assert ask(together, "FROM known_at(99)") == ask(together, "FROM country_positions")


def test_both_at_once(history: Varied) -> None:
    """What the ledger knew of a day after an import: with no blank, it is neither macro's answer."""
    last, day = history.steps[5].sequence, date(2025, 4, 30)
    found = {
        row["destination"]: row["delivered_tpp"] for row in ask(history.made, f"FROM positions_at('{day}', {last})")
    }
    entries = ask(history.made, f"FROM entry WHERE date <= '{day}' AND sequence <= {last}")
    sums: Counter[str] = Counter()
    for entry in entries:
        sums[entry["counted_destination"]] += entry["installed_tpp"]

    assert found == {place: sums[place] for place in found}
    assert any(found.values())


def test_a_rulebook_that_sql_cannot_read_is_told(tmp_path: Path) -> None:
    """One written in another layout means the same to the ledger; known_at says that it cannot tell, as_of can."""
    texts = dict(amended(**FIRST).texts)
    texts["tiers.toml"] = texts["tiers.toml"].replace('countries = ["MO"]', 'countries = ["MO", # Macau\n]', 1)
    with bench(tmp_path) as made:
        made.register("parties", *PARTIES)
        adopt(made.desk(), parse_rulebook(texts), "another layout")
        made.submit("p", _allocation("a"))
        now = ask(made, "FROM known_at(1)")
        adopt(made.desk(), amended(country_cap_tpp="100_000_000"), "the rule has changed")

        assert now[0]["cap_tpp"] == 9_000_000
        with pytest.raises(duckdb.Error, match="layout that SQL cannot read"):
            ask(made, "FROM known_at(1)")
        assert ask(made, "FROM as_of(DATE '2026-06-30')")[0]["cap_tpp"] == 100_000_000


def test_what_adopted_rulebooks_said_is_what_they_say(history: Varied) -> None:
    """The figures and the tiers that SQL reads out of the texts are those that the ledger reads, on every day."""
    books: dict[str, Rulebook] = {book.digest: book for book in (amended(**FIRST), *other_rulebooks())}
    for adoption in ask(history.made, "FROM rulebooks"):
        book = books[adoption["digest"]]
        said = ask(history.made, f"FROM adopted_parameters WHERE adopted_leaf = {adoption['leaf']}")
        for row in said:
            if row["parameter"] in book.parameters and not isinstance(book.figure(row["parameter"]), list | dict):
                assert row["value"] == str(book.figure(row["parameter"])).replace("True", "true").replace(
                    "False", "false"
                )
        assert {row["parameter"] for row in said} >= {"country_cap_tpp", "status_watch_percent", "counting_start"}
        spans = ask(history.made, f"FROM adopted_tiers WHERE adopted_leaf = {adoption['leaf']}")
        assert all(row["counted_as"] == book.counted(row["code"]) for row in spans)
        for first, second in pairwise(spans):
            if first["code"] == second["code"]:
                assert second["first_day"] - first["last_day"] == timedelta(days=1)
        for row in spans:
            for day in (row["first_day"], row["last_day"]):
                assert row["tier"] == book.tier(row["code"], day.toordinal()), row
        assert len({row["code"] for row in spans}) == 249


def test_contributions_come_to_the_balances(history: Varied) -> None:
    """Account by account; a period is that of the account."""
    sums: Counter[tuple[str, str, str, str]] = Counter()
    for row in ask(history.made, "FROM contributions"):
        place = "" if row["account"] == "lpp" else row["destination"]
        sums[row["account"], row["consignee"], place, row["period"] or ""] += row["tpp"]
    held: Counter[tuple[str, str, str, str]] = Counter()
    for row in ask(history.made, "FROM balance"):
        quarter = f"{row['period'] // 4}Q{row['period'] % 4 + 1}"
        period = {"lpp": str(row["period"]), "nveu": quarter}.get(row["account"], "")
        held[row["account"], row["consignee"], row["destination"], period] += row["tpp"]

    assert {key: tpp for key, tpp in sums.items() if tpp} == {key: tpp for key, tpp in held.items() if tpp}
    assert len(sums) > 40


def test_months_and_quarters_add_up(history: Varied) -> None:
    """By country, family, provider, chip and basis: what entries of the month add, and all months the balance."""
    for view, period in (("monthly_use", "month"), ("quarterly_use", "quarter")):
        expected: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for entry in ask(history.made, "FROM entry"):
            day = entry["date"]
            when = day.replace(day=1) if period == "month" else f"{day.year}Q{(day.month + 2) // 3}"
            key = (when, *(entry[name] for name in ("counted_destination", "family", "provider", "chip", "basis")))
            for account in ACCOUNTS:
                expected[key][account] += entry[f"{account}_tpp"]
            expected[key]["lpp"] -= entry["lpp_from_tpp"]
        found = {
            tuple(row[name] for name in (period, "destination", "family", "provider", "chip", "basis")): row
            for row in ask(history.made, f"FROM {view}")
        }
        for key, sums in expected.items():
            row = found.get(key, Counter())
            assert [row.get(f"{account}_tpp", 0) for account in ACCOUNTS] == [sums[account] for account in ACCOUNTS]
        assert found.keys() <= expected.keys()


def test_a_country_at_the_end_of_a_month_is_as_of_that_day(history: Varied) -> None:
    """With what the month added; the last month is the position now, and quarters end with their last month."""
    found: dict[date, dict[str, Row]] = defaultdict(dict)
    for row in ask(history.made, "FROM country_months"):
        found[row["as_of"]][row["destination"]] = row
    added: Counter[str] = Counter()
    for day, rows in sorted(found.items()):
        then = {row["destination"]: row for row in status(history.made.desk(), as_of=day)["countries"]}
        for destination, row in rows.items():
            added[destination] += row["added_tpp"]
            shared = row.keys() & then[destination].keys()
            assert {name: row[name] for name in shared} == {name: then[destination][name] for name in shared}
            assert added[destination] == row["used_tpp"]
        assert not [
            place for place, row in then.items() if place not in rows and row["used_tpp"] | row["delivered_tpp"]
        ]
    last = {row["destination"]: row["used_tpp"] for row in ask(history.made, "FROM country_positions")}
    assert {place: row["used_tpp"] for place, row in found[max(found)].items()}.items() <= last.items()
    quarters = ask(history.made, "FROM country_quarters")
    assert len(quarters) == len({(row["quarter"], row["destination"]) for row in quarters})
    for row in quarters:
        month = found[row["as_of"]][row["destination"]]
        assert (row["used_tpp"], row["quarter"], row["status"]) == (
            month["used_tpp"],
            month["quarter"],
            month["status"],
        )
    for place in last:
        mine = [row for row in quarters if row["destination"] == place]
        assert not mine or sum(row["added_tpp"] for row in mine) == mine[-1]["used_tpp"]


def test_the_shares_of_a_month_are_those_of_its_last_day(history: Varied) -> None:
    """In every month, and so in the last one what uveu_country_shares has now."""
    found = ask(history.made, "FROM uveu_country_months")
    months = ask(history.made, "FROM months")
    for month in months:
        expected = status(history.made.desk(), as_of=month["as_of"])["uveu_country_shares"]
        rows = [row for row in found if row["month"] == month["month"]]
        names = ("family", "destination", "tpp", "percent", "remaining_tpp", "status")
        assert [[row[name] for name in names] for row in rows] == [[row[name] for name in names] for row in expected]

    assert len(found) > 50
    assert months[-1]["as_of"] == ask(history.made, "FROM ledger_state")[0]["latest_date"]


def drawn_down(records: list[Row]) -> dict[int, Row]:
    """Work out what became of each admitted allocation, record after record."""
    by_name = {(row["provider"], row["reference"]): row for row in records}
    found: dict[int, Row] = {}
    taken: dict[int, tuple[Row, Row]] = {}
    for row in records:
        if row["kind"] == "allocation" and row["outcome"] == "admitted":
            found[row["sequence"]] = {"outstanding": row["quantity"]} | dict.fromkeys(
                ("delivered", "beyond", "lapsed"), 0
            )
        named = by_name.get((row["provider"], row["under"]))
        held = found.get(named["sequence"]) if named else None
        if row["kind"] == "reversal" and named and named["sequence"] in taken:
            account, change = taken[named["sequence"]]
            for name, amount in change.items():
                account[name] -= amount
        elif row["kind"] == "reversal" and held:
            held["outstanding"] = 0
        elif held and row["kind"] in {"delivery", "lapse"}:
            fits = min(row["quantity"], held["outstanding"])
            change = {"outstanding": -fits, "delivered": row["quantity"], "beyond": row["quantity"] - fits}
            change = change if row["kind"] == "delivery" else {"outstanding": -fits, "lapsed": row["quantity"]}
            for name, amount in change.items():
                held[name] += amount
            taken[row["sequence"]] = (held, change)
    return found


def test_allocations_are_drawn_down_as_the_fold_says(history: Varied) -> None:
    """Chip by chip as records say one after another; and what is outstanding is what the accounts have pending."""
    records = ask(history.made, "FROM decisions")
    found = {row["sequence"]: row for row in ask(history.made, "FROM allocations")}
    expected = drawn_down(records)
    latest = max(row["date"] for row in records)

    assert found.keys() == expected.keys()
    for sequence, row in expected.items():
        assert {name: found[sequence][name] for name in row} == row, sequence
        one = found[sequence]["allocated_tpp"] // found[sequence]["quantity"]
        assert found[sequence]["outstanding_tpp"] == row["outstanding"] * one
        assert found[sequence]["delivered_tpp"] == row["delivered"] * one
    counted = [row for row in found.values() if row["basis"] != "UNCOUNTED"]
    pending = sum(row["tpp"] for row in ask(history.made, "FROM contributions WHERE account = 'pending'"))
    assert sum(row["outstanding_tpp"] for row in counted) == pending
    assert {row["state"] for row in found.values()} == {"open", "complete", "expired", "reversed"}
    licences = ask(history.made, "FROM licence_drawdown")
    assert [row["sequence"] for row in licences] == [n for n, row in found.items() if row["basis"] == "LICENSE"]
    assert all(row["days_left"] == (row["expires"] - latest).days for row in licences)
    ageing = ask(history.made, "FROM outstanding_allocations")
    assert {row["sequence"] for row in ageing} == {n for n, row in expected.items() if row["outstanding"]}
    assert all(row["age_days"] == (latest - row["date"]).days >= row["idle_days"] for row in ageing)


def test_families_share_what_a_country_uses(history: Varied) -> None:
    """The parts come to the country's use, the ranks follow them, and families are those of the register now."""
    families = {row["party"]: row["family"] for row in ask(history.made, "FROM parties")}
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in ask(history.made, "FROM entry"):
        sums[entry["counted_destination"]][families[entry["consignee"]]] += entry["cap_tpp"]
    found = ask(history.made, "FROM cap_concentration")
    for country in ask(history.made, "FROM country_positions WHERE used_tpp <> 0"):
        rows = [row for row in found if row["destination"] == country["destination"]]
        expected = {family: tpp for family, tpp in sums[country["destination"]].items() if tpp}
        assert {row["family"]: row["used_tpp"] for row in rows} == expected
        assert [row["used_tpp"] for row in rows] == sorted(expected.values(), reverse=True)
        assert rows[0]["rank"] == 1
        assert all(row["country_used_tpp"] == country["used_tpp"] for row in rows)

    assert found


def test_refusals_have_their_reasons(history: Varied) -> None:
    """A refusal is in one row, with its month, limit, country and basis."""
    expected: Counter[tuple[Any, ...]] = Counter()
    for row in ask(history.made, "FROM refusals"):
        expected[row["date"].replace(day=1), row["limit_id"], row["destination"], row["basis"]] += row["tpp"]
    found = ask(history.made, "FROM refusals_by_reason")

    assert {
        tuple(row[n] for n in ("month", "limit_id", "destination", "basis")): row["tpp"] for row in found
    } == expected
    assert sum(row["requests"] for row in found) == len(ask(history.made, "FROM refusals"))


def test_evidence_goes_with_what_it_shows(history: Varied) -> None:
    """Use is evidenced by the record that added it; what takes away takes from the same side."""
    records = {row["sequence"]: row for row in ask(history.made, "FROM decisions")}
    sums: Counter[str] = Counter()
    for entry in ask(history.made, "FROM entry WHERE cap_tpp <> 0"):
        origin = records[entry["sequence"]]
        while origin["kind"] in {"reversal", "lapse"}:
            origin = records[origin["under_sequence"]]
        sums[entry["counted_destination"]] += entry["cap_tpp"] if origin["evidence"] else 0
    found = ask(history.made, "FROM country_evidence")

    assert {row["destination"]: row["evidenced_tpp"] for row in found if row["evidenced_tpp"]} == {
        place: tpp for place, tpp in sums.items() if tpp
    }
    assert all(row["evidenced_tpp"] + row["unevidenced_tpp"] == row["used_tpp"] for row in found)
    assert {(row["cap_citation"], row["cap_certainty"]) for row in found} == {
        ("15 CFR 742.6(b)(10)(iii)(B)(1)", "verified")
    }


def test_a_mistyped_millennium_makes_no_endless_series(tmp_path: Path) -> None:
    """After the horizon there are months only where something happened."""
    with bench(tmp_path) as made:
        made.register("parties", *PARTIES)
        made.submit("p", _allocation("a"), _allocation("b") | {"date": "9026-03-01", "basis": "LPP"})
        months = ask(made, "FROM months")

    assert len(months) == 37
    assert [str(row["month"]) for row in months[-2:]] == ["2027-12-01", "9026-03-01"]


def _allocation(reference: str) -> Row:
    return {
        "reference": reference,
        "kind": "allocation",
        "date": "2026-03-01",
        "destination": "AE",
        "consignee": "ALPHA",
        "chip": "H100",
        "quantity": 1,
        "basis": "LICENSE",
    }
