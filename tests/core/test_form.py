"""The form of records: presence by kind, one fault at a time, and rows that do not know of one another."""

import string
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.columns import ABSENT, Column
from ledger.core.dates import parse_date
from ledger.core.form import NUMBERS, Form, Vocabulary, parse_records
from schemas.record import COLUMNS
from schemas.words import Basis, Kind

VOCABULARY: Final = Vocabulary(
    places={"AE": 0, "GB": 1, "US": 2},
    place_names={"united arab emirates": "AE", "united kingdom": "GB", "united states": "US"},
    regions={"aws:me-central-1": "AE"},
    parties={"ALPHA": 0, "BETA": 1},
    chips={"H100": 0, "GB300": 1},
    counting_start=parse_date("2025-01-01"),
)
VALUES: Final = {
    "reference": "r-1",
    "date": "2025-06-01",
    "destination": "AE",
    "consignee": "ALPHA",
    "chip": "H100",
    "quantity": "10",
    "basis": "LPP",
    "under": "r-0",
    "license_number": "D123",
    "expires": "2026-06-01",
    "exporter": "Exporter",
    "site": "Site",
    "evidence": "Evidence",
    "note": "Note",
}
ALWAYS: Final = "reference kind date"
ASKED: Final = "destination consignee chip quantity"
PRESENCE: Final = {
    # kind: (must give, must leave blank); of a delivery without and with `under`
    ("opening", ""): (f"{ALWAYS} {ASKED}", "under license_number expires"),
    ("allocation", ""): (f"{ALWAYS} {ASKED}", "under"),
    ("delivery", ""): (f"{ALWAYS} {ASKED}", "license_number expires"),
    ("delivery", "under"): (f"{ALWAYS} quantity under", "license_number expires"),
    ("lapse", "under"): (f"{ALWAYS} quantity under", "license_number expires"),
    ("attrition", "under"): (f"{ALWAYS} quantity under", "license_number expires"),
    ("reversal", "under"): (
        f"{ALWAYS} under note",
        "destination consignee chip quantity basis license_number expires",
    ),
}
IDS: Final = [" ".join(pair).strip() for pair in PRESENCE]


def parse(*rows: dict[str, Any]) -> Form:
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: Column.of([row.get(name) for row in rows]) for name in names}
    return parse_records(columns, len(rows), VOCABULARY)


def faults(*rows: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(fault.row, fault.field, fault.code) for fault in parse(*rows).faults]


def least(kind: str, under: str) -> dict[str, Any]:
    """Give a record of a kind that gives just what it must."""
    required = PRESENCE[kind, under][0].split()
    row = {name: VALUES[name] for name in required if name != "kind"} | {"kind": kind}
    return row | ({"date": "2024-12-31"} if kind == "opening" else {})


@pytest.mark.parametrize(("kind", "under"), PRESENCE, ids=IDS)
def test_a_record_that_gives_what_it_must_is_understood(kind: str, under: str) -> None:
    """The least that a record of a kind must give is enough, and so is all that it may."""
    superfluous = PRESENCE[kind, under][1].split()
    most = {**VALUES, **least(kind, under)}
    allowed = {name: value for name, value in most.items() if name not in superfluous}
    if not under:
        allowed.pop("under", None)

    assert faults(least(kind, under)) == []
    assert faults(allowed) == []


@pytest.mark.parametrize(("kind", "under"), PRESENCE, ids=IDS)
def test_each_missing_column_is_named(kind: str, under: str) -> None:
    """A record without one of the columns that its kind must give is missing just that."""
    for name in PRESENCE[kind, under][0].split():
        row = {**least(kind, under), name: ""}
        found = faults(row)
        # Without `under` a delivery is another: it must then say all that it would have inherited.
        missing = ["destination", "consignee", "chip"] if (kind, name) == ("delivery", "under") else [name]

        assert found == [(0, name, "missing") for name in missing]
        assert faults({key: value for key, value in row.items() if key != name}) == found


@pytest.mark.parametrize(("kind", "under"), PRESENCE, ids=IDS)
def test_each_superfluous_column_is_named(kind: str, under: str) -> None:
    """A record with one of the columns that its kind must leave blank is told so."""
    for name in PRESENCE[kind, under][1].split():
        assert faults({**least(kind, under), name: VALUES[name]}) == [(0, name, "superfluous")]


def test_without_a_kind_only_what_every_record_has_is_missed() -> None:
    """An empty row misses reference, kind and date, and no more is guessed."""
    expected = [(0, name, "missing") for name in ("reference", "kind", "date")]

    assert faults(dict.fromkeys(COLUMNS)) == expected
    assert faults({"note": " "}) == expected


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("kind", "Allocation", "unknown-kind"),
        ("date", "2025-6-01", "malformed"),
        ("date", "01/06/2025", "malformed"),
        ("date", "2024-12-31", "wrong-side"),
        ("destination", "ae", "unknown-country"),
        ("destination", "UK", "unknown-country"),
        ("destination", "aws:me-central-9", "unknown-region"),
        ("consignee", "alpha", "unknown-party"),
        ("chip", "H1000", "unknown-chip"),
        ("basis", "lpp", "unknown-basis"),
        ("basis", "PROHIBITED", "unknown-basis"),
        ("basis", "UNCOUNTED", "unknown-basis"),
        ("quantity", "0", "out-of-range"),
        ("quantity", "000", "out-of-range"),
        ("quantity", "1000000001", "out-of-range"),
        ("quantity", "1" * 5000, "out-of-range"),
        ("quantity", "-1", "malformed"),
        ("quantity", "+1", "malformed"),
        ("quantity", "1e3", "malformed"),
        ("quantity", "10.0", "malformed"),
        ("quantity", "1,000", "malformed"),
        ("quantity", "1_000", "malformed"),
        ("quantity", "\uff11\uff10", "malformed"),
        ("quantity", "²", "malformed"),
        ("quantity", 10.5, "malformed"),
        ("quantity", True, "malformed"),
        ("expires", "never", "malformed"),
        ("reference", "x" * 129, "too-long"),
        ("license_number", "x" * 65, "too-long"),
        ("note", "x" * 1001, "too-long"),
        ("note", "\0", "control-character"),
    ],
)
def test_a_malformed_value_is_the_only_fault(column: str, value: Any, code: str) -> None:
    """A value that is not understood is one fault: the column is not also missing, and the row counts as malformed."""
    form = parse({**least("allocation", ""), column: value})

    assert [(fault.row, fault.field, fault.code) for fault in form.faults] == [(0, column, code)]
    assert form.malformed == [True]


@pytest.mark.parametrize(
    ("column", "value", "number"),
    [
        ("quantity", "1", 1),
        ("quantity", "0000000000000010", 10),
        ("quantity", "1000000000", 1_000_000_000),
        ("quantity", 10, 10),
        ("quantity", 10.0, 10),
        ("destination", " AE ", 0),
        ("destination", "aws:me-central-1", 0),
        ("basis", "UVEU", Basis.UVEU),
        ("basis", "", ABSENT),
        ("date", "2025-01-01", parse_date("2025-01-01")),
    ],
)
def test_a_good_value_is_its_number(column: str, value: Any, number: int) -> None:
    """What is understood is a number for the fold: quantity, day, or the code's own number."""
    form = parse({**least("allocation", ""), column: value})

    assert form.faults == []
    assert form.numbers[column].tolist() == [number]


@pytest.mark.parametrize(
    ("kind", "under", "day", "good"),
    [
        ("opening", "", "2024-12-31", True),
        ("opening", "", "2025-01-01", False),
        ("allocation", "", "2024-12-31", False),
        ("allocation", "", "2025-01-01", True),
        ("delivery", "", "2024-12-31", False),
        ("delivery", "under", "2024-12-31", False),
        ("delivery", "under", "2025-01-01", True),
        ("attrition", "under", "2024-12-31", True),
        ("reversal", "under", "2024-12-31", True),
    ],
)
def test_kinds_have_their_side_of_the_day_on_which_the_count_begins(
    kind: str, under: str, day: str, *, good: bool
) -> None:
    """Openings are before the count, allocations and deliveries within; the others follow the record that they name."""
    assert faults({**least(kind, under), "date": day}) == ([] if good else [(0, "date", "wrong-side")])


def test_all_faults_of_a_row_are_told_in_the_order_of_the_columns() -> None:
    """Nothing is hidden by an earlier fault, and the first column at fault speaks first."""
    row = {"note": "\0", "quantity": "x", "chip": "B", "date": "x", "kind": "opening", "under": "r", "expires": "x"}

    assert [(field, code) for _, field, code in faults(row)] == [
        ("reference", "missing"),
        ("date", "malformed"),
        ("destination", "missing"),
        ("consignee", "missing"),
        ("chip", "unknown-chip"),
        ("quantity", "malformed"),
        ("under", "superfluous"),
        ("expires", "malformed"),
        ("expires", "superfluous"),
        ("note", "control-character"),
    ]


CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "reference": ("r1", "r2", "", None, "x" * 129, 5, "\0"),
    "kind": ("opening", "allocation", "delivery", "lapse", "attrition", "reversal", "", "Opening", None),
    "date": ("2024-12-31", "2025-01-01", "", "2025-02-30", None),
    "destination": ("AE", "US", "", None, "ae", "aws:me-central-1", "aws:x"),
    "consignee": ("ALPHA", "", None, "alpha"),
    "chip": ("H100", "", None, "H10"),
    "quantity": ("1", "", None, "0", 1, 1.0, True, "1.0", 1.5),
    "basis": ("LPP", "", None, "NONE"),
    "under": ("r1", "", None),
    "license_number": ("D1", "", None),
    "expires": ("2026-01-01", "", None, "x"),
    "note": ("why", " ", None, "a\x1b"),
}
ROWS: Final = st.lists(
    st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in CHOICES.items()}),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300)
@given(ROWS)
def test_a_file_has_the_faults_of_its_rows_one_at_a_time(rows: list[dict[str, Any]]) -> None:
    """A row is judged alone: its faults, texts and numbers are the same in a file of many and by itself."""
    together = parse(*rows)
    alone = [parse(row) for row in rows]

    assert [(fault.row, fault.field, fault.code, fault.message) for fault in together.faults] == [
        (row, fault.field, fault.code, fault.message) for row, form in enumerate(alone) for fault in form.faults
    ]
    assert together.malformed.tolist() == [form.malformed[0] for form in alone]
    for row, form in enumerate(alone):
        if not together.malformed[row]:
            assert {name: together.numbers[name][row] for name in NUMBERS} == {
                name: form.numbers[name][0] for name in NUMBERS
            }
            assert {name: together.given[name].item(row) for name in COLUMNS} == {
                name: form.given[name].item(0) for name in COLUMNS
            }


@given(st.text(alphabet=string.printable + "é芯\U0001f600\ud800\u00a0\u0660", max_size=30), st.sampled_from(COLUMNS))
def test_any_text_in_any_column_is_understood_or_a_fault(text: str, column: str) -> None:
    """Whatever text is given, the form is a value: no exception, and every fault has a sentence."""
    form = parse({**least("allocation", ""), column: text})

    assert form.malformed.tolist() == [bool(form.faults)]
    assert all(fault.message.startswith("found ") for fault in form.faults)


def test_there_are_presence_rules_for_every_kind() -> None:
    """Every kind of record is in the table above."""
    assert {kind for kind, _ in PRESENCE} == {kind.name.lower() for kind in Kind}
