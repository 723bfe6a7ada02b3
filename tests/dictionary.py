"""Writes the data dictionary, `docs/views.md`, from the comments of the views and macros: `make docs`."""

from pathlib import Path
from typing import Final

import duckdb

from ledger.store import schema
from ledger.store.views import comments, is_stored, macro_texts, make_views, stored_views, view_files

HEAD = """# The views, column by column

What `quotaledger sql` answers questions on. Made from the comments in `schemas/views/` and `schemas/macros.sql`, which
are in the database too: `SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = 'decisions'`.
Amounts in TPP are whole numbers, percentages are rounded down to four places, `_h100e` columns are for reading. DuckDB
makes a sum of whole numbers a HUGEINT, which pandas reads as a float: write `tpp_of(sum(used_tpp))`, or
`sum(used_tpp)::BIGINT`.

In a [published copy](sql.md) the views marked *stored* are tables, and the others are views on them. [Ten
questions](questions.md) are answered with them; [how to connect](connect.md) from DuckDB, pandas, polars and R.
"""

SUBJECTS: Final = {
    "Positions": (
        *("country_positions", "lpp_positions", "nveu_positions", "uveu_positions", "uveu_country_shares"),
        *("cap_concentration", "country_evidence"),
    ),
    "Decisions": (
        *("decisions", "refusals", "breaches", "refusals_by_reason", "allocations", "licence_drawdown"),
        *("outstanding_allocations", "contributions", "country_changes"),
    ),
    "Time": (
        *("as_of", "known_at", "positions_at", "months", "monthly_use", "quarterly_use", "country_months"),
        *("country_quarters", "uveu_country_months"),
    ),
    "Registers and rulebooks": (
        *("parties", "chips", "authorizations", "assurances", "assurance_history", "country_tiers", "rulebooks"),
        *("rulebook_parameters", "adopted_parameters", "adopted_tiers"),
    ),
    "Proof": ("batches", "checkpoints", "ledger_state"),
}
"""The views, and the macros that stand in for one, in the order in which they are told."""

EXAMPLES: Final = {
    "country_positions": "SELECT destination, used_percent, status FROM country_positions WHERE status <> 'open'",
    "lpp_positions": "FROM lpp_positions WHERE year = 2026",
    "nveu_positions": "SELECT family, destination, remaining_tpp FROM nveu_positions WHERE quarter = '2026Q3'",
    "uveu_positions": "SELECT family, outside_tier_1_percent, status FROM uveu_positions",
    "uveu_country_shares": "FROM uveu_country_shares ORDER BY percent DESC",
    "cap_concentration": "FROM cap_concentration WHERE rank = 1 ORDER BY cap_percent DESC",
    "country_evidence": "FROM country_evidence WHERE unevidenced_tpp > 0",
    "decisions": "SELECT message FROM decisions WHERE destination = 'AE' ORDER BY sequence",
    "refusals": "SELECT consignee, message FROM refusals",
    "breaches": "SELECT consignee, message FROM breaches",
    "refusals_by_reason": "SELECT limit_id, tpp_of(sum(tpp)) AS tpp FROM refusals_by_reason GROUP BY limit_id",
    "allocations": "SELECT state, count(*) AS allocations FROM allocations GROUP BY state",
    "licence_drawdown": "SELECT reference, drawn_percent, outstanding_tpp FROM licence_drawdown WHERE days_left < 90",
    "outstanding_allocations": "SELECT age, count(*) AS allocations FROM outstanding_allocations GROUP BY age",
    "contributions": "FROM contributions WHERE account = 'cap' AND destination = 'AE'",
    "country_changes": "FROM country_changes WHERE destination = 'AE' AND used_tpp <> 0",
    "as_of": "FROM as_of(DATE '2025-12-31') WHERE used_tpp > 0",
    "known_at": "SELECT destination, used_tpp FROM known_at(10) WHERE used_tpp > 0",
    "positions_at": "SELECT destination, used_tpp FROM positions_at(DATE '2025-12-31', 20) WHERE used_tpp > 0",
    "months": "SELECT month FROM months WHERE quarter = '2026Q1'",
    "monthly_use": "SELECT month, chip, tpp_of(sum(installed_tpp)) AS tpp FROM monthly_use GROUP BY ALL ORDER BY ALL",
    "quarterly_use": "SELECT quarter, basis, tpp_of(sum(committed_tpp)) AS tpp FROM quarterly_use GROUP BY ALL",
    "country_months": "SELECT month, used_percent FROM country_months WHERE destination = 'AE'",
    "country_quarters": "PIVOT country_quarters ON quarter USING max(used_percent) GROUP BY destination",
    "uveu_country_months": "SELECT month, destination, percent FROM uveu_country_months ORDER BY percent DESC",
    "parties": "FROM parties WHERE family = 'G42'",
    "chips": "FROM chips WHERE class = '3A090.a' ORDER BY tpp DESC",
    "authorizations": "FROM authorizations WHERE basis = 'UVEU'",
    "assurances": "FROM assurances WHERE uplift_percent > 0",
    "assurance_history": "FROM assurance_history ORDER BY recorded_at",
    "country_tiers": "FROM country_tiers WHERE code = 'KH'",
    "rulebooks": "SELECT rulebook, adopted_at, note FROM rulebooks",
    "rulebook_parameters": "SELECT parameter, value, citation FROM rulebook_parameters WHERE certainty <> 'verified'",
    "adopted_parameters": "FROM adopted_parameters WHERE parameter = 'country_cap_tpp'",
    "adopted_tiers": "FROM adopted_tiers WHERE code = 'KH'",
    "batches": "SELECT provider, file, records, refused FROM batches",
    "checkpoints": "SELECT leaves, root FROM checkpoints ORDER BY batch DESC LIMIT 1",
    "ledger_state": "FROM ledger_state",
}
"""A question for each; a test asks them all."""


def dictionary() -> str:
    """Give the page."""
    parts = [HEAD]
    views, macros, stored = view_files(), {macro.name: macro for macro in macro_texts()}, stored_views()
    types = _types()
    for subject, names in SUBJECTS.items():
        parts.append(f"# {subject}\n")
        for name in names:
            asked = f"    {EXAMPLES[name]}\n"
            if name in macros:
                macro = macros[name]
                parts.append(f"## `{name}`\n\n`{name}({', '.join(macro.parameters)})`: {macro.comment}\n\n{asked}")
                continue
            said = comments(views[name])
            about = said.pop("") + (" *Stored.*" if name in stored else "")
            rows = "\n".join(f"| `{column}` | {types[name, column]} | {comment} |" for column, comment in said.items())
            parts.append(f"## `{name}`\n\n{about}\n\n| column | type | is |\n|---|---|---|\n{rows}\n\n{asked}")
    parts.append(_scalars())
    return "\n".join(parts)


def _scalars() -> str:
    """Give the table of the macros that give a value."""
    rows = "\n".join(
        f"| `{macro.name}({', '.join(macro.parameters)})` | {macro.comment}"
        f"{'; not in a copy' if is_stored(macro.query) else ''} |"
        for macro in macro_texts()
        if not macro.is_table
    )
    return f"# Functions\n\n| function | gives |\n|---|---|\n{rows}\n"


def _types() -> dict[tuple[str, str], str]:
    """Give the type of each column, by view and column."""
    with duckdb.connect() as connection:
        schema.make_tables(connection)
        make_views(connection)
        found = connection.execute("SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal")
        return {(view, column): kind for view, column, kind in found.fetchall()}


if __name__ == "__main__":
    (Path(__file__).parent.parent / "docs/views.md").write_text(dictionary(), encoding="utf-8")
