"""Writes `docs/questions.md` and the notebook from `schemas/questions/*.sql` and a copy of the demo: `make docs`."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from ledger.store.dictionary import questions
from tests.cli.command import Ledger

DOCS: Final = Path(__file__).parent.parent / "docs"
_HEAD: Final = """# Ten questions

What a policy analyst asks of a ledger, each with its SQL (a file each in `schemas/questions/`) and the answer on the
demo's ledger: the deployments that were announced in 2025 and 2026, decided as if the rule had been enforced. All run
on a [published copy](sql.md) with nothing but DuckDB 1.4 or later, and as a notebook: `docs/questions.ipynb`.

    quotaledger demo --out demo
    quotaledger --ledger demo/demo.duckdb publish
    quotaledger --ledger demo/demo.duckdb sql < schemas/questions/01-near-the-cap.sql

The columns of every view are in the [dictionary](views.md). Amounts are TPP, exact; percentages are rounded down.
"""
_OPENING: Final = """import os
from pathlib import Path

import duckdb

path = Path(os.environ.get("QUOTALEDGER_COPY", "quota.published.duckdb"))
copy = duckdb.connect(str(path), read_only=True)
copy.sql("FROM publication").df()"""


def page(copy: duckdb.DuckDBPyConnection) -> str:
    """Give the page, with the answers that a copy gives."""
    parts = [_HEAD]
    for number, one in enumerate(questions(), 1):
        answer = copy.execute(one.query)
        columns = [column[0] for column in answer.description or ()]
        rows = "\n".join(f"| {' | '.join(map(_shown, row))} |" for row in answer.fetchall())
        table = f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n{rows}\n"
        parts.append(
            f"## {number}. {one.asked}\n\n```sql\n{one.query}\n```\n\n{table}"
            f"{f'{chr(10)}{one.said}{chr(10)}' if one.said else ''}"
        )
    return "\n".join(parts)


def notebook() -> str:
    """Give the notebook, without outputs: whoever runs it has their own copy."""
    cells = [_cell("markdown", "# Ten questions to a ledger\n\nOn a published copy, named by `QUOTALEDGER_COPY`.")]
    cells.append(_cell("code", _OPENING))
    for number, one in enumerate(questions(), 1):
        cells.append(_cell("markdown", f"## {number}. {one.asked}" + (f"\n\n{one.said}" if one.said else "")))
        cells.append(_cell("code", f'copy.sql("""\n{one.query}\n""").df()'))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, source: str) -> dict[str, Any]:
    more: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True), **more}


def _shown(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, date | Decimal):
        return str(value)
    return "" if value is None else str(value)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        assert ledger.run("demo", "--out", "demo").code == 0
        assert ledger.run("publish", ledger="demo/demo.duckdb").code == 0
        with duckdb.connect(f"{folder}/demo/demo.published.duckdb", read_only=True) as opened:
            (DOCS / "questions.md").write_text(page(opened), encoding="utf-8")
    (DOCS / "questions.ipynb").write_text(notebook(), encoding="utf-8")
