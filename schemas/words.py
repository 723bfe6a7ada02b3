"""The words of the field: one name per thing, the same in files, columns, code and reports.

Every enumeration here is closed and ordered: the number of a member is its place in a column of small integers,
so members are only ever added at the end. What each word means to the law is told in `docs/words.md`.
"""

from enum import IntEnum


class Kind(IntEnum):
    """What a record says happened."""

    OPENING = 0  # chips in place before the ledger's count begins
    ALLOCATION = 1  # a request to commit chips: the only kind that can be refused
    DELIVERY = 2  # chips arrived
    LAPSE = 3  # part of an allocation will not be used
    ATTRITION = 4  # chips gone through loss, failure, resale or relocation
    REVERSAL = 5  # an earlier record was wrong and never happened


class Basis(IntEnum):
    """The authorization under which chips move; the last two are findings, never stated by a record."""

    NONE = 0
    LICENSE = 1
    LPP = 2
    AIA = 3
    NVEU = 4
    UVEU = 5
    PROHIBITED = 6
    UNCOUNTED = 7


class Outcome(IntEnum):
    """What became of a record."""

    ADMITTED = 0
    REFUSED = 1  # an allocation that a limit forbids: recorded, counts nowhere
    BREACHED = 2  # a fact that a limit forbids: recorded, counts
    REJECTED = 3  # not understood, or contradicts the record: not recorded


KINDS, BASES = tuple(Kind), tuple(Basis)
"""The members by their numbers: a look-up, where calling the enumeration is slow."""

STATED_BASES = (Basis.LICENSE, Basis.LPP, Basis.AIA, Basis.NVEU, Basis.UVEU)

LIMIT_IDS = (
    "allocation-exceeded",
    "prohibited",
    "authorization-unavailable",
    "beyond-horizon",
    "country-cap",
    "lpp-annual",
    "nveu-installed-base",
    "uveu-single-country",
    "uveu-outside-tier-1",
    "uveu-outside-us",
)
"""The limits, in the order in which they speak (0 to 9)."""


def word(member: IntEnum) -> str:
    """Give the text of a member as files and columns have it: kinds and outcomes small, bases capital, none blank."""
    if isinstance(member, Basis):
        return "" if member is Basis.NONE else member.name
    return member.name.lower()
