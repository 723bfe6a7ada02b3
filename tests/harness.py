"""Real ledgers for tests: made once for each rulebook, then copied; rows go in and decisions come out as dicts."""

import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import tomli_w

from ledger.core.columns import Column
from ledger.rulebook.rulebook import Rulebook
from ledger.sequencer.answers import answer_rows
from ledger.sequencer.claiming import claim, record_run
from ledger.sequencer.desk import Desk
from ledger.sequencer.founding import found_ledger
from ledger.sequencer.importing import Asked, import_sheets
from ledger.sequencer.registering import register_sheet
from ledger.store.claims import Claim, Run
from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX, LedgerFile
from ledger.store.seeds import DEFAULT_RULEBOOK, find_rulebook, parse_rulebook
from ledger.store.sheet import Sheet

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

Row = Mapping[str, object]
Answer = dict[str, object]


def amended(**values: str) -> Rulebook:
    """Give the default rulebook with figures replaced, each given as TOML."""
    texts = dict(find_rulebook(DEFAULT_RULEBOOK).texts)
    parameters = tomllib.loads(texts["parameters.toml"])
    for name, value in values.items():
        assert name in parameters, name
        parameters[name]["value"] = tomllib.loads(f"value = {value}")["value"]
    texts["parameters.toml"] = tomli_w.dumps(parameters)
    return parse_rulebook(texts)


_FOLDER = TemporaryDirectory(prefix="quotaledger-")
"""Goes when the tests end."""


@cache
def _template(amendments: tuple[tuple[str, str], ...]) -> Path:
    path = Path(_FOLDER.name) / f"template-{_template.cache_info().currsize}.duckdb"
    found_ledger(path, amended(**dict(amendments)), "tests", NOW)
    return path


def sheet(rows: Sequence[Row], file: str = "rows") -> Sheet:
    """Make a sheet of rows given as dicts."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: Column.of([row.get(name) for row in rows]) for name in names}
    return Sheet(file, "0" * 64, len(rows), columns)


def copy_ledger(made: Path, to: Path) -> Path:
    """Copy a closed ledger with its signing key and its outside checkpoints, over whatever is there."""
    for suffix in ("", KEY_SUFFIX, OUTSIDE_SUFFIX):
        to.with_name(to.name + suffix).unlink(missing_ok=True)
        shutil.copy(made.with_name(made.name + suffix), to.with_name(to.name + suffix))
    return to


class Bench:
    """A ledger on a test's bench."""

    def __init__(self, ledger: LedgerFile) -> None:
        self.ledger = ledger

    def desk(self) -> Desk:
        """Give a desk that has read nothing yet."""
        return Desk(self.ledger, "tests", NOW)

    def report(self, report: str, period: str, run: Run | None = None, holder: str = "tests") -> Claim | None:
        """Claim a report for a period, and record what became of it, if that is given."""
        made = claim(
            self.desk(), report, period, today=NOW.date(), definition="ef" * 32, holder=holder, lease=timedelta(0)
        )
        if made and run:
            assert record_run(self.desk(), made, run)
        return made

    def register(self, register: str, *rows: Row) -> None:
        """Register rows."""
        register_sheet(self.desk(), register, sheet(rows))

    def submit(
        self, provider: str, *rows: Row, skip_invalid: bool = True, dry_run: bool = False, asked: Asked | None = None
    ) -> list[Answer]:
        """Import rows as one batch and give an answer for each, or the rejected ones alone if that fails."""
        desk = self.desk()
        result = import_sheets(desk, provider, [sheet(rows)], skip_invalid=skip_invalid, dry_run=dry_run, asked=asked)
        return list(answer_rows(desk, result, skip_invalid=skip_invalid))


@contextmanager
def bench(folder: Path, **amendments: str) -> Iterator[Bench]:
    """Give a fresh ledger under the default rulebook with figures replaced."""
    path = folder / "ledger.duckdb"
    copy_ledger(_template(tuple(sorted(amendments.items()))), path)
    with LedgerFile.open(path, NOW) as ledger:
        yield Bench(ledger)
