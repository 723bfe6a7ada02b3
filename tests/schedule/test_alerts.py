"""Alerts: raised once each time that something gets worse, in the words of `explain`, and sent to whom they are for."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.core.errors import LedgerUnavailable
from ledger.schedule import alerting
from ledger.store.alerts import Look, Mute, last_look, looked, mute
from ledger.store.file import LedgerFile
from ledger.store.ops import Ops
from tests.harness import NOW, Bench, Row
from tests.schedule.ground import Ground, grounded
from tests.schedule.peers import Mailbox, mail_server, mail_through

CHIP_TPP = 36_000
CAP = 100 * CHIP_TPP


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """A ledger whose country cap is a hundred chips, and a folder that alerts go to."""
    with grounded(tmp_path, country_cap_tpp=str(CAP)) as made:
        with LedgerFile.open(made.path, NOW) as ledger:
            Bench(ledger).register(
                "parties",
                {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"},
                {"party": "OTHER", "name": "Other", "headquarters": "IN"},
            )
        (tmp_path / "theirs").mkdir()
        made.say(f'[alerts]\nrecipients = ["folder:{tmp_path / "theirs"}"]\n')
        yield made


def _row(reference: str, quantity: int, **changed: object) -> Row:
    usual = {"kind": "allocation", "date": "2026-11-01", "destination": "AE", "consignee": "ALPHA", "chip": "B200"}
    licence = {"basis": "LICENSE", "license_number": "L1", "expires": "2027-10-31"}
    return {"reference": reference, "quantity": quantity, **usual, **licence, **changed}


def _run(ground: Ground) -> list[tuple[str, str]]:
    """Look, and give what was raised just now."""
    before = len(ground.alerts()) if ground.path.with_name(ground.path.name + ".ops").exists() else 0
    ground.runner().run_due()
    return [(alert.subject, alert.level) for alert in ground.alerts()[before:]]


def _sent(tmp_path: Path) -> list[str]:
    return sorted(path.read_text() for path in (tmp_path / "theirs").rglob("*.txt"))


def test_a_limit_is_warned_of_once_each_time_it_gets_worse(ground: Ground, tmp_path: Path) -> None:
    """Watch, critical, exhausted: one alert each; none for what stays or gets better."""
    assert _run(ground) == []
    ground.submit(_row("a", 79))
    assert _run(ground) == []
    ground.submit(_row("b", 1))
    assert _run(ground) == [("country-cap:AE", "watch")]
    ground.submit(_row("c", 1))
    assert _run(ground) == []
    ground.submit(_row("d", 10))
    assert _run(ground) == [("country-cap:AE", "critical")]
    ground.submit({"reference": "r", "kind": "reversal", "date": "2026-11-02", "under": "d", "note": "by mistake"})
    assert _run(ground) == []
    ground.submit(_row("e", 19))
    assert _run(ground) == [("country-cap:AE", "exhausted")]
    assert _run(ground) == []

    first = ground.alerts()[0]
    ((message,),) = ground.rows("SELECT message FROM decisions WHERE reference = 'b'")
    assert first.sentence == f"The country cap of AE is watch: {80 * CHIP_TPP:,} of {CAP:,} TPP are used. {message}"
    assert len(_sent(tmp_path)) == 3
    assert any(text.startswith("Alert: country-cap AE is watch\n") and message in text for text in _sent(tmp_path))


def test_two_countries_at_once_are_one_message(ground: Ground, tmp_path: Path) -> None:
    """What one look finds goes out together; each has a number of its own to be acknowledged by."""
    ground.submit(_row("a", 95), _row("b", 85, destination="IN", consignee="OTHER"))
    assert sorted(_run(ground)) == [("country-cap:AE", "critical"), ("country-cap:IN", "watch")]
    (text,) = _sent(tmp_path)
    assert "and 1 more" in text.splitlines()[0]
    assert "country cap of AE" in text
    assert "country cap of IN" in text


def test_breaches_and_refused_imports_are_told_once(ground: Ground) -> None:
    """A breach, and an import of which half was refused; one of few rows is not worth a warning."""
    ground.submit(_row("x", 101))
    assert _run(ground) == []
    ground.submit(*(_row(f"r{number}", 101) for number in range(10)))
    assert _run(ground) == [("import:refused", "refused")]
    ground.submit(_row("fact", 101, kind="delivery", license_number=None, expires=None))
    found = _run(ground)
    assert ("breach:recorded", "breached") in found
    assert _run(ground) == []
    told = {alert.subject: alert.sentence for alert in ground.alerts()}
    assert (
        told["import:refused"]
        == "1 import refused in large part; the last is batch 5 of prov (rows): 10 of 10 records."
    )
    ((message,),) = ground.rows("SELECT message FROM breaches")
    assert told["breach:recorded"].endswith(message)


def test_a_stale_checkpoint_and_a_failed_report(ground: Ground) -> None:
    """Each is told once until it is well again, and then once more."""
    assert _run(ground) == []
    ground.clock.on(days=36)
    assert _run(ground) == [("checkpoint:newest", "stale")]
    assert _run(ground) == []

    folder = ground.add("days", query="-- query: days\nSELECT nothing FROM period\n")
    periods = [subject for subject, level in _run(ground) if level == "failed"]
    assert len(periods) == 36
    assert periods[0] == "report:days/2026-11-22..2026-11-22"
    ground.clock.on(hours=1)
    assert _run(ground) == []  # failed again: no news
    (folder / "query.sql").write_text("-- query: days\nSELECT 1 AS one FROM period\n")
    ground.clock.on(hours=7)
    assert _run(ground) == []
    (folder / "report.toml").write_text("title = 1\n")
    assert _run(ground) == [("report:days", "broken")]
    ground.clock.on(days=36)
    assert _run(ground) == [("checkpoint:newest", "stale")]


def test_nothing_is_lost_or_doubled_by_a_kill(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it plans who gets an alert: the next look raises it, once."""
    ground.submit(_row("a", 95))
    with monkeypatch.context() as patched:
        patched.setattr(alerting, "plan_bulletin", _killed)
        with pytest.raises(KeyboardInterrupt):
            ground.runner().run_due()
    assert ground.alerts() == []
    assert _run(ground) == [("country-cap:AE", "critical")]
    assert len(_sent(tmp_path)) == 1


def test_of_two_who_look_at_once_one_raises(ground: Ground) -> None:
    """Whoever has looked meanwhile has raised it."""
    with Ops.open(ground.path) as ops, Ops.open(ground.path) as other:
        before = last_look(other)
        with ops.together():
            assert looked(ops, last_look(ops), 3)
        with other.together():
            assert not looked(other, before, 3)
        assert last_look(other) == Look(1, 3)


def test_only_one_writes_at_a_time(ground: Ground) -> None:
    """What is done together is not interrupted by another process, and is undone as a whole."""
    with Ops.open(ground.path) as ops, Ops.open(ground.path) as other:
        with pytest.raises(LedgerUnavailable):
            _mute_both(ops, other)
        assert other.rows("SELECT count(*) FROM alert_mute") == [(0,)]


def test_what_is_muted_is_kept_and_goes_out_to_nobody(ground: Ground, tmp_path: Path) -> None:
    """A kind is muted until a day; a subject of it raised then goes out, others before it do not."""
    with Ops.open(ground.path) as ops:
        mute(ops, Mute("country-cap", NOW, "me", NOW + timedelta(days=1)))
    ground.submit(_row("a", 85))
    assert _run(ground) == [("country-cap:AE", "watch")]
    assert _sent(tmp_path) == []
    ground.clock.on(days=1)
    ground.submit(_row("b", 10))
    assert _run(ground) == [("country-cap:AE", "critical")]
    assert len(_sent(tmp_path)) == 1
    assert [alert.bulletin for alert in ground.alerts()] == [None, 2]


def test_a_mute_is_of_a_subject_or_of_all_below_it() -> None:
    """`report:days` is every period of it, and not `report:days-off`."""
    muted = Mute("report:days", NOW, "me", None)
    assert muted.holds("report:days", NOW)
    assert muted.holds("report:days/2026-10", NOW)
    assert not muted.holds("report:days-off/2026-10", NOW)
    assert not muted.holds("report", NOW)


def test_thresholds_of_a_report_are_told_when_it_is_made(ground: Ground, tmp_path: Path) -> None:
    """A row that comes to its threshold is told once while it stays there, and again when it comes back."""
    folder = ground.add("days", query="-- query: countries\nSELECT destination, used_tpp FROM country_positions\n")
    toml = folder / "report.toml"
    toml.write_text(
        f"{toml.read_text()}"
        '[thresholds.countries]\ncolumn = "used_tpp"\nat_least = 36_000\nsubject = "destination"\n'
        'sentence = "{destination} has {used_tpp} TPP."\n'
    )
    ground.submit(_row("a", 2))
    raised = []
    for _ in range(3):
        ground.clock.on(days=1)
        raised.append(_run(ground))
    assert raised == [[("threshold:days/countries/AE", "reached")], [], []]
    assert "AE has 72,000 TPP." in _sent(tmp_path)[0]

    (folder / "query.sql").write_text("-- query: countries\nSELECT 'AE' AS destination, 1 AS used_tpp FROM period\n")
    ground.clock.on(days=1)
    assert _run(ground) == []
    (folder / "query.sql").write_text(
        "-- query: countries\nSELECT 'AE' AS destination, 36000 AS used_tpp FROM period\n"
    )
    ground.clock.on(days=1)
    assert _run(ground) == [("threshold:days/countries/AE", "reached")]


def test_an_alert_comes_by_mail(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real mail server gets one mail with what is the matter in its subject."""
    ground.say('[alerts]\nrecipients = ["mailto:boss@quota.example"]\n')
    ground.submit(_row("a", 95))
    with mail_server(Mailbox()) as mailbox:
        mail_through(mailbox, monkeypatch)
        ground.runner().run_due()
        ground.runner().run_due()
        (mail,) = mailbox.mails
    assert mail["Subject"] == "Alert: country-cap AE is critical"
    assert "The country cap of AE is critical" in str(mail.get_body(("plain",)))


def test_a_wrong_recipient_keeps_nobody_else_from_an_alert(ground: Ground, tmp_path: Path) -> None:
    """The others get it, and the wrong one is told there, since it is a fault of its own."""
    ground.say(f'[alerts]\nrecipients = ["mail:boss", 7, "folder:{tmp_path / "theirs"}"]\n')
    ground.submit(_row("a", 95))
    assert sorted(_run(ground)) == [("country-cap:AE", "critical"), ("report:schedule.toml", "broken")]
    (text,) = _sent(tmp_path)
    assert "this is no recipient" not in text.splitlines()[0]
    assert "The country cap of AE is critical" in text


def test_alerts_that_nobody_can_keep_hold_up_no_report(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting of alerts is logged; reports are made."""
    monkeypatch.setenv("QUOTALEDGER_ALERT_STALE_DAYS", "soon")
    ground.add("days")
    ground.clock.on(days=1)
    ground.runner().run_due()
    assert ground.made() == ["2026-11-22..2026-11-22"]


def _mute_both(ops: Ops, other: Ops) -> None:
    with ops.together():
        mute(ops, Mute("uveu", NOW, "me", None))
        mute(other, Mute("breach", NOW, "me", None))


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
