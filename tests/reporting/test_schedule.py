"""When reports are due: every period once, whatever clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.reporting.schedule import Schedule, parse_schedule

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(schedule: Schedule, after: str, now: str) -> list[str]:
    return [period.text for period in schedule.due(at(after), at(now))]


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("month", ["2025-12", "2026-01", "2026-02"]),
        ("quarter", ["2025-Q4"]),
        ("half-year", ["2025-07-01..2025-12-31"]),
        ("year", ["2025"]),
        (("02-01", "08-01"), ["2025-08-02..2026-02-01"]),
    ],
)
def test_periods_are_those_of_the_calendar(period: str | tuple[str, ...], said: list[str]) -> None:
    """What came to be due between two instants is every period that ended in between, the oldest first."""
    assert due(Schedule(period), "2025-12-15T00:00", "2026-03-15T00:00") == said


def test_a_week_ends_on_a_sunday() -> None:
    """Weeks are those of ISO 8601."""
    assert due(Schedule("week"), "2026-11-16T07:00", "2026-11-23T07:00") == ["2026-11-16..2026-11-22"]


def test_a_period_is_due_on_the_day_after_at_the_time_in_the_zone() -> None:
    """Not a minute before, and on another day if that is said."""
    schedule = Schedule("month", time(6, 30), 15, "Europe/Berlin")

    assert due(schedule, "2026-06-01T00:00", "2026-07-15T04:29") == ["2026-05"]
    assert due(schedule, "2026-07-15T04:29", "2026-07-15T04:30") == ["2026-06"]
    assert due(schedule, "2026-07-15T04:30", "2026-08-15T04:29") == []


@pytest.mark.parametrize(("night", "instants"), [("2026-10-25", 1), ("2026-03-29", 1)])
def test_a_night_in_which_clocks_are_set_has_each_day_once(night: str, instants: int) -> None:
    """Europe/Berlin has 02:30 twice in October and not at all in March: the day before is due once, both times."""
    schedule = Schedule("day", time(2, 30), 1, "Europe/Berlin")
    start = at(f"{night}T00:00") - timedelta(hours=6)
    found = []
    for minute in range(0, 24 * 60, 10):  # as if it were woken every ten minutes
        now = start + timedelta(minutes=minute)
        found += [period.text for period in schedule.due(now - timedelta(minutes=10), now)]
    before = (date.fromisoformat(night) - timedelta(days=1)).isoformat()

    assert found.count(f"{before}..{before}") == instants
    assert len(found) == len(set(found))


@given(
    st.sampled_from(["day", "week", "month", "quarter", "half-year", "year", ("02-01", "08-01"), ("12-31",)]),
    st.sampled_from(ZONES),
    st.times(),
    st.integers(1, 40),
    st.lists(st.integers(1, 90 * 24 * 3600), min_size=1, max_size=40),
)
def test_however_it_is_woken_a_period_comes_once_and_days_have_no_gap(
    period: str | tuple[str, ...], zone: str, clock: time, after: int, pauses: list[int]
) -> None:
    """Over any wakings, late or often, periods follow one another without a day missing or twice."""
    schedule = Schedule(period, clock.replace(second=0, microsecond=0), after, zone)
    instant, found = at("2025-01-13T00:00"), []
    for seconds in pauses:
        found += list(schedule.due(instant, instant + timedelta(seconds=seconds)))
        instant += timedelta(seconds=seconds)
    whole = list(schedule.due(at("2025-01-13T00:00"), instant))

    assert found == whole
    for one, following in pairwise(found):
        assert following.first == one.last + timedelta(days=1)


def test_the_newest_alone_is_made_up_where_that_is_said() -> None:
    """After a sleep of months one report comes, and none of before a day that is said."""
    assert due(Schedule("month", missed="newest"), "2026-01-15T00:00", "2026-06-15T00:00") == ["2026-05"]
    assert due(Schedule("month", since=date(2026, 4, 1)), "2026-01-15T00:00", "2026-06-15T00:00") == [
        "2026-04",
        "2026-05",
    ]


def test_the_next_one_is_told_with_its_instant() -> None:
    """For who asks when a report comes."""
    period, when = Schedule("quarter", time(6), 1, "America/New_York").next_due(at("2026-11-24T00:00"))

    assert (period.text, when) == ("2026-Q4", at("2027-01-01T11:00"))


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (7, "must be a table"),
        ({"period": "fortnight"}, "schedule.period is one of day, week, month"),
        ({"period": ["02-29"]}, "schedule.period is one of"),
        ({"period": []}, "schedule.period is one of"),
        ({"period": "month", "at": "6"}, "schedule.at is a time of day"),
        ({"period": "month", "at": "24:00"}, "schedule.at is a time of day"),
        ({"period": "month", "days_after": 0}, "schedule.days_after is a whole number"),
        ({"period": "month", "zone": "Europe/Atlantis"}, "schedule.zone is the name of a time zone"),
        ({"period": "month", "zone": "../etc/passwd"}, "schedule.zone is the name of a time zone"),
        ({"period": "month", "missed": "some"}, "schedule.missed is one of all, newest"),
        ({"period": "month", "since": "2026"}, "schedule.since is a day"),
        ({"period": "month", "hour": 6}, "unknown key hour"),
    ],
)
def test_every_mistake_of_a_schedule_is_named(said: object, fault: str) -> None:
    """A table that cannot be used gives no schedule, and says why."""
    problems: list[str] = []

    assert parse_schedule(said, problems) is None
    assert any(fault in problem for problem in problems)


def test_a_schedule_is_read_as_it_is_said() -> None:
    """Every key has its meaning; those that are left out have the common one."""
    problems: list[str] = []
    said = {"period": ["08-01", "02-01"], "at": "07:45", "days_after": 14, "zone": "Europe/Berlin", "missed": "newest"}

    assert parse_schedule(said, problems) == Schedule(("02-01", "08-01"), time(7, 45), 14, "Europe/Berlin", "newest")
    assert parse_schedule({"period": "month"}, problems) == Schedule("month", time(6), 1, "UTC", "all")
    assert parse_schedule(None, problems) is None
    assert not problems
