"""What can go wrong that is not an answer. Each error is one sentence with what to do next.

QuotaledgerError          exit code 5
├── InputRejected         1  the input was rejected; `rows` says where and why
├── WrongUsage            2  the command asks for what cannot be
├── PreconditionFailed    5  what it was to rely on has changed; nothing was recorded
├── VerificationFailed    3  what is there is not what was signed, or not what it says it is
├── LedgerUnavailable     4  the ledger is held by another process, or not there
│   └── Busy              4  too many requests wait to be recorded already
├── NoRoom                5  the disk is full
└── KeyRefused            5  an API key is unknown, expired or revoked; `reason` says which
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from schemas.access import KeyFault


class QuotaledgerError(Exception):
    """Something went wrong that no other class names."""

    exit_code: ClassVar[int] = 5


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not recorded: `row` counts from 1 in its file; None where the whole file is at fault."""

    file: str
    row: int | None
    reference: str | None
    field: str
    code: str
    message: str

    def sentence(self) -> str:
        """Say where and why, for a terminal."""
        place = self.file if self.row is None else f"{self.file}, row {self.row:,}"
        column = f", {self.field}" if self.field else ""
        return f"{place}{column}: {self.message} [{self.code}]"


class InputRejected(QuotaledgerError):
    """The input was rejected and nothing was recorded."""

    exit_code = 1

    def __init__(self, message: str, rows: Sequence[RejectedRow] = ()) -> None:
        super().__init__(message)
        self.rows = tuple(rows)


class WrongUsage(QuotaledgerError):
    """The command asks for what cannot be."""

    exit_code = 2


class PreconditionFailed(QuotaledgerError):
    """What a request was to rely on has changed meanwhile; nothing was recorded."""


class VerificationFailed(QuotaledgerError):
    """What is there is not what was signed, or not what it says it is."""

    exit_code = 3


class LedgerUnavailable(QuotaledgerError):
    """The ledger is held by another process, or not there."""

    exit_code = 4


class Busy(LedgerUnavailable):
    """Too many requests wait to be recorded already; this one was not accepted, and may be sent again."""


class NoRoom(QuotaledgerError):
    """The disk is full; when it has room again, the same may be done again."""


class KeyRefused(QuotaledgerError):
    """An API key does not let its caller in; the sentence and the reason may be told to whoever sent it."""

    def __init__(self, message: str, reason: KeyFault) -> None:
        super().__init__(message)
        self.reason = reason
