"""The registers as they stand: who belongs to whom, who holds what, and what a chip is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.core.dates import FOREVER


@dataclass(frozen=True, slots=True)
class Party:
    """A legal entity; `headquarters` is a country code, `parent` a party id or blank at the top."""

    party: str
    name: str
    headquarters: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Authorization:
    """UVEU, or NVEU for one destination, held by a party from `valid_from` to `valid_to`, days both included."""

    party: str
    basis: str
    destination: str
    valid_from: int
    valid_to: int = FOREVER
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Assurance:
    """A government's assurances raise its country's cap by `uplift_percent`, from `valid_from` to the next row's."""

    destination: str
    uplift_percent: int
    valid_from: int
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A chip or a unit of several; `tpp` sums over its integrated circuits (supp. no. 2 to part 748 (c)(4))."""

    chip: str
    name: str
    vendor: str
    tpp: int
    chip_class: str
    source: str


Row = Party | Authorization | Assurance | Chip


@dataclass(frozen=True)
class Registers:
    """Every register by key, the latest row of each key. Updated by making another (`with_rows`)."""

    parties: Mapping[str, Party] = field(default_factory=dict)
    authorizations: Mapping[tuple[str, str, str, int], Authorization] = field(default_factory=dict)
    assurances: Mapping[tuple[str, int], Assurance] = field(default_factory=dict)
    chips: Mapping[str, Chip] = field(default_factory=dict)

    def with_rows(self, rows: list[Row]) -> "Registers":
        """Give the registers as they stand after these rows: the last row of a key wins, and stands last."""
        parties, authorizations = dict(self.parties), dict(self.authorizations)
        assurances, chips = dict(self.assurances), dict(self.chips)
        for row in rows:
            match row:
                case Party():
                    parties[row.party] = row
                case Authorization():
                    key = row.party, row.basis, row.destination, row.valid_from
                    authorizations.pop(key, None)
                    authorizations[key] = row
                case Assurance():
                    assurances.pop((row.destination, row.valid_from), None)
                    assurances[row.destination, row.valid_from] = row
                case Chip():
                    chips[row.chip] = row
        return Registers(parties, authorizations, assurances, chips)

    def in_force(self, row: Row) -> Row | None:
        """Give the row that stands under the same key, or None."""
        match row:
            case Party():
                return self.parties.get(row.party)
            case Authorization():
                return self.authorizations.get((row.party, row.basis, row.destination, row.valid_from))
            case Assurance():
                return self.assurances.get((row.destination, row.valid_from))
            case Chip():
                return self.chips.get(row.chip)

    def family(self, party: str) -> str:
        """Give the id of the ultimate parent. The registers never hold a cycle: registering refuses it."""
        while parent := self.parties[party].parent:
            party = parent
        return party
