"""Checkpoints (C2SP tlog-checkpoint): a signed statement of how many leaves a log has, and of their root."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.tlog.leaf import HASH_BYTES
from ledger.tlog.note import NoteError, VerifierKey, parts, sign, signed_text

SIZE_END: Final = 1 << 63
"""No log has as many leaves, and every reader's integers are large enough for those below."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log was at one moment: `origin` names the log, `root` is over its first `size` leaves."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Read the text of a checkpoint. Raises NoteError if it is none."""
        lines = text.split("\n")
        try:
            origin, size, root, last = lines
            found = cls(origin, int(size), b64decode(root, validate=True))
        except ValueError:
            raise NoteError("it is no checkpoint: a line each for origin, number of leaves and root") from None
        # int() reads more than digits: what is written again must be what was read.
        if last or not origin or not 0 <= found.size < SIZE_END or len(found.root) != HASH_BYTES or found.text != text:
            raise NoteError("it is no checkpoint: a line each for origin, number of leaves and root")
        return found

    def signed(self, *privates: Ed25519PrivateKey) -> str:
        """Give the signed note; the keys go by the name of the log."""
        return sign(self.text, *((self.origin, private) for private in privates))


def read_checkpoint(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Give the checkpoint of a note that one of some keys has signed, under the log's own name.

    Raises NoteError if there is none: a key signs for no log but its own.
    """
    found = unchecked(note)
    signed_text(note, [key for key in keys if key.name == found.origin])
    return found


def unchecked(note: str) -> Checkpoint:
    """Give what a note says, whoever signed it. Raises NoteError if it is no checkpoint."""
    return Checkpoint.of_text(parts(note)[0])
