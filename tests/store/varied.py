"""A ledger with everything in it, and what it said after each step: registers and rulebooks change between imports."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.rulebook.rulebook import Rulebook
from ledger.sequencer.adopting import adopt
from ledger.sequencer.positions import status
from ledger.store.seeds import parse_rulebook
from tests.harness import Answer, Bench, amended, bench

Row = dict[str, Any]

PARTIES: Final = (
    {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"},
    {"party": "BETA", "name": "Beta", "headquarters": "IN"},
    {"party": "USCO", "name": "US Company", "headquarters": "US"},
    {"party": "USGULF", "name": "Its subsidiary", "headquarters": "AE", "parent": "USCO"},
    {"party": "EURO", "name": "European Company", "headquarters": "FR"},
)
AUTHORIZATIONS: Final = (
    {"party": "USCO", "basis": "UVEU", "valid_from": "2025-02-01", "valid_to": "2026-09-30"},
    {"party": "EURO", "basis": "UVEU", "valid_from": "2025-01-01"},
    {"party": "BETA", "basis": "NVEU", "destination": "IN", "valid_from": "2025-04-01"},
)
LATER: Final = (
    ("assurances", {"destination": "AE", "uplift_percent": "33", "valid_from": "2025-06-01"}),
    ("parties", {"party": "USGULF", "name": "Sold", "headquarters": "AE", "parent": "EURO"}),
    ("assurances", {"destination": "AE", "uplift_percent": "60", "valid_from": "2025-06-01"}),
    ("assurances", {"destination": "SA", "uplift_percent": "100", "valid_from": "2026-03-01"}),
    ("assurances", {"destination": "PR", "uplift_percent": "10", "valid_from": "2025-03-01"}),
    ("parties", {"party": "BETA", "name": "Bought", "headquarters": "IN", "parent": "USCO"}),
)
"""What is registered between imports."""

FIRST: Final = {"country_cap_tpp": "9_000_000", "lpp_annual_tpp": "900_000", "lapse_restores_cap": "true"}
"""Small figures, so that limits speak."""

_DRAWN_ON: Final = {
    "opening": (),
    "allocation": (),
    "delivery": ("allocation",),
    "lapse": ("allocation",),
    "attrition": ("opening", "delivery"),
    "reversal": ("opening", "allocation", "delivery", "lapse", "attrition"),
}
_PLACES: Final = ("AE", "IN", "SA", "SG", "KH", "US", "PR", "FR", "CN")
_OWNERS: Final = ("ALPHA", "BETA", "USCO", "USGULF", "EURO")
_CHIPS: Final = ("H100", "H100", "H200", "GB300", "L40")


def other_rulebooks() -> tuple[Rulebook, ...]:
    """Give what is adopted later: another cap and thresholds; Norway as tier 2 and no Puerto Rico; the first again."""
    second = amended(**FIRST | {"country_cap_tpp": "6_000_000", "status_watch_percent": "50"})
    texts = dict(amended(**FIRST | {"country_cap_tpp": "30_000_000", "h100_equivalent_tpp": "16_000"}).texts)
    for old, new in (('"IT", "JP", "KR", "NL", "NO",', '"IT", "JP", "KR", "NL",'), ('"MP", "PR", "UM"', '"MP", "UM"')):
        assert texts["tiers.toml"].count(old) == 1
        texts["tiers.toml"] = texts["tiers.toml"].replace(old, new)
    texts["tiers.toml"] = texts["tiers.toml"].replace('counted_as = "NO"', 'counted_as = "SE"')
    return second, parse_rulebook(texts), amended(**FIRST)


@dataclass(frozen=True)
class Step:
    """What the ledger said right after an import."""

    sequence: int
    countries: list[Row]


class Varied:
    """A ledger that is filled step by step, the same for the same seed."""

    def __init__(self, made: Bench, seed: int) -> None:
        self.made = made
        self.steps: list[Step] = []
        self.answers: list[Answer] = []
        self._random = random.Random(seed)  # noqa: S311 -- a sample, the same each time
        self._under: list[tuple[str, str, str]] = []

    def fill(self, imports: int = 14, rows: int = 25) -> None:
        """Import, register and adopt in turn."""
        self.made.register("parties", *PARTIES)
        self.made.register("authorizations", *AUTHORIZATIONS)
        later, books = list(LATER), list(other_rulebooks())
        for number in range(imports):
            self.answers += self.made.submit("pq"[number % 2], *(self._row(number, row) for row in range(rows)))
            found = status(self.made.desk())
            self.steps.append(Step(found["sequence"], found["countries"]))
            if number % 2 and later:
                register, row = later.pop(0)
                self.made.register(register, row)
            if number % 4 == 2 and books:
                adopt(self.made.desk(), books.pop(0), "the rule has changed")

    def _row(self, number: int, place: int) -> Row:
        chance, reference = self._random, f"{number}-{place}"
        kind = chance.choices(
            ("opening", "allocation", "delivery", "lapse", "attrition", "reversal"), (1, 6, 4, 2, 1, 1)
        )[0]
        provider = "pq"[number % 2]
        wanted = _DRAWN_ON[kind]
        mine = [name for owner, of, name in self._under if owner == provider and of in wanted]
        under = (
            chance.choice(mine)
            if mine and (kind in {"lapse", "attrition", "reversal"} or chance.random() < 0.7)
            else None
        )
        month = min(20, number * 20 // 14 + chance.randrange(3))
        row: Row = {
            "reference": reference,
            "kind": kind,
            "date": f"{2025 + month // 12}-{month % 12 + 1:02}-{chance.randint(1, 28):02}",
        }
        if kind == "opening":
            row["date"] = "2024-11-30"
        if kind == "reversal":
            row["note"] = "entered twice"
        else:
            row["quantity"] = chance.choice((1, 3, 10, 40, 90))
        if kind in {"lapse", "attrition", "reversal"} or (kind == "delivery" and under):
            row["under"] = under or "none"
            row["date"] = row["date"] if kind != "reversal" else "2026-09-30"
        else:
            row |= {
                "destination": chance.choice(_PLACES),
                "consignee": chance.choice(_OWNERS),
                "chip": chance.choice(_CHIPS),
            }
            row["basis"] = chance.choice((None, None, "LICENSE", "LICENSE", "LPP", "NVEU", "UVEU", "AIA"))
            row["evidence"] = chance.choice((None, "invoice"))
            if kind == "allocation":
                row |= {"license_number": f"D{reference}", "expires": f"2026-{chance.randint(1, 12):02}-28"}
        if kind != "reversal":
            self._under.append((provider, kind, reference))
        return row


@contextmanager
def varied(folder: Path, seed: int = 1) -> Iterator[Varied]:
    """Give a ledger with everything in it."""
    with bench(folder, **FIRST) as made:
        history = Varied(made, seed)
        history.fill()
        yield history
