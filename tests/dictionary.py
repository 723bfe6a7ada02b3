"""Writes the data dictionary, `docs/views.md`, from the comments of the views and macros: `make docs`."""

from pathlib import Path

from ledger.store.dictionary import Entry, dictionary
from ledger.store.views import is_stored, macro_texts

HEAD = """# The views, column by column

What `quotaledger sql` answers questions on. Made from the comments in `schemas/views/` and `schemas/macros.sql`, which
are in the database too: `SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = 'decisions'`.
Amounts in TPP are whole numbers, percentages are rounded down to four places, `_h100e` columns are for reading. DuckDB
makes a sum of whole numbers a HUGEINT, which pandas reads as a float: write `tpp_of(sum(used_tpp))`, or
`sum(used_tpp)::BIGINT`.

In a [published copy](sql.md) the views marked *stored* are tables, and the others are views on them. [Ten
questions](questions.md) are answered with them; [how to connect](connect.md) from DuckDB, pandas, polars and R.
"""


def page() -> str:
    """Give the page."""
    parts = [HEAD]
    for subject, entries in dictionary().items():
        parts += [f"# {subject}\n", *map(_told, entries)]
    parts.append(_scalars())
    return "\n".join(parts)


def _told(entry: Entry) -> str:
    asked = f"    {entry.example}\n"
    if entry.parameters is not None:
        return f"## `{entry.name}`\n\n`{entry.name}({', '.join(entry.parameters)})`: {entry.comment}\n\n{asked}"
    about = entry.comment + (" *Stored.*" if entry.is_stored else "")
    rows = "\n".join(f"| `{column.name}` | {column.type} | {column.comment} |" for column in entry.columns)
    return f"## `{entry.name}`\n\n{about}\n\n| column | type | is |\n|---|---|---|\n{rows}\n\n{asked}"


def _scalars() -> str:
    """Give the table of the macros that give a value."""
    rows = "\n".join(
        f"| `{macro.name}({', '.join(macro.parameters)})` | {macro.comment}"
        f"{'; not in a copy' if is_stored(macro.query) else ''} |"
        for macro in macro_texts()
        if not macro.is_table
    )
    return f"# Functions\n\n| function | gives |\n|---|---|\n{rows}\n"


if __name__ == "__main__":
    (Path(__file__).parent.parent / "docs/views.md").write_text(page(), encoding="utf-8")
