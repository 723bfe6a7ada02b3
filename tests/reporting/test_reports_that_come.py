"""The reports that come with quotaledger: each works on any ledger, and its figures are what a plain count gives."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.reporting.folder import find_report, report_names
from ledger.reporting.running import Wanted, run_report
from ledger.store.file import LedgerFile
from tests.harness import bench
from tests.store.varied import varied

TODAY = date(2026, 11, 22)
OF_ALL = tuple(report_names())


@pytest.fixture(scope="module", name="history")
def _history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerFile]:
    """A ledger with everything in it."""
    with varied(tmp_path_factory.mktemp("varied"), 3) as made:
        yield made.made.ledger


def tables(ledger: LedgerFile, name: str, out: Path, period: str | None = None) -> dict[str, Any]:
    """Make a report and give the rows of each of its queries."""
    run_report(ledger, find_report(name), Wanted(TODAY, period), out)
    found: dict[str, Any] = json.loads((out / f"{name}.json").read_text("utf-8"))["tables"]
    return found


def shown(out: Path, name: str) -> list[str]:
    """Give the names of the tables of a report that was made."""
    return list(json.loads((out / f"{name}.json").read_text("utf-8"))["tables"])


def one(ledger: LedgerFile, query: str) -> Any:
    """Give the one value that a query has."""
    return ledger.rows(query)[0][0]


@pytest.mark.parametrize("name", OF_ALL)
@pytest.mark.parametrize("period", [None, "2025-Q4", "2024", "2026-02"])
def test_a_report_works_on_any_ledger(history: LedgerFile, name: str, period: str | None, tmp_path: Path) -> None:
    """On one with everything and on one with nothing: it says something, and no template shows what is not there."""
    with bench(tmp_path) as empty:
        for ledger, out in ((history, tmp_path / "full"), (empty.ledger, tmp_path / "empty")):
            made = run_report(ledger, find_report(name), Wanted(TODAY, period), out)
            page = (out / f"{name}.html").read_text("utf-8")

            assert made.summary
            assert all(sentence.rstrip().endswith((".", ")")) for sentence in made.summary), made.summary
            assert "None" not in " ".join(made.summary)
            assert f"report run {name}" in page
            assert name == "country-quota" or all(f'<h2 id="{query}">' in page for query in shown(out, name))
            assert f"--checkpoint {one(ledger, 'SELECT leaf FROM head')}" in page


def test_refusals_and_breaches_are_those_of_the_views(history: LedgerFile, tmp_path: Path) -> None:
    """Counts by limit, country and month, and the file of records, are what the decisions come to."""
    found = tables(history, "refusals-and-breaches", tmp_path)
    back = "sequence IN (SELECT under_sequence FROM decisions WHERE kind = 'reversal')"
    for outcome in ("refused", "breached"):
        rows = [row for row in found["by_limit"] if row["outcome"] == outcome]
        standing = f"FROM decisions WHERE outcome = '{outcome}' AND NOT {back}"
        assert sum(row["records"] for row in rows) == one(history, f"SELECT count(*) {standing}")
        assert sum(row["tpp"] for row in rows) == one(history, f"SELECT sum(tpp) {standing}")
        assert sum(row[outcome] for row in found["by_month"]) == one(history, f"SELECT count(*) {standing}")
    every = one(history, "SELECT count(*) FROM decisions WHERE outcome <> 'admitted'")
    lines = (tmp_path / "refusals-records.csv").read_text("utf-8").splitlines()

    assert len(lines) == 1 + every
    assert sum(row["taken_back"] for row in found["by_limit"]) == one(
        history, f"SELECT count(*) FROM decisions WHERE outcome <> 'admitted' AND {back}"
    )


def test_outstanding_licences_are_those_with_chips_to_come(history: LedgerFile, tmp_path: Path) -> None:
    """As of the end of a period, by what is dated until then; a day that is not stated is a year after the date."""
    found = tables(history, "outstanding-licences", tmp_path, "2025-Q4")
    plain = """
        WITH taken AS (SELECT under_sequence AS s FROM decisions WHERE kind = 'reversal' AND date <= DATE '2025-12-31'),
        gone AS (SELECT under_sequence AS s, sum(CASE kind WHEN 'delivery' THEN fulfilled ELSE quantity END) AS n
            FROM decisions WHERE kind IN ('delivery', 'lapse') AND date <= DATE '2025-12-31'
                AND sequence NOT IN (FROM taken) GROUP BY ALL)
        SELECT count(*), sum((quantity - coalesce(n, 0)) * (tpp // quantity))
        FROM decisions LEFT JOIN gone ON s = sequence
        WHERE kind = 'allocation' AND outcome = 'admitted' AND basis = 'LICENSE' AND date <= DATE '2025-12-31'
            AND sequence NOT IN (FROM taken) AND quantity > coalesce(n, 0)
    """
    ((count, tpp),) = history.rows(plain)

    assert sum(row["licences"] for row in found["by_age"]) == count > 0
    assert sum(row["outstanding_tpp"] for row in found["by_country"]) == tpp
    assert [row["days_left"] for row in found["expiring"]] == sorted(row["days_left"] for row in found["expiring"])


@pytest.mark.parametrize(
    ("name", "query", "view", "columns"),
    [
        ("lpp-annual", "years", "lpp_positions", ("family", "year", "used_tpp", "remaining_tpp", "status")),
        (
            "nveu-installed-base",
            "schedule",
            "nveu_positions",
            ("family", "destination", "quarter", "used_tpp"),
        ),
        ("uveu-shares", "families", "uveu_positions", ("family", "installed_tpp", "outside_us_tpp", "status")),
        ("uveu-shares", "countries", "uveu_country_shares", ("family", "destination", "tpp", "status")),
    ],
)
def test_positions_are_those_of_the_views(
    history: LedgerFile, name: str, query: str, view: str, columns: tuple[str, ...], tmp_path: Path
) -> None:
    """Of everything recorded, a report's positions are what `status` tells."""
    found = tables(history, name, tmp_path)[query]
    expected = history.rows(f"SELECT {', '.join(columns)} FROM {view}")

    assert expected
    assert sorted(tuple(row[column] for column in columns) for row in found) == sorted(expected)


def test_the_forecast_is_what_the_page_explains(tmp_path: Path) -> None:
    """Left x days // added, in whole days: worked out by hand for a country with use in two quarters."""
    base = {"kind": "allocation", "destination": "IN", "consignee": "P", "chip": "H100", "basis": "LICENSE"}
    with bench(tmp_path) as made:
        made.register("parties", {"party": "P", "name": "Paul", "headquarters": "IN"})
        days = (("2025-08-15", 5_000), ("2025-11-15", 10_000), ("2026-01-10", 7_000))
        made.submit("p", *(base | {"reference": day, "date": day, "quantity": n} for day, n in days))
        (row,) = tables(made.ledger, "exhaustion-forecast", tmp_path / "a", "2025-Q4")["countries"]
        (later,) = tables(made.ledger, "exhaustion-forecast", tmp_path / "b", "2027")["countries"]
    left = 790_000_000 - 15_000 * 15_832

    assert row["remaining_tpp"] == left
    assert row["added_2_tpp"] == row["added_4_tpp"] == 15_000 * 15_832
    # 552,520,000 x 184 // 237,480,000 = 428 days after 31 December 2025; by four quarters 849
    assert (row["reached_by_2"], row["reached_by_4"]) == ("2027-03-04", "2028-04-28")
    assert row["earliest"] == "2026-11-17"  # the fourth quarter alone: 552,520,000 x 92 // 158,320,000 = 321
    assert row["latest"] is None  # in a quarter nothing was added
    assert row["beyond_horizon"] is False
    assert later["reached_by_2"] is None


def test_what_falls_due_next_is_told(tmp_path: Path) -> None:
    """A holder's reports after the period, certificates within thirty days, notices of large shipments."""
    with bench(tmp_path) as made:
        made.register(
            "parties",
            {"party": "US", "name": "Us", "headquarters": "US"},
            {"party": "P", "name": "Paul", "headquarters": "IN"},
        )
        made.register("authorizations", {"party": "US", "basis": "UVEU", "valid_from": "2025-02-01"})
        arrived = {"kind": "delivery", "destination": "IN", "consignee": "P", "chip": "H100", "basis": "LPP"}
        made.submit(
            "p",
            arrived | {"reference": "a", "date": "2026-01-20", "quantity": 100},
            arrived | {"reference": "b", "date": "2026-01-31", "quantity": 203},
            arrived | {"reference": "c", "date": "2026-02-01", "quantity": 203},
        )
        found = tables(made.ledger, "obligations", tmp_path / "out", "2026-01")

    assert [(row["due"], row["days_left"]) for row in found["dates"]] == [("2026-02-01", 1), ("2026-07-15", 165)]
    assert [(row["reference"], row["due"], row["needs_notice"]) for row in found["certificates"]] == [
        ("a", "2026-02-19", False),
        ("b", "2026-03-02", True),
    ]


def test_integrity_counts_what_was_recorded(history: LedgerFile, tmp_path: Path) -> None:
    """Imports, rows and checkpoints are those of the ledger."""
    found = tables(history, "ledger-integrity", tmp_path)

    assert sum(row["imports"] for row in found["recorded"]) == one(history, "SELECT count(*) FROM batches")
    assert sum(row["admitted"] for row in found["recorded"]) == one(
        history, "SELECT count(*) FROM decisions WHERE outcome = 'admitted'"
    )
    assert len(found["signed"]) == one(history, "SELECT count(*) FROM checkpoints")
    assert found["state"][0]["leaves"] == one(history, "SELECT leaf FROM head")


def test_a_reader_is_told_the_country_and_a_machine_its_code(history: LedgerFile, tmp_path: Path) -> None:
    """Page and Markdown name it with the code, once where its name stands beside it; the other files have the code."""
    found = tables(history, "refusals-and-breaches", tmp_path)["by_country"]
    tables(history, "exhaustion-forecast", tmp_path)
    by_name = {suffix: (tmp_path / f"refusals-and-breaches.{suffix}").read_text("utf-8") for suffix in ("html", "md")}

    assert {row["destination"] for row in found} >= {"AE", "IN"}
    assert "<bdi>India (IN)</bdi>" in by_name["html"]
    assert "| India (IN) |" in by_name["md"]
    assert "India" not in (tmp_path / "refusals-by-country.csv").read_text("utf-8")
    assert "| IN | India |" in (tmp_path / "exhaustion-forecast.md").read_text("utf-8")
