"""What the seeds promise of foreign layouts: names that resolve, and owners with headquarters and source."""

import csv
import re
from pathlib import Path

import pytest

from ledger.adapters.adapter import folded

SEEDS = Path(__file__).parents[2] / "seeds"
COLUMNS = {
    "adapters/country_names.csv": ["name", "code"],
    "adapters/epoch_chips.csv": ["name", "chip", "note"],
    "parties/epoch_owners.csv": ["owner", "party", "name", "headquarters", "parent", "source"],
}


def rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_table_has_its_columns_and_each_name_once(name: str) -> None:
    """A table has the documented columns and clean cells, and no name twice."""
    data = (SEEDS / name).read_bytes()
    names = [folded(row[COLUMNS[name][0]]) for row in rows(name) if row[COLUMNS[name][0]]]

    assert b"\r" not in data
    assert list(rows(name)[0]) == COLUMNS[name]
    assert all(cell == cell.strip() for row in rows(name) for cell in row.values())
    assert len(names) == len(set(names)) > 0


def test_country_names_lead_to_countries() -> None:
    """Every name has a code that is there, and none is the name of another country."""
    own = {folded(row["name"]): row["code"] for row in rows("countries.csv")}

    assert {row["code"] for row in rows("adapters/country_names.csv")} <= set(own.values())
    assert not [
        row for row in rows("adapters/country_names.csv") if own.get(folded(row["name"]), row["code"]) != row["code"]
    ]


def test_chip_names_lead_to_chips_or_say_why_not() -> None:
    """A name has a chip of the seeds, or a note that says why it has none."""
    chips = {row["chip"] for row in rows("chips.csv")}

    assert {row["chip"] for row in rows("adapters/epoch_chips.csv")} - chips == {""}
    assert all(row["chip"] or row["note"] for row in rows("adapters/epoch_chips.csv"))


def test_an_owner_has_headquarters_and_a_source() -> None:
    """Every owner's party can be registered, and says in which document or on whose page its seat stands."""
    codes = {row["code"] for row in rows("countries.csv")}
    facts: dict[str, tuple[str, str, str]] = {}
    for row in rows("parties/epoch_owners.csv"):
        assert re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)*", row["party"])
        assert row["headquarters"] in codes
        assert len(row["source"]) > 8
        found = row["name"], row["headquarters"], row["parent"]
        assert facts.setdefault(row["party"], found) == found

    assert {parent for _, _, parent in facts.values()} - {""} <= set(facts)
    assert all(not facts[parent][2] for _, _, parent in facts.values() if parent)


def test_parties_of_the_sample_are_the_same() -> None:
    """A party that the announced deployments name too has the same id and headquarters there."""
    sample = {row["party"]: row["headquarters"] for row in rows("samples/announced/parties.csv")}
    both = [row for row in rows("parties/epoch_owners.csv") if row["party"] in sample]

    assert len(both) >= 8
    assert not [row["party"] for row in both if sample[row["party"]] != row["headquarters"]]
