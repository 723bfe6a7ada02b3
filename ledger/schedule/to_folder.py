"""Delivery into a folder: the files of a report below it, all or none of them; an alert as a text file."""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from ledger.schedule.message import Message, NotDelivered, unreadable
from ledger.schedule.recipients import Recipient
from ledger.schedule.settings import DeliverySettings
from ledger.store.leftovers import sync_folder
from ledger.store.outputs import write_together

_ALERTS: Final = "alerts"


def deliver(message: Message, recipient: Recipient, _settings: DeliverySettings, _now: datetime) -> None:
    """Copy the files of a message into its place in a folder, or write an alert there. A repeat writes the same again.

    The folder itself must be there: one with a wrong name, or a share that is not mounted, is not made up. Raises
    NotDelivered, QuotaledgerError or OSError; then no file has appeared.
    """
    folder = Path(recipient.to[0])
    if not folder.is_dir():
        raise NotDelivered(f"there is no folder {folder}; make it, or name another")
    place = folder / (message.place or _ALERTS)
    writers = _writers(message)
    _check_free(place, writers)
    write_together(place, writers)
    with suppress(OSError):  # some network file systems cannot, and the files are there
        sync_folder(place)


def _writers(message: Message) -> Mapping[str, Callable[[Path], object]]:
    if not message.place:
        text = f"{message.subject}\n\n{message.text}"
        return {f"{message.id}.txt": lambda path: path.write_text(text, "utf-8", newline="")}
    return {path.name: _copier(path) for path in message.files}


def _check_free(place: Path, names: Mapping[str, object]) -> None:
    """Raise NotDelivered if a name is a folder's: that would be found only when other files have appeared."""
    for name in names:
        if (place / name).is_dir():
            raise NotDelivered(f"{place / name} is a folder, where a file is to be written; move it away")


def _copier(source: Path) -> Callable[[Path], object]:
    """Give what copies a file, so that it survives a crash once it is delivered."""

    def copy(path: Path) -> None:
        try:
            reading = source.open("rb")
        except OSError as error:
            raise unreadable(source, error) from None
        with reading, path.open("wb") as writing:
            shutil.copyfileobj(reading, writing)
            writing.flush()
            os.fsync(writing.fileno())

    return copy
