"""`quotaledger alert`: listed, acknowledged, muted, by number and subject, without opening the ledger."""

import json
from pathlib import Path

import pytest

from tests.cli.command import Ledger, fresh

_REACHING = """\
reference,kind,date,destination,consignee,chip,quantity,basis,license_number,expires
a,allocation,2026-03-01,AE,ALPHA,B200,20000,LICENSE,L1,2027-02-28
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger in which a country is at 91 percent of its cap, and whose scheduler has seen it."""
    made = fresh(tmp_path)
    made.write("rows.csv", _REACHING)
    assert made.run("import", "rows.csv", "--provider", "prov").code == 0
    reports = tmp_path / "reports"
    reports.mkdir()
    ran = made.run("schedule", "--once", env={"QUOTALEDGER_SCHEDULE_REPORTS": str(reports)})
    assert ran.code == 0, ran.err
    return made


def _listed(ledger: Ledger, *words: str) -> list[dict[str, object]]:
    ran = ledger.run("alert", "list", *words, "--format", "json")
    assert ran.code == 0, ran.err
    rows: list[dict[str, object]] = json.loads(ran.out)
    return rows


def test_an_alert_is_listed_until_it_is_acknowledged(ledger: Ledger) -> None:
    """It says what, how bad and that nobody was named to get it; then who has seen to it."""
    (found,) = _listed(ledger)
    assert (found["number"], found["subject"], found["level"], found["state"]) == (
        1,
        "country-cap:AE",
        "critical",
        "open",
    )
    assert found["sent"] is None
    assert "(15 CFR 742.6(b)(10)(iii)(B)(1))" in str(found["sentence"])

    wrong = ledger.run("alert", "ack", "1", "7")
    assert (wrong.code, wrong.sentence) == (
        2,
        "quotaledger: there is no alert 7, so none was acknowledged; see `quotaledger alert list`",
    )
    assert [row["state"] for row in _listed(ledger)] == ["open"]
    assert ledger.run("alert", "ack", "1").code == 0
    assert _listed(ledger) == []
    (found,) = _listed(ledger, "--all")
    assert (found["state"], bool(found["acknowledged_by"])) == ("acknowledged", True)


def test_a_kind_is_muted_and_unmuted(ledger: Ledger) -> None:
    """A kind, until a day; a slip of the pen is answered, a day gone by as well."""
    done = ledger.run("alert", "mute", "lpp-annual", "--until", "2099-12-31")
    assert (done.code, done.out) == (0, "lpp-annual is muted until 2100-01-01 00:00 UTC\n")
    assert "lpp-annual is muted until 2100-01-01 00:00 UTC" in ledger.run("alert", "list").err
    slip = ledger.run("alert", "mute", "lpp-anual:X/2026")
    assert slip.code == 2
    assert 'did you mean "lpp-annual"?' in slip.sentence
    assert ledger.run("alert", "mute", "uveu", "--until", "2020-01-01").code == 2
    assert ledger.run("alert", "unmute", "lpp-annual").out == "lpp-annual is not muted any more\n"
    assert ledger.run("alert", "unmute", "lpp-annual").code == 2


def test_without_a_ledger_or_an_alert(tmp_path: Path) -> None:
    """Where nothing was ever raised it says so, and makes no file; where there is no ledger, that."""
    made = fresh(tmp_path)
    ran = made.run("alert", "list")
    assert (ran.code, ran.sentence) == (0, "there is no alert that nobody has acknowledged")
    assert not made.path.with_name("quota.duckdb.ops").exists()
    assert made.run("alert", "list", ledger="none.duckdb").code == 4
