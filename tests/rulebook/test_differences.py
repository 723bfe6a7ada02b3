"""What differs between two rulebooks: every change of meaning is told, by name, and nothing else is."""

import tomllib
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.rulebook import keys
from ledger.rulebook.differences import Difference, differences
from ledger.rulebook.rulebook import Rulebook
from ledger.store.seeds import DEFAULT_RULEBOOK, find_rulebook, parse_rulebook
from tests.harness import amended

FIRST = find_rulebook(DEFAULT_RULEBOOK)
CONTENT: dict[str, dict[str, Any]] = {name: tomllib.loads(text) for name, text in FIRST.texts.items()}
CAP = "15 CFR 742.6(b)(10)(iii)(B)(1)"


def changed(file: str, *path: str | int, to: Any) -> Rulebook:
    """Give the first rulebook with one value, named by file and keys, replaced."""
    content = deepcopy(CONTENT[file])
    place: Any = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return parse_rulebook({**FIRST.texts, file: tomli_w.dumps(content)})


def told(old: Rulebook, new: Rulebook) -> list[tuple[str, str, str, str, str]]:
    """Give what differs without unit and citation."""
    return [(d.part, d.name, d.key, d.old, d.new) for d in differences(old, new)]


@pytest.mark.parametrize(
    ("rulebook", "difference"),
    [
        (
            amended(country_cap_tpp="500_000_000"),
            Difference("figure", "country_cap_tpp", "value", "790000000", "500000000", "TPP", CAP),
        ),
        (
            amended(lapse_restores_cap="true"),
            Difference("figure", "lapse_restores_cap", "value", "false", "true", "switch", CAP),
        ),
        (
            changed("rulebook.toml", "dates", "compliance", to=date(2026, 1, 1)),
            Difference("date", "compliance", "date", "2025-05-15", "2026-01-01", "", ""),
        ),
        (
            changed("rulebook.toml", "rulebook", "id", to="other"),
            Difference("rulebook", "id", "text", DEFAULT_RULEBOOK, "other", "", ""),
        ),
        (
            changed("limits.toml", "country-cap", "title", to="Cap"),
            Difference("limit", "country-cap", "title", "Country cap", "Cap", "", CAP),
        ),
        (
            changed("parameters.toml", "country_cap_tpp", "certainty", to="press"),
            Difference("figure", "country_cap_tpp", "certainty", "verified", "press", "TPP", CAP),
        ),
    ],
)
def test_a_change_is_one_difference(rulebook: Rulebook, difference: Difference) -> None:
    """One figure, switch, date, text or word of certainty that changed is told alone, with unit and paragraph."""
    assert differences(FIRST, rulebook) == [difference]
    ((part, name, key, old, new),) = told(rulebook, FIRST)
    assert (part, name, key, old, new) == (
        difference.part,
        difference.name,
        difference.key,
        difference.new,
        difference.old,
    )


def test_a_schedule_differs_by_quarter() -> None:
    """Only the quarters with other figures are told; a quarter that is not there any more is blank."""
    schedule = dict(CONTENT["parameters.toml"]["nveu_installed_base_tpp"]["value"])
    schedule |= {"2026Q3": 1, "2028Q1": 2}
    new = changed("parameters.toml", "nveu_installed_base_tpp", "value", to=schedule)

    assert told(FIRST, new) == [
        ("figure", "nveu_installed_base_tpp.2026Q3", "value", "3481500000", "1"),
        ("figure", "nveu_installed_base_tpp.2028Q1", "value", "", "2"),
    ]


def test_countries_that_move_together_are_one_difference() -> None:
    """Tiers are told by country with their days, and countries of which the same is said together."""
    tiers = deepcopy(CONTENT["tiers.toml"])
    own = {"citation": "decree 7", "certainty": "press", "sentence": "They are moved."}
    tiers["tier"].insert(0, {"tier": 1, "countries": ["AE", "SA"], "from": date(2026, 7, 1), **own})
    new = parse_rulebook({**FIRST.texts, "tiers.toml": tomli_w.dumps(tiers)})

    found = differences(FIRST, new)
    assert found[0] == Difference(
        "tier", "AE, SA", "tier", "tier 2", "tier 2 to 2026-06-30, then tier 1", "", "decree 7"
    )
    assert [(d.name, d.key, d.new) for d in found[1:]] == [("AE, SA", key, text) for key, text in own.items()]


def test_a_territory_that_counts_for_itself_moves_too() -> None:
    """An alias that is gone is told as such, and so is the tier that its territory has then."""
    tiers = deepcopy(CONTENT["tiers.toml"])
    next(table for table in tiers["alias"] if table["counted_as"] == "DK")["countries"] = ["FO"]
    new = parse_rulebook({**FIRST.texts, "tiers.toml": tomli_w.dumps(tiers)})

    found = told(FIRST, new)
    assert found[:2] == [("tier", "GL", "tier", "tier 1", "tier 2"), ("alias", "GL", "counted_as", "DK", "")]
    assert {name for _, name, *_ in found} == {"GL"}


def test_another_writing_of_the_same_is_no_difference() -> None:
    """Comments, order of tables and of countries, and a table split in two are told as nothing."""
    tiers = deepcopy(CONTENT["tiers.toml"])
    first = tiers["tier"][0]
    some, others = first["countries"][:3], first["countries"][3:]
    tiers["tier"] = [*tiers["tier"][1:], {**first, "countries": others[::-1]}, {**first, "countries": some}]
    new = parse_rulebook({**FIRST.texts, "tiers.toml": "# other words\n" + tomli_w.dumps(tiers)})

    assert new.digest != FIRST.digest
    assert differences(FIRST, new) == []


def _texts() -> list[tuple[str | int, ...]]:
    """Give where texts stand: file and keys."""
    found: list[tuple[str | int, ...]] = []
    for file, content in CONTENT.items():
        for name, value in content.items():
            tables = enumerate(value) if isinstance(value, list) else [("", value)] if isinstance(value, dict) else []
            for number, table in tables:
                place = (file, name) if number == "" else (file, name, number)
                found += [(*place, key) for key in (*keys.SOURCE, "source", "title") if key in table]
    return found


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(_texts()))
def test_no_change_of_a_text_is_missed(place: tuple[str, ...]) -> None:
    """Whatever text of whatever table is changed, something is told, and the new text is in it."""
    value: Any = CONTENT[place[0]]
    for step in place[1:]:
        value = value[step]
    other = f"{value} indeed" if place[-1] != "certainty" else "press" if value != "press" else "derived"
    new = changed(place[0], *place[1:], to=other)

    assert any(other in difference.new for difference in differences(FIRST, new))
