"""Changing the signing key: the log says so in a leaf, and the checkpoint over it is signed by both keys.

Whoever trusts the old key can so trust the new one. Where the old key is lost, only the new one signs, and others have
to be told by some other way that it is the right one.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ledger.core.errors import QuotaledgerError, WrongUsage
from ledger.sequencer.desk import Desk
from ledger.sequencer.notes import kept_note
from ledger.store import append, guard
from ledger.store.file import KEY_SUFFIX, LedgerFile, beside
from ledger.store.signing import Signer, make_private_key, read_private_key
from ledger.tlog.note import VerifierKey, has_signed


@dataclass(frozen=True)
class Rotation:
    """What became of a rotation; `old_file` is where the old private key is now, if it was there."""

    before: VerifierKey
    key: VerifierKey
    batch: int
    old_file: Path | None


@dataclass(frozen=True)
class KeyUse:
    """A signing key, the leaf and the instant from which on it is in use, and whether the one before signed for it."""

    key: VerifierKey
    leaf: int
    since: datetime
    is_handed_over: bool


def rotate(path: Path, note: str, filed_by: str, now: datetime, key: Path | None = None, *, lost: bool) -> Rotation:
    """Put a new signing key in use, in the file of the old one, which is kept beside it.

    Raises WrongUsage if a key is said to be lost that is not, InputRejected for a note that cannot be kept, and what
    `LedgerFile.open` raises.
    """
    file = key or beside(path, KEY_SUFFIX)
    why = kept_note(note, "say with --note why the key is changed")
    with LedgerFile.open(path, now, file, key_lost=lost) as ledger:
        before = guard.key_in_use(ledger.connection)
        if lost:
            guard.finish_rotation(file, before)  # one that a crash has cut short has lost nothing
        if lost and _is_there(file, before):
            raise WrongUsage(f"the signing key is not lost: it is at {file}; rotate without --lost")
        made = file.with_name(file.name + guard.NEXT_SUFFIX)
        made.unlink(missing_ok=True)  # of a rotation that never came to be recorded
        private = make_private_key(made)
        ledger.signer = ledger.signer.handing_over(private) if ledger.signer else Signer(before.name, (private,))
        desk = Desk(ledger, filed_by, now)
        with ledger.transaction():
            batch = append.append_rows(ledger, desk.batch("key", 1), [append.key_row(ledger.signer.key, why)])
        old = guard.finish_rotation(file, ledger.signer.key)
        return Rotation(before, ledger.signer.key, batch, old)


def keys_in_turn(ledger: LedgerFile) -> list[KeyUse]:
    """Give every signing key that the log has put in use, in order."""
    query = """
        SELECT k.leaf, k.key, b.recorded_at, c.note FROM key_row AS k
        JOIN batch AS b ON b.batch = k.batch JOIN checkpoint AS c ON c.batch = k.batch ORDER BY k.leaf
    """
    found: list[KeyUse] = []
    for leaf, text, since, note in ledger.rows(query):
        found.append(KeyUse(VerifierKey.parse(text), leaf, since, bool(found) and has_signed(note, found[-1].key)))
    return found


def _is_there(file: Path, key: VerifierKey) -> bool:
    try:
        return VerifierKey.of(key.name, read_private_key(file)) == key
    except QuotaledgerError:
        return False
