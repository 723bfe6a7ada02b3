"""The views and macros: read from `schemas/`, made in the ledger's file, each column commented.

Apart from the tables because views hold no data: they are made anew whenever their texts have changed.
"""

import re
from importlib.resources import files

import duckdb

_COMMENT = re.compile(r"^-- (?:(\w+): )?(.*)$", re.MULTILINE)


def view_files() -> dict[str, str]:
    """Give the SQL of every view by name, in the order in which they build on one another."""
    folder = files("schemas") / "views"
    texts = {path.name[:-4]: path.read_text("utf-8") for path in folder.iterdir() if path.name.endswith(".sql")}
    ordered: dict[str, str] = {}
    while texts:
        free = [n for n, t in texts.items() if not any(re.search(rf"\b{o}\b", body(t)) for o in texts if o != n)]
        for name in sorted(free):
            ordered[name] = texts.pop(name)
    return ordered


def body(text: str) -> str:
    """Give the query of a view's file, without the comments in front."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip().rstrip(";")


def comments(text: str) -> dict[str, str]:
    """Give the comments of a view's file by column; the view's own under the empty name."""
    found: dict[str, str] = {}
    for column, comment in _COMMENT.findall(text):
        found[column] = f"{found[column]} {comment}" if column in found else comment
    return found


def make_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the macros and views anew, with a comment on each and on each of its columns."""
    connection.execute(macros())
    for name, text in view_files().items():
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {body(text)}")
        said = comments(text)
        connection.execute(f"COMMENT ON VIEW {name} IS {_quoted(said.pop(''))}")
        for column, comment in said.items():
            connection.execute(f"COMMENT ON COLUMN {name}.{column} IS {_quoted(comment)}")


def macros() -> str:
    """Give the SQL of the macros that the views share."""
    return (files("schemas") / "macros.sql").read_text("utf-8")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
