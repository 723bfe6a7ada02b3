"""The files of a report: one function a format, each giving what writes its files."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.reporting.folder import Query, Report
from ledger.reporting.pages import page, rendered
from ledger.store.outputs import plain, write_csv, write_parquet
from ledger.store.snapshot import Snapshot

Writer = Callable[[Path], object]
"""Writes one file at a path."""


@dataclass(frozen=True)
class Answered:
    """A report whose queries are answered, and what its pages may say."""

    report: Report
    views: Snapshot
    """On which what is too long for a page is asked while it is written."""
    context: Mapping[str, Any]
    """What templates may use: docs/reports.md."""

    @property
    def shown(self) -> Iterable[tuple[Query, str]]:
        """The queries whose rows have a file of their own, each with that file's name without suffix."""
        for query in self.report.queries:
            file = self.report.tables[query.name].file if query.is_shown else None
            if file:
                yield query, file.removesuffix(".csv")


def writers(answered: Answered) -> dict[str, Writer]:
    """Give the files of a report's formats by name, each with what writes it."""
    found: dict[str, Writer] = {}
    for form in answered.report.formats:
        found |= _FORMATS[form](answered)
    return found


def _html(answered: Answered) -> dict[str, Writer]:
    text = page(answered.report, answered.context)
    return {f"{answered.report.name}.html": lambda path: path.write_text(text, "utf-8", newline="")}


def _json(answered: Answered) -> dict[str, Writer]:
    text = json.dumps(plain(_document(answered)), ensure_ascii=False, indent=1) + "\n"
    return {f"{answered.report.name}.json": lambda path: path.write_text(text, "utf-8", newline="")}


def _document(answered: Answered) -> dict[str, Any]:
    """Give what the page shows, and what it was made from."""
    report, context = answered.report, answered.context
    rulebook, period = context["rulebook"], context["period"]
    return {
        "report": report.name,
        "title": report.title,
        "question": report.question,
        "audience": report.audience,
        "period": {"first": period.first, "last": period.last},
        "today": context["today"],
        "parameters": dict(context["parameters"]),
        "ledger": {
            name: list(value) if isinstance(value, tuple) else value for name, value in context["ledger"].items()
        },
        "rulebook": {"id": rulebook.id, "digest": rulebook.digest, "status": rulebook.status},
        "made_by": context["command"],
        "summary": context["summary"],
        "columns": {name: dict(table.columns) for name, table in report.tables.items() if table.columns},
        "tables": context["rows"],
    }


def _csv(answered: Answered) -> dict[str, Writer]:
    return {f"{stem}.csv": _table_writer(answered, query) for query, stem in answered.shown}


def _table_writer(answered: Answered, query: Query) -> Writer:
    """Give what writes a table row by row, so that it may be of any length."""

    def write(path: Path) -> None:
        columns, rows = answered.views.ask(query.name, f"FROM {query.name}")
        with path.open("w", encoding="utf-8", newline="") as file:
            write_csv(file, columns, rows)

    return write


def _parquet(answered: Answered) -> dict[str, Writer]:
    def writer(name: str) -> Writer:
        return lambda path: write_parquet(path, answered.views.reader(name, f"FROM {name}"))

    return {f"{stem}.parquet": writer(query.name) for query, stem in answered.shown}


def _xlsx(answered: Answered) -> dict[str, Writer]:
    def write(path: Path) -> None:
        from ledger.reporting.workbook import write_workbook  # noqa: PLC0415 -- few reports are workbooks

        file = next((form for form in ("csv", "parquet") if form in answered.report.formats), None)
        write_workbook(path, _about(answered), _sheets(answered), file)

    return {f"{answered.report.name}.xlsx": write}


def _sheets(answered: Answered) -> Iterator[tuple[str, Sequence[str], Iterable[dict[str, Any]]]]:
    """Give the tables one after another: each is asked when the one before is written."""
    for query, stem in answered.shown:
        yield (stem, *answered.views.ask(query.name, f"FROM {query.name}"))


def _about(answered: Answered) -> dict[str, str]:
    """Give what a workbook is and what it was made from."""
    report, context = answered.report, answered.context
    checkpoint = context["ledger"]["checkpoint"]
    return {
        "Title": report.title,
        "Question": report.question,
        "Audience": report.audience,
        **{f"In short {number}": sentence for number, sentence in enumerate(context["summary"], 1)},
        "Period": context["period"].words,
        "Day of this page": context["today"].isoformat(),
        "Rulebook": f"{context['rulebook'].id}, {context['rulebook'].digest}",
        "Checkpoint": f"{checkpoint['leaves']} leaves, root {checkpoint['root']}",
        "Make it again": context["command"],
    }


def _markdown(answered: Answered) -> dict[str, Writer]:
    text = rendered(answered.report, "tables.md.j2", answered.context)
    return {f"{answered.report.name}.md": lambda path: path.write_text(text, "utf-8", newline="")}


_FORMATS: Final[Mapping[str, Callable[[Answered], dict[str, Writer]]]] = {
    "html": _html,
    "xlsx": _xlsx,
    "csv": _csv,
    "parquet": _parquet,
    "json": _json,
    "md": _markdown,
}
"""What makes the files of each format that `report.toml` can name."""
