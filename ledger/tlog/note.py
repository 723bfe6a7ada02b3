"""Signed notes (C2SP signed-note) with Ed25519: a text, a blank line, and a line for each signature.

A signature line is an em dash, a space, the key's name, a space, and the base64 of four bytes that tell the key and of
the signature. A verifier key is what others need to check: `NAME+HASH+BASE64`.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519: Final = b"\x01"
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_DASH: Final = "\u2014 "
_SIGNATURES_MAX: Final = 100
_FORBIDDEN: Final = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
"""Control characters but the line feed, which notes may not have, and halves of characters, which are no UTF-8."""


class NoteError(ValueError):
    """A note, a signature or a key is not what it should be; the text says how, for people."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under a name: who signs, and with what it is checked."""

    name: str
    public: bytes

    @classmethod
    def of(cls, name: str, private: Ed25519PrivateKey) -> Self:
        """Give the verifier key of a private one under a name. Raises NoteError for a name that notes cannot have."""
        if not _is_name(name):
            raise NoteError(f"a key's name has no blanks and no plus sign, unlike {name!r}")
        return cls(name, private.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key. Raises NoteError if it is none."""
        name, _, rest = text.strip().partition("+")
        digest, _, encoded = rest.partition("+")
        key = from_base64(encoded)
        if not _is_name(name) or len(key) != 1 + _KEY_BYTES or not key.startswith(_ED25519):
            raise NoteError("it is no Ed25519 verifier key, which is written NAME+HASH+BASE64")
        found = cls(name, key[1:])
        if digest != found.id.hex():
            raise NoteError("the verifier key has a typing error: its hash is not that of its name and key")
        return found

    @property
    def id(self) -> bytes:
        """The four bytes that tell this key from others."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(_ED25519 + self.public).decode()}"


def sign(text: str, *keys: tuple[str, Ed25519PrivateKey]) -> str:
    """Make a signed note of a text, which ends with a newline, with a signature by each named key.

    Raises NoteError for a text or a name that notes cannot have, or without a key.
    """
    if _FORBIDDEN.search(text):
        raise NoteError("a signed note has no control characters but the ends of lines, and is UTF-8")
    lines = []
    for name, private in keys:
        key = VerifierKey.of(name, private)
        lines.append(f"{_DASH}{name} {b64encode(key.id + private.sign(text.encode())).decode()}\n")
    note = text + "\n" + "".join(lines)
    if parts(note)[0] != text:
        raise NoteError("the text of a signed note ends with a line feed")
    return note


def signed_text(note: str, keys: Sequence[VerifierKey]) -> str:
    """Give the text of a note that at least one of some keys has signed, and none of them wrongly.

    Raises NoteError if it is no note, or not signed by them. Signatures by other keys are not looked at.
    """
    text, signatures = parts(note)
    known = {(key.name, key.id): key for key in keys}
    checked = 0
    for name, key_id, signature in signatures:
        if (name, key_id) in known:
            try:
                Ed25519PublicKey.from_public_bytes(known[name, key_id].public).verify(signature, text.encode())
            except InvalidSignature:
                raise NoteError(f"the signature by {name} is not of this text") from None
            checked += 1
    if not checked:
        raise NoteError("none of the keys asked for has signed it")
    return text


def has_signed(note: str, key: VerifierKey) -> bool:
    """Say if this very key has signed a note: the four bytes that tell keys apart can be made to be the same."""
    try:
        signed_text(note, [key])
    except NoteError:
        return False
    return True


def parts(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Give the text of a note and, of each signature, name, the four bytes of the key, and the signature itself.

    Raises NoteError if it is no note.
    """
    if _FORBIDDEN.search(note):
        raise NoteError("it is no signed note: it has control characters, or is no UTF-8")
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise NoteError("it is no signed note: a text, a blank line and signatures, each line ended")
    signatures = []
    if lines.count("\n") > _SIGNATURES_MAX:
        raise NoteError(f"it is no signed note: it has more than {_SIGNATURES_MAX} signatures")
    for line in lines[:-1].split("\n"):
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        signature = from_base64(encoded)
        if not line.startswith(_DASH) or not _is_name(name) or len(signature) <= _ID_BYTES:
            raise NoteError(f"{line!r} is no line of a signature")
        signatures.append((name, signature[:_ID_BYTES], signature[_ID_BYTES:]))
    return text + "\n", signatures


def from_base64(text: str) -> bytes:
    """Read base64 as it is written by everyone: the same bytes in other letters would be another note.

    Raises NoteError if it is none.
    """
    try:
        found = b64decode(text, validate=True)
    except ValueError:
        found = None
    if found is None or b64encode(found).decode() != text:
        raise NoteError(f"{text!r} is not base64")
    return found


def _is_name(name: str) -> bool:
    """Say if a key may be called so."""
    return bool(name) and "+" not in name and not any(map(str.isspace, name)) and not _FORBIDDEN.search(name)
