"""The page `/sql`, in a browser: asked, shown, drawn, saved, cancelled, and nothing from elsewhere."""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from ledger.sequencer.keys import create_key
from ledger.store.dictionary import dictionary, questions
from schemas.access import Scope
from tests.api.served import PATIENCE_SECONDS, Served, allocation, publish_copy

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
_HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(name="page")
def _page(server: Served) -> Iterator[Page]:
    """The page, open, with a key in it, on a copy of two records; whatever it says went wrong fails the test."""
    caller = server.caller()
    for number in range(2):
        caller.post("/v1/allocations", json=allocation(f"r{number}")).raise_for_status()
    publish_copy(server)
    key = create_key(server.path, "think-tank", Scope.ANALYST, None, datetime.now(UTC), "tests").secret
    wrong: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=list(_FLAGS))
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE_SECONDS)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda sent: wrong.append(sent.url) if urlsplit(sent.url).port != _port(server) else None)
        page.goto(f"{server.address}/sql")
        page.get_by_label("Key").fill(key)
        yield page
        browser.close()
    assert wrong == []


def _port(server: Served) -> int | None:
    return urlsplit(server.address).port


def _ask(page: Page, query: str) -> None:
    page.locator("#query").fill(query)
    page.keyboard.press("Control+Enter")


def test_an_example_is_chosen_asked_and_drawn(page: Page) -> None:
    """With the mouse alone: the table has the rows, the chart a bar for each."""
    page.get_by_text("country_positions", exact=True).click()
    page.get_by_role("button", name="Example").first.click()
    expect(page.locator("#query")).to_have_value(next(iter(dictionary().values()))[0].example)
    _ask(page, "SELECT destination, used_tpp FROM country_positions WHERE used_tpp > 0 ORDER BY ALL")
    expect(page.locator("#table td")).to_have_text(["AE", "31,664"])
    page.get_by_role("tab", name="Chart").click()
    expect(page.locator("#chart svg rect")).to_have_count(1)
    _ask(page, "SELECT month, used_percent FROM country_months WHERE destination = 'AE' ORDER BY month")
    expect(page.locator("#chart svg path")).to_have_count(1)

    expect(page.locator("#status")).to_contain_text("the same bytes at this checkpoint")
    expect(page.locator("#proof")).to_contain_text("quotaledger")


def test_every_digit_is_shown_and_text_stays_text(page: Page) -> None:
    """Numbers beyond what a browser counts, nothing, and what would be HTML."""
    _ask(page, f"SELECT 12345678901234567890 AS large, 0.1 AS part, '{_HOSTILE}' AS said, NULL AS none")

    expect(page.locator("#table td")).to_have_text(["12,345,678,901,234,567,890", "0.1", _HOSTILE, "null"])


def test_what_is_wrong_is_said_and_leaves_no_old_answer(page: Page) -> None:
    """A statement that writes; a key that is none."""
    _ask(page, "SELECT 1 AS one")
    expect(page.locator("#table td")).to_have_text(["1"])
    _ask(page, "DELETE FROM decisions")
    expect(page.locator("#status")).to_contain_text("not DELETE")
    expect(page.locator("#result")).to_be_hidden()
    page.get_by_label("Key").fill("qlk_00000000_nobody")
    _ask(page, "SELECT 1 AS one")

    expect(page.locator("#status")).to_contain_text("key")
    expect(page.locator("#status")).to_have_class("wrong")


def test_a_long_query_is_cancelled(page: Page, server: Served) -> None:
    """The server hears of it, and the next one is asked."""
    _ask(page, "SELECT count(*) FROM range(1000000000000)")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#status")).to_have_text("Cancelled.")
    _ask(page, "SELECT 2 AS two")

    expect(page.locator("#table td")).to_have_text(["2"])
    assert [row.outcome for row in server.service.keys.queries(2)].count("stopped") == 1


def test_an_answer_is_saved(page: Page) -> None:
    """As the file that the server gives."""
    page.locator("#query").fill("SELECT reference FROM decisions ORDER BY sequence")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save").click()

    assert saved.value.suggested_filename == "answer.csv"
    assert saved.value.path().read_text() == "reference\nr0\nr1\n"


def test_names_are_completed_and_found(page: Page) -> None:
    """Tab completes what is clear; the field above the dictionary leaves what has the word in it."""
    expect(page.get_by_text("country_positions", exact=True)).to_be_visible()
    page.locator("#query").press_sequentially("FROM country_pos")
    page.keyboard.press("Tab")
    expect(page.locator("#query")).to_have_value("FROM country_positions")
    page.get_by_label("Dictionary", exact=True).last.fill("uplift_percent")

    expect(page.get_by_text("assurances", exact=True)).to_be_visible()
    expect(page.get_by_text("monthly_use", exact=True)).to_be_hidden()


def test_the_page_takes_nothing_from_elsewhere_and_runs_no_code_of_others(server: Served) -> None:
    """Its headers forbid it; its dictionary has every view and question; other names are not there."""
    page = httpx.get(f"{server.address}/sql")
    told = httpx.get(f"{server.address}/sql/dictionary").json()

    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "http" not in page.text
    assert [len(part["entries"]) for part in told["subjects"]] == [len(entries) for entries in dictionary().values()]
    assert [one["query"] for one in told["questions"]] == [one.query for one in questions()]
    assert httpx.get(f"{server.address}/sql/__init__.py").status_code == 404
