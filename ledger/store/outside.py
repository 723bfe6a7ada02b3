"""The outside checkpoints: every signed note of a ledger, one after another, in a file beside it that only grows.

Whoever goes back to an older ledger, or edits one, leaves this file ahead of it or in disagreement with it. A note is
followed by a blank line. A crash may leave the beginning of a note at the end: it is written anew.
"""

import errno
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ledger.core.errors import NoRoom, QuotaledgerError
from ledger.store.leftovers import give_name, sync_folder, unfinished

_END: Final = "\n"
# A text of three lines, a blank line, signatures (each begins with an em dash), and the blank line that ends it.
_NOTE: Final = re.compile(rb"([^\n]+\n[0-9]+\n[^\n]+\n\n(?:\xe2\x80\x94 [^\n]+\n)+)\n")
_TAIL_BYTES: Final = 16_384
"""Many times the length of a note: reading the last one takes no longer in a large file."""


def split_last(content: bytes) -> tuple[str | None, bytes]:
    """Give the last whole note of many, None if there is none, and what follows it."""
    matches = list(_NOTE.finditer(content))
    if not matches:
        return None, content
    return matches[-1][1].decode("utf-8", "replace"), content[matches[-1].end() :]


class OutsideCheckpoints:
    """The file of outside checkpoints at a path. Raises QuotaledgerError where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number: int | None = None
        self._appended = b""
        """The last note that was appended here, as the file has it."""

    def notes(self) -> Iterator[str]:
        """Give every whole note, in order. Raises QuotaledgerError for anything that is none, but at the very end."""
        content = self._read(0)
        at = 0
        while match := _NOTE.match(content, at):
            yield match[1].decode("utf-8", "replace")
            at = match.end()
        if _NOTE.search(content, at):
            line = content.count(b"\n", 0, at) + 1
            raise QuotaledgerError(f"{self.path} was edited or damaged: line {line:,} begins no signed checkpoint")

    def last(self) -> tuple[str | None, bytes]:
        """Give the last whole note, None if there is none, and what follows it: nothing, but after a crash."""
        return split_last(self._read(_TAIL_BYTES))

    def is_lost(self) -> bool:
        """Say if there is no whole note anywhere in the file: damage behind the notes loses none of them."""
        return not _NOTE.search(self._read(0))

    def ends_as_left(self) -> bool:
        """Say if the file is the one appended to, as that left it: no other is in its place, nor was it cut."""
        return self._is_there() and bool(self._appended) and self._read(len(self._appended)) == self._appended

    def append(self, notes: Iterable[str]) -> None:
        """Append notes, and give back when they would survive a crash."""
        try:
            number = self._opened()
            before = os.fstat(number).st_size
            try:
                encoded = [(note + _END).encode() for note in notes]
                written = b"".join(encoded)
                while written:
                    written = written[os.write(number, written) :]
                os.fsync(number)
                self._appended = encoded[-1]
            except BaseException:
                os.ftruncate(number, before)
                raise
        except OSError as error:
            kind = NoRoom if error.errno in (errno.ENOSPC, errno.EDQUOT) else QuotaledgerError
            raise kind(
                f"the outside checkpoint cannot be written to {self.path}: {error.strerror or error}; make that"
                " possible, and it is written when something is recorded next"
            ) from None

    def renew(self, notes: Iterable[str]) -> None:
        """Write all notes into a new file, which appears when it is whole.

        What is there, without a whole note in it, is kept under another name.
        """
        made = OutsideCheckpoints(unfinished(self.path))
        try:
            made.append(notes)
            if self.path.exists():
                self.path.rename(self.path.with_name(f"{self.path.name}.damaged-{secrets.token_hex(4)}"))
            give_name(made.path, self.path)
        except OSError as error:
            raise QuotaledgerError(f"{self.path} cannot be written anew: {error.strerror or error}") from None
        finally:
            made.close()
            made.path.unlink(missing_ok=True)

    def cut(self, following: bytes) -> None:
        """Take away what a crash left after the last whole note."""
        try:
            size = self.path.stat().st_size
            os.truncate(self.path, size - len(following))
        except OSError as error:
            raise QuotaledgerError(f"{self.path} cannot be mended: {error.strerror or error}") from None

    def _opened(self) -> int:
        """Give the number of the file, open for appending."""
        if self._number is None or not self._is_there():
            self.close()
            new = not self.path.exists()
            self._number = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            if new:
                sync_folder(self.path.parent)
        return self._number

    def _is_there(self) -> bool:
        """Say if the file that is open here is still at its path: who edits or copies one back makes another file."""
        if self._number is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._number), self.path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Let go of the file."""
        if self._number is not None:
            os.close(self._number)
            self._number = None

    def _read(self, tail: int) -> bytes:
        """Give the content, or not much more than its last `tail` bytes; nothing if there is no file."""
        try:
            # A pipe of that name would otherwise be waited for.
            with open(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - tail) if tail else 0)
                return file.read()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise QuotaledgerError(f"{self.path} cannot be read: {error.strerror or error}") from None
