"""Rows as a file in the answer: CSV, NDJSON, Parquet or Arrow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse

from ledger.api.problems import NotAcceptable
from ledger.store.outputs import write_rows

_AT_ONCE: Final = 50_000


class FileFormat(StrEnum):
    """What rows can be written as."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    ARROW = "arrow"


_TYPES: Final = {
    FileFormat.CSV: "text/csv",
    FileFormat.NDJSON: "application/x-ndjson",
    FileFormat.PARQUET: "application/vnd.apache.parquet",
    FileFormat.ARROW: "application/vnd.apache.arrow.stream",
}


def chosen(request: Request, form: FileFormat | None) -> FileFormat | None:
    """Give the format that was asked for by name, or by `Accept`; None for JSON. Raises NotAcceptable."""
    if form:
        return form
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")]
    for kind in accepted:
        if kind in ("application/json", "application/*", "*/*", ""):
            return None
        for named, media in _TYPES.items():
            if kind == media:
                return named
    raise NotAcceptable(f"decisions are written as application/json, {', '.join(_TYPES.values())}")


def as_file(
    form: FileFormat, columns: Sequence[str], page: Callable[[int, int], Sequence[Mapping[str, Any]]]
) -> FileResponse:
    """Answer with all rows as a file; `page` gives so many rows from behind one."""
    folder = Path(mkdtemp(prefix="quotaledger-"))
    try:
        path = folder / f"decisions.{form}"
        write_rows(path, columns, _rows(columns, page))
    except BaseException:
        rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        path, media_type=_TYPES[form], filename=path.name, background=BackgroundTask(rmtree, folder, ignore_errors=True)
    )


def _rows(columns: Sequence[str], page: Callable[[int, int], Sequence[Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    after = 0
    while rows := page(after, _AT_ONCE):
        for row in rows:
            yield {name: row.get(name) for name in columns}
        after = rows[-1]["row"]
