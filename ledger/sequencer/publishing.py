"""Publishing: the copy that analysts read, of one moment, while records are recorded."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ledger.core.errors import LedgerUnavailable
from ledger.core.version import VERSION
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile, beside
from ledger.store.frozen import frozen
from ledger.store.log import checkpoint_note, last_checkpoint
from ledger.store.outside import OutsideCheckpoints
from ledger.store.publishing import (
    Advanced,
    Publication,
    check_folder,
    copy_path,
    is_copy,
    read_publication,
    write_copy,
    write_parquet,
)
from ledger.tlog.checkpoint import unchecked


def publish(
    ledger: LedgerFile,
    now: datetime,
    to: Path | None = None,
    parquet: Path | None = None,
    advanced: Advanced = lambda *_: None,
) -> Publication:
    """Write the copy of a ledger as it is at an instant, beside it or elsewhere, and as a folder of Parquet if wanted.

    Whoever reads the copy before it goes on with that. Raises VerificationFailed for a ledger that is behind its
    outside checkpoints, QuotaledgerError where nothing can be written; then the copy before it is there still.
    """
    to = to or copy_path(ledger.path)
    if parquet:
        check_folder(parquet)
    with frozen(ledger) as connection:
        signed = last_checkpoint(connection)
        note = checkpoint_note(connection, signed["leaves"]) or ""
        made = Publication(now, signed["sequence"], signed["leaves"], note, VERSION)
        write_copy(connection, to, made, advanced)
    if parquet:
        write_parquet(to, parquet, made)
    return made


@dataclass(frozen=True)
class Copy:
    """A published copy of a ledger, and how far it is."""

    path: Path
    publication: Publication
    leaves_now: int | None
    """How many leaves the ledger's log has now, as far as its outside checkpoints say."""


def copy_of(ledger: Path) -> Copy | None:
    """Give the published copy of a ledger if there is one; it need not be possible to open the ledger itself.

    Raises LedgerUnavailable for one that cannot be read, and for that of another ledger, which was there before this.
    """
    path = ledger if is_copy(ledger) else copy_path(ledger)
    if not path.exists():
        return None
    made = read_publication(path)
    last, _ = OutsideCheckpoints(beside(ledger, OUTSIDE_SUFFIX)).last()
    if last is None:
        return Copy(path, made, None)
    ours, theirs = unchecked(last), unchecked(made.checkpoint)
    if theirs.origin != ours.origin or theirs.size > ours.size:
        raise LedgerUnavailable(
            f"{path} is a copy of another ledger, or of a newer one than {ledger}; publish it again"
        )
    return Copy(path, made, ours.size)
