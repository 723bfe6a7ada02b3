"""Where analysts work: the ten questions, the notebook and the ways to connect, all on a published copy of the demo."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import nbformat
import pytest

from ledger.sandbox.pool import Pool
from ledger.sandbox.running import Limits
from ledger.store.dictionary import SUBJECTS, questions
from ledger.store.views import copied_macros, derived_views, macro_texts, stored_views, view_files
from tests.cli.command import Ledger, environment
from tests.questions import DOCS, notebook, page

EXAMPLES = {name: example for entries in SUBJECTS.values() for name, example in entries.items()}
OLDER = Path(sys.executable).parent.parent / "duckdb-1.5.5"
"""Another DuckDB, which `make` puts there."""
_ASK = """
import duckdb, json, sys
copy = duckdb.connect(sys.argv[1], read_only=True)
copy.execute("SET TimeZone = 'UTC'")
answers = [sorted(map(str, copy.execute(query).fetchall())) for query in json.load(sys.stdin)]
json.dump([duckdb.__version__, answers], sys.stdout)
"""
_RUN = """
import sys, nbformat
from nbclient import NotebookClient
book = nbformat.read("questions.ipynb", 4)
NotebookClient(book, timeout=60, kernel_name="python3").execute()
nbformat.write(book, "ran.ipynb")
"""


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo and its published copy."""
    ledger = Ledger(tmp_path_factory.mktemp("analyst"))
    assert ledger.run("demo", "--out", "demo").code == 0
    assert ledger.run("publish", ledger="demo/demo.duckdb").code == 0
    return ledger.folder


@pytest.fixture(name="copy")
def _copy(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(folder / "demo/demo.published.duckdb"), read_only=True) as copy:
        yield copy


def test_each_question_has_the_answer_on_the_page(copy: duckdb.DuckDBPyConnection) -> None:
    """The page is what the files of SQL give today: `make docs` writes it anew."""
    assert len(questions()) == 10
    assert (DOCS / "questions.md").read_text("utf-8") == page(copy)
    assert (DOCS / "questions.ipynb").read_text("utf-8") == notebook()


def test_the_command_on_the_page_answers(folder: Path) -> None:
    """As it stands there, from the folder that it says."""
    command = next(line.strip() for line in (DOCS / "questions.md").read_text("utf-8").splitlines() if " sql <" in line)
    words, _, file = command.partition(" < ")
    with (DOCS.parent / file).open("rb") as query:
        ran = subprocess.run(
            [sys.executable, "-m", "ledger", *words.split()[1:]],
            stdin=query,
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    assert (ran.returncode, ran.stdout.split()[:2]) == (0, ["destination", "status"]), ran.stderr
    assert "Megaspeed" in ran.stdout


def test_the_notebook_runs(folder: Path, tmp_path: Path, copy: duckdb.DuckDBPyConnection) -> None:
    """From the first cell to the last, in a kernel of its own; each answer has as many rows as on the page."""
    (tmp_path / "questions.ipynb").write_bytes((DOCS / "questions.ipynb").read_bytes())
    where = {"QUOTALEDGER_COPY": str(folder / "demo/demo.published.duckdb"), "IPYTHONDIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", _RUN], cwd=tmp_path, env=os.environ | where, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    ran_through = nbformat.read(tmp_path / "ran.ipynb", 4)  # type: ignore[no-untyped-call]
    cells = [cell for cell in ran_through.cells if cell.cell_type == "code"]

    assert len(cells) == 11
    for cell, one in zip(cells[1:], questions(), strict=True):
        rows = len(copy.execute(one.query).fetchall())
        assert cell.outputs[0].data["text/html"].count("<tr") == rows + 1, one.asked


def test_another_duckdb_gives_the_same_answers(folder: Path, copy: duckdb.DuckDBPyConnection) -> None:
    """Version 1.5.5, which knows nothing of this project: every question and every example, row for row."""
    queries = [*EXAMPLES.values(), *(one.query for one in questions()), "FROM publication"]
    ran = subprocess.run(
        [sys.executable, "-c", _ASK, str(folder / "demo/demo.published.duckdb")],
        input=json.dumps(queries),
        env={"PYTHONPATH": str(OLDER), "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    version, answers = json.loads(ran.stdout)

    assert (version, duckdb.__version__[:2]) == ("1.5.5", "2.")
    assert any(answers)
    copy.execute("SET TimeZone = 'UTC'")
    for query, answer in zip(queries, answers, strict=True):
        assert answer == sorted(map(str, copy.execute(query).fetchall())), query


@pytest.mark.parametrize("heading", ["DuckDB", "pandas", "polars"])
def test_the_ways_to_connect_do(heading: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands under the heading runs, and gives what is said under it."""
    section = (DOCS / "connect.md").read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"```python\n(.*\n)(.+)\n# (.+)\n```", section, re.DOTALL)
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}

    assert found
    exec(found[1], names)  # noqa: S102 -- this is the page's example
    assert str(eval(found[2], names)) == found[3]  # noqa: S307


def test_every_view_has_its_place_and_an_example(copy: duckdb.DuckDBPyConnection) -> None:
    """Under one subject, with a question that is about it and that a copy answers."""
    told = [name for names in SUBJECTS.values() for name in names]

    assert len(told) == len(set(told))
    assert set(told) == view_files().keys() | {macro.name for macro in macro_texts() if macro.is_table}
    for name, query in EXAMPLES.items():
        assert re.search(rf"\b{name}\b", query)
        copy.execute(query).fetchall()


def test_every_example_is_answered_to_strangers_too(folder: Path) -> None:
    """What the page in the browser offers is what its server answers."""
    pool = Pool(folder / "demo/demo.published.duckdb", Limits(), workers=1, waiting_max=100)
    asked = [pool.submit(query) for query in (*EXAMPLES.values(), *(one.query for one in questions()))]

    assert all(json.loads(answer.result().content)["columns"] for answer in asked)
    pool.close()


def test_no_column_of_whole_numbers_is_wide(copy: duckdb.DuckDBPyConnection) -> None:
    """No HUGEINT anywhere, and DOUBLE only in what is for reading: integers stay integers in pandas."""
    found = copy.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
        " AND data_type IN ('HUGEINT', 'DOUBLE', 'FLOAT')"
    ).fetchall()
    asked = [copy.sql(EXAMPLES[name]) for name in ("as_of", "known_at", "monthly_use", "refusals_by_reason")]
    asked += [copy.sql(one.query) for one in questions()]

    assert [row for row in found if not row[1].endswith("h100e")] == []
    for relation in asked:
        wide = [
            name
            for name, kind in zip(relation.columns, relation.types, strict=True)
            if str(kind) in {"HUGEINT", "DOUBLE"}
        ]
        assert [name for name in wide if not name.endswith("h100e")] == []


def test_a_copy_has_what_it_needs_and_no_more(copy: duckdb.DuckDBPyConnection) -> None:
    """Stored views are tables there, derived ones views; macros are there with comments but for those of tables."""
    tables = {name for (name,) in copy.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    views = {name for (name,) in copy.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()}
    said = dict(copy.execute("SELECT function_name, comment FROM duckdb_functions() WHERE NOT internal").fetchall())

    assert tables == {*stored_views(), "publication"}
    assert views == set(derived_views())
    assert said == {
        macro.name: macro.comment
        for macro in macro_texts()
        if macro.name not in {"figure", "rulebook_in_force", "digest_in_force"}
    }
    assert set(re.findall(r"MACRO (\w+)\(", copied_macros())) == said.keys()
    assert {"as_of", "known_at", "positions_at"} <= said.keys()
