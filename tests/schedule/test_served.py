"""The scheduler inside of a server: what is due is made while others file, and by whoever asks for it."""

from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from ledger.client import Client
from ledger.schedule.runner import Done, Runner
from ledger.store.alerts import acknowledge
from ledger.store.file import LedgerFile
from ledger.store.ops import Ops
from schemas.access import Scope
from tests.api.served import ALLOCATION, PATIENCE_SECONDS, served
from tests.harness import NOW, Bench
from tests.schedule.ground import grounded


def test_a_server_makes_what_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is started makes the reports of the days before, by itself, and answers meanwhile."""
    done = Event()
    run_due = Runner.run_due

    def told(runner: Runner) -> list[Done]:
        made = run_due(runner)
        done.set()
        return made

    monkeypatch.setattr(Runner, "run_due", told)
    with grounded(tmp_path) as ground:
        ground.add("days")
        monkeypatch.setenv("QUOTALEDGER_SCHEDULE_REPORTS", str(ground.reports))
        with served(ground.path, schedule=True) as server:
            assert server.caller().get("/v1/checkpoints/latest").status_code == 200
            assert done.wait(PATIENCE_SECONDS)
        made = ground.made()
        archived = {path.name for path in (tmp_path / "ledger.duckdb.reports" / "days").iterdir()}

    assert made[0] == "2026-11-22..2026-11-22"
    assert set(made) == archived
    assert len(made) == len(set(made)) > 1


def test_an_administrator_has_the_server_make_what_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked twice, the second time makes nothing; who may only file is not let; records are filed as before."""
    with grounded(tmp_path) as ground:
        ground.add("days", 'period = "day"\nmissed = "newest"')
        monkeypatch.setenv("QUOTALEDGER_SCHEDULE_REPORTS", str(ground.reports))
        with served(ground.path) as server:
            admin = server.caller("boss", Scope.ADMIN)
            first, second = (admin.post("/v1/reports/due").json()["reports"] for _ in range(2))
            assert server.caller().post("/v1/reports/due").status_code == 403
            assert server.caller().post("/v1/allocations", json=ALLOCATION | {"reference": "a", "quantity": 1}).is_error
            with Client(server.address, str(admin.headers["authorization"]).split()[1]) as client:
                assert client.make_reports().reports == []

    assert [(one["report"], one["outcome"]) for one in first] == [("days", "made")]
    assert second == []


def test_what_is_filed_is_warned_of_while_the_server_holds_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request over HTTP brings a country near its cap: the alert can be read and acknowledged at once."""
    with grounded(tmp_path) as ground:
        monkeypatch.setenv("QUOTALEDGER_SCHEDULE_REPORTS", str(ground.reports))
        with LedgerFile.open(ground.path, NOW) as ledger:
            Bench(ledger).register("parties", {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"})
        with served(ground.path) as server:
            admin, wanted = server.caller("boss", Scope.ADMIN), ALLOCATION | {"reference": "a", "quantity": 45_000}
            assert server.caller().post("/v1/allocations", json=wanted).json()["outcome"] == "admitted"
            assert admin.post("/v1/reports/due").json()["reports"] == []
            (alert,) = ground.alerts()
            with Ops.open(ground.path) as ops:
                done = acknowledge(ops, alert.number, "boss", NOW)

    assert (alert.subject, alert.level) == ("country-cap:AE", "critical")
    assert done == replace(alert, acknowledged_at=NOW, acknowledged_by="boss")
