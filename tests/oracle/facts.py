"""What the oracle remembers: records with their contributions, and register rows; sums over both.

Apart from the oracle because this only reads; it decides nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from tests.oracle.rules import Rules, last_day


@dataclass(frozen=True)
class Entry:
    """One contribution (SPEC 5): kept by consignee, with the date by which its year or quarter goes."""

    account: str  # committed, installed, pending, cap, lpp or nveu
    consignee: str
    destination: str  # as counted
    day: date
    tpp: int  # signed


@dataclass(frozen=True)
class Record:
    """A record with all that it takes from the one that it names, and what was settled in deciding it."""

    provider: str
    given: Mapping[str, str]  # every column of SPEC 2, blank where blank
    target: "Record | None"  # what `under` names
    kind: str
    day: date
    destination: str  # as counted
    consignee: str
    chip: str
    quantity: int
    chip_tpp: int
    basis: str | None = None
    unavailable: bool = False  # section 4, line 2, or limit 2 for a delivery under an allocation
    prohibited: bool = False  # section 4, line 1, on the record's own date
    fulfils: int = 0  # chips of a delivery that an allocation had outstanding
    entries: tuple[Entry, ...] = ()
    outcome: str = ""
    answer: Mapping[str, object] | None = None

    @property
    def tpp(self) -> int:
        """Quantity x the chip's TPP (SPEC 1)."""
        return self.quantity * self.chip_tpp

    def entry(self, account: str, chips: int, day: date | None = None) -> Entry:
        """So many chips of this record, on its own date unless another is given."""
        return Entry(account, self.consignee, self.destination, day or self.day, chips * self.chip_tpp)

    @property
    def beyond(self) -> int:
        """Chips of a delivery under an allocation that were not outstanding."""
        return self.quantity - self.fulfils if self.kind == "delivery" and self.target else 0


# --- SPEC 5 and 6: accounts are sums over entries ---------------------------------------------------------


def cap_used(entries: Iterable[Entry], destination: str) -> int:
    """Limit 4: what counts against a country's cap."""
    return sum(e.tpp for e in entries if e.account == "cap" and e.destination == destination)


def lpp_used(entries: Iterable[Entry], members: AbstractSet[str], year: int) -> int:
    """Limit 5: what counts in a family's calendar year."""
    return sum(e.tpp for e in entries if e.account == "lpp" and e.consignee in members and e.day.year == year)


def nveu_base(entries: Iterable[Entry], members: AbstractSet[str], destination: str, quarter: str) -> int:
    """Limit 6: the base of a quarter is everything dated up to its last day."""
    so_far = [e for e in entries if e.account == "nveu" and e.day <= last_day(quarter)]
    return sum(e.tpp for e in so_far if e.consignee in members and e.destination == destination)


def in_places(entries: Iterable[Entry], account: str, members: AbstractSet[str], inside: Callable[[str], bool]) -> int:
    """A family's committed, installed or pending in the destinations for which `inside` holds."""
    return sum(e.tpp for e in entries if e.account == account and e.consignee in members and inside(e.destination))


def anywhere(_destination: str) -> bool:
    """Every destination."""
    return True


def at(place: str) -> Callable[[str], bool]:
    """That destination alone."""
    return lambda destination: destination == place


def apart_from(place: str) -> Callable[[str], bool]:
    """Every other destination."""
    return lambda destination: destination != place


def same(one: Record, other: Record) -> bool:
    """Whether two are the same record: a reference is unique for its provider."""
    return (one.provider, one.given["reference"]) == (other.provider, other.given["reference"])


def touches(record: Record, account: str) -> bool:
    """Whether a record contributed to an account when it was decided."""
    return any(entry.account == account for entry in record.entries)


class Registers:
    """SPEC 8: the register rows in order, read as they stand now."""

    def __init__(self, rules: Rules) -> None:
        """Start empty."""
        self.rules = rules
        self.rows: list[tuple[str, dict[str, str]]] = []

    def register(self, register: str, row: Mapping[str, str]) -> None:
        """Append a register row."""
        self.rows.append((register, {column: value.strip() for column, value in row.items()}))

    def _parties(self) -> dict[str, dict[str, str]]:
        """A later row for a party supersedes the earlier."""
        return {row["party"]: row for register, row in self.rows if register == "parties"}

    def family(self, party: str) -> str:
        """SPEC 1: the ultimate parent, the top of the parent chain."""
        parties = self._parties()
        while parent := parties[party].get("parent", ""):
            party = parent
        return party

    def members(self, family: str) -> set[str]:
        """The parties of a family as the register stands."""
        return {party for party in self._parties() if self.family(party) == family}

    def headquarters(self, party: str) -> str:
        """Where a party is headquartered, as counted."""
        return self.rules.counted(self._parties()[party]["headquarters"])

    def uplift_percent(self, destination: str, day: date) -> int:
        """SPEC 8: of the assurances of a destination, the latest not after the date is in force."""
        in_force = {  # a later row for the same valid_from supersedes the earlier
            date.fromisoformat(row["valid_from"]): int(row["uplift_percent"])
            for register, row in self.rows
            if register == "assurances" and self.rules.counted(row["destination"]) == destination
        }
        begun = [valid_from for valid_from in in_force if valid_from <= day]
        return min(in_force[max(begun)], self.rules.uplift_percent_max) if begun else 0

    def holds(self, basis: str, family: str, destination: str, day: date) -> bool:
        """SPEC 4: a family holds an authorization if any of its parties does, from valid_from to valid_to."""
        if basis == "UVEU" and self.rules.tier(self.headquarters(family), day) != 1:
            return False
        rows = [row for register, row in self.rows if register == "authorizations"]
        valid_to = {}  # by the key: party, basis, destination, valid_from; a later row supersedes the earlier
        for row in rows:
            where = self.rules.counted(row.get("destination", ""))
            valid_to[row["party"], row["basis"], where, row["valid_from"]] = row.get("valid_to", "")
        members = self.members(family)
        return any(
            party in members
            and held == basis
            and (basis == "UVEU" or where == destination)
            and date.fromisoformat(first) <= day
            and (not last or day <= date.fromisoformat(last))
            for (party, held, where, first), last in valid_to.items()
        )
