"""The same records through the ledger, PostgreSQL and SQLite, one at a time and in batches, durable in each.

The others keep a table that is only appended to, and one limit: they show what a commit and a locked balance cost
there, not what a ledger of theirs would cost that validates, tests every limit, hashes and signs.
"""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from ledger.core.columns import Column
from ledger.sequencer.desk import Desk
from ledger.sequencer.importing import import_sheets
from ledger.store.file import LedgerFile
from ledger.store.sheet import Sheet
from tests.benchmarks import measures, postgres
from tests.benchmarks.postgres import Record
from tests.benchmarks.results import Result, not_measured, progress
from tests.benchmarks.workload import figures, write_records

FIELDS: Final = ("reference", "kind", "date", "destination", "consignee", "chip", "quantity")
_SQLITE_SQL: Final = Path(__file__).with_name("sqlite.sql")
WITHOUT_POSTGRES: Final = "no PostgreSQL here"


@dataclass(frozen=True)
class Work:
    """The records that each gets: some to begin with, some one at a time, then batches of so many."""

    file: Path
    warm: int = 20
    singles: int = 1_000
    batches: int = 50
    batch: int = 1_000

    @property
    def rows(self) -> int:
        """How many records that is."""
        return self.warm + self.singles + self.batches * self.batch

    def records(self) -> tuple[list[Record], list[list[Record]]]:
        """Give those that are sent one at a time, the first ones among them, and the batches."""
        columns = pq.read_table(self.file).select(FIELDS).to_pydict()
        columns["date"] = [day.isoformat() for day in columns["date"]]
        records: list[Record] = list(zip(*columns.values(), strict=True))
        first = self.warm + self.singles
        return records[:first], [records[start : start + self.batch] for start in range(first, self.rows, self.batch)]


@dataclass(frozen=True)
class Rates:
    """Records a second, one at a time and in batches; and how many were refused of all."""

    who: str
    singles: float
    batches: float
    refused: int


def measure_others(folder: Path, work: Work | None = None) -> list[Result]:
    """Measure what each does with the same records, beside what the ledger does."""
    work = work or Work(folder / "others.parquet")
    measures.apart(write_records, work.file, work.rows, 0)
    progress("the same records through the ledger, SQLite and PostgreSQL")
    ours: Rates = measures.apart(through_ledger, folder / "others.duckdb", work)
    chips, countries = measures.apart(_registers, folder / "others.duckdb")
    found: list[Rates] = [measures.apart(through_sqlite, folder / "others.sqlite", work, chips, countries)]
    why = WITHOUT_POSTGRES
    programs = postgres.find_programs()
    if programs:
        try:
            found.append(measures.apart(through_postgres, programs, work, chips, countries))
        except postgres.NotServed as error:
            why = str(error)
    ways = (("one at a time, durable", "singles"), (f"in batches of {work.batch:,}", "batches"))
    results = [Result(f"{ours.who}, {said}", getattr(ours, way), "records/s") for said, way in ways]
    results += [
        Result(f"{rates.who}, {said}", getattr(rates, way), "records/s", getattr(ours, way), base="the ledger's")
        for rates in found
        for said, way in ways
    ]
    if len(found) == 1:
        results += [not_measured(f"PostgreSQL, {said}", why) for said, _ in ways]
    return results


def through_ledger(path: Path, work: Work) -> Rates:
    """Send the records through a ledger, in process."""
    measures.found(path, figures(work.rows, refused=True))
    records, batches = work.records()
    now = datetime.now(UTC)
    refused = 0
    with LedgerFile.open(path, now) as ledger:
        desk = Desk(ledger, measures.PROVIDER, now)

        def send(sent: Sequence[Record]) -> float:
            nonlocal refused
            texts = zip(*((*record[:-1], str(record[-1])) for record in sent), strict=True)
            columns = {name: Column.of(values) for name, values in zip(FIELDS, texts, strict=True)}
            start = time.perf_counter()
            result = import_sheets(desk, measures.PROVIDER, [Sheet("sent", "0" * 64, len(sent), columns)])
            spent = time.perf_counter() - start
            refused += result.counts["refused"]
            return spent

        spent = [send([record]) for record in records]
        batched = [send(batch) for batch in batches]
    return _rates("quotaledger", work, sum(spent[work.warm :]), sum(batched), refused)


def through_sqlite(path: Path, work: Work, chips: dict[str, int], countries: list[str]) -> Rates:
    """Send them through SQLite, in process, every commit synced."""
    path.unlink(missing_ok=True)
    records, batches = work.records()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SQLITE_SQL.read_text("utf-8"))
        connection.executemany("INSERT INTO chip VALUES (?, ?)", chips.items())
        cap = int(figures(work.rows, refused=True)["country_cap_tpp"])
        connection.executemany("INSERT INTO balance (country, cap) VALUES (?, ?)", [(name, cap) for name in countries])
        said: list[str] = []

        def send(sent: Sequence[Record]) -> float:
            start = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            said.extend([_decide(connection, record) for record in sent])
            connection.execute("COMMIT")
            return time.perf_counter() - start

        spent = [send([record]) for record in records]
        batched = [send(batch) for batch in batches]
    return _rates(
        f"SQLite {sqlite3.sqlite_version}", work, sum(spent[work.warm :]), sum(batched), said.count("refused")
    )


def _decide(connection: sqlite3.Connection, record: Record) -> str:
    """Decide a record as the function in PostgreSQL does, under the lock that the transaction has."""
    reference, kind, _, destination, _, chip, quantity = record
    (tpp,) = connection.execute("SELECT tpp FROM chip WHERE chip = ?", (chip,)).fetchone()
    cap, allocated = connection.execute(
        "SELECT cap, allocated FROM balance WHERE country = ?", (destination,)
    ).fetchone()
    known = "SELECT 1 FROM entry WHERE provider = ? AND reference = ?"
    if connection.execute(known, (measures.PROVIDER, reference)).fetchone():
        return "duplicate"
    asked, said = tpp * quantity, "admitted"
    if kind == "delivery":
        connection.execute("UPDATE balance SET delivered = delivered + ? WHERE country = ?", (asked, destination))
    elif allocated + asked > cap:
        said = "refused"
    else:
        allocated += asked
        connection.execute("UPDATE balance SET allocated = ? WHERE country = ?", (allocated, destination))
    connection.execute(
        "INSERT INTO entry (provider, reference, kind, date, destination, consignee, chip, quantity, tpp, outcome,"
        " remaining) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (measures.PROVIDER, *record, asked, said, cap - allocated),
    )
    return said


def through_postgres(programs: Path, work: Work, chips: dict[str, int], countries: list[str]) -> Rates:
    """Send them through a server of PostgreSQL on this machine, over its socket."""
    records, batches = work.records()
    cap = int(figures(work.rows, refused=True)["country_cap_tpp"])
    with postgres.serving(programs) as server:
        server.prepare(chips, countries, cap)
        spent, said = server.one_by_one(measures.PROVIDER, records, work.warm)
        batched, more = server.in_batches(measures.PROVIDER, batches)
        assert len(said) + len(more) == work.rows == int(server.run("SELECT count(*) FROM entry;"))
        return _rates(f"PostgreSQL {server.version}", work, spent, batched, [*said, *more].count("refused"))


def _registers(path: Path) -> tuple[dict[str, int], list[str]]:
    """Give the chips that the ledger knows with their TPP, and all countries."""
    with LedgerFile.open(path) as ledger:
        chips = dict(ledger.rows("SELECT chip, tpp FROM chips"))
        return chips, [country for (country,) in ledger.rows("SELECT country FROM country GROUP BY country")]


def _rates(who: str, work: Work, singles: float, batches: float, refused: int) -> Rates:
    return Rates(who, work.singles / singles, work.batches * work.batch / batches, refused)
