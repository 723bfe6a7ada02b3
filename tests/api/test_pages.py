"""The API's page, its OpenAPI document and the pages that the server has say what the code does."""

import json
from html import escape
from pathlib import Path

import httpx
import pytest

from ledger.api.problems import PROBLEMS
from ledger.api.settings import ApiSettings
from schemas.access import Scope
from tests.api.served import Served

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_problem_is_on_the_page_and_has_one_of_its_own(server: Served, problem: type) -> None:
    """The table has its type, status, meaning and next step, and its type is an address of the server."""
    row = f"| `/problems/{problem.kind}` | {problem.status} | {problem.__doc__} | {problem.next_step} |"  # type: ignore[attr-defined]
    own = httpx.get(f"{server.address}/problems/{problem.kind}")  # type: ignore[attr-defined]

    assert row in PAGE
    assert own.status_code == 200
    assert escape(problem.title) in own.text  # type: ignore[attr-defined]


def test_every_setting_and_scope_is_on_the_page() -> None:
    """With its default."""
    for name, setting in ApiSettings.model_fields.items():
        default = "none" if setting.default is None else setting.default
        assert f"| `{name}` | {default} | {setting.description} |" in PAGE
    assert all(f"| `{scope}` |" in PAGE for scope in Scope)


def test_the_stored_document_is_that_of_the_server(server: Served) -> None:
    """`schemas/openapi.json` is what `make docs` writes."""
    assert httpx.get(f"{server.address}/openapi.json").json() == json.loads(
        (ROOT / "schemas" / "openapi.json").read_text("utf-8")
    )


def test_the_page_of_all_calls_needs_nothing_from_elsewhere(server: Served) -> None:
    """Every call is on it, and no address of another server."""
    page = httpx.get(f"{server.address}/docs").text
    document = httpx.get(f"{server.address}/openapi.json").json()

    assert all(path in page for path in document["paths"])
    assert "http" not in page.replace("HTTP", "")
    assert "<script" not in page


def test_every_figure_of_the_page_is_there(server: Served) -> None:
    """What monitors are told of, by name."""
    figures = httpx.get(f"{server.address}/metrics").text
    server.caller().get("/v1/checkpoints/latest")
    named = {word.strip("`,.") for word in PAGE.split() if word.startswith("`quotaledger_")}

    assert named
    assert not [name for name in named if name not in figures]
