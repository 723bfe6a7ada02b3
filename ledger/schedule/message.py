"""What is delivered: a report that was made, or an alert, in the words and files that every recipient gets."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ledger.core.text import shown, visible

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
"""Good in a Message-ID, in the name of a file and in what a webhook signs, which a full stop would part elsewhere."""


class NotDelivered(Exception):
    """A message did not reach its recipient, or not all of it; says why in words, and never a password or a secret.

    `refused` are the addresses of a mail that the server took for others: they alone are to be tried again, with
    `Recipient.only`. It is empty where nobody has the message.
    """

    def __init__(self, reason: str, refused: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.refused = refused


@dataclass(frozen=True)
class Message:
    """A report that was made, or an alert. Raises ValueError for one that no recipient could be sent."""

    id: str
    """The same for every attempt, so that a recipient knows a repeat: letters, digits, "-" and "_"."""
    subject: str
    """One line."""
    sentences: tuple[str, ...]
    """What it says, as plain text."""
    page: Path | None
    """The HTML file to show in the message itself."""
    files: tuple[Path, ...]
    """All files, the page among them."""
    facts: Mapping[str, Any]
    """What a program wants to know, for webhooks."""
    place: str
    """The folder for the files, below the one of the recipient, such as "country-quota/2026-10"; "" of an alert."""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"{shown(self.id)} cannot be the id of a message; give up to 128 letters, digits, - or _")
        if self.subject.splitlines() != [self.subject] or visible(self.subject) != self.subject:
            raise ValueError(f"{shown(self.subject)} cannot be a subject; give one line without control characters")
        if self.place and not _is_place(self.place):
            raise ValueError(f"{shown(self.place)} is no folder below another; give one such as country-quota/2026-10")
        if len({path.name for path in self.files}) != len(self.files):
            raise ValueError("two files of a message have the same name; give each a name of its own")
        if self.page is not None and self.page not in self.files:
            raise ValueError(f"the page {self.page.name} is not among the files of the message; name it there, too")
        if self.files and not self.place:
            raise ValueError("a message with files needs a place for them; only an alert has none")

    @property
    def text(self) -> str:
        """The sentences, one a line, harmless to a terminal."""
        return "".join(f"{visible(sentence)}\n" for sentence in self.sentences)


@dataclass(frozen=True)
class Described:
    """A file as it is named to whoever does not get it, or wants to compare what came."""

    path: Path
    bytes: int
    sha256: str


def describe(path: Path) -> Described:
    """Say how long a file is, and its digest. Raises NotDelivered if it cannot be read."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Described(path, file.tell(), digest)
    except OSError as error:
        raise unreadable(path, error) from None


def content(path: Path) -> bytes:
    """Give what is in a file. Raises NotDelivered if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> NotDelivered:
    """Give what to raise for a file of the message that cannot be read."""
    return NotDelivered(f"{path}, which is to be delivered, cannot be read: {error.strerror or error}")


def _is_place(text: str) -> bool:
    """Say if a text names a folder below another: no way up, none from the root, nothing that hides."""
    parts = text.split("/")
    plain = visible(text) == text and text.isprintable() and "\\" not in text
    return (
        plain and not PurePosixPath(text).is_absolute() and not any(part.startswith(".") or not part for part in parts)
    )
