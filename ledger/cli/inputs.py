"""What verbs are given: files, standard input, days until which something holds."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

from ledger.core.errors import WrongUsage
from ledger.core.text import shown, visible

if TYPE_CHECKING:  # a verb loads only what it uses
    from ledger.store.sheet import Content

_DAYS_MAX: Final = 36_500


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


def end_of(given: str, option: str, now: datetime) -> datetime:
    """Give the end of what an option limits: the midnight after its last day, or some days from now."""
    from ledger.core.dates import parse_date

    # A blank is refused, too: a script's empty variable must not make what lasts for ever.
    text = given.strip()
    if text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= _DAYS_MAX and len(text) < len("YYYY-MM-DD"):
        return now + timedelta(days=int(text))
    try:
        return datetime.fromordinal(parse_date(text) + 1).replace(tzinfo=UTC)
    except ValueError:
        raise WrongUsage(
            f"found {shown(given)} for {option}; give a day that exists, as 2027-01-31, or 1 to {_DAYS_MAX:,} days"
        ) from None
