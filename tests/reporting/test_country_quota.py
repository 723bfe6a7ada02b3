"""The report country-quota of real ledgers: every figure is the views', and nothing given can harm its reader."""

import csv
import json
import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ledger.reporting.folder import find_report
from ledger.reporting.running import Made, Wanted, run_report
from ledger.store.file import LedgerFile
from tests.harness import bench
from tests.reporting.pages import HOSTILE, Page

TODAY = date(2026, 11, 22)
BYTES_MAX = 3_000_000
REQUEST = {"kind": "allocation", "date": "2025-06-01", "destination": "IN", "consignee": "P", "chip": "H100"}


class Output:
    """The report's files, read."""

    def __init__(self, ledger: LedgerFile, folder: Path, period: str | None = None) -> None:
        self.made: Made = run_report(ledger, find_report("country-quota"), Wanted(TODAY, period), folder)
        self.folder = folder
        self.html = (folder / "country-quota.html").read_text("utf-8")
        self.page = Page(self.html)
        self.json: dict[str, Any] = json.loads((folder / "country-quota.json").read_text("utf-8"))

    def rows(self, name: str) -> list[dict[str, str]]:
        """Give the rows of a CSV file."""
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def section(self, country: str) -> Page:
        """Give the part of the page that is about one country."""
        start = self.html.index(f'<section class="country" aria-labelledby="{country}">')
        return Page(self.html[start : self.html.index("</section>", start)])


@pytest.fixture(scope="module")
def whole(sample: LedgerFile, tmp_path_factory: pytest.TempPathFactory) -> Output:
    """The report of everything in the sample."""
    return Output(sample, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def quarter(sample: LedgerFile, tmp_path_factory: pytest.TempPathFactory) -> Output:
    """The report of one quarter of the sample."""
    return Output(sample, tmp_path_factory.mktemp("quarter"), "2025-Q2")


def test_every_country_with_a_cap_has_a_row(sample: LedgerFile, whole: Output) -> None:
    """The table of countries is the view of positions, exact to the TPP, also where nothing is used."""
    columns = ("destination", "name", "cap_tpp", "used_tpp", "remaining_tpp", "used_percent", "status", "delivered_tpp")
    expected = {
        row[0]: [
            str(float(value)) if name == "used_percent" else str(value)
            for name, value in zip(columns, row, strict=True)
        ]
        for row in sample.rows(f"SELECT {', '.join(columns)} FROM country_positions")
    }
    rows = whole.rows("country-quota.csv")

    assert {row["destination"]: [row[name] for name in columns] for row in rows} == expected
    assert len(rows) == len(expected) > 100


def test_every_record_has_a_row(sample: LedgerFile, whole: Output) -> None:
    """The table of records has every record of the period, with its decision and evidence as recorded."""
    names = ("reference", "tpp", "outcome", "message", "evidence", "note")
    expected = [
        tuple("" if value is None else str(value) for value in row)
        for row in sample.rows(f"SELECT {', '.join(names)} FROM decisions ORDER BY sequence")
    ]
    rows = whole.rows("country-quota-records.csv")
    used = {
        row[0]: row[1] for row in sample.rows("SELECT destination, used_tpp FROM country_positions WHERE used_tpp > 0")
    }

    assert [tuple(row[name] for name in names) for row in rows] == expected
    assert {country: sum(int(row["used_tpp"]) for row in rows if row["country"] == country) for country in used} == used


def test_the_first_sentences_say_what_matters(whole: Output) -> None:
    """Who is over, who is close, what was refused and what is in breach are said first, in at most five sentences."""
    first = whole.page.text[: whole.page.text.index("At a glance")]

    assert len(whole.made.summary) == 5
    assert all(sentence in first for sentence in whole.made.summary)
    assert "one is over it: Malaysia (133.2%); one has little or nothing left: Portugal (95.6%)" in first
    assert "Of 23 requests, five were refused" in first
    assert "35,000 GB300 (132,701 H100e) for G42 in United Arab Emirates, of whose cap 30,867 H100e were left" in first
    assert "One fact is in breach, the delivery of 17,544 GB300 (66,517 H100e) for Megaspeed in Malaysia" in first
    assert "The rule was never enforced." in first


def test_a_country_with_records_has_a_section(sample: LedgerFile, whole: Output) -> None:
    """Every country with a record has its headline, drawing, records and users; all others stand in one table."""
    for destination, name, used, status in sample.rows(
        "SELECT destination, name, used_tpp, status FROM country_positions"
    ):
        recorded = sample.rows(f"SELECT reference, message, outcome FROM decisions WHERE destination = '{destination}'")
        if not recorded:
            assert f'aria-labelledby="{destination}"' not in whole.html
            assert name in whole.page.text
            continue
        section = whole.section(destination)
        assert section.count("svg") == (1 if used else 0)
        assert f"status {status}" in section.all("class")
        assert str(used) in section.all("value")
        for reference, message, outcome in recorded:
            assert reference in section.text
            assert outcome == "admitted" or message in section.text


def test_a_country_over_its_cap_says_by_how_much(whole: Output) -> None:
    """The headline of a country over its cap says so, and its drawing has words."""
    section = whole.section("MY")

    assert "Over its cap: 66,517 of 49,921 H100e are used, 133.2%; 16,596 too many." in section.text
    assert any("133.2%" in label for label in section.all("aria-label"))
    assert "15 CFR 742.6(b)(10)(iii)(B)(1)" in section.text


def test_refusals_outside_the_quotas_are_told(whole: Output) -> None:
    """What was refused for a country without a cap is on the page, with its tier and reason."""
    start = whole.page.text.index("Countries of tier 1 have no cap")

    assert "40,000 H200 for ByteDance , China" in whole.page.text[start:]
    assert re.search(r"China 3 1 0", whole.page.text[start:])


def test_sources_rulebook_and_command_are_told(sample: LedgerFile, whole: Output) -> None:
    """The page gives the evidence, every figure with paragraph and certainty, the digest, and how to make it again."""
    for (evidence,) in sample.rows("SELECT DISTINCT evidence FROM decisions"):
        assert evidence in whole.page.all("href")
    for parameter, citation, certainty in sample.rows("SELECT parameter, citation, certainty FROM rulebook_parameters"):
        assert parameter.partition(".")[0] in whole.page.text
        assert citation in whole.page.text
        assert certainty in whole.page.text
    for digest, sha256 in sample.rows("SELECT rulebook_digest, sha256 FROM batches"):
        assert digest in whole.page.text
        assert sha256 in whole.page.text
    command = "quotaledger report run country-quota --today 2026-11-22 --checkpoint "
    assert command in whole.page.text
    assert whole.json["made_by"].startswith(command)


def test_a_period_limits_what_is_listed(sample: LedgerFile, quarter: Output) -> None:
    """Records of the period alone are listed; positions count all up to its last day, and none after."""
    listed = [row["reference"] for row in quarter.rows("country-quota-records.csv")]
    expected = sample.rows(
        "SELECT reference FROM decisions WHERE date BETWEEN DATE '2025-04-01' AND DATE '2025-06-30' ORDER BY sequence"
    )
    used = {row["destination"]: row["used_tpp"] for row in quarter.rows("country-quota.csv") if row["used_tpp"] != "0"}
    counted = sample.rows(
        "SELECT destination, sum(used_tpp) FROM country_changes WHERE date <= DATE '2025-06-30'"
        " GROUP BY ALL HAVING sum(used_tpp) > 0"
    )

    assert listed == [reference for (reference,) in expected]
    assert used == {destination: str(tpp) for destination, tpp in counted} != {}
    assert "There are later records" in quarter.page.text
    assert "Malaysia (" not in quarter.page.text


def test_a_period_without_records_says_so(sample: LedgerFile, tmp_path: Path) -> None:
    """Where nothing is dated in the period, the page says so and still has the positions."""
    empty = Output(sample, tmp_path, "2026-12")

    assert "No record is dated in the period." in empty.made.summary
    assert "No record of it is dated in the period." in empty.section("MY").text
    assert "133.2%" in empty.page.text
    assert "The period has not ended: 39 days remain" in empty.page.text
    assert len(empty.rows("country-quota.csv")) > 100
    assert empty.rows("country-quota-records.csv") == []


def test_an_empty_ledger_has_a_report_too(tmp_path: Path) -> None:
    """Without a record there are the caps and the rulebook, and no drawing."""
    with bench(tmp_path) as made:
        output = Output(made.ledger, tmp_path / "out")

    assert output.made.summary[0].startswith("Nothing is recorded in this ledger yet")
    assert "Albania" in output.page.text
    assert output.page.count("svg") == 0
    assert {row["used_tpp"] for row in output.rows("country-quota.csv")} == {"0"}


def test_the_same_ledger_period_and_day_give_the_same_bytes(sample: LedgerFile, whole: Output, tmp_path: Path) -> None:
    """No clock, no chance and no place is in any file."""
    again = run_report(sample, find_report("country-quota"), Wanted(TODAY), tmp_path / "elsewhere").files

    assert [path.name for path in again] == [path.name for path in whole.made.files]
    assert len(again) == 8
    for path in again:
        assert path.read_bytes() == (whole.folder / path.name).read_bytes()


def test_the_json_has_what_the_page_shows(whole: Output) -> None:
    """The JSON gives the tables of the page with whole numbers, says what columns are, and from what it was made."""
    countries = {row["destination"]: row for row in whole.json["tables"]["countries"]}

    assert countries["MY"]["used_tpp"] == 1_052_640_000
    assert countries["MY"]["status"] == "over"
    assert list(countries["MY"]) == list(whole.json["columns"]["countries"])
    assert whole.json["period"] == {"first": "2024-12-31", "last": "2026-06-01"}
    assert whole.json["ledger"]["sequence"] == 28
    assert whole.json["summary"] == whole.made.summary
    assert len(whole.json["tables"]["verdicts"]) == 6


def test_nothing_is_fetched_and_fragments_lead_somewhere(whole: Output, quarter: Output) -> None:
    """The pages refer to nothing outside but evidence; links within have their targets, and no id comes twice."""
    for output in (whole, quarter):
        page = output.page
        ids = page.all("id")
        assert page.all("src") == []
        assert all(re.match(r"https?://|#", link) for link in page.all("href"))
        assert len(page.all("rel")) == len([link for link in page.all("href") if not link.startswith("#")])
        assert not re.search(r"@import|url\(|<script|<link|<iframe|<image|xlink:href|@font-face", output.html)
        assert len(ids) == len(set(ids))
        assert {link[1:] for link in page.all("href") if link.startswith("#")} <= set(ids)
        assert set(page.all("aria-labelledby")) <= set(ids)


def test_the_page_is_accessible(whole: Output) -> None:
    """Language, headings in order, captions, scopes and words for each drawing are there."""
    page = whole.page
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    drawings = [attributes for _, attributes in page.tags if attributes.get("role") == "img"]

    assert ("html", {"lang": "en"}) in page.tags
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper <= level + 1 for level, deeper in pairwise(levels))
    assert page.count("table") == page.count("caption") > 10
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    assert len(drawings) == page.count("svg") > 5
    assert all(drawing["aria-label"] for drawing in drawings)


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    """Names, references, notes, evidence and providers never become markup, links, templates or other lines."""
    with bench(tmp_path) as made:
        made.register("parties", {"party": "P", "name": (HOSTILE * 20)[:1000], "headquarters": "IN"})
        row = REQUEST | {"note": f"chip assumed {HOSTILE * 5}"}
        answers = made.submit(
            HOSTILE,
            row | {"reference": HOSTILE, "quantity": 900_000, "evidence": "javascript:alert(1)"},
            row | {"reference": "b", "quantity": 9_000, "evidence": f'https://a.example/"><script>{HOSTILE}'},
            row | {"reference": "c", "quantity": 9, "evidence": "https://a.example/" + "x" * 900},
        )
        output = Output(made.ledger, tmp_path / "out")

    assert [answer["outcome"] for answer in answers] == ["refused", "admitted", "admitted"]
    assert "<script" not in output.html
    assert "<img" not in output.html
    assert not any(name.startswith("on") for _, attributes in output.page.tags for name in attributes)
    assert [link for link in output.page.all("href") if not link.startswith("#")] == []
    assert "{{ 7 * 7 }}" in output.page.text
    assert all("\n" not in sentence and "\u202e" not in sentence for sentence in output.made.summary)
    assert output.rows("country-quota-records.csv")[0]["reference"] == HOSTILE


def _large(n: int, destination: str) -> dict[str, object]:
    return REQUEST | {
        "reference": f"{'long' * 20}-{n}",
        "kind": "delivery" if n % 7 == 0 else "allocation",
        "date": f"2025-{n % 12 + 1:02}-{n % 28 + 1:02}",
        "destination": destination,
        "consignee": f"P{n % 9}",
        "quantity": 30_000 - n,
        "evidence": f"https://a.example/{'x' * 200}/{n}",
        "note": HOSTILE * 5,
    }


def test_a_page_of_many_records_stays_readable(tmp_path: Path) -> None:
    """Of many records everywhere the page shows the largest, says how many there are, and is not too large to send."""
    with bench(tmp_path) as made:
        places = [row[0] for row in made.ledger.rows("SELECT destination FROM country_positions ORDER BY ALL")]
        made.register("parties", *({"party": f"P{n}", "name": HOSTILE * 10, "headquarters": "IN"} for n in range(9)))
        made.submit("p", *(_large(n, places[n % len(places)]) for n in range(4_000)))
        output = Output(made.ledger, tmp_path / "out")

    shown = re.search(r"The ([0-9]+) largest of ([0-9]+) refusals are shown", output.page.text)
    assert shown
    assert int(shown[1]) < int(shown[2])
    assert output.page.count("article") < len(output.json["tables"]["countries"]) * 2 * int(shown[1]) + 10
    assert len(output.html.encode()) < BYTES_MAX
    assert len(output.rows("country-quota-records.csv")) == 4_000
    assert len(places) == len([tag for tag, attributes in output.page.tags if attributes.get("class") == "country"])


def test_what_was_taken_back_is_marked(tmp_path: Path) -> None:
    """A breach that a reversal took back by the period's end says so, and is not counted; before that day it is."""
    with bench(tmp_path) as made:
        made.register("parties", {"party": "P", "name": "Paul", "headquarters": "IN"})
        made.submit(
            "p",
            REQUEST | {"reference": "a", "kind": "delivery", "quantity": 90_000},
            {"reference": "undo", "kind": "reversal", "date": "2025-08-01", "under": "a", "note": "never happened"},
        )
        counted = Output(made.ledger, tmp_path / "later", "2025-06-01..2025-08-01")
        later = counted.section("IN")
        earlier = Output(made.ledger, tmp_path / "earlier", "2025-06").section("IN")

    (india,) = [row for row in counted.rows("country-quota.csv") if row["destination"] == "IN"]
    assert (india["breaches"], india["deliveries"], counted.json["tables"]["totals"][0]["breached"]) == ("0", "0", 0)
    assert "is in breach" not in later.text
    assert "Taken back since by undo" in later.text
    assert "Nothing of its cap" in later.text
    assert "Taken back" not in earlier.text
    assert "Over its cap" in earlier.text


def test_amounts_past_64_bits_of_a_float_stay_whole(tmp_path: Path) -> None:
    """Sums are exact integers in CSV and JSON, however large."""
    with bench(tmp_path) as made:
        made.register("parties", {"party": "P", "name": "Paul", "headquarters": "IN"})
        chip = {"chip": "BIG", "name": "Big", "vendor": "V", "tpp": 9_999_999, "class": "3A090.a", "source": "test"}
        made.register("chips", chip)
        row = REQUEST | {"chip": "BIG", "quantity": 999_999_999}
        made.submit("p", *(row | {"reference": str(n)} for n in range(7)))
        output = Output(made.ledger, tmp_path / "out")
    (india,) = [row for row in output.rows("country-quota.csv") if row["destination"] == "IN"]

    assert india["refused_tpp"] == str(7 * 9_999_999 * 999_999_999)
    assert output.json["tables"]["totals"][0]["refused_tpp"] == 7 * 9_999_999 * 999_999_999
