"""What a rulebook's files promise: complete entries, the rule's figures, a tier for every country."""

import csv
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

SEEDS = Path(__file__).parents[2] / "seeds"
RULEBOOK = SEEDS / "rulebooks" / "bis-ai-diffusion-2025"
ORIGINAL_TIERS = Path(__file__).parents[3] / "shared" / "data" / "tiers.csv"

CERTAINTIES = {"verified", "legal-analysis", "press", "derived", "unchecked", "chosen"}
CITATION = re.compile(r"15 CFR (Part )?7[0-9]{2}.*|quotaledger")
LIMITS = [
    "allocation-exceeded", "prohibited", "authorization-unavailable", "beyond-horizon", "country-cap",
    "lpp-annual", "nveu-installed-base", "uveu-single-country", "uveu-outside-tier-1", "uveu-outside-us",
]  # fmt: skip
PARAMETERS: dict[str, tuple[object, str]] = {
    "counting_start": (date(2025, 1, 1), "date"),
    "horizon_end": (date(2027, 12, 31), "date"),
    "counted_class": ("3A090.a", "class"),
    "country_cap_tpp": (790_000_000, "TPP"),
    "uplift_percent_max": (100, "percent"),
    "lapse_restores_cap": (False, "switch"),
    "lpp_annual_tpp": (26_900_000, "TPP"),
    "lpp_open_from": (date(2025, 1, 13), "date"),
    "lpp_destinations": ("all", "switch"),
    "lpp_excluded_destinations": (
        [
            "AE", "AM", "AZ", "BH", "EG", "GE", "JO", "KG", "KH", "KW", "KZ", "LA",
            "MD", "MN", "OM", "PK", "QA", "SA", "TJ", "TM", "UZ", "VN", "YE",
        ],
        "countries",
    ),
    "nveu_installed_base_tpp": (
        {
            "2025Q1": 633_000_000, "2025Q2": 949_500_000,
            "2025Q3": 1_266_000_000, "2025Q4": 1_582_500_000,
            "2026Q1": 1_899_000_000, "2026Q2": 2_690_250_000,
            "2026Q3": 3_481_500_000, "2026Q4": 4_272_750_000,
            "2027Q1": 5_064_000_000, "2027Q2": 5_064_000_000,
            "2027Q3": 5_064_000_000, "2027Q4": 5_064_000_000,
        },
        "TPP",
    ),
    "uveu_single_country_percent": (7, "percent"),
    "uveu_outside_tier_1_percent": (25, "percent"),
    "uveu_outside_us_percent": (50, "percent"),
    "uveu_home_country": ("US", "country"),
    "uveu_outside_us_measured": ("each-record", "switch"),
    "lpp_notice_tpp": (3_200_000, "TPP"),
    "aia_certification_tpp": (253_000_000, "TPP"),
    "licence_validity_months": (12, "months"),
    "uveu_reporting_dates": (["02-01", "08-01"], "month-day"),
    "h100_equivalent_tpp": (15_825, "TPP"),
    "status_watch_percent": (80, "percent"),
    "status_critical_percent": (90, "percent"),
}  # fmt: skip

TIER_1 = "AU BE CA DK FI FR DE IE IT JP NL NZ NO KR ES SE TW GB US"
TIER_3 = "AF BY MM CF CN CD CU ER HT IR IQ KP LB LY NI RU SO SS SD SY VE ZW MO"
ALIASES = {
    "CN": "HK", "US": "AS GU MP PR UM VI", "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT",
    "GB": "AI BM FK GG GI GS IM IO JE KY MS PN SH TC VG", "DK": "FO GL", "NL": "BQ", "NO": "BV SJ",
    "FI": "AX", "AU": "CC CX HM NF", "NZ": "CK NU TK",
}  # fmt: skip


def load(name: str) -> dict[str, Any]:
    return tomllib.loads((RULEBOOK / name).read_text(encoding="utf-8"))


def codes() -> list[str]:
    with (SEEDS / "countries.csv").open(newline="", encoding="utf-8") as file:
        return [row["code"] for row in csv.DictReader(file)]


def counted_as(code: str) -> str:
    found = [alias["counted_as"] for alias in load("tiers.toml")["alias"] if code in alias["countries"]]
    assert len(found) <= 1, code
    return str(found[0]) if found else code


def tier(code: str, day: date) -> int:
    tables = [
        table for table in load("tiers.toml")["tier"] if table.get("from", date.min) <= day <= table.get("to", date.max)
    ]
    found = [table["tier"] for table in tables if counted_as(code) in table.get("countries", [])]
    assert len(found) <= 1, code
    return int(found[0] if found else next(table["tier"] for table in tables if table.get("rest")))


def is_sentence(text: str) -> bool:
    return text[0].isupper() and text.endswith(".") and text == text.strip() and "\n" not in text


def test_rulebook_names_its_instrument() -> None:
    """The rulebook says which instrument it transcribes and that it is not enforced."""
    book = load("rulebook.toml")
    head = book["rulebook"]
    assert set(head) == {
        "id", "title", "sentence", "instrument", "document", "docket", "rin", "regulation",
    }  # fmt: skip
    assert head["id"] == RULEBOOK.name
    assert (head["instrument"], head["document"]) == ("90 FR 4544", "FR Doc 2025-00636")
    assert is_sentence(head["sentence"])
    assert is_sentence(book["status"])
    assert "not enforced" in book["status"]
    assert book["dates"] == {
        "published": date(2025, 1, 15),
        "effective": date(2025, 1, 13),
        "compliance": date(2025, 5, 15),
        "security_measures": date(2026, 1, 15),
        "enforcement_called_off": date(2025, 5, 13),
    }


def test_events_are_sourced_and_in_order() -> None:
    """Every event has a date, a sentence, a source and a certainty, and they are told in order."""
    events = load("rulebook.toml")["event"]
    for event in events:
        assert set(event) == {"date", "sentence", "source", "certainty"}
        assert type(event["date"]) is date
        assert is_sentence(event["sentence"])
        assert event["source"]
        assert event["certainty"] in CERTAINTIES
    days = [event["date"] for event in events]
    assert days == sorted(days)
    assert {date(2025, 1, 13), date(2025, 5, 13), date(2026, 1, 15), date(2026, 5, 12)} <= set(days)


def test_limits_are_complete_and_in_order() -> None:
    """The limits stand in the order of their tests, each with a citation and a sentence without figures."""
    limits = load("limits.toml")
    assert list(limits) == LIMITS
    for name, limit in limits.items():
        assert set(limit) == {"title", "citation", "certainty", "sentence"}, name
        assert CITATION.fullmatch(limit["citation"]), name
        assert limit["certainty"] in CERTAINTIES, name
        assert is_sentence(limit["sentence"]), name
        assert not re.search(r"[0-9]", re.sub(r"tier [123]|January 2026", "", limit["sentence"])), name


def test_parameters_have_the_values_of_the_rule() -> None:
    """Every parameter is there, in order, with the rule's value and unit: a change is made here too."""
    parameters = load("parameters.toml")
    assert list(parameters) == list(PARAMETERS)
    assert {name: (entry["value"], entry["unit"]) for name, entry in parameters.items()} == PARAMETERS
    for name, (value, _) in PARAMETERS.items():
        assert type(parameters[name]["value"]) is type(value), name


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_cited(name: str) -> None:
    """A parameter says from when it applies, its paragraph, how sure it is, and in words what it does."""
    parameter = load("parameters.toml")[name]
    assert set(parameter) == {"value", "unit", "valid_from", "citation", "certainty", "sentence"}
    assert parameter["valid_from"] in {date(2025, 1, 1), date(2025, 1, 13)}
    assert CITATION.fullmatch(parameter["citation"])
    assert parameter["certainty"] in CERTAINTIES
    assert is_sentence(parameter["sentence"])
    assert re.match(r"(The rule|This project)\b", parameter["sentence"])
    assert (parameter["citation"] == "quotaledger") == parameter["sentence"].startswith("This project")


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("lapse_restores_cap", ["false", "true"]),
        ("lpp_destinations", ['"all"', '"except-listed"']),
        ("uveu_outside_us_measured", ['"each-record"', '"reporting-dates"']),
    ],
)
def test_a_switch_explains_its_choices(name: str, choices: list[str]) -> None:
    """A switch says what each of its values does and why its default is what it is."""
    sentence = load("parameters.toml")[name]["sentence"]
    assert all(f"with {choice}" in sentence for choice in choices)
    assert "is the default because" in sentence


def test_schedule_is_in_h100_equivalents() -> None:
    """Every step of the schedule is a whole number of H100 equivalents, and the steps never go down."""
    parameters = load("parameters.toml")
    schedule = parameters["nveu_installed_base_tpp"]["value"]
    assert list(schedule) == [f"{year}Q{quarter}" for year in (2025, 2026, 2027) for quarter in (1, 2, 3, 4)]
    assert all(tpp % parameters["h100_equivalent_tpp"]["value"] == 0 for tpp in schedule.values())
    assert list(schedule.values()) == sorted(schedule.values())


def test_excluded_destinations_are_tier_2_countries() -> None:
    """The destinations that the switch would close are known countries that LPP reaches at all, in order."""
    excluded = load("parameters.toml")["lpp_excluded_destinations"]["value"]
    assert excluded == sorted(set(excluded))
    assert {"AE", "SA", "QA", "VN"} <= set(excluded) <= set(codes())
    assert {tier(code, date(2026, 3, 1)) for code in excluded} == {2}
    assert not {"IL", "CY"} & set(excluded)


def test_tier_tables_are_complete() -> None:
    """Every table of tiers and aliases is cited, names known countries once, and one tier takes the rest."""
    book = load("tiers.toml")
    known = set(codes())
    for table in book["tier"]:
        assert {"tier", "citation", "certainty", "sentence"} <= set(table)
        assert set(table) <= {"tier", "countries", "rest", "from", "to", "citation", "certainty", "sentence"}
        assert ("countries" in table) != ("rest" in table)
    for alias in book["alias"]:
        assert set(alias) == {"counted_as", "countries", "citation", "certainty", "sentence"}
    for table in book["tier"] + book["alias"]:
        assert CITATION.fullmatch(table["citation"])
        assert table["certainty"] in CERTAINTIES
        assert is_sentence(table["sentence"])
        countries = table.get("countries", [])
        assert countries == sorted(set(countries))
        assert set(countries) <= known
    assert [table["tier"] for table in book["tier"] if table.get("rest")] == [2]


def test_a_territory_is_only_in_the_alias_tables() -> None:
    """A territory that counts as another country has no tier of its own, and none counts as a territory."""
    book = load("tiers.toml")
    aliased = {code for alias in book["alias"] for code in alias["countries"]}
    assert {alias["counted_as"]: " ".join(alias["countries"]) for alias in book["alias"]} == ALIASES
    assert not aliased & {code for table in book["tier"] for code in table.get("countries", [])}
    assert not aliased & {alias["counted_as"] for alias in book["alias"]}


@pytest.mark.parametrize(
    ("day", "cambodia"),
    [(date(2025, 1, 1), 3), (date(2026, 2, 2), 3), (date(2026, 2, 3), 2), (date(2027, 12, 31), 2)],
)
def test_tiers_are_those_of_the_rule(day: date, cambodia: int) -> None:
    """On any day a country has one tier: the rule's two lists, Cambodia by date, all others the second."""
    found = {code: tier(code, day) for code in codes()}
    for code, number in found.items():
        home = counted_as(code)
        expected = 1 if home in TIER_1.split() else 3 if home in TIER_3.split() else cambodia if home == "KH" else 2
        assert number == expected, code
    in_tier_3 = 25 if cambodia == 3 else 24
    assert sorted(found.values()).count(1) == 65
    assert sorted(found.values()).count(3) == in_tier_3
    assert sorted(found.values()).count(2) == 249 - 65 - in_tier_3


def test_tiers_agree_with_the_original() -> None:
    """The rulebook gives every row of the table that it was made from: country, alias, tier and days."""
    assert len(codes()) == 249
    assert (tier("KH", date(2026, 2, 2)), tier("KH", date(2026, 2, 3))) == (3, 2)
    assert (counted_as("HK"), tier("HK", date(2026, 1, 1))) == ("CN", 3)
    if ORIGINAL_TIERS.exists():
        with ORIGINAL_TIERS.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                assert counted_as(row["country"]) == row["counted_as"]
                first, last = row["from"] or "2025-01-01", row["to"] or "2027-12-31"
                for day in (first, last):
                    assert tier(row["country"], date.fromisoformat(day)) == int(row["tier"]), row
