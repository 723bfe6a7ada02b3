"""The thresholds of a report: rows of its tables that somebody wants to be warned of when it is made by schedule."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ledger.core.errors import InputRejected
from ledger.core.text import did_you_mean, nearest

_BOUNDS: Final = ("at_least", "at_most")
_KEYS: Final = ("column", *_BOUNDS, "subject", "sentence")
_NAMED: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True)
class Threshold:
    """From which figure in a column on a row is worth a warning."""

    column: str
    at_least: Decimal | None
    at_most: Decimal | None
    """Inclusive both, and one of them given."""
    subject: tuple[str, ...]
    """The columns that tell a row from others: a row is warned of once until it is back."""
    sentence: str
    """With columns in braces."""

    def is_reached(self, value: Decimal) -> bool:
        """Say if a figure is worth a warning."""
        least, most = self.at_least, self.at_most
        return (least is None or value >= least) and (most is None or value <= most)


@dataclass(frozen=True)
class Crossed:
    """A row that has come to its threshold."""

    query: str
    subject: str
    sentence: str


def parse_thresholds(said: Any, asked: Sequence[str], problems: list[str]) -> dict[str, Threshold]:
    """Read `[thresholds.QUERY]` of a report whose queries on the page are `asked`; faults are added to the problems."""
    if not isinstance(said, dict) or not all(isinstance(table, dict) for table in said.values()):
        problems.append("thresholds must be given as [thresholds.QUERY]")
        return {}
    found = {}
    for name, table in said.items():
        faults = [f"has an unknown key {key}{did_you_mean(nearest(key, _KEYS))}" for key in table if key not in _KEYS]
        if name not in asked:
            faults.append(f"is no query on the page{did_you_mean(nearest(name, asked))}")
        subject = table.get("subject")
        columns = [subject] if isinstance(subject, str) else subject
        if not isinstance(columns, list) or not columns or not all(isinstance(column, str) for column in columns):
            faults.append("needs subject, the column or list of columns that tells its rows apart")
        faults += [f"needs {key}, a text" for key in ("column", "sentence") if not isinstance(table.get(key), str)]
        bounds = {key: table[key] for key in _BOUNDS if key in table}
        if not bounds or not all(type(bound) in (int, float) for bound in bounds.values()):
            faults.append("needs at_least or at_most, a number")
        problems += [f"thresholds.{name} {fault}" for fault in faults]
        if not faults and isinstance(columns, list):
            least, most = (Decimal(str(bounds[key])) if key in bounds else None for key in _BOUNDS)
            found[name] = Threshold(table["column"], least, most, tuple(columns), table["sentence"])
    return found


def crossed(thresholds: Mapping[str, Threshold], rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Crossed]:
    """Give the rows that have come to their thresholds. Blank figures have not.

    Raises InputRejected for a column that a query has not, or that has no numbers.
    """
    return [
        Crossed(name, "/".join(str(row[column]) for column in threshold.subject), _sentence(threshold, row))
        for name, threshold in thresholds.items()
        for row in rows[name]
        if (value := _figure(name, threshold, row)) is not None and threshold.is_reached(value)
    ]


def _figure(name: str, threshold: Threshold, row: Mapping[str, Any]) -> Decimal | None:
    named = (threshold.column, *threshold.subject, *_NAMED.findall(threshold.sentence))
    for column in named:
        if column not in row:
            hint = did_you_mean(nearest(column, list(row)))
            raise InputRejected(f"thresholds.{name} names the column {column}, which its query has not{hint}")
    value = row[threshold.column]
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise InputRejected(f"thresholds.{name} needs numbers in the column {threshold.column}, and found {value}")
    return Decimal(str(value))


def _sentence(threshold: Threshold, row: Mapping[str, Any]) -> str:
    return _NAMED.sub(lambda match: _written(row[match[1]]), threshold.sentence)


def _written(value: Any) -> str:
    if value is None:
        return "not given"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
