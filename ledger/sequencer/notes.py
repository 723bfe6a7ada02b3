"""Notes that say why something was done: kept as they are given, or refused."""

from ledger.core.errors import InputRejected
from ledger.core.text import Fault, normal
from schemas.record import LENGTH_MAX


def kept_note(text: str, otherwise: str) -> str:
    """Give a note as it is kept; `otherwise` is what to do if it is blank. Raises InputRejected if it cannot be."""
    note = normal(text)
    if isinstance(note, Fault):
        raise InputRejected(f"the note cannot be kept: {note.message}")
    if note is None:
        raise InputRejected(f"the note is blank; {otherwise}")
    if len(note) > LENGTH_MAX["note"]:
        raise InputRejected(
            f"the note has {len(note):,} characters, and at most {LENGTH_MAX['note']:,} are kept; shorten it"
        )
    return note
