"""The pages stay true: what they list is what the code has."""

import json
import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings
from typer.main import get_command

from ledger.cli.verbs import app
from ledger.reporting.folder import find_report, report_names
from ledger.rulebook.figures import FIGURES
from ledger.rulebook.keys import KEYS
from ledger.schedule.settings import AlertSettings, DeliverySettings, ScheduleSettings
from ledger.store.seeds import DEFAULT_RULEBOOK, find_rulebook
from ledger.store.views import view_files
from ledger.tlog.leaf import FIELDS, leaf_bytes, leaf_hash
from schemas.record import COLUMNS
from schemas.registers import REGISTERS
from schemas.words import LIMIT_IDS
from tests.dictionary import page
from tests.gallery import page_text

ROOT = Path(__file__).parent.parent


def _page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_the_data_dictionary_is_that_of_the_views() -> None:
    """`docs/views.md` is what `make docs` writes from the views' own comments."""
    assert _page("docs/views.md") == page()


def test_every_verb_is_in_the_readme() -> None:
    """The README names every verb of the command, and every verb has help."""
    command = get_command(app)
    verbs = command.commands  # type: ignore[attr-defined]

    assert all(verb.help for verb in verbs.values())
    assert not [verb for verb in verbs if f"quotaledger {verb}" not in _page("README.md")]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("docs/filing.md", COLUMNS),
        ("docs/decisions.md", LIMIT_IDS),
        ("docs/rulebooks.md", tuple(figure.name for figure in FIGURES)),
        ("docs/registers.md", tuple(column.name for columns in REGISTERS.values() for column in columns)),
        ("docs/views.md", tuple(view_files())),
        ("docs/reports.md", tuple(find_report("country-quota").tables["countries"].columns)),
        ("docs/reports.md", tuple(report_names())),
    ],
)
def test_a_page_leaves_nothing_out(page: str, words: tuple[str, ...]) -> None:
    """Every column, limit, parameter, register column and view stands in backticks on its page."""
    assert not [word for word in words if f"`{word}`" not in _page(page)]


@pytest.mark.parametrize("file", KEYS)
def test_every_key_of_a_rulebook_is_on_the_page(file: str) -> None:
    """The section of each file has a row for every key that the loader knows, and for no other."""
    section = _page("docs/rulebooks.md").partition(f"\n## {file}\n")[2].partition("\n## ")[0]
    rows = set(re.findall(r"^\| `([a-z0-9_.]+)` \|", section, re.MULTILINE))

    assert rows - {figure.name for figure in FIGURES} == set(KEYS[file])


def test_every_parameter_is_on_the_page_as_it_is() -> None:
    """The row of a parameter has its unit and the value that it has in the rulebook which comes along."""
    rows = dict(re.findall(r"^\| `([a-z0-9_]+)` \| (.*) \|$", _page("docs/rulebooks.md"), re.MULTILINE))
    book = find_rulebook(DEFAULT_RULEBOOK)

    for figure in FIGURES:
        unit, value, _ = rows[figure.name].split(" | ")
        found = book.figure(figure.name)
        amounts = list(found.values()) if isinstance(found, dict) else [found]
        texts = [f"{n:,}" if type(n) is int else str(n).lower() for n in (amounts[0], amounts[-1])]
        if isinstance(found, list):
            texts = found if len(found) < 5 else [f"{len(found)} codes"]
        assert unit == figure.unit
        assert [text for text in texts if text.lower() not in value.lower()] == []


@pytest.mark.parametrize("kind", [ScheduleSettings, AlertSettings, DeliverySettings])
def test_every_setting_of_the_scheduler_is_on_its_page(kind: type[BaseSettings]) -> None:
    """With its default, and what it is."""
    for field, setting in kind.model_fields.items():
        name = f"{kind.model_config['env_prefix']}{field}".upper()
        default = "" if setting.default is None else setting.default
        assert f"| `{name}` | {default} | {setting.description} |" in _page("docs/schedule.md")


def test_every_rejection_code_is_documented() -> None:
    """A code that a row can be rejected with stands in the table of codes, and the table has no others."""
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "ledger").rglob("*.py"))
    calls = r'(?:Fault|FileFault|Rejection|RowFault|_word)\((?:[^()"]*(?:"[a-z_]*",\s*)?)??"([a-z]+(?:-[a-z]+)*)",'
    used = {code for code in re.findall(calls, sources) if code not in COLUMNS} | {
        "unknown-kind",
        "unknown-party",
        "unknown-chip",
    }
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", _page("docs/filing.md"), re.MULTILINE)) - set(COLUMNS)

    assert used - documented == set()


def test_links_of_the_pages_lead_somewhere() -> None:
    """Every relative link in the pages names a file that is there."""
    broken = [
        (page.name, link)
        for page in (
            *ROOT.glob("*.md"),
            *(ROOT / "docs").glob("*.md"),
            ROOT / "ledger/README.md",
            ROOT / "seeds/README.md",
        )
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / link).exists()
    ]

    assert broken == []


def test_the_worked_leaf_is_what_the_page_says() -> None:
    """The bytes on the page have the hash on the page, and the fields of a decision's leaf."""
    found = re.search(r"    quotaledger/1 decision\n    (\{.*\})\n\n    ([0-9a-f]{64})", _page("docs/leaves.md"))

    assert found
    fields = json.loads(found[1])
    assert leaf_hash(leaf_bytes("decision", dict.fromkeys(FIELDS["decision"]) | fields)).hex() == found[2]
    assert all(f"`{name}`" in _page("docs/leaves.md") for name in FIELDS["decision"])


def test_every_report_is_in_the_gallery() -> None:
    """Each report that comes along has its heading, question and picture with words, and no picture is left over."""
    found = re.findall(
        r"^## (.+)\n\n(.+)\n\n!\[([^\]]{40,})\]\(gallery/(.+)\)$", _page("docs/gallery.md"), re.MULTILINE
    )
    reports = [find_report(name) for name in report_names()]
    pictures = {path.name: path.stat().st_size for path in (ROOT / "docs/gallery").glob("*.png")}

    assert [name for name, *_ in found] == report_names()
    assert [picture for *_, picture in found] == [f"{report.name}.png" for report in reports]
    assert [q.startswith(report.question) for (_, q, *_), report in zip(found, reports, strict=True)] == [True] * 9
    assert set(pictures) == {picture for *_, picture in found}
    assert max(pictures.values()) < 150_000


def test_the_gallery_says_what_makes_it() -> None:
    """Head and commands of the page are those of `tests/gallery.py`."""
    assert _page("docs/gallery.md").startswith(page_text({}))
