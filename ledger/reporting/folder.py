"""A report is a folder: `report.toml` says what it is, `query.sql` what it asks, `template.html.j2` how it looks.

Reports that come with quotaledger and a user's own are read alike; every fault of a folder is named at once.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from ledger.core.errors import InputRejected, WrongUsage
from ledger.core.text import did_you_mean, nearest, visible
from ledger.reporting.schedule import Schedule, parse_schedule
from ledger.reporting.thresholds import Threshold, parse_thresholds
from ledger.store.views import view_files

FORMATS: Final = ("html", "xlsx", "csv", "parquet", "json", "md")
TEMPLATE: Final = "template.html.j2"
SUMMARY: Final = "summary.txt.j2"
_TOML, _SQL = "report.toml", "query.sql"
_TEXTS: Final = ("title", "question", "audience")
_KEYS: Final = (*_TEXTS, "care", "formats", "tables", "schedule", "parameters", "recipients", "thresholds")
_TABLE_KEYS: Final = ("title", "empty", "file", "page", "columns")
_HEADING: Final = re.compile(r"^-- (query|table|view): *(.*?) *$", re.MULTILINE)
_GIVEN: Final = ("period", "report_parameters")
"""Views that every query can read, besides those of the ledger."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.csv")
_REPORT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
_SIZE_MAX: Final = 1_000_000


@dataclass(frozen=True)
class Query:
    """A named query.

    Its rows are shown and in the files if it is a `query`; a `table`, which is worked out once, and a `view` are there
    for the queries after them alone.
    """

    name: str
    sql: str
    kind: str

    @property
    def is_shown(self) -> bool:
        """Whether its rows are shown and in the files."""
        return self.kind == "query"


@dataclass(frozen=True)
class Table:
    """What `report.toml` says of a query: its CSV file, if it has one, and what its columns are.

    `page` is false of a table that is too long for page and JSON: it is written to its file row by row.
    """

    file: str | None
    page: bool
    columns: Mapping[str, str]
    title: str = ""
    """What stands above it on a page without a template of its own."""
    empty: str = ""
    """What stands there in the place of a table without rows."""


@dataclass(frozen=True)
class Report:
    """A report, as read from its folder."""

    name: str
    title: str
    question: str
    audience: str
    formats: tuple[str, ...]
    queries: tuple[Query, ...]
    tables: Mapping[str, Table]
    texts: Mapping[str, str]
    """The templates and style sheets of the folder, by file name."""
    schedule: Schedule | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()
    """Who gets it when the scheduler has made it, as written."""
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    """By query: rows to warn of when the scheduler makes it."""
    care: tuple[str, ...] = ()
    """What the page cannot say, a sentence each; for a page without a template of its own."""


def report_names() -> list[str]:
    """Give the names of the reports that come with quotaledger."""
    return sorted(path.name for path in files("reports").iterdir() if (path / _TOML).is_file())


def find_report(name: str, own: Path | None = None) -> Report:
    """Load a report: one that comes with quotaledger, one in the folder of a user's own reports, or a folder.

    Raises WrongUsage if there is none, InputRejected if it is malformed.
    """
    if name in report_names():
        return load_report(name, files("reports") / name)
    path = own / name if own and (own / name).is_dir() else Path(name)
    path = path.parent if path.name == _TOML else path
    if not path.is_dir():
        known = ", ".join(report_names())
        hint = did_you_mean(nearest(name, report_names()))
        raise WrongUsage(
            f"there is no report {name}: it neither comes with quotaledger ({known}) nor is a folder{hint}"
        )
    return load_report(path.resolve().name, path)


def load_report(name: str, folder: Traversable) -> Report:
    """Read a report out of its folder. Raises InputRejected that names every fault."""
    problems: list[str] = []
    texts = _texts(folder, problems)
    said = _toml(texts.pop(_TOML, None), problems)
    queries = _queries(texts.pop(_SQL, None), problems)
    tables = _tables(said.get("tables", {}), queries, problems)
    formats = said.get("formats")
    if not isinstance(formats, list) or not formats or not set(map(str, formats)) <= set(FORMATS):
        problems.append(f"{_TOML}: formats must be a list of {', '.join(FORMATS)}, at least one")
    elif "csv" in formats and not any(table.file for table in tables.values()):
        problems.append(f"{_TOML}: for csv name the file of at least one query, as in [tables.NAME] file = ...")
    faults: list[str] = []
    schedule = parse_schedule(said.get("schedule"), faults)
    parameters = _parameters(said.get("parameters", {}), faults)
    on_page = [name for name, table in tables.items() if table.page]
    thresholds = parse_thresholds(said.get("thresholds", {}), on_page, faults)
    for key, what in (("care", "sentences"), ("recipients", "texts")):
        texts_of = said.get(key, [])
        if not isinstance(texts_of, list) or not all(isinstance(text, str) for text in texts_of):
            faults.append(f"{key} must be a list of {what}")
    problems += [f"{_TOML}: {fault}" for fault in faults]
    if not _REPORT_NAME.fullmatch(name):
        problems.append("the folder's name becomes that of the files; use letters, digits, points, - and _ only")
    if problems:
        raise InputRejected(f"the report {visible(name)} cannot be used: {'; '.join(map(visible, problems))}")
    stated = {key: said[key] for key in _TEXTS}
    return Report(
        name=name,
        **stated,
        formats=tuple(said["formats"]),
        queries=queries,
        tables=tables,
        texts=texts,
        schedule=schedule,
        parameters=parameters,
        recipients=tuple(said.get("recipients", ())),
        thresholds=thresholds,
        care=tuple(said.get("care", ())),
    )


def _texts(folder: Traversable, problems: list[str]) -> dict[str, str]:
    """Read the files of a report; other files in the folder are left alone."""
    texts: dict[str, str] = {}
    wanted = [path for path in folder.iterdir() if path.name in (_TOML, _SQL) or path.name.endswith((".j2", ".css"))]
    for path in sorted(wanted, key=lambda path: path.name):
        try:
            with path.open("rb") as file:
                content = file.read(_SIZE_MAX + 1)
            if len(content) > _SIZE_MAX:
                problems.append(f"{path.name} is larger than {_SIZE_MAX:,} bytes")
            texts[path.name] = content.decode("utf-8-sig").replace("\r\n", "\n")
        except OSError as error:
            problems.append(f"{path.name} cannot be read: {error.strerror or error}")
        except UnicodeDecodeError:
            problems.append(f"{path.name} is not UTF-8")
    return texts


def _toml(text: str | None, problems: list[str]) -> dict[str, Any]:
    """Give what `report.toml` says; faults of single keys are added to the problems."""
    if text is None:
        problems.append(f"there is no {_TOML}; it needs {', '.join((*_TEXTS, 'formats'))}")
        return {"formats": ["html"]}
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{_TOML} is no TOML: {error}")
        return {"formats": ["html"]}
    for key in said:
        if key not in _KEYS:
            hint = did_you_mean(nearest(key, _KEYS)) or f"; known are {', '.join(_KEYS)}"
            problems.append(f"{_TOML} has an unknown key {key}{hint}")
    blank = [key for key in _TEXTS if not isinstance(said.get(key), str) or not said[key].strip()]
    problems += [f"{_TOML}: {key} must be a text that is not blank" for key in blank]
    return said


def _queries(text: str | None, problems: list[str]) -> tuple[Query, ...]:
    """Split `query.sql` at its headings, `-- query: NAME` and `-- view: NAME`."""
    if text is None:
        problems.append(f"there is no {_SQL}; it needs a line `-- query: NAME` and a SELECT below it")
        return ()
    before, *parts = _HEADING.split(text)
    queries = [
        Query(name, sql.strip().rstrip(";"), kind)
        for kind, name, sql in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]
    names = [query.name for query in queries]
    if re.sub(r"--.*", "", before).strip():
        problems.append(f"{_SQL} has SQL above its first heading; put a line `-- query: NAME` above it")
    elif not any(query.is_shown for query in queries):
        problems.append(f"{_SQL} has no query; put a line `-- query: NAME` above a SELECT")
    for name in names:
        if not _NAME.fullmatch(name):
            problems.append(f'{_SQL}: "{name}" is no name for a query; use small letters, digits and _')
        elif name in view_files() or name in _GIVEN:
            problems.append(f"{_SQL}: there is a view {name} already; give the query another name")
    problems += [f"{_SQL} has two queries {name}" for name in sorted({n for n in names if names.count(n) > 1})]
    return tuple(queries)


def _tables(said: Any, queries: tuple[Query, ...], problems: list[str]) -> dict[str, Table]:
    """Give what is said of the queries' tables."""
    asked = [query.name for query in queries if query.is_shown]
    tables = {name: Table(None, page=True, columns={}) for name in asked}
    if not isinstance(said, dict) or not all(isinstance(table, dict) for table in said.values()):
        problems.append(f"{_TOML}: tables must be given as [tables.NAME]")
        return tables
    for name, table in said.items():
        file, page, columns = table.get("file"), table.get("page", True), table.get("columns", {})
        faults = [f"has an unknown key {key}" for key in table if key not in _TABLE_KEYS]
        if name not in asked:
            faults.append(f"is no query of {_SQL}{did_you_mean(nearest(name, asked))}")
        if file is not None and not (isinstance(file, str) and _FILE.fullmatch(file)):
            faults.append("needs a plain file name that ends in .csv, without a folder")
        if not isinstance(page, bool) or (not page and file is None):
            faults.append("has page that is neither true nor, of a table with a file, false")
        if not isinstance(columns, dict) or not all(isinstance(text, str) for text in columns.values()):
            faults.append('has columns that are not given as name = "what it is"')
        faults += [
            f"has {key} that is no text" for key in ("title", "empty") if not isinstance(table.get(key, ""), str)
        ]
        problems += [f"{_TOML}: tables.{name} {fault}" for fault in faults]
        tables[name] = Table(
            file, page=page, columns=columns, title=table.get("title", ""), empty=table.get("empty", "")
        )
    named = [table.file for table in tables.values() if table.file]
    if len(named) != len(set(named)):
        problems.append(f"{_TOML} gives two tables the same file")
    return tables


def _parameters(said: Any, problems: list[str]) -> dict[str, Any]:
    """Give the parameters of a report: a name each, and a whole number, text, day or truth value."""
    if not isinstance(said, dict):
        problems.append("parameters must be a table, [parameters]")
        return {}
    for name, value in said.items():
        if not _NAME.fullmatch(name):
            problems.append(f"parameters.{name} is no name for a parameter; use small letters, digits and _")
        if type(value) not in (int, str, date, bool):
            problems.append(f"parameters.{name} must be a whole number, a text, a day, true or false")
    return said
