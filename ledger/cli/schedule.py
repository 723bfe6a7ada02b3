"""The verb that makes reports by schedule, alone or through a server."""

import signal
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.app import Settings, app, see_no_ledger
from ledger.cli.output import say
from ledger.cli.recording import KeyOption
from ledger.core.errors import LedgerUnavailable, QuotaledgerError
from ledger.core.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.schedule.runner import Done
    from schemas.api import MadeReport


@app.command()
def schedule(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Do what is due now, and end: for cron or a systemd timer.")
    ] = False,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Let a server do what is due, whose ledger it is; an administrator's key."),
    ] = None,
    key: KeyOption = "",
) -> None:
    """Make every report that is due, once for each period, deliver it, and raise alerts; until stopped.

    `quotaledger serve` does the same for the ledger that it serves. Any number may run: each period is made once.
    Settings are QUOTALEDGER_SCHEDULE_... and others in the environment: docs/schedule.md lists them.
    """
    end = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    if server:
        see_no_ledger(context)
        _through(server, key, end, once=once)
        return
    from ledger.schedule.ledgers import OwnFile
    from ledger.schedule.setting_up import runner_of

    at: Settings = context.obj
    own = OwnFile(at.path, at.now, at.key)
    runner = runner_of(own, at.now)
    if once:
        _tell(runner.run_due(), runner.plans().broken)
        return
    from ledger.schedule.waking import Waker

    with own.reading():  # a wrong path is told at once
        pass
    waker = Waker(runner)
    waker.start()
    say(f"making reports of {at.path} into {runner.archive.root}; stop with Ctrl-C")
    end.wait()
    own.stop()
    waker.close()


def _through(server: str, key: str, end: Event, *, once: bool) -> None:
    """Ask a server to do what is due, again and again."""
    from ledger.cli.remote import secret
    from ledger.client import Client, ProblemError, ServerUnavailable
    from ledger.schedule.settings import ScheduleSettings, settings_of

    wake_seconds = settings_of(ScheduleSettings).wake_seconds
    while True:
        try:
            with Client(server, secret(key)) as client:
                done = client.make_reports().reports
            _tell(done, {})
        except (ProblemError, ServerUnavailable) as error:
            if once:
                raise LedgerUnavailable(visible(str(error))) from None
            say(visible(str(error)))
        if once or end.wait(wake_seconds):
            return


def _tell(done: "Sequence[Done | MadeReport]", broken: "Mapping[str, str]") -> None:
    """Say what was made. Raises QuotaledgerError if anything failed, so that whoever runs the command is told."""
    for one in done:
        where = f" in {one.place}" if one.place else f": {one.reason}" if one.reason else ""
        say(f"{one.report} {one.period}: {one.outcome}{where}")
    for name, what in broken.items():
        say(f"{visible(name)} cannot be used: {what}")
    failed = [one for one in done if one.outcome == "failed"]
    if failed or broken:
        raise QuotaledgerError(
            f"{len(failed)} of {len(done)} reports failed, {len(broken)} cannot be used; what failed is tried again"
            " by and by; `quotaledger report history` tells more"
        )
    if not done:
        say("nothing is due")
