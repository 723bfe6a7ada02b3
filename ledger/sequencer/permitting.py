"""Whether a provider may file for a party: one for which another provider has filed asks for a permission.

A rule of whoever runs the ledger, and none of the rulebook's: a row without the permission is rejected, not refused.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ledger.core.columns import ABSENT
from ledger.core.form import Form, RowFault
from ledger.sequencer.desk import Desk
from schemas.words import Kind


@dataclass(frozen=True)
class Guard:
    """Keeps a provider from filing for the parties of others; `is_granted` says who may all the same."""

    is_granted: Callable[[str, str], bool]
    """Of a provider and a party."""

    def check(self, desk: Desk, provider: str, form: Form) -> None:
        """Reject the rows of an import that need a permission which is not there: openings, allocations, deliveries."""
        asking = np.isin(form.numbers["kind"], (Kind.OPENING, Kind.ALLOCATION, Kind.DELIVERY)) & ~form.malformed
        rows = np.flatnonzero(asking & (form.numbers["consignee"] != ABSENT))
        parties = form.numbers["consignee"][rows]
        kept = [
            number
            for number in np.unique(parties).tolist()
            if desk.filers.get(party := desk.codebook.parties[number], {provider}) - {provider}
            and not self.is_granted(provider, party)
        ]
        for row in rows[np.isin(parties, kept)].tolist():
            form.malformed[row] = True
            form.faults.append(
                RowFault(
                    row,
                    "consignee",
                    "not-permitted",
                    f"another provider has filed for {form.given['consignee'].item(row)}, and this one has no"
                    " permission to; ask whoever runs the ledger",
                )
            )
