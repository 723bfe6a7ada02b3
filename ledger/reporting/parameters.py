"""The parameters of a report: what `report.toml` gives, changed by who runs it, and read by queries as a view."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ledger.core.errors import WrongUsage
from ledger.core.text import did_you_mean, nearest, shown
from ledger.reporting.folder import Report

Parameter = int | str | bool | date


def given(texts: Sequence[str], report: Report) -> dict[str, Parameter]:
    """Read `name=value` for parameters of a report. Raises WrongUsage for one that it has not, or of another type."""
    found: dict[str, Parameter] = {}
    for text in texts:
        name, is_said, value = text.partition("=")
        if not is_said:
            raise WrongUsage(f"found {shown(text)}; expected a parameter as in NAME=VALUE")
        default = _default(report, name)
        try:
            found[name] = _read(value, type(default))
        except ValueError:
            raise WrongUsage(f"the parameter {name} cannot be {shown(value)}; expected the like of {default}") from None
    return found


def settled(report: Report, changed: Mapping[str, Any]) -> dict[str, Parameter]:
    """Give every parameter of a report. Raises WrongUsage for one that it has not."""
    for name, value in changed.items():
        default = _default(report, name)
        if type(default) is not type(value):
            raise WrongUsage(f"the parameter {name} cannot be {shown(value)}; expected the like of {default}")
    return dict(report.parameters) | dict(changed)


def parameters_sql(parameters: Mapping[str, Parameter]) -> str:
    """Give the query of the view `report_parameters`: one row, a column each."""
    columns = ", ".join(f"{_literal(value)} AS {name}" for name, value in parameters.items())
    return f"SELECT {columns or 'NULL AS no_parameters'}"


def _default(report: Report, name: str) -> Parameter:
    if name not in report.parameters:
        known = ", ".join(report.parameters) or "none"
        hint = did_you_mean(nearest(name, list(report.parameters)))
        raise WrongUsage(f"the report {report.name} has no parameter {shown(name)}; it has {known}{hint}")
    value: Parameter = report.parameters[name]
    return value


def _read(text: str, kind: type) -> Parameter:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    return date.fromisoformat(text) if kind is date else int(text) if kind is int else text


def _literal(value: Parameter) -> str:
    if isinstance(value, bool | int):
        return str(value).lower() if isinstance(value, bool) else f"{value}::BIGINT"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return "'" + value.replace("'", "''") + "'"
