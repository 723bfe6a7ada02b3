"""Writes the data dictionary, `docs/views.md`, from the comments of the views: `make docs`."""

from pathlib import Path

from ledger.store.views import comments, view_files

HEAD = """# The views, column by column

What `quotaledger sql` answers questions on. Made from the comments in `schemas/views/`, which are in the database too:
`SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'decisions'`. Amounts in TPP are whole numbers,
percentages are rounded down to four places, `_h100e` columns are for reading.
"""


def dictionary() -> str:
    """Give the page."""
    parts = [HEAD]
    for name, text in sorted(view_files().items()):
        said = comments(text)
        about = said.pop("")
        rows = "\n".join(f"| `{column}` | {comment} |" for column, comment in said.items())
        parts.append(f"## `{name}`\n\n{about}\n\n| column | is |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    (Path(__file__).parent.parent / "docs/views.md").write_text(dictionary(), encoding="utf-8")
