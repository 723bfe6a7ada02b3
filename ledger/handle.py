"""What `ledger.open` gives: questions in Python, answered in tables of Arrow or pandas; nothing can be recorded.

An entry point like the command, apart from it because it prints nothing and raises what the command would say.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from os import PathLike
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Final, Self

from ledger.core.dates import parse_date
from ledger.core.errors import WrongUsage
from ledger.core.text import did_you_mean, nearest, shown, visible
from ledger.sequencer.desk import Desk
from ledger.sequencer.positions import VIEWS, status
from ledger.store.analyst import ask_table
from ledger.store.file import LedgerFile
from ledger.store.frames import check_frames, framed, view_table
from ledger.store.seeds import country_names
from schemas.words import LIMIT_IDS, Basis, Kind, Outcome, word

_TURN: Final = Lock()
"""DuckDB keeps one instance of a file in a process, whoever opened it: threads take turns."""

_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "destination": tuple(country_names()),
    "kind": tuple(word(kind) for kind in Kind),
    "basis": tuple(word(basis) for basis in Basis if basis is not Basis.NONE),
    "outcome": tuple(word(outcome) for outcome in Outcome if outcome is not Outcome.REJECTED),
    "limit_id": LIMIT_IDS,
}
"""The columns of decisions that hold nothing but these; what is rejected is not recorded."""

_TOLD_MAX: Final = 12

Words = str | Iterable[str] | None
"""What a filter takes: one value, or several of which any will do."""


class Handle:
    """A ledger to ask. Its file is open for the length of a call only: a handle that is kept holds nobody up.

    Every method raises WrongUsage for what cannot be asked, LedgerUnavailable while another process writes, and
    QuotaledgerError for a file that is damaged.
    """

    def __init__(self, path: str | PathLike[str], frames: str = "arrow") -> None:
        check_frames(frames)
        self.path = Path(path).absolute()
        self.frames = frames
        self._closed = False
        with self._opened():  # a wrong path is told at once
            pass

    def sql(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
        """Give the rows of a query on the views, with `?` or `$name` standing for parameters."""
        if isinstance(parameters, str):
            raise WrongUsage(f"parameters are a list or a dict, not the text {shown(parameters)} alone")
        with self._turn():
            return framed(ask_table(self.path, query, parameters), self.frames)

    def decisions(
        self,
        *,
        provider: Words = None,
        kind: Words = None,
        destination: Words = None,
        consignee: Words = None,
        family: Words = None,
        chip: Words = None,
        basis: Words = None,
        outcome: Words = None,
        limit_id: Words = None,
        date_from: date | str | None = None,
        date_to: date | str | None = None,
    ) -> Any:
        """Give the rows of the view `decisions` that pass every filter given, in order; both days are included."""
        words = {
            "provider": provider,
            "kind": kind,
            "destination": destination,
            "consignee": consignee,
            "family": family,
            "chip": chip,
            "basis": basis,
            "outcome": outcome,
            "limit_id": limit_id,
        }
        days = {"date >= ?": ("date_from", date_from), "date <= ?": ("date_to", date_to)}
        filters: dict[str, Any] = {
            f"list_contains(?::VARCHAR[], {column})": _listed(column, given)
            for column, given in words.items()
            if given is not None
        }
        filters |= {test: _day(name, given) for test, (name, given) in days.items() if given is not None}
        where = " AND ".join(filters) or "true"
        return self.sql(f"SELECT * FROM decisions WHERE {where} ORDER BY sequence", list(filters.values()))

    def status(
        self, *, country: str | None = None, family: str | None = None, as_of: date | str | None = None
    ) -> dict[str, Any]:
        """Give what `quotaledger status --format json` gives, with a table for each list of it."""
        day = None if as_of is None else _day("as_of", as_of)
        with self._opened() as ledger:
            found = status(Desk(ledger, "", datetime.now(UTC)), country, family, day)
            tables = {name: view_table(ledger.connection, view, found[name]) for name, view in VIEWS.items()}
        return found | {name: framed(table, self.frames) for name, table in tables.items()}

    def close(self) -> None:
        """Answer nothing more. The file is not held between calls anyway."""
        self._closed = True

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._closed:
            raise WrongUsage(f"this handle on {self.path} is closed; get another with ledger.open")
        with _TURN:
            yield

    @contextmanager
    def _opened(self) -> Iterator[LedgerFile]:
        with self._turn(), LedgerFile.open(self.path) as ledger:
            yield ledger

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ledger at {visible(str(self.path))}, read-only, in {self.frames} tables>"


def _listed(column: str, words: Any) -> list[str]:
    """Give the values that a filter lets pass. Raises WrongUsage for one that no decision can have."""
    if not isinstance(words, Iterable):
        raise WrongUsage(f"{column} takes a text or several, not {shown(words)}")
    listed = [words] if isinstance(words, str) else [str(value) for value in words]
    known = _WORDS.get(column, listed)
    for value in listed:
        if value not in known:
            said = f": it is {', '.join(known)}" if len(known) <= _TOLD_MAX else ""
            raise WrongUsage(f"no decision has the {column} {shown(value)}{said}{did_you_mean(nearest(value, known))}")
    return listed


def _day(name: str, day: Any) -> date:
    """Give a day that may be written `YYYY-MM-DD`. Raises WrongUsage for what is none."""
    if isinstance(day, datetime):
        return day.date()
    if isinstance(day, date):
        return day
    try:
        return date.fromordinal(parse_date(day))
    except (TypeError, ValueError):
        raise WrongUsage(f"{name} takes a day as YYYY-MM-DD, not {shown(day)}") from None
