"""What is to be made when: the reports that come along and a user's own, with what `schedule.toml` changes of them.

A folder that cannot be used is named with what is wrong, and keeps no other from being made.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ledger.core.errors import InputRejected, WrongUsage
from ledger.core.text import did_you_mean, nearest, visible
from ledger.core.version import VERSION
from ledger.reporting.folder import FORMATS, Report, find_report, load_report, report_names
from ledger.reporting.parameters import settled
from ledger.reporting.period import Period
from ledger.reporting.schedule import Schedule, parse_schedule
from ledger.schedule.recipients import Recipient, parse_recipient

SCHEDULE_FILE: Final = "schedule.toml"
ALERTS: Final = "alerts"
"""The table of `schedule.toml` that is no report's."""
_KEYS: Final = ("enabled", "formats", "parameters", "recipients", "schedule")
_NOT_OF_THE_PAGE: Final = ("schedule", "recipients", "thresholds")


@dataclass(frozen=True)
class Plan:
    """A report that is made by schedule, and who gets it."""

    report: Report
    schedule: Schedule
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Values in the place of those that its `report.toml` gives."""
    recipients: tuple[Recipient, ...] = ()

    @property
    def definition(self) -> str:
        """SHA-256, hex, of all of the report that its pages may show, and of the software that makes them."""
        said = {name: value for name, value in asdict(self.report).items() if name not in _NOT_OF_THE_PAGE}
        text = json.dumps([VERSION, said, dict(self.parameters)], default=str, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def due(self, after: datetime, now: datetime) -> list[Period]:
        """Give the periods that came to be due between two instants, the oldest first."""
        return list(self.schedule.due(after, now))


@dataclass
class Plans:
    """All reports that are made by schedule."""

    reports: dict[str, Report] = field(default_factory=dict)
    """Every report that can be made, by name."""
    plans: dict[str, Plan] = field(default_factory=dict)
    """Those that are made by schedule."""
    broken: dict[str, str] = field(default_factory=dict)
    """What is wrong, by the name of a report or file."""
    alerts_to: tuple[str, ...] = ()
    """Who gets alerts, as written."""

    def next_due(self, now: datetime) -> datetime | None:
        """Give the instant at which the next report is due, UTC; None if none is made by schedule."""
        return min((plan.schedule.next_due(now)[1] for plan in self.plans.values()), default=None)


def read_plans(own: Path | None) -> Plans:
    """Read the reports that come along and those in a folder of the user's; what is wrong there is told in `broken`."""
    found = Plans()
    reports = found.reports = _reports(own, found.broken)
    changes = _changes(own, found.broken)
    for name in changes.keys() - reports.keys() - {ALERTS}:
        hint = did_you_mean(nearest(name, list(reports)))
        found.broken.setdefault(SCHEDULE_FILE, f"there is no report {visible(name)}{hint}")
    found.alerts_to = _recipients(changes.get(ALERTS, {}).get("recipients", ()), SCHEDULE_FILE, found.broken)
    for name, report in sorted(reports.items()):
        try:
            changed = _changed(report, changes.get(name, {}))
            recipients = tuple(map(parse_recipient, changed.recipients))
        except ValueError as error:
            found.broken[name] = visible(str(error))
            continue
        reports[name] = changed
        if changed.schedule and changes.get(name, {}).get("enabled", True):
            parameters = changes.get(name, {}).get("parameters", {})
            found.plans[name] = Plan(changed, changed.schedule, parameters, recipients)
    return found


def _reports(own: Path | None, broken: dict[str, str]) -> dict[str, Report]:
    found: dict[str, Report] = {}
    places: list[tuple[str, Path | None]] = [(name, None) for name in report_names()]
    try:
        places += (
            [(path.name, path) for path in sorted(own.iterdir()) if (path / "report.toml").exists()] if own else []
        )
    except OSError as error:
        broken[str(own)] = f"the folder of own reports cannot be read: {error.strerror or error}"
    for name, path in places:
        if name in found:
            broken[str(path)] = f"a report {visible(name)} comes along already; give the folder another name"
            continue
        try:
            found[name] = load_report(name, path) if path else find_report(name)
        except (InputRejected, OSError) as error:
            broken[name] = visible(str(error).removeprefix(f"the report {visible(name)} cannot be used: "))
    return found


def _changes(own: Path | None, broken: dict[str, str]) -> Mapping[str, Mapping[str, Any]]:
    """Give what `schedule.toml` says, a table for each report."""
    path = own / SCHEDULE_FILE if own else None
    if path is None or not path.exists():
        return {}
    try:
        said = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        broken[SCHEDULE_FILE] = f"it cannot be read: {visible(str(error))}"
        return {}
    for name, table in said.items():
        keys = ("recipients",) if name == ALERTS else _KEYS
        odd = sorted(table.keys() - set(keys)) if isinstance(table, dict) else None
        if odd or odd is None:
            what = f"an unknown key {visible(odd[0])}" if odd else "no table"
            broken[SCHEDULE_FILE] = f"[{visible(name)}] has {what}; known are {', '.join(keys)}"
    return {name: table for name, table in said.items() if isinstance(table, dict)}


def _changed(report: Report, said: Mapping[str, Any]) -> Report:
    """Give a report as `schedule.toml` has it. Raises ValueError that names what cannot be."""
    problems: list[str] = []
    schedule = parse_schedule(said["schedule"], problems) if "schedule" in said else report.schedule
    formats, recipients = said.get("formats", report.formats), said.get("recipients", report.recipients)
    if not isinstance(formats, list | tuple) or not formats or not set(map(str, formats)) <= set(FORMATS):
        problems.append(f"formats must be a list of {', '.join(FORMATS)}, at least one")
    if not isinstance(recipients, list | tuple) or not all(isinstance(text, str) for text in recipients):
        problems.append("recipients must be a list of texts")
    if not isinstance(said.get("enabled", True), bool):
        problems.append("enabled must be true or false")
    try:
        settled(report, said.get("parameters", {}))
    except (WrongUsage, AttributeError) as error:
        problems.append(str(error) if isinstance(error, WrongUsage) else "parameters must be a table")
    if problems:
        raise ValueError(f"{SCHEDULE_FILE}: {'; '.join(problems)}")
    return replace(report, schedule=schedule, formats=tuple(formats), recipients=tuple(recipients))


def _recipients(said: Any, where: str, broken: dict[str, str]) -> tuple[str, ...]:
    """Give who gets alerts; one that cannot be is named, and keeps no other from getting them."""
    if not isinstance(said, list | tuple):
        broken[where] = f"[{ALERTS}] recipients must be a list of texts"
        return ()
    found = []
    for text in said:
        try:
            parse_recipient(text)
            found.append(text)
        except (ValueError, AttributeError) as error:  # the latter of what is no text
            broken[where] = visible(f"[{ALERTS}] recipients: {error}")
    return tuple(found)
