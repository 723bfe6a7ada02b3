"""Reading a rulebook: what is refused and with which words, what its digest stands for, and its tiers."""

import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.rulebook.load import FILES, RulebookError, load_rulebook
from ledger.rulebook.rulebook import Rulebook
from ledger.store.seeds import DEFAULT_RULEBOOK, country_names, find_rulebook
from tests.harness import amended

GOOD: Final = find_rulebook(DEFAULT_RULEBOOK)
TEXTS: Final = dict(GOOD.texts)
CONTENT: Final = {name: tomllib.loads(text) for name, text in TEXTS.items()}
MALFORMED: Final = sorted((Path(__file__).parent / "malformed").glob("*.toml"))
EDIT_KEYS: Final = ({"remove"}, {"text"}, {"find", "replace"}, {"from", "replace"}, {"from", "until", "replace"})

Step = str | int


def load(texts: Mapping[str, str]) -> Rulebook:
    return load_rulebook(texts, country_names())


def problems_of(texts: Mapping[str, str]) -> list[str]:
    with pytest.raises(RulebookError) as raised:
        load(texts)
    return list(raised.value.problems)


def edited(texts: Mapping[str, str], edit: Mapping[str, Any]) -> dict[str, str]:
    """Give the texts with one edit: a file removed, written anew, or with a passage replaced."""
    file, said = edit["file"], edit.keys() - {"file"}
    assert said in EDIT_KEYS, said
    if "remove" in edit:
        return {name: text for name, text in texts.items() if name != file}
    if "text" in edit:
        return {**texts, file: edit["text"]}
    text = texts[file]
    passage = edit.get("find")
    if passage is None:
        start = text.index(edit["from"])
        passage = text[start : text.index(edit["until"], start) if "until" in edit else len(text)]
    assert text.count(passage) == 1, passage
    return {**texts, file: text.replace(passage, edit["replace"])}


def replaced(path: tuple[Step, ...], value: Any) -> dict[str, str]:
    """Give the good rulebook with one value, named by file and keys, replaced."""
    content = deepcopy(CONTENT)
    place: Any = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return {**TEXTS, str(path[0]): tomli_w.dumps(content[str(path[0])])}


def leaves(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Give every value under some keys, with the keys that lead there: tables and lists too."""
    if path:
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from leaves(item, (*path, key))


PLACES: Final = [(path, value) for path, value in leaves(CONTENT) if len(path) > 1]
VALUES: Final = st.one_of(
    st.booleans(),
    st.integers(-5, 10**18),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(("", " ", "AE", "US", "KH", "HK", "all", "verified", "2025-01-01", "2025Q1", "3A090.a")),
    st.sampled_from((date(1, 1, 1), date(2025, 1, 1), date(9999, 12, 31))),
    st.datetimes(),
    st.times(),
)
ANY_VALUE: Final = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(("AE", "value", "2025Q1", "2025Q2", "rest", "x y")), inner, max_size=3),
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_a_malformed_rulebook_is_refused_with_file_key_and_reason(path: Path) -> None:
    """Each kind of fault is refused with exactly the sentences of its file in `malformed`."""
    said = tomllib.loads(path.read_text("utf-8"))
    texts: Mapping[str, str] = TEXTS
    for edit in said["edit"]:
        texts = edited(texts, edit)

    assert problems_of(texts) == said["problems"]
    assert said.keys() == {"sentence", "problems", "edit"}
    assert said["sentence"].endswith(".")


def test_a_fault_in_any_one_file_does_not_hide_those_of_the_others() -> None:
    """With any one file missing, a fault of each other file is still reported."""
    faulty = {name: text + '\n[unheard-of]\nkey = "value"\n' for name, text in TEXTS.items()}
    for missing in FILES:
        found = problems_of({name: text for name, text in faulty.items() if name != missing})

        assert [problem.split(":")[0] for problem in found].count(missing) == 1
        assert {problem.split(":")[0] for problem in found} == set(FILES)


@pytest.mark.parametrize("number", ["1" + "0" * 5000, "0x1" + "0" * 5000])
def test_a_number_too_long_to_be_written_is_refused(number: str) -> None:
    """Python refuses to read, or to write, numbers of thousands of digits: that is a fault of the rulebook."""
    text = TEXTS["parameters.toml"].replace("value = 790_000_000", f"value = {number}")
    (problem,) = problems_of({**TEXTS, "parameters.toml": text})

    assert problem.startswith("parameters.toml: ")
    assert len(problem) < 300


def test_nesting_past_all_measure_is_refused() -> None:
    """A file nested so deeply that it cannot be read is a fault of the rulebook."""
    text = "value = " + "[" * 5000 + "]" * 5000
    problems = problems_of({**TEXTS, "tiers.toml": text})

    assert problems[0].startswith("tiers.toml: is not TOML: ")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), ANY_VALUE)
def test_any_value_anywhere_loads_or_is_refused(place: tuple[tuple[Step, ...], Any], value: Any) -> None:
    """Whatever any value is replaced by, the rulebook loads or is refused with a sentence that names the file."""
    path, _ = place
    problems: tuple[str, ...] = ()
    refused = False
    try:
        load(replaced(path, value))
    except RulebookError as error:
        refused, problems = True, error.problems

    assert refused is bool(problems)
    assert {problem.split(":")[0] for problem in problems} <= set(FILES)


@pytest.mark.parametrize("wrong", [5.5, [], {}, "", -1, True, date(2025, 1, 1)], ids=repr)
def test_no_value_of_a_figure_but_its_own_type_is_accepted(wrong: Any) -> None:
    """A value of another type than a figure has is refused by the figure's name, figure by figure."""
    for name, table in CONTENT["parameters.toml"].items():
        value = table["value"]
        same = type(wrong) is type(value) and wrong not in ("", {}, -1)
        if not same:
            problems = problems_of(replaced(("parameters.toml", name, "value"), wrong))

            assert any(problem.startswith(f"parameters.toml: {name}.value: ") for problem in problems)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([path for path, _ in PLACES if isinstance(path[-1], str)]))
def test_every_key_that_is_left_out_is_missed(path: tuple[Step, ...]) -> None:
    """A rulebook without one of its keys is refused, or is another rulebook where the key is optional."""
    content = deepcopy(CONTENT)
    place: Any = content
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    texts = {**TEXTS, str(path[0]): tomli_w.dumps(content[str(path[0])])}
    optional = path[1] in ("event", "alias") or path[1:2] == ("dates",) or path[-1] in ("from", "to")
    try:
        digest = load(texts).digest
    except RulebookError:
        return

    assert optional or path[1] == "rulebook"
    assert digest != GOOD.digest


def test_comments_key_order_and_layout_do_not_change_the_digest() -> None:
    """The digest is that of the meaning: the files written anew by a machine, keys the other way round, have it."""

    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            keep = all(key[4:5] == "Q" for key in value)  # quarters stand in their order
            items = value.items() if keep else reversed(value.items())
            return {key: turned(item) for key, item in items}
        return [turned(item) for item in value] if isinstance(value, list) else value

    texts = {name: "# another comment\n\n" + tomli_w.dumps(turned(CONTENT[name])) for name in FILES}

    assert all(texts[name] != TEXTS[name] for name in FILES)
    assert load(texts).digest == GOOD.digest
    assert load({**TEXTS, "notes.toml": "not read"}).digest == GOOD.digest


def test_the_digest_of_the_default_rulebook_is_known() -> None:
    """The digest stands in every leaf, so neither the encoding nor the default rulebook changes unnoticed."""
    assert GOOD.digest == "c6bed416b40b2a9df20240a4c83b6f9f612e4e62fb3203635672270d57495d0b"


def another(path: tuple[Step, ...], value: Any) -> Any:
    """Give a value of the same sort that the place may also hold, if such a value can be told."""
    if path[-1] == "certainty":
        return "press" if value != "press" else "verified"
    if path[-1] == "tier":
        return 2 if value == 3 else 3
    if isinstance(value, bool):
        return not value
    if isinstance(value, date):
        return value.replace(day=value.day % 28 + 1)
    return value + 1 if isinstance(value, int) else f"{value}, as amended"


def test_any_figure_citation_or_tier_changes_the_digest() -> None:
    """No two of the good rulebook and its versions with one value changed have the same digest."""
    digests = {GOOD.digest}
    tried = 0
    for path, value in PLACES:
        if isinstance(value, dict | list) or path[-1] in ("unit", "rest"):
            continue
        try:
            digests.add(load(replaced(path, another(path, value))).digest)
        except RulebookError:
            continue
        tried += 1

    assert tried > 150
    assert len(digests) == tried + 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("lapse_restores_cap", (False, True)),
        ("lpp_destinations", ("all", "except-listed")),
        ("uveu_outside_us_measured", ("each-record", "reporting-dates")),
    ],
)
def test_every_value_of_a_switch_is_accepted(name: str, values: tuple[Any, ...]) -> None:
    """A switch may be set to each of its values, and the figure is then that value."""
    assert GOOD.figure(name) == values[0]
    for value in values:
        written = f'"{value}"' if isinstance(value, str) else str(value).lower()

        assert amended(**{name: written}).figure(name) == value


def test_a_figure_that_no_rulebook_has_is_a_mistake_of_the_program() -> None:
    """Asking for a figure that no rulebook has raises KeyError."""
    with pytest.raises(KeyError):
        GOOD.figure("country_cap")


def test_bounds_themselves_are_accepted() -> None:
    """The least and the greatest value of a figure are allowed."""
    for name, bounds in {
        "country_cap_tpp": (0, 90_000_000_000_000_000),
        "uveu_single_country_percent": (0, 99),
        "uplift_percent_max": (0, 100),
        "licence_validity_months": (1, 1200),
        "status_watch_percent": (0, 90),
    }.items():
        assert [amended(**{name: str(bound)}).figure(name) for bound in bounds] == list(bounds)


def tier_by_seed(code: str, day: date) -> int:
    """Give a country's tier straight from the tables, without the code under test."""
    book = CONTENT["tiers.toml"]
    home = next((table["counted_as"] for table in book["alias"] if code in table["countries"]), code)
    for table in book["tier"]:
        after, until = table.get("from", date.min), table.get("to", date.max)
        if home in table.get("countries", ()) and after <= day <= until:
            return int(table["tier"])
    return 2


@pytest.mark.parametrize(
    "day", [date(2024, 1, 1), date(2025, 1, 1), date(2026, 2, 2), date(2026, 2, 3), date(2027, 12, 31), date.max]
)
def test_every_country_has_the_tier_of_the_tables(day: date) -> None:
    """All 249 codes are in the tier that the tables give them on a day, territories in that of their country."""
    tiers = {code: GOOD.tier(code, day.toordinal()) for code in country_names()}

    assert len(tiers) == 249
    assert tiers == {code: tier_by_seed(code, day) for code in country_names()}
    assert all(tiers[code] == tiers[aim] for code, aim in GOOD.aliases.items())


def test_cambodia_changes_tier_on_one_day() -> None:
    """Cambodia is in tier 3 to 2026-02-02 and in tier 2 from 2026-02-03, and nothing else ever changes."""
    change = date(2026, 2, 3).toordinal()

    assert GOOD.tier_changes == (change,)
    assert [GOOD.tier("KH", day) for day in (1, change - 1, change, date.max.toordinal())] == [3, 3, 2, 2]


def test_aliases_count_as_their_country() -> None:
    """A territory counts as the country that the rulebook says, any other country as itself."""
    assert [GOOD.counted(code) for code in ("HK", "PR", "GP", "AW", "CN", "AE")] == [
        *("CN", "US", "FR", "AW", "CN", "AE")
    ]
    assert len(GOOD.aliases) == sum(len(table["countries"]) for table in CONTENT["tiers.toml"]["alias"])


def test_tier_changes_are_the_first_days_of_anything_new() -> None:
    """A span counts with its first day and with the day after its last; a gap falls back to the rest."""
    text = TEXTS["tiers.toml"].replace("from = 2026-02-03", "from = 2026-02-03\nto = 2026-06-30")
    text = text.replace('tier = 3\ncountries = ["MO"]', 'tier = 3\ncountries = ["MO"]\nfrom = 2025-07-01')
    book = load({**TEXTS, "tiers.toml": text})
    days = [date(2025, 7, 1), date(2026, 2, 3), date(2026, 7, 1)]

    assert book.tier_changes == tuple(day.toordinal() for day in days)
    assert [book.tier("MO", days[0].toordinal() + n) for n in (-1, 0)] == [2, 3]
