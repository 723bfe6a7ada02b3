"""Publishing while records are recorded: a thread that writes the copy anew when there is more, and not too often."""

import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Final

import structlog

from ledger.api.settings import ApiSettings
from ledger.core.errors import LedgerUnavailable
from ledger.core.version import VERSION
from ledger.sequencer.publishing import copy_of, publish
from ledger.sequencer.writer import Writer
from ledger.store.publishing import copy_path

_LOG: Final = structlog.get_logger("quotaledger.publisher")


class _Stopped(Exception):
    """Whoever publishes is to end."""


class Publisher:
    """Publishes the copy of a ledger that is served: at most every so many seconds, and for a part of the time alone.

    A copy that cannot be written is tried again after the pause; the one before it stays.
    """

    def __init__(self, path: Path, writer: Writer, settings: ApiSettings) -> None:
        self._path, self._writer, self._settings = path, writer, settings
        self._end = Event()
        self.leaves = 0
        """How many leaves of the log the copy is of."""
        self.failures = 0
        self._thread = Thread(target=self._run, name="publisher", daemon=True)
        if settings.publish:
            with suppress(LedgerUnavailable):  # another ledger's, or broken: it is written anew
                copy = copy_of(path)
                is_ours = copy is not None and copy.publication.software_version == VERSION  # or it may lack views
                self.leaves = copy.publication.leaves if copy and is_ours else 0
            self._thread.start()

    def close(self) -> None:
        """End; a copy that is being written is given up."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._end.wait(pause):
            pause = self._settings.publish_seconds
            with suppress(_Stopped):
                pause = max(pause, self._publish() / self._settings.publish_share)

    def _publish(self) -> float:
        """Publish if there is more than in the copy; give the seconds that took."""
        began = time.monotonic()
        try:
            with self._writer.reading() as desk:
                if desk.head().leaf == self.leaves and copy_path(self._path).exists():
                    return 0.0
                made = publish(desk.ledger, desk.now, None, self._settings.publish_parquet, self._go_on)
        except _Stopped:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it was, the next copy may be possible
            self.failures += 1
            _LOG.error("not published", error=str(error), kind=type(error).__name__)
        else:
            self.leaves = made.leaves
            _LOG.info("published", sequence=made.sequence, leaves=made.leaves)
        return time.monotonic() - began

    def _go_on(self, *_: int) -> None:
        if self._end.is_set():
            raise _Stopped
