"""What the notes of records own up to, and figures gathered by parameter: rows sorted for people, for every page."""

from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]


def assumptions(notes: Iterable[Row]) -> dict[str, list[str]]:
    """Sort notes by what they own up to: chip, day or other assumed, or a count in equivalents."""
    found: dict[str, list[str]] = {"chip": [], "day": [], "other": [], "equivalents": []}
    for row in notes:
        said = row["note"].split("as reported:")[0]
        for clause in said.replace(",", ";").split(";"):
            before, assumed, _ = clause.rpartition("assumed")
            if not assumed:
                continue
            words = before.lower().split()
            about = "day" if {"day", "date", "month"} & set(words) else "other"
            about = "chip" if {"chip", row["chip"].lower()} & set(words) else about
            if row["reference"] not in found[about]:
                found[about].append(row["reference"])
        if "equivalent" in said:
            found["equivalents"].append(row["reference"])
    return found


def by_parameter(parameters: Iterable[Row]) -> list[dict[str, Any]]:
    """Give the rulebook's figures with the periods of a schedule gathered in one row."""
    figures: dict[str, dict[str, Any]] = {}
    for row in parameters:
        name, _, period = row["parameter"].partition(".")
        entry = figures.setdefault(name, {**row, "parameter": name, "entries": []})
        entry["entries"].append((period, row["value"]))
    return list(figures.values())
