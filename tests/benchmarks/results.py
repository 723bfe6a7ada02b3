"""What the benchmarks found: a figure beside its floor and its budget, as a table for people and as JSON."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """A figure beside its floor, and what the budget in `ledger/README.md` demands of it."""

    what: str
    value: float | None
    """None if it was not measured."""
    unit: str = ""
    floor: float | None = None
    must: float | None = None
    is_least: bool = False
    """Whether `must` is a minimum."""
    base: str = "the floor"
    """What the floor is."""
    why: str = ""
    """Why it was not measured."""

    @property
    def ratio(self) -> float | None:
        """How many times the floor it is."""
        return self.value / self.floor if self.floor and self.value is not None else None

    @property
    def met(self) -> bool | None:
        """Whether the budget is met, by the ratio where there is a floor."""
        if self.must is None or self.value is None:
            return None
        value = self.ratio or self.value
        return value >= self.must if self.is_least else value <= self.must

    @property
    def line(self) -> str:
        """Say it in a line of the table."""
        if self.value is None:
            return f"{self.what:84} not measured: {self.why}"
        found = f"{_figure(self.value)} {self.unit:9}"
        ratio = f"{self.ratio:6.2f} x {self.base} {_figure(self.floor).strip()} {self.unit}" if self.ratio else ""
        least = "at least" if self.is_least else "at most"
        must = "" if self.must is None else f"must be {least} {self.must:,} {'met' if self.met else 'NOT MET'}"
        return f"{self.what:84} {found} {ratio:44} {must}".rstrip()


def not_measured(what: str, why: str) -> Result:
    """Give the row of what cannot be measured here, so that nobody takes it for forgotten."""
    return Result(what, None, why=why)


def progress(text: str) -> None:
    """Say on standard error what is being done: the table comes only at the end."""
    print(text, file=sys.stderr, flush=True)


def write_results(path: Path, results: Sequence[Result], costs: Sequence[tuple[str, float]]) -> None:
    """Write all as JSON."""
    found = [asdict(result) | {"ratio": result.ratio, "met": result.met} for result in results]
    path.write_text(json.dumps({"results": found, "costs": dict(costs)}, indent=2) + "\n", "utf-8")


def _figure(value: float | None) -> str:
    """Give a figure with as many places as a person reads: 0.0139, 725.9, 277,000."""
    if value is None:
        return ""
    places = 4 if abs(value) < 100 else 1 if abs(value) < 1000 else 0
    return f"{value:12,.{places}f}"
