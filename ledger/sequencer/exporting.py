"""Exporting: all that is needed to verify a ledger without this software, and to rebuild it record for record."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from ledger.core.errors import VerificationFailed, WrongUsage
from ledger.core.text import did_you_mean, nearest, shown
from ledger.core.version import VERSION
from ledger.sequencer.readme import readme
from ledger.store import log
from ledger.store.export_lines import export_lines
from ledger.store.file import LedgerFile
from ledger.store.frozen import TABLES, frozen, note_batches, pieces
from ledger.store.guard import key_in_use
from ledger.store.packing import CHECKPOINTS, LEAVES, README, VERIFIER, new_folder, table_file
from ledger.tlog.tree import Frontier

Advanced = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """What an export has: `redacted` leaves are hashes alone, `mentions` name a provider whose records are left out."""

    leaves: int
    records: int
    root: str
    redacted: int
    mentions: int
    key: str


def export_ledger(
    ledger: LedgerFile,
    to: Path,
    now: datetime,
    *,
    only: Collection[str] = (),
    without: Collection[str] = (),
    advanced: Advanced = lambda done, total: None,  # noqa: ARG005 -- nobody looks
) -> Exported:
    """Write the ledger as it is now into a new folder; this process may go on recording meanwhile.

    With `only` some providers or `without` some, what others have filed is there as hashes alone, and no table is.
    Raises WrongUsage for providers that have filed nothing or a folder that cannot be, VerificationFailed if the leaves
    are not those that were signed for, QuotaledgerError if the ledger cannot be read or the folder not written.
    """
    with frozen(ledger) as connection, new_folder(to) as pack:
        filed = log.providers(connection)
        hidden = _hidden(filed, only, without)
        redacting = bool(only or without)
        last = log.last_checkpoint(connection)
        key = str(key_in_use(connection))
        redacted = mentions = 0
        tree = Frontier()
        with pack.file(LEAVES) as file:
            for lines in export_lines(connection, hidden):
                file.write(lines.text)
                tree, _ = tree.extended(lines.hashes)
                redacted, mentions = redacted + lines.redacted, mentions + lines.mentions
                advanced(tree.size, last["leaves"])
        if tree.root().hex() != last["root"]:
            raise VerificationFailed(
                "the ledger's leaves do not have the root of its last checkpoint: it was changed, and nothing is made"
                " of it; `quotaledger verify` tells more"
            )
        with pack.file(CHECKPOINTS) as file:
            for notes in note_batches(connection):
                file.write("".join(f"{note}\n" for note in notes).encode())
        if not redacting:
            for table in TABLES:
                pack.write_table(table_file(table), pieces(connection, table))
        pack.write(VERIFIER, (files("ledger") / "standalone" / VERIFIER).read_bytes())
        origin = key.partition("+")[0]
        pack.write(README, readme(redacting=redacting))
        says: dict[str, Any] = {
            "origin": origin,
            "made_at": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "software_version": VERSION,
            "leaves": last["leaves"],
            "records": last["sequence"],
            "root": last["root"],
            "redacted": redacted,
        }
        pack.close(says)
    return Exported(last["leaves"], last["sequence"], last["root"], redacted, mentions, key)


def _hidden(filed: Sequence[str], only: Collection[str], without: Collection[str]) -> list[str]:
    """Give the providers whose records are left out. Raises WrongUsage if one is named that has filed nothing."""
    if only and without:
        raise WrongUsage("--only-provider and --without-provider exclude each other; give one of them")
    for provider in (*only, *without):
        if provider not in filed:
            hint = did_you_mean(nearest(provider, filed))
            raise WrongUsage(f"no provider {shown(provider)} has filed anything here{hint}")
    return [provider for provider in filed if (provider not in only if only else provider in without)]
