"""Every legal case of tests/cases, which are data, on a real ledger; and that the cases cover every limit."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.core.errors import InputRejected
from schemas.record import COLUMNS
from schemas.registers import REGISTERS
from schemas.words import LIMIT_IDS, Kind, word
from tests.harness import Answer, Bench, bench

CASES: Final = Path(__file__).parents[1] / "cases"
ANSWERED: Final = {
    *(
        "outcome",
        "basis",
        "limit_id",
        "tpp",
        "remaining_tpp",
        "account",
        "sequence",
        "duplicate",
        "field",
        "code",
    ),
}
"""What a case may expect of a row; a row that expects nothing is expected to be admitted."""
ADMITTED: Final = {"outcome": "admitted"}
INHERITED: Final = {"destination", "consignee", "chip", "basis"}
REGISTER_DEFAULTS: Final[dict[str, dict[str, str]]] = {
    "parties": {},
    "authorizations": {"valid_from": "2025-01-01"},
    "assurances": {},
    "chips": {"class": "3A090.a"},
}
FIRST_WITH_ACCOUNT: Final = 4
"""Limits 0 to 3 forbid outright and leave nothing that could be told."""


@dataclass(frozen=True)
class Case:
    """One case with what its file says of all its cases merged in."""

    file: str
    said: Mapping[str, Any]
    top: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.file}: {self.said['name']}"

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """The steps in order."""
        return list(self.said["step"])

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """The rows of all steps."""
        return [row for step in self.steps for row in step.get("rows", [])]

    def registered(self) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        """Give each register's rows, those of the file first."""
        for register in ("chips", "parties", "authorizations", "assurances"):
            rows = [*self.top.get(register, []), *self.said.get(register, [])]
            if rows:
                yield register, rows

    def record(self, row: Mapping[str, Any], number: int) -> dict[str, Any]:
        """Give the record that a row says, with defaults (none that a row with `under` inherits)."""
        defaults = {**self.top.get("defaults", {}), **self.said.get("defaults", {})}
        if "under" in row:
            defaults = {name: value for name, value in defaults.items() if name not in INHERITED}
        record = {"reference": f"row-{number}", **defaults, **row}
        if record["kind"] == word(Kind.REVERSAL):
            record = {"note": "a mistake", **record}
        return {name: value for name, value in record.items() if name in COLUMNS}


def read_file(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


FILES: Final = {path.stem: read_file(path) for path in sorted(CASES.glob("*.toml"))}
ALL: Final = [Case(stem, said, top) for stem, top in FILES.items() for said in top["case"]]
NAMING: Final = [case for case in ALL if any("under" in row for row in case.rows)]
"""The cases in which a record names another: one at a time, that other is read back from the file."""


def complete(register: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a register row with what the cases leave out: names, classes, first days."""
    defaults = dict(REGISTER_DEFAULTS[register])
    if register in ("parties", "chips"):
        defaults["name"] = row[REGISTERS[register][0].name]
    return {**defaults, **row}


def register_all(ledger: Bench, register: str, rows: Iterable[Mapping[str, Any]]) -> None:
    ledger.register(register, *(complete(register, row) for row in rows))


def brief(answer: Mapping[str, object], expected: Mapping[str, Any]) -> dict[str, object]:
    """Give what an answer says of the expected columns, blank where it says nothing."""
    return {name: "" if answer[name] is None else answer[name] for name in expected}


def submit(ledger: Bench, step: Mapping[str, Any], records: list[dict[str, Any]], *, singly: bool) -> list[Answer]:
    """Submit a step's records, as one batch or one at a time; a step that may fail is always one batch."""
    provider, skip_invalid = step.get("provider", "CLOUD"), step.get("skip_invalid", True)
    if singly and skip_invalid:
        return [answer for record in records for answer in ledger.submit(provider, record)]
    return ledger.submit(provider, *records, skip_invalid=skip_invalid)


def run(case: Case, ledger: Bench, *, singly: bool) -> None:
    """Play a case's steps and compare every answer with what its row expects."""
    for register, rows in case.registered():
        register_all(ledger, register, rows)
    number = 0
    for step in case.steps:
        for register, rows in step.get("register", {}).items():
            if "rejected" in step:
                with pytest.raises(InputRejected) as raised:
                    register_all(ledger, register, rows)
                assert {row.code for row in raised.value.rows} == {step["rejected"]}
            else:
                register_all(ledger, register, rows)
        rows = step.get("rows", [])
        if not rows:
            continue
        records = [case.record(row, number + place) for place, row in enumerate(rows, 1)]
        number += len(rows)
        expected = [row.get("expect", ADMITTED) for row in rows]
        rejected = [answer for answer in expected if answer["outcome"] == "rejected"]
        if rejected and not step.get("skip_invalid", True):
            expected = rejected
        answers = submit(ledger, step, records, singly=singly)

        assert [brief(answer, wanted) for answer, wanted in zip(answers, expected, strict=True)] == expected


@pytest.mark.parametrize("case", ALL, ids=str)
def test_case(case: Case, tmp_path: Path) -> None:
    """The ledger decides every legal case as the case says."""
    with bench(tmp_path, **case.said.get("rulebook", {})) as ledger:
        run(case, ledger, singly=False)


@pytest.mark.parametrize("case", NAMING, ids=str)
def test_case_one_row_at_a_time(case: Case, tmp_path: Path) -> None:
    """The answer for a file is the answer for its rows one at a time, and so where they name one another."""
    with bench(tmp_path, **case.said.get("rulebook", {})) as ledger:
        run(case, ledger, singly=True)


@pytest.mark.parametrize("file", FILES)
def test_every_file_names_its_paragraph(file: str) -> None:
    """Every file of cases names the paragraph that its cases are about, and its limit or subject."""
    top = FILES[file]

    assert "CFR" in top["paragraph"]
    assert ("limit" in top) != ("subject" in top)


@pytest.mark.parametrize("number", range(len(LIMIT_IDS)))
def test_every_limit_has_cases_on_both_sides_of_its_edge(number: int) -> None:
    """A limit's own file has what it admits at the edge and what exceeds it, for requests and for facts."""
    limit = LIMIT_IDS[number]
    top = FILES[f"{number}-{limit}"]
    rows = [(row["edge"], row["expect"]) for case in ALL if case.top is top for row in case.rows if "edge" in row]
    at = [expect for side, expect in rows if side == "at"]
    over = [expect for side, expect in rows if side == "over"]

    assert top["limit"] == limit
    assert at
    assert {expect["outcome"] for expect in at} == {"admitted"}
    assert {expect["limit_id"] for expect in over} == {limit}
    assert {expect["outcome"] for expect in over} == ({"breached"} if number == 0 else {"refused", "breached"})
    if number >= FIRST_WITH_ACCOUNT:
        assert {(expect["limit_id"], expect["remaining_tpp"]) for expect in at} == {(limit, 0)}


def test_every_case_has_a_name_of_its_own() -> None:
    """No two cases of a file have the same name, so that a failure names one case."""
    names = [str(case) for case in ALL]

    assert len(set(names)) == len(names)


def test_cases_have_no_word_that_nobody_reads() -> None:
    """A misspelt key would silently weaken a case, so every key is one that is read."""
    file_keys = {"limit", "subject", "paragraph", "defaults", "case", *REGISTERS}
    case_keys = {"name", "rulebook", "defaults", "step", *REGISTERS}
    step_keys = {"register", "rejected", "provider", "skip_invalid", "rows"}

    for top in FILES.values():
        assert top.keys() <= file_keys
    for case in ALL:
        assert case.said.keys() <= case_keys
        for step in case.steps:
            assert step.keys() <= step_keys
            assert ("rows" in step) != ("register" in step)
        for row in case.rows:
            assert row.keys() <= {*COLUMNS, "expect", "edge"}
            assert row.get("edge", "at") in ("at", "over")
            assert row.get("expect", ADMITTED).keys() <= ANSWERED
