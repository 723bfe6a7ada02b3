"""What an import does is done for all of its rows at once: statements and Python's work hardly grow with them.

Nothing is timed. Counted are the statements that the connection and its cursors are given, the objects alive while
they run, and the calls of Python functions.
"""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, cast

import duckdb
import pytest

from ledger.sequencer.importing import import_sheets, record_sheet
from ledger.sequencer.registering import register_file, register_sheet
from tests.benchmarks.workload import figures, write_csv, write_parties, write_records
from tests.harness import bench

FEW, SOME, MANY = 10, 1_000, 10_000
NAMING = 0.5
"""Half of the deliveries, a tenth of the rows: these are decided one by one, the others as columns."""
STATEMENTS_MORE = 10
"""What more rows may take: the statements for things of which a few rows have none."""
BLOCKS_A_ROW = 6
"""About 3 as this is written, one of them the text of the reference; an entry has more than 50 columns."""
CALLS_A_ROW = {"parquet": 30, "csv": 60}
"""About 21 and 40 as this is written: CSV is read row by row."""


@dataclass
class Counted:
    """A connection that counts what it is asked to do, also through its cursors."""

    connection: duckdb.DuckDBPyConnection
    statements: list[str] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    """Memory blocks of Python's that were in use then: about one an object."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.connection, name)
        if not callable(found):
            return found

        def asked(*arguments: Any, **named: Any) -> Any:
            self.blocks.append(sys.getallocatedblocks())
            if name == "executemany":  # a statement for each row of parameters
                self.statements += [str(arguments[0])] * len(arguments[1])
            elif name not in ("fetchall", "fetchone", "cursor", "close"):
                self.statements.append(getattr(arguments[0], "query", str(arguments[0])))
            result = found(*arguments, **named)
            if name == "cursor":
                return Counted(result, self.statements, self.blocks)
            return self if result is self.connection else result

        return asked


@dataclass(frozen=True)
class Cost:
    """What an import of some rows took."""

    statements: list[str]
    blocks: int
    calls: int


def _cost(folder: Path, rows: int, form: str, *, counting_calls: bool = False) -> Cost:
    """Import a file of so many rows into a ledger that has the parties, and count what that takes."""
    folder.mkdir()
    file, parties = folder / "records.parquet", folder / "parties.csv"
    write_records(file, rows, 0, NAMING)
    if form == "csv":
        write_csv(file, file := folder / "records.csv")
    write_parties(parties)
    content = file.read_bytes()
    with bench(folder, **figures(rows, refused=True)) as made:
        desk = made.desk()
        register_sheet(desk, "parties", register_file("parties", parties.name, parties.read_bytes()))
        counted = Counted(made.ledger.connection)
        made.ledger.connection = cast("duckdb.DuckDBPyConnection", counted)
        before = sys.getallocatedblocks()
        with _calls(counting=counting_calls) as calls:
            result = import_sheets(desk, "tests", [record_sheet(file.name, content)])
        made.ledger.connection = counted.connection
        assert sum(result.counts.values()) == rows
        return Cost(counted.statements, max(counted.blocks) - before, len(calls))


@contextmanager
def _calls(*, counting: bool) -> Iterator[list[None]]:
    """Count the calls of functions, Python's and others, in this thread and those that it starts."""
    calls: list[None] = []

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call"):
            calls.append(None)

    if counting:
        threading.setprofile(count)
        sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@pytest.mark.parametrize("form", CALLS_A_ROW)
def test_statements_do_not_grow_with_the_rows(form: str, tmp_path: Path) -> None:
    """An import of 10,000 records takes the statements that one of 10 takes, and a few more at most."""
    few, many = (_cost(tmp_path / str(rows), rows, form).statements for rows in (FEW, MANY))

    assert few
    assert len(many) <= len(few) + STATEMENTS_MORE, Counter(many).most_common(3)


@pytest.mark.parametrize("form", CALLS_A_ROW)
def test_rows_are_no_python_objects(form: str, tmp_path: Path) -> None:
    """While statements run, a few objects of Python's a row are alive, and none for each of an entry's columns."""
    blocks = _cost(tmp_path / "many", MANY, form).blocks

    assert 0 < blocks < MANY * BLOCKS_A_ROW


@pytest.mark.parametrize("form", CALLS_A_ROW)
def test_rows_are_not_gone_through_again_and_again(form: str, tmp_path: Path) -> None:
    """Each more row takes a few calls of functions: what is done a row, is done for the values that differ."""
    some, many = (_cost(tmp_path / str(rows), rows, form, counting_calls=True).calls for rows in (SOME, MANY))

    assert 0 < many - some < (MANY - SOME) * CALLS_A_ROW[form]
