"""An open ledger with what deciding needs: the rulebook in force, the registers, and who files what when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ledger.core.form import Vocabulary
from ledger.core.version import VERSION
from ledger.rulebook.balances import Balances
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.registers import Registers
from ledger.rulebook.rulebook import Rulebook
from ledger.store import read
from ledger.store.file import LedgerFile
from ledger.store.head import Head, head
from ledger.store.seal import BatchRow
from ledger.store.seeds import country_names, parse_rulebook, region_countries


@dataclass
class Desk:
    """One holder of the file at one instant. What it has read is kept: nobody else can write meanwhile."""

    ledger: LedgerFile
    filed_by: str
    now: datetime
    _balances: Balances | None = None
    _head: Head | None = None

    @cached_property
    def rulebook(self) -> Rulebook:
        """The rulebook in force."""
        return parse_rulebook(read.rulebook_texts(self.ledger.connection))

    @cached_property
    def registers(self) -> Registers:
        """The registers as they stand."""
        return read.registers(self.ledger.connection)

    @cached_property
    def codebook(self) -> Codebook:
        """Rulebook and registers as numbers."""
        return Codebook(self.rulebook, self.registers, tuple(country_names()))

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The codes that a record may name."""
        return vocabulary(self.codebook)

    @cached_property
    def filers(self) -> dict[str, set[str]]:
        """Which providers have filed for each party."""
        return read.filers(self.ledger.connection)

    def balances(self) -> Balances:
        """Give the accounts as they stand, free to be changed: they are read anew unless they were handed back."""
        kept, self._balances = self._balances, None
        return kept or read.balances(self.ledger.connection, self.codebook)

    def head(self) -> Head:
        """Give where the ledger stands."""
        if self._head is None:
            self._head = head(self.ledger.connection)
        return self._head

    def keep(self, head: Head, balances: Balances) -> None:
        """Say where the ledger stands now, and hand back balances that are, once more, what it holds."""
        self._head, self._balances = head, balances

    def has_moved(self) -> None:
        """Forget where the ledger stands: something was recorded on which no decision rests."""
        self._head = None

    def renew(self) -> None:
        """Forget all that was read: registers or rulebook have changed."""
        for name in ("rulebook", "registers", "codebook", "vocabulary", "filers"):
            self.__dict__.pop(name, None)
        self._head = self._balances = None

    def batch(
        self,
        kind: str,
        records: int,
        provider: str | None = None,
        counts: Mapping[str, int] | None = None,
        digest: str | None = None,
    ) -> BatchRow:
        """Describe a batch of this desk's: counts not named are 0, the digest is the rulebook in force's."""
        zero = dict.fromkeys(("admitted", "refused", "breached", "rejected", "duplicates"), 0)
        return BatchRow(
            kind=kind,
            provider=provider,
            filed_by=self.filed_by,
            recorded_at=self.now,
            records=records,
            rulebook_digest=digest or self.rulebook.digest,
            software_version=VERSION,
            **(zero | dict(counts or {})),
        )


class Shared:
    """What desks at one ledger have in common while registers and rulebook stay: it is read once for all of them."""

    def __init__(self) -> None:
        self._known: tuple[object, dict[str, Any]] = None, {}

    def desk(self, ledger: LedgerFile, now: datetime) -> Desk:
        """Give a desk at a ledger that is read aside, with what is known already."""
        desk = Desk(ledger, "", now)
        state = read.register_state(ledger.connection)
        known_of, known = self._known
        if known_of != state:
            known = {name: getattr(desk, name) for name in ("rulebook", "registers", "codebook", "vocabulary")}
            self._known = state, known
        desk.__dict__.update(known)
        return desk


def vocabulary(codebook: Codebook) -> Vocabulary:
    """Give the codes of a codebook, with the hints for typing errors."""
    return Vocabulary(
        places=codebook.place_of,
        place_names={name.casefold(): code for code, name in country_names().items()},
        regions=region_countries(),
        parties=codebook.party_of,
        chips=codebook.chip_of,
        counting_start=codebook.figures.counting_start,
    )
