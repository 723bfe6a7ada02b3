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
        if file == "-":
            return _kept(sys.stdin.buffer)
        content = Path(file).open("rb")  # noqa: SIM115 -- who asked closes it
        if not content.seekable():
            with content:
                return _kept(content)
        content.peek(1)  # one that can be opened but not read is told here
    except OSError as error:
        raise WrongUsage(f"{visible(file)} cannot be read: {error.strerror or error}") from None
    return content


def _kept(stream: IO[bytes]) -> "Content":
    """Keep what comes through a pipe, which may be larger than memory, in a file without a name."""
    from shutil import copyfileobj
    from tempfile import TemporaryFile

    kept = cast("Content", TemporaryFile())  # noqa: SIM115
    copyfileobj(stream, cast("IO[bytes]", kept))
    return kept


def read_bytes(file: str) -> bytes:
    """Give the content of a file, or of standard input for `-`. Raises WrongUsage if it cannot be read."""
    with open_input(file) as content:
        content.seek(0)
        return content.read()
