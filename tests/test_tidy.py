"""House rules that matter, held as tests."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from ledger.sequencer.positions import VIEWS
from ledger.store.views import body, view_files
from tests.harness import bench

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*(ROOT / "ledger").rglob("*.py"), *(ROOT / "schemas").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LINES_MAX, FUNCTION_LINES_MAX = 400, 70


def _named(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("name", _named([*SOURCES, *TESTS]))
def test_modules_and_functions_fit_a_reader(name: str) -> None:
    """No module of the ledger is longer than 400 lines, no function anywhere longer than 70."""
    text = (ROOT / name).read_text("utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES_MAX]

    assert not long
    assert name.startswith("tests/") or text.count("\n") <= LINES_MAX


@pytest.mark.parametrize("name", _named([path for path in TESTS if path.name.startswith("test_")]))
def test_every_test_says_what_should_be_and_asserts_it(name: str) -> None:
    """A test has a docstring sentence and asserts something; none is skipped and none sleeps."""
    text = (ROOT / name).read_text("utf-8")
    tests = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]

    assert all((ast.get_docstring(node) or "").endswith(".") for node in tests)
    assert all("assert" in ast.unparse(node) or "raises" in ast.unparse(node) for node in tests if not _delegates(node))
    assert (
        not re.search(r"pytest\.mark\.(skip|xfail)|pytest\.skip\(|time\.sleep\(", text.replace(name, ""))
        or "tidy" in name
    )


def _delegates(node: ast.FunctionDef) -> bool:
    """Say if a test leaves asserting to a helper that says so in its name."""
    return bool(re.search(r"\b_?(check|assert|expect|run)\w*\(", ast.unparse(node)))


@pytest.mark.parametrize("name", _named(SOURCES))
def test_no_legal_number_stands_in_code(name: str) -> None:
    """Figures of the law are in rulebooks only: none of them is a literal in code."""
    parameters = tomllib.loads((ROOT / "seeds/rulebooks/bis-ai-diffusion-2025/parameters.toml").read_text("utf-8"))
    legal = {
        value
        for parameter in parameters.values()
        for value in (parameter["value"].values() if isinstance(parameter["value"], dict) else [parameter["value"]])
        if isinstance(value, int) and value > 1000
    }
    literals = {
        node.value for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))) if isinstance(node, ast.Constant)
    }

    assert legal
    assert not {value for value in literals if isinstance(value, int)} & legal


@pytest.mark.parametrize("name", _named([path for path in SOURCES if path.parent.name not in ("store", "sandbox")]))
def test_ledger_tables_are_written_in_one_place(name: str) -> None:
    """No SQL outside the store inserts, updates or deletes, and none of it knows duckdb, sqlite3 or pyarrow.

    The verifier that is copied into exports keeps what it has seen in a temporary file of SQLite's. The processes of
    the sandbox have nothing but a copy, opened for reading.
    """
    tree = ast.parse((ROOT / name).read_text("utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]

    assert not [text for text in texts if re.search(r"\b(INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b", text)]
    kept = ("duckdb", "pyarrow") if name.startswith("ledger/standalone") else ("duckdb", "sqlite3", "pyarrow")
    assert not [module for module in modules if module and module.split(".")[0] in kept]


def test_insert_stands_in_one_place() -> None:
    """INSERT stands in `insert`, for derived balances in `contributions`, for migrations in `schema`.

    The keys of `access`, the log of `queries`, the deliveries of `outbox` and the `alerts` are in a store of their own,
    and nothing of the ledger; nor is the copy that `publishing` writes.
    """
    found = {
        path.name for path in (ROOT / "ledger").rglob("*.py") if re.search(r"\bINSERT INTO\b", path.read_text("utf-8"))
    }

    theirs = {"access.py", "queries.py", "outbox.py", "alerts.py", "publishing.py"}
    assert found == theirs | {"insert.py", "contributions.py", "schema.py"}


def test_sums_in_views_are_cast(tmp_path: Path) -> None:
    """A sum of BIGINT is HUGEINT in DuckDB, which pandas reads as a float: no view gives one."""
    with bench(tmp_path) as made:
        wide = made.ledger.rows(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE data_type = 'HUGEINT' AND NOT internal"
        )

    assert view_files()
    assert wide == []


def test_lock_and_pages_name_no_index_and_no_machine() -> None:
    """The lock file and the pages name no package index, no host of one, and no path of a machine."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pages = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "ledger/README.md",
        ROOT / "seeds/README.md",
    ]
    said = "\n".join(path.read_text("utf-8") for path in pages)

    assert "://" not in lock
    assert not re.search(r"(^|\s)/(?!$)\w+", re.sub(r"#.*", "", lock))
    assert not re.search(r"(?<![\w.])/(work|root|home|Users|tmp)/|pypi[.]|index[-]url", said)


def test_position_views_stand_alone() -> None:
    """A status as of a day shadows the tables that a view reads, which does not reach into views that it reads."""
    queries = {name: body(text) for name, text in view_files().items()}
    moving = {name for name, query in queries.items() if re.search(r"\b(FROM|JOIN)\s+(head|balance|entry)\b", query)}
    reaching = {
        (view, other)
        for view in VIEWS.values()
        for other in moving
        if re.search(rf"\b(FROM|JOIN)\s+{other}\b", queries[view])
    }

    assert set(VIEWS.values()) <= moving
    assert reaching == set()
