"""What providers and parties can be called: one rule for files, registers and keys."""

from typing import Final

from ledger.core.errors import InputRejected
from ledger.core.text import Fault, normal, shown

PROVIDER_LENGTH_MAX: Final = 128
ID_LENGTH_MAX: Final = 128


def provider_name(name: str) -> str:
    """Give a provider's name without outer blanks. Raises InputRejected for one that cannot be."""
    text = normal(name)
    if isinstance(text, Fault):
        raise InputRejected(f"the provider's name cannot be used: {text.message}")
    if not text or len(text) > PROVIDER_LENGTH_MAX:
        raise InputRejected(f"the provider's name needs 1 to {PROVIDER_LENGTH_MAX} characters; give --provider NAME")
    return text


def id_text(text: str) -> str | Fault:
    """Give the id of a party or chip as it is, or why it can be none."""
    if any(sign in text for sign in "/{}"):
        return Fault(
            "malformed",
            f"found {shown(text)}; an id has no slash, which separates the parts of an account,"
            " and no braces, which stand for values in sentences",
        )
    return limited(text, ID_LENGTH_MAX)


def limited(text: str, length_max: int) -> str | Fault:
    """Give a text as it is, or say that it is too long."""
    if len(text) > length_max:
        return Fault("too-long", f"found {len(text):,} characters, expected at most {length_max:,}")
    return text
