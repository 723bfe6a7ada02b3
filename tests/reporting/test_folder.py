"""Report folders: those that come with quotaledger, and every mistake that one's own can have."""

import re
from datetime import date
from pathlib import Path

import pytest

from ledger.core.errors import InputRejected, WrongUsage
from ledger.reporting.environment import page_environment
from ledger.reporting.folder import FORMATS, find_report, load_report, report_names
from ledger.reporting.running import Wanted, run_report
from ledger.store.file import LedgerFile

ROOT = Path(__file__).parent.parent.parent
TODAY = date(2026, 11, 22)
TOML = 'title = "Mine"\nquestion = "To try."\naudience = "Me"\nformats = ["html", "csv", "json"]\n'
FILE = '[tables.used]\nfile = "used.csv"\n'
SQL = "-- query: used\nSELECT destination, used_tpp FROM country_positions WHERE used_tpp > 0 ORDER BY ALL\n"


def folder(place: Path, toml: str | bytes = TOML + FILE, sql: str = SQL, **texts: str) -> Path:
    made = place / "mine"
    made.mkdir()
    (made / "report.toml").write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    (made / "query.sql").write_text(sql, "utf-8")
    for name, text in texts.items():
        suffix = ".html.j2" if name == "template" else ".txt.j2"
        (made / f"{name}{suffix}").write_text(text, "utf-8")
    return made


def test_the_reports_that_come_with_quotaledger_are_good() -> None:
    """Each is a folder that can be read, in every format, with a schedule, and says what its columns are."""
    reports = [find_report(name) for name in report_names()]

    assert "country-quota" in report_names()
    for report in reports:
        assert report.formats == FORMATS, report.name
        assert report.schedule, report.name
        assert all(table.columns for table in report.tables.values() if table.file), report.name


def test_a_report_that_is_not_there_is_named_with_those_that_are() -> None:
    """A name that is neither a report nor a folder is wrong usage, with a hint."""
    with pytest.raises(
        WrongUsage, match=r'neither comes with quotaledger \(country-quota.*\) .* did you mean "country-q'
    ):
        find_report("country-quotas")


@pytest.mark.parametrize(
    ("toml", "sql", "said"),
    [
        ("title = ", SQL, "report.toml is no TOML"),
        (b"\xff", SQL, "report.toml is not UTF-8"),
        (TOML.replace('"Mine"', '" "') + FILE, SQL, "title must be a text that is not blank"),
        (TOML.replace('"Mine"', "7") + FILE, SQL, "title must be a text that is not blank"),
        (TOML + 'audiense = "x"\n' + FILE, SQL, 'unknown key audiense; did you mean "audience"?'),
        (TOML.replace('"html"', '"pdf"') + FILE, SQL, "formats must be a list of html, xlsx, csv, parquet, json, md"),
        (TOML.replace('["html", "csv", "json"]', "[]"), SQL, "formats must be a list"),
        (TOML, SQL, "for csv name the file of at least one query"),
        (TOML + "tables = 1\n", SQL, "tables must be given as [tables.NAME]"),
        (TOML + FILE.replace("used]", "usde]"), SQL, 'tables.usde is no query of query.sql; did you mean "used"?'),
        (TOML + FILE.replace("used.csv", "../used.csv"), SQL, "needs a plain file name that ends in .csv"),
        (TOML + FILE.replace("used.csv", "used.html"), SQL, "needs a plain file name that ends in .csv"),
        (TOML + FILE + "pages = true\n", SQL, "tables.used has an unknown key pages"),
        (TOML + FILE + 'page = "no"\n', SQL, "page that is neither true nor"),
        (TOML + "[tables.used]\npage = false\n", SQL, "page that is neither true nor"),
        (TOML + FILE + "columns = [1]\n", SQL, "columns that are not given as name"),
        (TOML + FILE, "SELECT 1", "SQL above its first heading"),
        (TOML + FILE, "", "query.sql has no query"),
        (TOML + FILE, SQL.replace("query:", "view:"), "query.sql has no query"),
        (TOML + FILE, SQL + "-- query: Not So\nSELECT 1", '"Not So" is no name for a query'),
        (TOML + FILE, SQL + "-- query: decisions\nSELECT 1", "there is a view decisions already"),
        (TOML + FILE, SQL + "-- view: period\nSELECT 1", "there is a view period already"),
        (TOML + FILE, SQL + SQL, "query.sql has two queries used"),
        (TOML + FILE + '[tables.b]\nfile = "used.csv"', SQL + "-- query: b\nSELECT 1 AS b", "two tables the same file"),
    ],
)
def test_every_mistake_of_a_folder_is_named(toml: str | bytes, sql: str, said: str, tmp_path: Path) -> None:
    """A folder that cannot be used is rejected with what is wrong and what is right, on one line."""
    with pytest.raises(InputRejected) as rejected:
        find_report(str(folder(tmp_path, toml, sql)))

    assert said in str(rejected.value)
    assert "\n" not in str(rejected.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    """An empty folder says both files that it needs, and what they need."""
    with pytest.raises(InputRejected, match=r"no report.toml; it needs title.*no query.sql; it needs a line"):
        load_report("mine", tmp_path)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT", "the query used cannot be answered: Parser Error"),
        ("SELECT nothing FROM decisions", 'Referenced column "nothing" not found'),
        ("SELECT 1 AS a; SELECT 2 AS a", "the query used must be one SELECT"),
        ("DELETE FROM entry", "the query used must be one SELECT"),
        ("COPY decisions TO 'out.csv'", "the query used must be one SELECT"),
        ("SET threads = 1", "the query used must be one SELECT"),
        ("FROM read_csv('/etc/passwd')", "disabled"),
        ("SELECT 1 AS a, 2 AS a", "gives two columns a"),
        ("SELECT 'x'::INTEGER AS a", "Could not convert"),
    ],
)
def test_a_query_that_does_not_run_is_named(sql: str, said: str, tmp_path: Path, sample: LedgerFile) -> None:
    """A query asks and does nothing else; its mistake is told with its name, and no file is written."""
    report = find_report(str(folder(tmp_path, sql=f"-- query: used\n{sql}\n")))
    with pytest.raises(InputRejected) as rejected:
        run_report(sample, report, Wanted(TODAY), tmp_path / "out")

    assert said in str(rejected.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% if %}", "mistake in template.html.j2, line 1: Expected an expression"),
        ("\n\n{{ nothing }}", "mistake in template.html.j2, line 3: 'nothing' is undefined"),
        ("{{ rows.used|frobnicate }}", "No filter named 'frobnicate'"),
        ("{{ 1 / 0 }}", "mistake in template.html.j2, line 1: division by zero"),
        ("{{ rows.used.nothing }}", "has no attribute 'nothing'"),
        ("{% include 'nowhere.j2' %}", "nowhere.j2"),
        ("{% include '../mine/report.toml' %}", "report.toml"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ rows.clear() }}", "unsafe"),
    ],
)
def test_a_mistake_in_a_template_is_named(text: str, said: str, tmp_path: Path, sample: LedgerFile) -> None:
    """A template reaches what it is given and nothing else; its mistake is told with its line, and no file written."""
    report = find_report(str(folder(tmp_path, template=text)))
    with pytest.raises(InputRejected) as rejected:
        run_report(sample, report, Wanted(TODAY), tmp_path / "out")

    assert said in str(rejected.value)
    assert not (tmp_path / "out").exists()


def test_columns_are_those_that_the_folder_says(tmp_path: Path, sample: LedgerFile) -> None:
    """Where the columns of a table are told, the query must give these, in this order."""
    columns = '[tables.used.columns]\nused_tpp = "used"\ndestination = "where"\n'
    report = find_report(str(folder(tmp_path, TOML + FILE + columns)))

    with pytest.raises(
        InputRejected, match=r"gives the columns destination, used_tpp, but report\.toml says used_tpp, d"
    ):
        run_report(sample, report, Wanted(TODAY), tmp_path / "out")


def test_the_folder_on_the_page_works(tmp_path: Path, sample: LedgerFile) -> None:
    """The example of `docs/reports.md`, as it stands there, gives a page, a table and JSON."""
    said = (ROOT / "docs/reports.md").read_text("utf-8")
    toml, sql = (
        re.search(rf"^(    {start}.*\n(?:    .*\n|\n)*)", said, re.MULTILINE) for start in ("title", "-- query")
    )
    assert toml
    assert sql
    made = tmp_path / "largest"
    made.mkdir()
    for name, block in (("report.toml", toml), ("query.sql", sql)):
        (made / name).write_text(re.sub(r"^    ", "", block[1], flags=re.MULTILINE), "utf-8")
    files = run_report(sample, find_report(str(made)), Wanted(TODAY, "2025"), tmp_path / "out").files
    rows = (tmp_path / "out" / "largest.csv").read_text("utf-8").splitlines()
    ((requests,),) = sample.rows("SELECT count(*) FROM decisions WHERE kind = 'allocation' AND year(date) = 2025")

    assert [path.name for path in files] == ["largest.html", "largest.csv", "largest.json"]
    assert len(rows) == 1 + requests
    assert "<caption" in (tmp_path / "out" / "largest.html").read_text("utf-8")


def test_a_report_of_ones_own_says_its_sentences(tmp_path: Path, sample: LedgerFile) -> None:
    """The lines of the summary are the report's first sentences, in plain text; the page escapes them."""
    made = folder(
        tmp_path, summary="{% for row in rows.used[:1] %}\n  <b>{{ row.destination }}</b> & more\n{% endfor %}"
    )
    summary = run_report(sample, find_report(str(made)), Wanted(TODAY), tmp_path / "out").summary

    assert summary == ["<b>AE</b> & more"]
    assert "&lt;b&gt;AE&lt;/b&gt; &amp; more" in (tmp_path / "out" / "mine.html").read_text("utf-8")


def test_what_templates_may_use_is_documented() -> None:
    """Every filter and function of pages stands on the page about reports."""
    plain = page_environment(1, {}).from_string("").environment
    own = set(plain.filters) - set(type(plain)().filters) | set(plain.globals) - set(type(plain)().globals)
    said = (ROOT / "docs/reports.md").read_text("utf-8")

    assert own
    assert not [name for name in own if f"`{name}`" not in said and f"`{name}(" not in said]
