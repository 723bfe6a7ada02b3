"""Writes `docs/hostile-sql.md` from `corpus.toml`: `make docs`."""

import tomllib
from pathlib import Path
from typing import Any, Final

ATTACKS: Final[list[dict[str, Any]]] = tomllib.loads((Path(__file__).parent / "corpus.toml").read_text("utf-8"))[
    "attack"
]
PAGE: Final = Path(__file__).parents[2] / "docs/hostile-sql.md"
_HEAD: Final = """# Hostile SQL, and what becomes of it

For whoever decides if strangers may be given a key with scope `analyst`. Each of these is asked of the real
processes on every change (`tests/sandbox/test_corpus.py`): its answer must be the expected one, the copy and its
folder as before, nothing in the answer may tell of the server, and the next query must be answered. *Refused*: with
a reason, at once. *Stopped*: at a limit of time or memory. *Answered*: harmless, or it finds nothing. `DEEP` is
20,000 brackets, `LONG` a text of a megabyte, `WIDE` 10,000 columns.

"""
_WIDTH: Final = 150


def page() -> str:
    """Give the page."""
    rows = [f"| {one['name']} | {_code(one['query'])} | {one['expected']} |" for one in ATTACKS]
    return _HEAD + "\n".join(["| what | query | expected |", "|---|---|---|", *rows]) + "\n"


def _code(query: str) -> str:
    shown = "".join(" " if char.isspace() else char for char in query if char.isprintable() or char.isspace())
    shown = shown if len(shown) <= _WIDTH else shown[: _WIDTH - 1] + "…"
    return f"`` {shown.replace('|', chr(92) + '|')} ``"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
