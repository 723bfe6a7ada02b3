"""What was made comes to those who are to get it: in the end, under one id, and only what counts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.schedule.runner import Runner
from ledger.store.ops import Ops
from ledger.store.outbox import Delivery, all_deliveries, due_deliveries, plan_report, take
from tests.harness import NOW
from tests.schedule.ground import Ground, grounded
from tests.schedule.peers import Mailbox, mail_server, mail_through

PERIOD = "2026-11-22..2026-11-22"


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """A ledger with a daily report that goes into a folder."""
    with grounded(tmp_path) as made:
        made.add("days", 'period = "day"\n').joinpath("report.toml").write_text(_toml(f"folder:{tmp_path / 'theirs'}"))
        made.clock.on(days=1)
        yield made


def _toml(*recipients: str) -> str:
    head = 'title = "Days"\nquestion = "Which?"\naudience = "Tests"\nformats = ["json", "html"]\n'
    return f'{head}recipients = {list(recipients)!r}\n[schedule]\nperiod = "day"\n'


def _deliveries(ground: Ground) -> list[Delivery]:
    with Ops.open(ground.path) as ops:
        return all_deliveries(ops)


def test_a_report_comes_to_its_folder_once_the_folder_is_there(ground: Ground, tmp_path: Path) -> None:
    """A share that is not mounted: it is said, tried again after growing pauses, and delivered in the end, once."""
    runner = ground.runner()
    runner.run_due()
    (first,) = _deliveries(ground)
    runner.run_due()
    (second,) = _deliveries(ground)
    ground.clock.on(minutes=1)
    runner.run_due()
    (third,) = _deliveries(ground)
    assert [one.attempts for one in (first, second, third)] == [1, 1, 2]
    assert "there is no folder" in str(third.error)
    assert (third.next_at - ground.clock.now).total_seconds() == 120

    (tmp_path / "theirs").mkdir()
    ground.clock.on(minutes=2)
    runner.run_due()
    (last,) = _deliveries(ground)
    assert (last.delivered_at, last.error, last.id) == (ground.clock.now, None, first.id)
    theirs, ours = tmp_path / "theirs/days" / PERIOD, tmp_path / "ledger.duckdb.reports/days" / PERIOD
    assert {path.name for path in theirs.iterdir()} == {"days.html", "days.json"}
    assert (theirs / "days.json").read_bytes() == (ours / "days.json").read_bytes()


def test_a_mail_has_the_page_and_the_first_sentences(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real mail server on loopback gets one mail for the period, with title, period and page."""
    (tmp_path / "reports/days/report.toml").write_text(_toml("mailto:boss@quota.example"))
    with mail_server(Mailbox()) as mailbox:
        mail_through(mailbox, monkeypatch)
        ground.runner().run_due()
        ground.runner().run_due()
        mails = mailbox.mails

    (mail,) = mails
    assert mail["Subject"] == f"Days: {PERIOD}"
    assert mail["Message-ID"] == f"<{_deliveries(ground)[0].id}@quota.example>"
    assert {part.get_filename() for part in mail.walk()} >= {"days.html", "days.json"}


def test_who_has_a_mail_does_not_get_it_again(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One address of two is refused: it alone is tried again, and gets the mail once it is taken."""
    (tmp_path / "reports/days/report.toml").write_text(_toml("mailto:a@quota.example,b@quota.example"))
    with mail_server(Mailbox(refuses={"b@quota.example": "450 later"})) as mailbox:
        mail_through(mailbox, monkeypatch)
        ground.runner().run_due()
    assert [to for _, to in mailbox.envelopes] == [["a@quota.example"]]
    (waiting,) = _deliveries(ground)
    assert (waiting.recipient, waiting.delivered_at) == ("mailto:b@quota.example", None)
    with mail_server(Mailbox()) as mailbox:
        mail_through(mailbox, monkeypatch)
        ground.clock.on(minutes=1)
        ground.runner().run_due()
    assert [to for _, to in mailbox.envelopes] == [["b@quota.example"]]
    assert _deliveries(ground)[0].delivered_at == ground.clock.now


def test_nothing_is_sent_of_a_run_that_is_not_recorded(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the plan and the record: nothing goes out before another has made the report, and then once."""
    (tmp_path / "theirs").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(Runner, "_record", _killed)
        with pytest.raises(KeyboardInterrupt):
            ground.runner().run_due()
    ground.runner().run_due()
    assert [one.attempts for one in _deliveries(ground)] == [0]
    assert not list((tmp_path / "theirs").iterdir())

    ground.clock.on(hours=1)
    ground.runner().run_due()
    assert [one.attempts for one in _deliveries(ground)] == [1]
    assert [path.name for path in (tmp_path / "theirs/days").iterdir()] == [PERIOD]


def test_of_two_senders_one_sends(ground: Ground) -> None:
    """Planned twice it is one delivery; whoever takes it first has it, until an instant."""
    with Ops.open(ground.path) as ops, Ops.open(ground.path) as other:
        assert plan_report(ops, "a", "days", PERIOD, "folder:/x", NOW)
        assert not plan_report(other, "a", "days", PERIOD, "folder:/x", NOW)
        (mine,), (theirs,) = due_deliveries(ops, NOW), due_deliveries(other, NOW)
        assert take(ops, mine, ground.clock.now)
        assert not take(other, theirs, ground.clock.now)
        assert due_deliveries(other, NOW) == []
        assert [one.id for one in due_deliveries(other, ground.clock.now)] == ["a"]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
