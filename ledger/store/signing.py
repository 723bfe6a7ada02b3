"""The signing key: Ed25519, in a file that only its owner may read, beside the ledger and never in it."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.core.errors import QuotaledgerError
from ledger.store import leftovers
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import VerifierKey

LOST: Final = '(if it is lost: `quotaledger signing-key rotate --lost --note "why"`)'
"""What to do where the key cannot be brought back."""
_OWNER_ONLY: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs checkpoints of one log, with the key in use and, when keys change hands, with the one before it, too."""

    origin: str
    privates: tuple[Ed25519PrivateKey, ...]

    def sign(self, checkpoint: Checkpoint) -> str:
        """Give the signed note of a checkpoint."""
        return checkpoint.signed(*self.privates)

    @property
    def key(self) -> VerifierKey:
        """What others check the newest signature with."""
        return VerifierKey.of(self.origin, self.privates[-1])

    def handing_over(self, private: Ed25519PrivateKey) -> Self:
        """Give who signs with this key and the next, for the checkpoint that puts the next one in use."""
        return type(self)(self.origin, (*self.privates[-1:], private))


def make_private_key(path: Path) -> Ed25519PrivateKey:
    """Make a key and keep it, synced, in a new file of mode 0600 as PKCS 8 PEM, which appears when it is whole.

    Raises WrongUsage if there is a file already, QuotaledgerError if none can be made.
    """
    private = Ed25519PrivateKey.generate()
    content = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    leftovers.clear(path)
    unfinished = leftovers.unfinished(path)
    try:
        number = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        leftovers.give_name(unfinished, path)
    except OSError as error:
        raise QuotaledgerError(f"no signing key can be kept at {path}: {error.strerror or error}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return private


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Read a signing key. Raises QuotaledgerError if it is not there, no such key, or others may read it."""
    try:
        # A pipe of that name would otherwise be waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
            mode, content = os.fstat(file.fileno()).st_mode, file.read()
    except FileNotFoundError:
        raise QuotaledgerError(
            f"the signing key is not at {path}, and nothing is recorded unsigned; bring it back or name its file with"
            f" --signing-key {LOST}"
        ) from None
    except OSError as error:
        raise QuotaledgerError(f"the signing key at {path} cannot be read: {error.strerror or error}") from None
    if mode & _OTHERS:
        raise QuotaledgerError(
            f"others may read the signing key at {path} (mode {stat.S_IMODE(mode):04o}); keep it to yourself with"
            f" `chmod 600 {path}`, and rotate it if somebody may have"
        )
    try:
        private = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise QuotaledgerError(f"{path} is no signing key: it should be an Ed25519 key as PEM, without a password")
    return private
