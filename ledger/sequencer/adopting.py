"""Putting another rulebook in force: later decisions follow it, earlier ones keep the one that they cite."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.rulebook.rulebook import Rulebook
from ledger.sequencer.desk import Desk
from ledger.sequencer.notes import kept_note
from ledger.store import append, derived, read
from ledger.store.query import table
from ledger.store.seeds import find_rulebook, parse_rulebook, seeded_rulebooks

IN_FORCE: Final = "in-force"
"""What a ledger's rulebook in force is called, where a rulebook may be named."""

_DIGEST: Final = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True)
class Adoption:
    """What became of an adoption; `batch` is None where the rulebook was in force already."""

    rulebook: Rulebook
    before: Rulebook
    batch: int | None
    over: tuple[str, ...] = ()
    """Countries that have used more than the rulebook allows them."""


def adopt(desk: Desk, rulebook: Rulebook, note: str) -> Adoption:
    """Put a rulebook in force. It is no change, and nothing is recorded, if it means what the one in force means.

    Raises InputRejected for a note that cannot be kept. The desk has read the rulebook before: open another.
    """
    why, before = kept_note(note, "say with --note why this rulebook is adopted"), desk.rulebook
    if rulebook.digest == before.digest:
        return Adoption(rulebook, before, None)
    with desk.ledger.transaction() as connection:
        batch = desk.batch("rulebook", 1, digest=rulebook.digest)
        # Without a record there is no latest date; the count's first day stands in for it.
        latest = None if desk.head().sequence else rulebook.figure("counting_start")
        number = append.append_rows(desk.ledger, batch, [append.rulebook_row(rulebook, why)], latest)
        derived.derive_rulebook(connection, rulebook)
    desk.renew()
    over = table(desk.ledger.connection, "SELECT destination FROM country_positions WHERE status = 'over'")
    return Adoption(rulebook, before, number, tuple(row["destination"] for row in over))


def adoptions(desk: Desk) -> list[dict[str, Any]]:
    """Give the history of adoptions, the last of them in force."""
    return table(desk.ledger.connection, "FROM rulebooks ORDER BY adoption")


def is_of_ledger(name: str) -> bool:
    """Say if a name may be that of a rulebook which a ledger keeps: `in-force`, or the beginning of a digest."""
    digest = _DIGEST.fullmatch(name) and name not in seeded_rulebooks() and not Path(name).exists()
    return name == IN_FORCE or bool(digest)


def named_rulebook(desk: Desk, name: str) -> Rulebook:
    """Give the rulebook of a name: in force, adopted once and named by its digest, seeded, or a folder's.

    Raises WrongUsage if there is none, RulebookError if it is malformed.
    """
    if name == IN_FORCE:
        return desk.rulebook
    if is_of_ledger(name):
        for row in adoptions(desk):
            if row["digest"].startswith(name):
                return parse_rulebook(read.rulebook_texts(desk.ledger.connection, row["leaf"] + 1))
    return find_rulebook(name)


def same_id(rulebook: Rulebook, others: list[Rulebook]) -> bool:
    """Say if another of these rulebooks has the id of this one and means something else."""
    return any(other.id == rulebook.id and other.digest != rulebook.digest for other in others)
