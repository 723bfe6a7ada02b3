"""The table of faults: how many were injected, and what became of each.

A test notes what it did in its report's properties, which come to the process that prints, whichever worker ran it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

PROPERTY: Final = "fault"
BECAME: Final = {
    "survived": "whole again at the next command, and all that was acknowledged is there",
    "refused": "told in one sentence while it lasted, and what was recorded stayed",
    "opening": "found by whichever verb opens the ledger",
    "verify": "found by verifying the ledger",
    "stand-alone": "found by the stand-alone verifier",
    "harmless": "the same content, or the same key, to the last row",
    "lost": "found by nothing: must be 0",
}
"""What can become of a fault."""


@dataclass(frozen=True)
class Tally:
    """Where a test notes its faults."""

    record: Callable[[str, object], None]

    def add(self, kind: str, became: str, count: int = 1) -> None:
        """Note that faults of a kind were injected, and what became of them."""
        assert became in BECAME
        self.record(PROPERTY, f"{kind}|{became}|{count}")


def table(properties: Iterable[tuple[str, object]], notes: Sequence[str] = ()) -> list[str]:
    """Give the lines of the table, none if no fault was injected."""
    counted: dict[str, Counter[str]] = {}
    for name, value in properties:
        if name == PROPERTY:
            kind, became, count = str(value).split("|")
            counted.setdefault(kind, Counter())[became] += int(count)
    if not counted:
        return []
    total = sum(counted.values(), Counter[str]())
    wide = max(map(len, counted))
    lines = [f"{'fault':{wide}}  injected  " + "  ".join(BECAME)]
    for kind, row in [*sorted(counted.items()), ("all", total)]:
        figures = "  ".join(f"{row[became] or '.':>{len(became)}}" for became in BECAME)
        lines.append(f"{kind:{wide}}  {row.total():>8}  {figures}")
    return [*lines, *notes]
