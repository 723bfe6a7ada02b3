"""The accounting of a foreign file: every row has one fate, and the sums show where the file's own go.

Rows in = recorded + already there + rejected + left out + reported.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import StrEnum

from ledger.adapters.adapter import Adapted, Reason, folded


class Fate(StrEnum):
    """What became of a row."""

    RECORDED = "recorded"
    ALREADY_THERE = "already there"
    REJECTED = "rejected"
    HELD_BACK = "held back"  # good, but the import failed for other rows
    LEFT_OUT = "left out"
    REPORTED = "reported"


COUNTED = (Fate.RECORDED, Fate.ALREADY_THERE)
"""The fates of rows that the ledger has."""


@dataclass(frozen=True, slots=True)
class AccountedRow:
    """A row of the file, from 1, with its fate, and why; `tpp` is that of its chips still there."""

    row: int
    adapted: Adapted
    fate: Fate
    reasons: tuple[Reason, ...]
    tpp: int


@dataclass(frozen=True)
class Accounting:
    """All rows of a foreign file, in its order."""

    rows: Sequence[AccountedRow]

    def counts(self) -> dict[Fate, int]:
        """Give how many rows have each fate."""
        found = Counter(row.fate for row in self.rows)
        return {fate: found[fate] for fate in Fate}

    def by_fate(self) -> dict[tuple[Fate, str], tuple[int, Decimal]]:
        """Give rows and the file's H100 equivalents by fate and first reason, in order of fates, most rows first."""
        found: dict[tuple[Fate, str], tuple[int, Decimal]] = {(fate, ""): (0, Decimal(0)) for fate in COUNTED}
        for row in self.rows:
            key = row.fate, row.reasons[0].code if row.reasons else ""
            rows, given = found.get(key, (0, Decimal(0)))
            found[key] = rows + 1, given + row.adapted.given_h100e
        order = list(Fate)
        return dict(sorted(found.items(), key=lambda item: (order.index(item[0][0]), -item[1][0], item[0][1])))

    def by_country(self) -> dict[str, "Sums"]:
        """Give the sums of every country that the file names, and, under a blank, of rows without one."""
        sums: dict[str, Sums] = {}
        for row in self.rows:
            country = row.adapted.country
            sums[country] = sums.get(country, Sums()).plus(row)
        return sums

    def by_chip(self) -> dict[str, "Sums"]:
        """Give the sums of the rows that the ledger has, by chip; a row of several chips stands for itself."""
        sums: dict[str, Sums] = {}
        for row in self.rows:
            if row.fate in COUNTED:
                chips = " + ".join(dict.fromkeys(record["chip"] for record in row.adapted.records))
                sums[chips] = sums.get(chips, Sums()).plus(row)
        return sums

    def owners(self) -> list["Owner"]:
        """Give the owners without headquarters, those first on whom most hangs."""
        found: dict[str, Owner] = {}
        for row in self.rows:
            name = row.adapted.owner
            if row.fate is Fate.REPORTED and name:
                owner = found.get(folded(name), Owner(name))
                hanging = row.adapted.records and not row.adapted.left_out
                found[folded(name)] = replace(
                    owner,
                    rows=owner.rows + bool(hanging),
                    others=owner.others + (not hanging),
                    tpp=owner.tpp + row.tpp,
                )
        return sorted(found.values(), key=lambda owner: (-owner.tpp, -owner.rows, owner.name))


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over rows: in TPP what the ledger has of them, in the file's H100 equivalents what the file has."""

    rows: int = 0
    counted: int = 0
    tpp: int = 0
    given_counted: Decimal = Decimal(0)
    given_left_out: Decimal = Decimal(0)
    given_reported: Decimal = Decimal(0)

    @property
    def given(self) -> Decimal:
        """The file's H100 equivalents of all rows."""
        return self.given_counted + self.given_left_out + self.given_reported

    def with_sums(self, other: "Sums") -> "Sums":
        """Add other sums."""
        return Sums(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))

    def plus(self, row: AccountedRow) -> "Sums":
        """Add a row."""
        given = row.adapted.given_h100e
        counted, left_out = row.fate in COUNTED, row.fate is Fate.LEFT_OUT
        return Sums(
            self.rows + 1,
            self.counted + counted,
            self.tpp + (row.tpp if counted else 0),
            self.given_counted + (given if counted else 0),
            self.given_left_out + (given if left_out else 0),
            self.given_reported + (0 if counted or left_out else given),
        )


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner without headquarters: rows that lack nothing else, with their TPP, and rows that do."""

    name: str
    rows: int = 0
    others: int = 0
    tpp: int = 0


def tpp_of(adapted: Adapted, chip_tpp: Mapping[str, int]) -> int:
    """Give the TPP of a row's chips that are still there."""
    signs = {"attrition": -1}
    return sum(
        signs.get(record["kind"], 1) * int(record["quantity"]) * chip_tpp[record["chip"]] for record in adapted.records
    )
