"""The files that verbs read, and standard input."""

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from ledger.core.errors import WrongUsage
from ledger.core.text import visible

if TYPE_CHECKING:  # a verb loads only what it uses
    from ledger.store.sheet import Content


def open_input(file: str) -> "Content":
    """Open a file, or standard input for `-`, so that it can be sought. Raises WrongUsage if it cannot be read."""
    if file == "-" and sys.stdin is None:
        raise WrongUsage("there is no standard input to read; give a file")
    try:
        content = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115 -- who asked closes it
        if file != "-" and content.seekable():
            return cast("Content", content)
        from shutil import copyfileobj
        from tempfile import TemporaryFile

        # What comes through a pipe may be larger than memory.
        kept = cast("Content", TemporaryFile())  # noqa: SIM115
        copyfileobj(content, cast("IO[bytes]", kept))
    except OSError as error:
        raise WrongUsage(f"{visible(file)} cannot be read: {error.strerror or error}") from None
    return kept


def read_bytes(file: str) -> bytes:
    """Give the content of a file, or of standard input for `-`. Raises WrongUsage if it cannot be read."""
    with open_input(file) as content:
        content.seek(0)
        return content.read()
