"""The verbs on alerts: list, ack, mute, unmute. They work while a server holds the ledger."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ledger.cli.app import Settings, app
from ledger.cli.inputs import end_of
from ledger.cli.output import Format, print_rows, print_table, readable, say
from ledger.core.errors import WrongUsage
from ledger.core.text import did_you_mean, nearest, shown, visible

if TYPE_CHECKING:
    from ledger.store.alerts import Alert
    from ledger.store.ops import Ops
    from ledger.store.outbox import Delivery

_HELP = """Alerts: limits that come near, breaches, refused imports, failed reports.

The scheduler raises them, in `quotaledger serve` or `quotaledger schedule`, once each time that something gets worse.
They go to the recipients that `[alerts]` in `schedule.toml` names.
"""
alert = typer.Typer(help=_HELP, no_args_is_help=True)
app.add_typer(alert, name="alert")

_COLUMNS: Final = (
    "number", "raised_at", "subject", "level", "state", "sent", "sentence", "acknowledged_at", "acknowledged_by",
)  # fmt: skip
_DISPENSABLE: Final = ("acknowledged_by", "acknowledged_at", "sent")
_SUBJECT: Final = "A subject that `alert list` shows, or what stands before a colon or slash there, such as lpp-annual."


@alert.command("list")
def list_(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Also those that were acknowledged.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to write the answer.")] = Format.TABLE,
) -> None:
    """List what was raised and not acknowledged: since when, how bad, in a sentence, and whether it went out."""
    from ledger.store.alerts import all_alerts, mutes
    from ledger.store.ops import Ops
    from ledger.store.outbox import all_deliveries

    at: Settings = context.obj
    with Ops.found(at.path) as ops:
        alerts = all_alerts(ops) if ops else []
        deliveries = all_deliveries(ops) if ops else []
        muted = mutes(ops, at.now()) if ops else []
    rows = [_row(found, deliveries) for found in alerts if every or found.acknowledged_at is None]
    if form is Format.TABLE:
        print_table([readable(row) for row in rows], _COLUMNS, dispensable=_DISPENSABLE)
    else:
        print_rows(rows, _COLUMNS, form)
    for one in muted:
        until = f" until {one.until:%Y-%m-%d %H:%M} UTC" if one.until else ""
        say(f"{visible(one.subject)} is muted{until}, by {visible(one.muted_by)}")
    if not rows:
        say("there is no alert" if every else "there is no alert that nobody has acknowledged")


def _row(found: "Alert", deliveries: "list[Delivery]") -> dict[str, Any]:
    from ledger.store.outbox import progress

    state = "acknowledged" if found.acknowledged_at else "open" if found.bulletin else "muted"
    mine = [one for one in deliveries if found.bulletin and one.bulletin == found.bulletin]
    stated = {name: getattr(found, name, None) for name in _COLUMNS}
    return stated | {"state": state, "sent": progress(mine)}


@alert.command()
def ack(
    context: typer.Context,
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER...", help="Their numbers in `alert list`.")],
) -> None:
    """Acknowledge alerts: somebody has seen to them, and `alert list` shows them no more."""
    from ledger.store.alerts import acknowledge

    at: Settings = context.obj
    with _kept(at) as ops, ops.together():
        done = [acknowledge(ops, number, at.filed_by, at.now()) for number in numbers]
        unknown = [number for number, found in zip(numbers, done, strict=True) if found is None]
        if unknown:
            raise WrongUsage(f"there is no alert {unknown[0]}, so none was acknowledged; see `quotaledger alert list`")
    for found in done:
        if found:
            print(f"alert {found.number}, {visible(found.subject)} {found.level}, is acknowledged by"
                  f" {visible(found.acknowledged_by or '')}")  # fmt: skip


@alert.command()
def mute(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help=_SUBJECT)],
    until: Annotated[
        str | None,
        typer.Option(metavar="DAY|DAYS", help="The last day (UTC) on which it is muted, or for how many days from now.",
                     show_default="until unmuted"),
    ] = None,
) -> None:  # fmt: skip
    """Send no alerts of a subject, or of all of a kind, to anybody; they are raised and listed all the same."""
    from ledger.schedule.watching import KINDS
    from ledger.store import alerts

    at: Settings = context.obj
    kind = subject.partition(":")[0]
    if kind not in KINDS or subject.endswith((":", "/")):
        hint = did_you_mean(nearest(kind, KINDS))
        raise WrongUsage(f"{shown(subject)} is no subject of alerts{hint}; kinds are {', '.join(KINDS)}")
    now = at.now()
    end = end_of(until, "--until", now) if until is not None else None
    if end is not None and end <= now:
        raise WrongUsage(f"{end:%Y-%m-%d %H:%M} UTC has gone by; give a later day")
    with _kept(at) as ops:
        alerts.mute(ops, alerts.Mute(subject, now, at.filed_by, end))
    print(f"{visible(subject)} is muted" + (f" until {end:%Y-%m-%d %H:%M} UTC" if end else ""))


@alert.command()
def unmute(
    context: typer.Context, subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="As it was muted.")]
) -> None:
    """Send alerts of a subject or kind again, from the next that is raised."""
    from ledger.store import alerts

    with _kept(context.obj) as ops:
        if not alerts.unmute(ops, subject):
            raise WrongUsage(f"{shown(subject)} is not muted; `quotaledger alert list` names what is")
    print(f"{visible(subject)} is not muted any more")


def _kept(at: Settings) -> "Ops":
    from ledger.store.ops import Ops

    return Ops.open(at.path)
