"""Who may do what through the import API: the scope that a key has, the rights that it gives, why a key is refused."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Right(StrEnum):
    """One thing that a caller may do."""

    FILE = "file"  # hand in records
    OWN = "own"  # read the records of its own provider
    POSITIONS = "positions"  # read what countries and families have used and have left
    ALL = "all"  # read the records of every provider
    ADMINISTER = "administer"  # register, adopt rulebooks, let providers file for parties


class Scope(StrEnum):
    """What a key is for. A key has one: whoever needs two has two keys, and can lose one of them alone."""

    IMPORT = "import"  # a machine that files, and hears what became of it
    READ = "read"  # a provider's own eyes: its records and the positions; files nothing
    ANALYST = "analyst"  # sees everything, files nothing
    ADMIN = "admin"  # everything

    def may(self, right: Right) -> bool:
        """Say if a key of this scope gives a right."""
        return right in RIGHTS[self]


RIGHTS: Final[Mapping[Scope, frozenset[Right]]] = {
    Scope.IMPORT: frozenset({Right.FILE, Right.OWN}),
    Scope.READ: frozenset({Right.OWN, Right.POSITIONS}),
    Scope.ANALYST: frozenset({Right.OWN, Right.POSITIONS, Right.ALL}),
    Scope.ADMIN: frozenset(Right),
}
"""No scope contains the one before it: a key that files cannot look around, one that looks cannot file."""


class KeyFault(StrEnum):
    """Why a key is refused, as its caller may be told: the last two only to who has the whole of it."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
