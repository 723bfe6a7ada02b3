"""The data dictionary: every view, macro and column with its type and what it is, and questions that are asked of them.

The page `docs/views.md` and the browser's page are made of it. A new view gets its line here, under a subject.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import duckdb

from ledger.store import schema
from ledger.store.views import Macro, comments, macro_texts, make_views, stored_views, view_files

SUBJECTS: Final = {
    "Positions": {
        "country_positions": "SELECT destination, used_percent, status FROM country_positions WHERE status <> 'open'",
        "lpp_positions": "FROM lpp_positions WHERE year = 2026",
        "nveu_positions": "SELECT family, destination, remaining_tpp FROM nveu_positions WHERE quarter = '2026Q3'",
        "uveu_positions": "SELECT family, outside_tier_1_percent, status FROM uveu_positions",
        "uveu_country_shares": "FROM uveu_country_shares ORDER BY percent DESC",
        "cap_concentration": "FROM cap_concentration WHERE rank = 1 ORDER BY cap_percent DESC",
        "country_evidence": "FROM country_evidence WHERE unevidenced_tpp > 0",
    },
    "Decisions": {
        "decisions": "SELECT message FROM decisions WHERE destination = 'AE' ORDER BY sequence",
        "refusals": "SELECT consignee, message FROM refusals",
        "breaches": "SELECT consignee, message FROM breaches",
        "refusals_by_reason": "SELECT limit_id, tpp_of(sum(tpp)) AS tpp FROM refusals_by_reason GROUP BY limit_id",
        "allocations": "SELECT state, count(*) AS allocations FROM allocations GROUP BY state",
        "licence_drawdown": "SELECT reference, drawn_percent, days_left FROM licence_drawdown WHERE days_left < 90",
        "outstanding_allocations": "SELECT age, count(*) AS allocations FROM outstanding_allocations GROUP BY age",
        "contributions": "FROM contributions WHERE account = 'cap' AND destination = 'AE'",
        "country_changes": "FROM country_changes WHERE destination = 'AE' AND used_tpp <> 0",
    },
    "Time": {
        "as_of": "FROM as_of(DATE '2025-12-31') WHERE used_tpp > 0",
        "known_at": "SELECT destination, used_tpp FROM known_at(10) WHERE used_tpp > 0",
        "positions_at": "SELECT destination, used_tpp FROM positions_at(DATE '2025-12-31', 20) WHERE used_tpp > 0",
        "months": "SELECT month FROM months WHERE quarter = '2026Q1'",
        "monthly_use": "SELECT month, chip, tpp_of(sum(installed_tpp)) AS tpp FROM monthly_use GROUP BY ALL",
        "quarterly_use": "SELECT quarter, basis, tpp_of(sum(committed_tpp)) AS tpp FROM quarterly_use GROUP BY ALL",
        "country_months": "SELECT month, used_percent FROM country_months WHERE destination = 'AE'",
        "country_quarters": "SELECT quarter, max(used_percent) AS percent FROM country_quarters GROUP BY quarter",
        "uveu_country_months": "SELECT month, destination, percent FROM uveu_country_months ORDER BY percent DESC",
    },
    "Registers and rulebooks": {
        "parties": "FROM parties WHERE family = 'G42'",
        "chips": "FROM chips WHERE class = '3A090.a' ORDER BY tpp DESC",
        "authorizations": "FROM authorizations WHERE basis = 'UVEU'",
        "assurances": "FROM assurances WHERE uplift_percent > 0",
        "assurance_history": "FROM assurance_history ORDER BY recorded_at",
        "country_tiers": "FROM country_tiers WHERE code = 'KH'",
        "rulebooks": "SELECT rulebook, adopted_at, note FROM rulebooks",
        "rulebook_parameters": "SELECT parameter, citation FROM rulebook_parameters WHERE certainty <> 'verified'",
        "adopted_parameters": "FROM adopted_parameters WHERE parameter = 'country_cap_tpp'",
        "adopted_tiers": "FROM adopted_tiers WHERE code = 'KH'",
    },
    "Proof": {
        "batches": "SELECT provider, file, records, refused FROM batches",
        "report_runs": "SELECT report, period, attempt, outcome, ended_at FROM report_runs",
        "checkpoints": "SELECT leaves, root FROM checkpoints ORDER BY batch DESC LIMIT 1",
        "ledger_state": "FROM ledger_state",
    },
}
"""The views, and the macros that stand in for one, in the order in which they are told, each with a question to it."""


@dataclass(frozen=True)
class Column:
    """A column of a view."""

    name: str
    type: str
    """DuckDB's."""
    comment: str


@dataclass(frozen=True)
class Entry:
    """A view, or a macro that stands in for one."""

    name: str
    comment: str
    example: str
    columns: tuple[Column, ...]
    """Of a view."""
    parameters: tuple[str, ...] | None
    """Of a macro."""
    is_stored: bool
    """Whether a published copy has it as a table."""


@dataclass(frozen=True)
class Question:
    """A question that a policy analyst asks."""

    file: str
    asked: str
    said: str
    """What is to be said of the answer."""
    query: str


@cache
def dictionary() -> dict[str, list[Entry]]:
    """Give what can be asked, by subject."""
    types, known = _types(), {macro.name: macro for macro in macro_texts()}
    return {
        subject: [_entry(name, example, known.get(name), types) for name, example in entries.items()]
        for subject, entries in SUBJECTS.items()
    }


@cache
def questions() -> list[Question]:
    """Give the questions of `schemas/questions/`, in their order."""
    folder = files("schemas") / "questions"
    return [
        _question(path.name, path.read_text("utf-8"))
        for path in sorted(folder.iterdir(), key=lambda path: path.name)
        if path.name.endswith(".sql")
    ]


def _entry(name: str, example: str, macro: Macro | None, types: dict[tuple[str, str], str]) -> Entry:
    if macro:
        return Entry(name, macro.comment, example, (), macro.parameters, is_stored=False)
    said = comments(view_files()[name])
    columns = tuple(Column(column, types[name, column], comment) for column, comment in said.items() if column)
    return Entry(name, said[""], example, columns, None, name in stored_views())


def _question(file: str, text: str) -> Question:
    lines = text.splitlines()
    asked, *said = [line.removeprefix("-- ") for line in lines if line.startswith("--")]
    query = "\n".join(line for line in lines if not line.startswith("--"))
    return Question(file, asked, " ".join(said), query)


def _types() -> dict[tuple[str, str], str]:
    """Give the type of each column, by view and column."""
    with duckdb.connect() as connection:
        schema.make_tables(connection)
        make_views(connection)
        found = connection.execute("SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal")
        return {(view, column): kind for view, column, kind in found.fetchall()}
