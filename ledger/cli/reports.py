"""The verbs on reports: list, run, preview, history."""

from collections import defaultdict
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.app import Settings, app, opened
from ledger.cli.output import Format, print_rows, say
from ledger.core.errors import WrongUsage
from ledger.core.text import visible

if TYPE_CHECKING:
    from ledger.reporting.folder import Report
    from ledger.reporting.running import Made
    from ledger.reporting.schedule import Schedule

report = typer.Typer(help="Reports: pages and tables made from the ledger.", no_args_is_help=True)
app.add_typer(report, name="report")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A report that `report list` names, or its folder.")]
PeriodOption = Annotated[
    str | None,
    typer.Option(
        "--period",
        metavar="P",
        help="2026, 2026-Q3, 2026-07 or FROM..TO. Limits by legal date which records are listed and counted as refused,"
        " delivered and so on; positions are as of its last day, with every record up to then. Without it: everything"
        " recorded.",
    ),
]
TodayOption = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="Day that the report is stamped with; today if not given. Ledger, period and day make the bytes.",
    ),
]
CheckpointOption = Annotated[
    int | None,
    typer.Option(
        "--checkpoint",
        metavar="LEAVES",
        min=1,
        help="Make it as of the checkpoint of so many leaves, whatever was recorded since; the last one if not given.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Another value for a parameter of the report; several times."),
]


_HISTORY = "FROM report_runs"
_LAST = """
    SELECT report, arg_max(period || ': ' || CASE outcome WHEN 'made' THEN 'made'
        WHEN 'failed' THEN concat('failed, attempt ', attempt, ': ', reason) ELSE 'being made' END, claimed_at)
    FROM report_runs GROUP BY report
"""


@report.command("list")
def list_(
    context: typer.Context,
    form: Annotated[Format, typer.Option("--format", help="How to write the answer.")] = Format.TABLE,
) -> None:
    """Name the reports: what each answers, for which period it is due next, and what became of the last time.

    Own reports are those in the folder that QUOTALEDGER_SCHEDULE_REPORTS names; a broken one is listed, and says why.
    """
    from ledger.schedule.plans import read_plans
    from ledger.schedule.settings import ScheduleSettings, settings_of

    at: Settings = context.obj
    plans = read_plans(settings_of(ScheduleSettings).reports)
    last = dict(_asked(at.path, _LAST)[1]) if at.path.exists() else {}
    now = at.now()
    rows = [
        _row(found, plans.plans[name].schedule if name in plans.plans else None, now) | {"last": last.get(name)}
        for name, found in sorted(plans.reports.items())
    ]
    rows += [dict.fromkeys(rows[0]) | {"report": name, "last": what} for name, what in sorted(plans.broken.items())]
    print_rows(rows, tuple(rows[0]), form)


def _row(found: "Report", schedule: "Schedule | None", now: datetime) -> dict[str, Any]:
    """Give what is listed of a report, with the period whose report comes next and from when on it can be made."""
    period, due = schedule.next_due(now) if schedule else (None, None)
    return {
        "report": found.name,
        "question": found.question,
        "period": period.text if period else None,
        "due": f"{due:%Y-%m-%d %H:%M} UTC" if due else None,
        "formats": ", ".join(found.formats),
    }


@report.command()
def history(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One report; all if not given.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write the answer.")] = Format.TABLE,
) -> None:
    """Tell what the scheduler has made or tried: period, attempt, outcome, how long it took, SHA-256 of the files.

    `sent` says to how many of its recipients it has come, and why not to the others.
    """
    from ledger.store.ops import Ops
    from ledger.store.outbox import all_deliveries, progress

    at: Settings = context.obj
    columns, found = _asked(at.path, _HISTORY)
    with Ops.found(at.path) as ops:
        deliveries = all_deliveries(ops) if ops else []
    sent = defaultdict(list)
    for one in deliveries:
        sent[one.report, one.period].append(one)
    rows = [dict(zip(columns, row, strict=True)) for row in found]
    for row in rows:
        row["sent"] = progress(sent[row["report"], row["period"]]) if row["outcome"] == "made" else None
    rows = [row for row in rows if name in (None, row["report"])]
    print_rows(rows, (*columns, "sent"), form)
    if not rows:
        say("nothing was made by schedule yet; `quotaledger report list` says what is due when")


def _asked(ledger: Path, query: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Ask the ledger; while somebody holds it, such as a server, its published copy."""
    from ledger.core.errors import LedgerUnavailable
    from ledger.store.analyst import ask
    from ledger.store.publishing import copy_path

    try:
        answer = ask(ledger, query)
    except LedgerUnavailable:
        if not copy_path(ledger).exists():
            raise
        answer = ask(copy_path(ledger), query)
        say(f"somebody holds {ledger}: this is of its published copy")
    return tuple(answer.columns), list(answer.rows)


@report.command()
def run(
    context: typer.Context,
    name: Name,
    period: PeriodOption = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write into; made if it is not there.")] = Path(),
    today: TodayOption = None,
    checkpoint: CheckpointOption = None,
    changed: SetOption = None,
) -> None:
    """Make a report and write its files into a folder, over those of an earlier run; all of them or none."""
    made = _make(context, name, period, today, checkpoint, changed, out)
    for path in made.files:
        say(f"wrote {path}")


@report.command()
def preview(
    context: typer.Context,
    name: Name,
    period: PeriodOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="An empty or new folder; a temporary one if not given.")
    ] = None,
    today: TodayOption = None,
    checkpoint: CheckpointOption = None,
    changed: SetOption = None,
) -> None:
    """Say a report's first sentences, and make it where nothing is written over; nothing is recorded."""
    if out and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WrongUsage(f"{out} is not an empty folder, and a preview writes over nothing; give a new folder")
    folder = out or Path(mkdtemp(prefix="quotaledger-"))
    try:
        made = _make(context, name, period, today, checkpoint, changed, folder)
    except BaseException:
        if not out:
            with suppress(OSError):
                folder.rmdir()
        raise
    for sentence in made.summary:
        print(visible(sentence))
    for path in made.files:
        say(f"look at {path}")


def _make(
    context: typer.Context,
    name: str,
    period: str | None,
    today: datetime | None,
    checkpoint: int | None,
    changed: list[str] | None,
    out: Path,
) -> "Made":
    from ledger.reporting.folder import find_report
    from ledger.reporting.parameters import given
    from ledger.reporting.running import Wanted, run_report
    from ledger.schedule.settings import ScheduleSettings, settings_of

    found = find_report(name, settings_of(ScheduleSettings).reports)
    day = today.date() if today else Settings.now().date()
    with opened(context, writing=False) as desk:
        return run_report(desk.ledger, found, Wanted(day, period, checkpoint, given(changed or [], found)), out)
