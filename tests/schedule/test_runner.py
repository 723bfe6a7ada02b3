"""Reports made by schedule: once for each period, whoever asks, whatever goes wrong, however long nobody asked."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger.schedule.archive import SUMMARY, digest_of
from ledger.schedule.runner import Runner
from ledger.sequencer.claiming import record_run
from ledger.sequencer.verifying import verify
from ledger.store.claims import MADE, Claim, Run
from tests.harness import NOW
from tests.schedule.ground import BROKEN, QUERY, Ground, grounded


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """A ledger with a daily report."""
    with grounded(tmp_path) as made:
        made.add("days")
        yield made


def _days(first: date, last: date) -> list[str]:
    return [f"{first + timedelta(n)}..{first + timedelta(n)}" for n in range((last - first).days + 1)]


def test_what_is_due_is_made_once_and_kept(ground: Ground) -> None:
    """A period that is over is made: a folder with its files, whose digest the ledger has; asked again, nothing is."""
    runner = ground.runner()
    assert runner.run_due() == []
    ground.clock.on(days=1)
    (done,) = runner.run_due()

    assert (done.report, done.period, done.outcome) == ("days", f"{NOW.date()}..{NOW.date()}", "made")
    place = Path(str(done.place))
    assert place == ground.path.with_name("ledger.duckdb.reports") / "days" / done.period
    assert {path.name for path in place.iterdir()} == {"days.json", SUMMARY}
    assert ground.rows("SELECT sha256 FROM report_runs") == [(digest_of(place),)]
    assert json.loads((place / "days.json").read_text())["today"] == ground.clock.now.date().isoformat()
    assert (place / SUMMARY).read_text().startswith("Days\n")
    assert runner.run_due() == ground.runner().run_due() == []
    assert verify(ground.path).leaves["claim"] == 1


def test_days_asleep_are_made_up_oldest_first(ground: Ground) -> None:
    """After three days asleep, three periods are made, in their order; where the setting says so, the newest alone."""
    ground.add("newest", 'period = "day"\nmissed = "newest"')
    ground.clock.on(days=3)
    ground.runner().run_due()

    days = _days(NOW.date(), NOW.date() + timedelta(2))
    assert ground.made() == days
    assert ground.made("newest") == days[-1:]


@pytest.mark.parametrize("night", ["2027-03-27", "2027-10-30"])
def test_a_night_in_which_clocks_are_set_has_one_report(ground: Ground, night: str) -> None:
    """Due at half past two in Berlin, on a day of one or of two of them: asked all night, each day has one report."""
    ground.add("days", 'period = "day"\nat = "02:30"\nzone = "Europe/Berlin"\nsince = ' + night)
    ground.clock.to(f"{night}T22:00")
    runner = ground.runner()
    for _ in range(2 * 30):
        ground.clock.on(minutes=30)
        runner.run_due()

    first = date.fromisoformat(night)
    assert ground.made() == _days(first, first + timedelta(1))


def test_a_year_of_two_schedulers_that_come_and_go(ground: Ground) -> None:
    """Woken at random by two schedulers, one of which dies with a claim now and then: each period has one report."""
    seeded = random.Random(20260101)  # noqa: S311 -- the same chaos each time
    ground.add("days", 'period = "week"')
    ground.add("months", 'period = "month"')
    end = NOW + timedelta(days=366)
    while ground.clock.now < end:
        ground.clock.on(hours=seeded.choice((20, 60, 200, 500)))
        runner = ground.runner()
        if seeded.random() < 0.3:
            _claim_and_die(runner)
            ground.clock.on(minutes=seeded.choice((1, 60)))
        ground.runner().run_due()
    ground.clock.on(days=2)
    ground.runner().run_due()

    attempts = ground.rows("SELECT report, period, count(*) FILTER (outcome = 'made') FROM report_runs GROUP BY ALL")
    assert {made for *_, made in attempts} == {1}
    assert len(ground.made()) == len(set(ground.made())) >= 51
    assert len(ground.made("months")) == 12
    assert ground.rows("SELECT max(attempt) > 1 FROM report_runs") == [(True,)]
    verify(ground.path)


def test_two_schedulers_at_once_make_a_period_once(ground: Ground) -> None:
    """Two processes with a scheduler each, of one file: every period is made, and none twice."""
    ground.clock.on(days=4)
    both = [_process(ground), _process(ground)]

    assert [one.wait() for one in both] == [0, 0]
    assert sorted(ground.made()) == _days(NOW.date(), NOW.date() + timedelta(3))
    assert ground.rows("SELECT max(attempt) FROM report_runs") == [(1,)]


def test_a_retry_makes_the_same_report(ground: Ground) -> None:
    """Whoever takes over after a lease makes it from the state and with the day of the first: the same bytes."""
    ground.clock.on(days=1)
    claimed = _claim_and_die(ground.runner())
    ground.runner().run_due()
    assert ground.made() == []  # the lease is in force

    ground.clock.on(days=5)
    (done, *_) = ground.runner().run_due()
    assert (done.period, done.attempt, done.outcome) == (claimed.period, 2, "made")
    document = json.loads((Path(str(done.place)) / "days.json").read_text())
    assert document["today"] == claimed.today.isoformat()
    assert document["ledger"]["checkpoint"]["leaves"] == claimed.leaves


def test_what_was_overtaken_counts_no_more(ground: Ground) -> None:
    """The first holder comes back when another has made the report: its own is not recorded, and leaves no file."""
    ground.clock.on(days=1)
    runner = ground.runner()
    claimed = _claim_and_die(runner)
    ground.clock.on(hours=1)
    ground.runner().run_due()
    before = ground.rows("SELECT count(*) FROM report_runs")

    assert runner.ledger.recording(lambda desk: record_run(desk, claimed, Run(MADE, 1, "ab" * 32))) is False
    assert ground.rows("SELECT count(*) FROM report_runs") == before
    assert ground.made() == [claimed.period]


def test_what_fails_is_tried_again_with_growing_pauses_and_holds_up_nothing(ground: Ground) -> None:
    """A report with a mistake fails, says why, and is tried after 1, 2 and 4 minutes; mended, it is made."""
    ground.add("broken", query=BROKEN)
    ground.clock.on(days=1)
    runner = ground.runner()
    for _ in range(12):
        runner.run_due()
        ground.clock.on(minutes=1)

    found = ground.rows("SELECT claimed_at, outcome, reason FROM report_runs WHERE report = 'broken' ORDER BY attempt")
    assert [(at - found[0][0]).total_seconds() / 60 for at, *_ in found] == [0, 1, 3, 7]
    assert {outcome for _, outcome, _ in found} == {"failed"}
    assert all("nothing" in reason for *_, reason in found)
    assert len(ground.made()) == 1

    ground.add("broken", query=QUERY)
    ground.clock.on(minutes=30)
    runner.run_due()
    assert len(ground.made("broken")) == 1


def test_a_folder_that_cannot_be_used_is_named(ground: Ground) -> None:
    """A folder without a query, one with another's name, and a typing error in `schedule.toml` are told by name."""
    (ground.add("half") / "query.sql").unlink()
    ground.add("lpp-annual")
    ground.say("[dayz]\nenabled = false\n[days]\nrecipients = ['nobody']\n")
    broken = ground.runner().plans().broken

    assert broken.keys() == {"half", str(ground.reports / "lpp-annual"), "schedule.toml", "days"}
    assert "query.sql" in broken["half"]
    assert "days" in broken["schedule.toml"]
    assert "this is no recipient" in broken["days"]


@pytest.mark.parametrize("step", ["stage", "run_report", "finish", "record_run", "give_name"])
def test_a_scheduler_killed_at_any_step_leaves_one_report(ground: Ground, step: str) -> None:
    """A process killed with -9 before a step: the period has one report in the end, and nothing is left beside it."""
    ground.clock.on(days=1)
    assert _process(ground, step).wait() == -signal.SIGKILL
    ground.clock.on(hours=1)
    ground.runner().run_due()

    (period,) = ground.made()
    root = ground.path.with_name("ledger.duckdb.reports") / "days"
    assert [path.name for path in root.iterdir()] == [period]
    assert ground.rows("SELECT sha256 FROM report_runs WHERE outcome = 'made'") == [(digest_of(root / period),)]


def _process(ground: Ground, *step: str) -> subprocess.Popen[bytes]:
    """Start a scheduler in a process of its own, which does what is due by the clock."""
    words = [ground.path, ground.reports, ground.clock.now.isoformat(), *step]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.schedule.scheduler", *map(str, words)], cwd=Path(__file__).parents[2]
    )


def _claim_and_die(runner: Runner) -> Claim:
    """Claim what is due first, and do no more."""
    due = runner._due(runner.plans())  # noqa: SLF001
    if not due:
        return Claim("", "", NOW.date(), 0, "", 0, "", NOW)
    claimed = runner._claim(*due[0])  # noqa: SLF001
    assert claimed
    return claimed
