"""When a report is due: calendar periods in its zone, each due once, and never an instant at which something fired.

Pure: who asks says what time it is. A period is known by its days, so that a night in which clocks are set neither
skips nor doubles one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.core.errors import WrongUsage
from ledger.core.text import shown
from ledger.reporting.period import Period, parse_period, whole_period

_ENDS: Final = {
    "month": tuple((month, 1) for month in range(1, 13)),
    "quarter": ((4, 1), (7, 1), (10, 1), (1, 1)),
    "half-year": ((7, 1), (1, 1)),
    "year": ((1, 1),),
}
"""The days, as month and day, before which the periods of a kind end."""
KINDS: Final = ("day", "week", *_ENDS)
MISSED: Final = ("all", "newest")
_KEYS: Final = ("period", "at", "days_after", "zone", "missed", "since")
_DAY: Final = re.compile(r"([0-9]{2})-([0-9]{2})")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAYS_AFTER_MAX: Final = 366


@dataclass(frozen=True)
class Schedule:
    """How often a report is made: for each period, once it is over, from a time of day on in its zone."""

    period: str | tuple[str, ...]
    """A kind of calendar period, or the days `MM-DD` that are the last of one."""
    at: time = time(6)
    days_after: int = 1
    """So many days after the period's last day."""
    zone: str = "UTC"
    missed: str = "all"
    """Which of the periods that were missed are made up: all of them, the oldest first, or only the newest."""
    since: date | None = None
    """Periods that end before this day are left alone."""

    def due(self, after: datetime, now: datetime) -> Iterator[Period]:
        """Give the periods that came to be due after an instant and until now, the oldest first. Instants are UTC."""
        day = max(after.astimezone(UTC).date() - timedelta(days=self.days_after + 2), self.since or date.min)
        until = now.astimezone(UTC).date() + timedelta(days=2)
        found = [
            period
            for period in self._ending(day, until)
            if after < self.due_at(period) <= now and (self.since is None or period.last >= self.since)
        ]
        yield from found[-1:] if self.missed == "newest" else found

    def next_due(self, now: datetime) -> tuple[Period, datetime]:
        """Give the period that is due next, and the instant from which it is, UTC."""
        day = now.astimezone(UTC).date() - timedelta(days=self.days_after + 2)
        for period in self._ending(day, date.max - timedelta(days=_DAYS_AFTER_MAX + 2)):
            if (due := self.due_at(period)) > now and (self.since is None or period.last >= self.since):
                return period, due
        raise WrongUsage("the calendar ends before another period does")

    def due_at(self, period: Period) -> datetime:
        """Give the instant from which a period's report is due, UTC.

        Of a time of day that a night has twice it is the first; one that it has not is read on the clock of before.
        """
        local = datetime.combine(period.last + timedelta(days=self.days_after), self.at, ZoneInfo(self.zone))
        return local.astimezone(UTC)

    def _ending(self, first: date, until: date) -> Iterator[Period]:
        """Give the periods whose last day is between two days, in order."""
        day = first
        while day <= until:
            if period := self._that_ends(day):
                yield period
            day += timedelta(days=1)

    def _that_ends(self, last: date) -> Period | None:
        """Give the period of which a day is the last, None if it is of none."""
        if self.period == "day":
            return whole_period(last, last)
        if self.period == "week":
            return whole_period(last - timedelta(days=6), last) if last.isoweekday() == 7 else None  # noqa: PLR2004
        following = last + timedelta(days=1)
        if isinstance(self.period, tuple):
            if f"{last:%m-%d}" not in self.period:
                return None
            return whole_period(self._after_the_one_before(last), last)
        if (following.month, following.day) not in _ENDS[self.period]:
            return None
        if self.period == "half-year":
            return whole_period(date(last.year, last.month - 5, 1), last)
        named = {"month": f"{last:%Y-%m}", "quarter": f"{last.year:04}-Q{last.month // 3}", "year": f"{last.year:04}"}
        return parse_period(named[self.period])

    def _after_the_one_before(self, last: date) -> date:
        """Give the day after the last day of the period before."""
        day = last
        while f"{day - timedelta(days=1):%m-%d}" not in self.period:
            day -= timedelta(days=1)
        return day


def parse_schedule(said: Any, problems: list[str]) -> Schedule | None:
    """Read what a `[schedule]` table says; what is wrong with it is added to the problems."""
    if said is None:
        return None
    if not isinstance(said, dict):
        problems.append("schedule must be a table, [schedule]")
        return None
    faults = [f"schedule has an unknown key {key}; known are {', '.join(_KEYS)}" for key in said if key not in _KEYS]
    values = {
        "period": _period(said.get("period"), faults),
        "at": _time(said.get("at", "06:00"), faults),
        "days_after": _days_after(said.get("days_after", 1), faults),
        "zone": _zone(said.get("zone", "UTC"), faults),
        "missed": said.get("missed", "all"),
        "since": said.get("since"),
    }
    if values["missed"] not in MISSED:
        faults.append(f"schedule.missed is one of {', '.join(MISSED)}, not {shown(values['missed'])}")
    if type(values["since"]) not in (date, type(None)):
        faults.append(f"schedule.since is a day as in since = 2026-01-01, not {shown(values['since'])}")
    problems += faults
    return None if faults else Schedule(**values)


def _period(said: Any, faults: list[str]) -> str | tuple[str, ...]:
    if isinstance(said, str) and said in KINDS:
        return said
    days = said if isinstance(said, list) else []
    if days and all(isinstance(day, str) and _is_day(day) for day in days) and len(set(days)) == len(days):
        return tuple(sorted(days))
    faults.append(
        f"schedule.period is one of {', '.join(KINDS)}, or a list of the last days of each, as in"
        f' ["02-01", "08-01"], not {shown(said)}'
    )
    return "month"


def _is_day(text: str) -> bool:
    """Say if a text is a day of every year; the 29th of February is not."""
    found = _DAY.fullmatch(text)
    try:
        return bool(found and date(2025, int(found[1]), int(found[2])))
    except ValueError:
        return False


def _time(said: Any, faults: list[str]) -> time:
    found = _TIME.fullmatch(said) if isinstance(said, str) else None
    if not found:
        faults.append(f'schedule.at is a time of day as in at = "06:00", not {shown(said)}')
        return time(6)
    return time(int(found[1]), int(found[2]))


def _days_after(said: Any, faults: list[str]) -> int:
    if type(said) is not int or not 0 < said <= _DAYS_AFTER_MAX:
        faults.append(f"schedule.days_after is a whole number from 1 to {_DAYS_AFTER_MAX}, not {shown(said)}")
        return 1
    return said


def _zone(said: Any, faults: list[str]) -> str:
    try:
        return ZoneInfo(said).key
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        faults.append(f'schedule.zone is the name of a time zone as in zone = "Europe/Berlin", not {shown(said)}')
        return "UTC"
