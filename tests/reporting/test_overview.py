"""The overview page of real ledgers: the figures are the views', and nothing given can harm its reader."""

import re
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from ledger.reporting.assumptions import assumptions
from ledger.reporting.facts import gather_facts
from ledger.reporting.overview import render_overview
from ledger.store.file import LedgerFile
from tests.harness import Bench, bench
from tests.reporting.pages import HOSTILE, Page


@pytest.fixture(scope="module")
def html(sample: LedgerFile) -> str:
    return render_overview(sample)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def hostile(made: Bench, evidence: str = "javascript:alert(1)") -> str:
    made.register("parties", {"party": "EVIL", "name": HOSTILE, "headquarters": "IN"})
    row = {
        "kind": "allocation",
        "date": "2025-06-01",
        "destination": "IN",
        "consignee": "EVIL",
        "chip": "H100",
    }
    refused = {
        **row,
        "reference": HOSTILE,
        "quantity": 900_000,
        "evidence": evidence,
        "note": f"chip assumed {HOSTILE}",
    }
    admitted = {
        **row,
        "reference": "b",
        "quantity": 9_000,
        "evidence": f'https://a.example/"><script>{HOSTILE}',
    }
    made.submit(HOSTILE, refused, admitted)
    return render_overview(made.ledger, title=HOSTILE, command=HOSTILE)


def linked(page: Page) -> list[str]:
    return [link for link in page.all("href") if not link.startswith("#")]


def test_refusals_and_breaches_are_shown_in_full(sample: LedgerFile, page: Page) -> None:
    """Every refusal and breach is on the page with its reference, date, sentence, note and evidence."""
    found = sample.rows(
        "SELECT reference, date, message, note, evidence FROM refusals UNION ALL"
        " SELECT reference, date, message, note, evidence FROM breaches"
    )

    assert len(found) == 6
    for reference, day, message, note, evidence in found:
        for text in (reference, day.isoformat(), message, note):
            assert " ".join(text.split()) in page.text
        assert evidence in linked(page)


def test_positions_are_those_of_the_views(sample: LedgerFile, html: str) -> None:
    """Cap, used, left, delivered, percent and status of each country with use are the view's own figures."""
    table = html[html.index('id="positions"') :].split("</table>", maxsplit=1)[0]
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", table, re.DOTALL)
    shown = {
        unescape(name): (
            [int(value) for value in re.findall(r'<data value="(\d+)"', cells)],
            re.findall(r"([\d,.]+)%</td>", cells),
            re.findall(r'class="status (\w+)"', cells),
        )
        for name, cells in rows
    }
    expected = {
        name: ([cap, used, left, delivered], [f"{int(percent * 10) / 10:,.1f}"], [status])
        for name, cap, used, left, delivered, percent, status in sample.rows(
            "SELECT name, cap_tpp, used_tpp, remaining_tpp, delivered_tpp, used_percent, status"
            " FROM country_positions WHERE used_tpp > 0 OR delivered_tpp > 0"
        )
    }
    (others,) = sample.rows("SELECT count(*) FROM country_positions WHERE used_tpp = 0 AND delivered_tpp = 0")[0]

    assert shown == expected
    assert f"{others} other tier-2 countries have no use" in " ".join(table.split())


def test_first_lines_say_what_matters(sample: LedgerFile, page: Page) -> None:
    """The first lines count refusals and breaches, and say that the rule was never enforced."""
    first = page.text[: page.text.index("Countries with a cap")]
    ((largest,),) = sample.rows("SELECT reference FROM refusals ORDER BY tpp - remaining_tpp DESC NULLS LAST LIMIT 1")

    assert "would have refused five of the 23 requests" in first
    assert "one of the three deliveries would have broken it" in first
    assert "called off on 13 May 2025, two days before compliance was due (15 May 2025)" in first
    assert largest == "ann-005"
    assert first.index("G42") < first.index("Humain") < first.index("Yotta") < first.index("ByteDance")
    assert "only 30,867 were left, so 101,833 (1.61 billion TPP) are too many" in first
    assert "China is in tier 3, where nothing may go" in first


def test_doubts_are_owned_up_to(sample: LedgerFile, page: Page) -> None:
    """Assumed chips are told from assumed days, and several records of one buyer in one country are named."""
    doubts = assumptions(gather_facts(sample).notes)

    assert len(doubts["chip"]) == 10
    assert doubts["day"] == ["ann-044", "ann-054", "ann-001", "ann-059"]
    assert doubts["other"] == ["ann-067"]
    assert "In 10 records the chip is assumed" in page.text
    assert "Humain in Saudi Arabia" in page.text
    assert "Nobody is registered in this ledger as a validated end user" in page.text


def test_rulebook_and_files_are_named(sample: LedgerFile, page: Page) -> None:
    """The page gives the digest, every figure's value and paragraph, the file's hash and the command."""
    for value, citation, certainty in sample.rows("SELECT value, citation, certainty FROM rulebook_parameters"):
        assert value in page.text.replace(",", "") or value in page.text
        assert citation in page.text
        assert certainty in page.text
    for digest, sha256 in sample.rows("SELECT rulebook_digest, sha256 FROM batches"):
        assert digest in page.text
        assert sha256 in page.text
    assert "make demo" in page.text


def test_nothing_is_fetched(html: str, page: Page) -> None:
    """The page refers to nothing outside but evidence, by links that give no referrer."""
    assert page.all("src") == []
    assert all(re.match(r"https?://", link) for link in linked(page))
    assert all(tag == "a" for tag, attributes in page.tags if "href" in attributes)
    assert all(attributes["rel"] == "noreferrer" for _, attributes in page.tags if "rel" in attributes)
    assert len(page.all("rel")) == len(linked(page))
    assert not re.search(r"@import|url\(|<script|<link|<iframe|<image|xlink:href|@font-face", html)


def test_fragments_lead_somewhere(page: Page) -> None:
    """Every link within the page has its target, and no id comes twice."""
    ids = page.all("id")

    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.all("href") if link.startswith("#")} <= set(ids)
    assert set(page.all("aria-labelledby")) <= set(ids)


def test_page_is_accessible(page: Page) -> None:
    """The language, one first heading, captions, scopes and a text for each drawing are there."""
    assert ("html", {"lang": "en"}) in page.tags
    assert page.count("h1") == 1
    assert page.count("table") == page.count("caption")
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    drawings = [attributes for _, attributes in page.tags if attributes.get("role") == "img"]
    assert len(drawings) == page.count("svg") == 2
    assert all("Malaysia 133.2% (over)" in drawing["aria-label"] for drawing in drawings)


def test_same_ledger_gives_same_bytes(sample: LedgerFile, html: str) -> None:
    """No clock and no chance is in the page."""
    assert render_overview(sample) == html


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    """Names, references, notes and providers are shown as given and never become markup or templates."""
    with bench(tmp_path) as made:
        html = hostile(made)
    page = Page(html)

    assert "<script" not in html
    assert "<img" not in html
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "alert('x')" in page.text
    assert "{{ 7 * 7 }}" in page.text


@pytest.mark.parametrize(
    "evidence",
    [
        *(
            "javascript:alert(1)",
            "data:text/html,x",
            "//evil.example",
            "https://",
            "http://[x",
            "ftp://a.example/",
        ),
        *(
            "see https://a.example/",
            "https://a.example/ b",
            "https://a.example/\tb",
            "JaVaScRiPt:alert(1)//https://a",
        ),
    ],
)
def test_only_web_addresses_become_links(tmp_path: Path, evidence: str) -> None:
    """Evidence that is not wholly an http or https address is shown as text."""
    with bench(tmp_path) as made:
        page = Page(hostile(made, evidence))

    assert linked(page) == []
    assert " ".join(evidence.split()) in page.text


def test_empty_ledger_has_a_page_too(tmp_path: Path) -> None:
    """A ledger without records says so, and still tells the rulebook."""
    with bench(tmp_path) as made:
        page = Page(render_overview(made.ledger, "An <empty> ledger"))

    assert "Nothing is recorded in this ledger yet." in page.text
    assert "An <empty> ledger" in page.text
    assert "bis-ai-diffusion-2025" in page.text
    assert page.count("svg") == 0


def test_holders_and_their_positions_are_shown(tmp_path: Path) -> None:
    """Who holds UVEU or NVEU is listed with its shares and bases, and nobody is said to hold none."""
    with bench(tmp_path) as made:
        made.register("parties", {"party": "U", "name": "Uni", "headquarters": "US"})
        made.register("parties", {"party": "N", "name": "Nat", "headquarters": "AE"})
        since = {"valid_from": date(2025, 1, 1), "citation": "granted for a test"}
        made.register("authorizations", {"party": "U", "basis": "UVEU", **since})
        made.register("authorizations", {"party": "N", "basis": "NVEU", "destination": "IN", **since})
        chips = {"date": "2025-06-01", "chip": "H100", "kind": "delivery"}
        made.submit(
            "p",
            {**chips, "reference": "a", "destination": "US", "consignee": "U", "quantity": 90_000},
            {**chips, "reference": "b", "destination": "IN", "consignee": "U", "quantity": 2_000},
            {**chips, "reference": "c", "destination": "IN", "consignee": "N", "quantity": 3_000},
        )
        page = Page(render_overview(made.ledger))
        ((percent,),) = made.ledger.rows("SELECT percent FROM uveu_country_shares")
        ((base,),) = made.ledger.rows("SELECT used_tpp FROM nveu_positions WHERE quarter = '2025Q2'")

    assert "Nobody is registered" not in page.text
    assert "granted for a test" in page.text
    assert f"{int(percent * 10) / 10}%" in page.text
    assert str(base) in page.all("value")


def test_breach_taken_back_is_marked(tmp_path: Path) -> None:
    """A breach that was reversed stays in the list, marked, and is no finding any more."""
    with bench(tmp_path) as made:
        made.register("parties", {"party": "P", "name": "Paul", "headquarters": "IN"})
        row = {"destination": "IN", "consignee": "P", "chip": "H100", "quantity": 90_000}
        made.submit(
            "p",
            {"reference": "a", "kind": "delivery", "date": "2025-06-01", **row},
            {
                "reference": "undo",
                "kind": "reversal",
                "date": "2025-06-02",
                "under": "a",
                "note": "never happened",
            },
        )
        page = Page(render_overview(made.ledger))

    assert "Taken back since by undo" in page.text
    assert "Recorded as facts, and would have broken it" not in page.text
