"""Verifying a ledger: that every row is what was sealed, the tree over the leaves, who signed, and what is derived.

The checks come in a fixed order, and the first difference ends them: what comes later relies on what came before.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from threading import active_count
from typing import Final

from ledger.core.errors import VerificationFailed, WrongUsage
from ledger.sequencer import sharing
from ledger.sequencer.rederiving import rederived
from ledger.sequencer.witnesses import KeyChain, check_checkpoint, check_outside, notes_inside
from ledger.store import expected, numbering
from ledger.store.blame import KEEP
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile, beside, legible
from ledger.store.log import Connection, checkpoints_after
from ledger.store.numbering import count
from ledger.store.outside import OutsideCheckpoints
from ledger.store.query import rows
from ledger.store.rehashing import SPAN, Span, check_tiles
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import VerifierKey
from ledger.tlog.tree import TILE_LEVELS, Frontier

_MANY_BYTES: Final = 1 << 26
"""Size of a file from which on processes share the work: a small one is done before they have started."""

Advanced = Callable[[int, int], None]


@dataclass
class Verified:
    """What was found of a ledger that is what was sealed."""

    leaves: dict[str, int]
    records: dict[str, int]
    checkpoints: int
    root: bytes
    key: VerifierKey
    is_key_given: bool
    """Whether the key, or one that leads to it, was named by whoever verifies; else it is the ledger's own word."""
    seconds: float
    remarks: list[str] = field(default_factory=list)
    derived_again: int | None = None
    """Decisions that were derived again, with `deep`."""


@contextmanager
def helpers(path: Path) -> Iterator[ProcessPoolExecutor | None]:
    """Give processes that share the work of a large ledger, or None. Enter it before anything opens the file."""
    if not path.is_file() or path.stat().st_size < _MANY_BYTES:
        yield None
        return
    # A copy of this process starts in no time, but only where no other thread could be in the middle of something.
    copied = sys.platform == "linux" and active_count() == 1
    pool = ProcessPoolExecutor(os.cpu_count() or 1, get_context("fork" if copied else "spawn"), _calm)
    try:
        pool.submit(_at_work).result()
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _calm() -> None:
    """Leave Ctrl-C to the process that shares out the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _at_work() -> None:
    """Do nothing: who has done it has started."""


def verify(
    path: Path,
    keys: Sequence[VerifierKey] = (),
    *,
    deep: bool = False,
    renew: bool = False,
    pool: ProcessPoolExecutor | None = None,
    advanced: Advanced | None = None,
) -> Verified:
    """Verify a ledger. `keys` are those that whoever verifies has been given; `deep` derives every decision again.

    With `renew`, outside checkpoints that are lost are written anew once all else is verified. Raises
    VerificationFailed for the first difference, LedgerUnavailable if the ledger is not there or held, WrongUsage for
    outside checkpoints to be renewed that are there.
    """
    outside = OutsideCheckpoints(beside(path, OUTSIDE_SUFFIX))
    if renew and not outside.is_lost():
        raise WrongUsage(
            f"the outside checkpoints are not lost: they are at {outside.path}; verify without renewing, or move them"
            " away if you know why they are wrong"
        )
    started = time.perf_counter()
    with LedgerFile.examine(path) as ledger, legible(path), ThreadPoolExecutor(1) as aside:
        connection = ledger.connection
        views = aside.submit(expected.expected_views)
        if pool:
            sharing.open_ahead(path, pool)
        expected.check_tables(connection, path)
        numbering.hold(connection, numbering.FRAME)
        size = numbering.leaves(connection)
        spans = sharing.spans(ledger, size, pool)
        expected.check_views(connection, views.result())
        chain = KeyChain(connection, keys)
        bar = _Bar(advanced, size + (ledger.rows("SELECT count(*) FROM entry")[0][0] if deep else 0))
        decided = _Ahead(rederived(connection), bar, pool is not None) if deep else None
        root = _check_tree(connection, chain, spans, bar)
        adopted = expected.adopted_rulebooks(connection)
        numbering.hold(connection, numbering.COUNTS)
        remarks = [] if renew else check_outside(connection, outside)
        expected.check_derived(connection, adopted)
        derived_again = decided.finish() if decided else None
        if renew:
            outside.renew(notes_inside(connection))
            remarks = [f"wrote {outside.path} anew; hold it against whatever copies there are of the lost one"]
        return Verified(
            derived_again=derived_again,
            leaves=numbering.by_kind(connection),
            records=numbering.by_outcome(connection),
            checkpoints=ledger.rows("SELECT count(*) FROM checkpoint")[0][0],
            root=root,
            key=chain.last,
            is_key_given=bool(keys),
            remarks=remarks,
            seconds=time.perf_counter() - started,
        )


class _Bar:
    """Tells how far everything is."""

    def __init__(self, advanced: Advanced | None, total: int) -> None:
        self._advanced, self._done, self._total = advanced, 0, total

    def add(self, more: int) -> None:
        self._done += more
        if self._advanced:
            self._advanced(self._done, self._total)


class _Ahead:
    """Decisions derived again: while other processes hash, if there are any, but told of only when all else is good.

    What breaks here may be due to a change that the other checks name better.
    """

    def __init__(self, counts: Iterator[int], bar: _Bar, now: bool) -> None:
        self._counts, self._bar = counts, bar
        self._done = 0
        self._error: Exception | None = None
        if now:
            self._exhaust()

    def _exhaust(self) -> None:
        try:
            for count in self._counts:
                self._done += count
                self._bar.add(count)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the other checks speak first
            self._error = error

    def finish(self) -> int:
        """Give how many decisions were derived again. Raises what went wrong."""
        self._exhaust()
        if self._error:
            raise self._error
        return self._done


def _check_tree(connection: Connection, chain: KeyChain, spans: Iterator[Span], bar: _Bar) -> bytes:
    """Put the tree together of its spans, and hold checkpoints, tiles and head against it. Gives the root."""
    upper, sequence, batch, size = Frontier(), 0, 0, 0
    whole = Frontier()
    for span in spans:
        if span.sequences:
            if span.sequences[0] != sequence + 1:
                raise VerificationFailed(
                    f"record {span.sequences[0]:,} follows record {sequence:,}: sequences have no gaps; {KEEP}"
                )
            sequence = span.sequences[1]
        batch = _check_checkpoints(connection, chain, upper, span) or batch
        size = span.start + span.size
        whole = _joined(upper, span, size, span.peaks)
        if span.size == SPAN:
            check_tiles(connection, 2 * TILE_LEVELS, span.start // SPAN, span.peaks)
            upper, tiles = upper.extended(span.peaks)
            for tile in tiles:
                check_tiles(connection, tile.level + 2 * TILE_LEVELS, tile.start, tile.hashes)
        bar.add(span.size)
    levels = range(TILE_LEVELS, size.bit_length(), TILE_LEVELS)
    if count(connection, "tile") != sum(size >> level for level in levels):
        raise VerificationFailed(f"the tree has tiles (table tile) that no leaves stand under; {KEEP}")
    if count(connection, "checkpoint") != batch:
        raise VerificationFailed(f"there are checkpoints that belong to no batch; {KEEP}")
    if (found := rows(connection, "SELECT sequence, leaf, batch, peaks FROM head")) != [
        (sequence, size, batch, whole.peaks)
    ]:
        told = found[0][:3] if found else None
        raise VerificationFailed(
            f"the head (table head: sequence, leaves, batch {told}) is not where the ledger ends ({sequence}, {size},"
            f" {batch}), or its peaks are not those of the tree: what is recorded next would go wrong; {KEEP}"
        )
    return whole.root()


def _joined(upper: Frontier, span: Span, size: int, peaks: bytes) -> Frontier:
    """Give the frontier of the tree up to a size within a span, whose own peaks there are given."""
    if size - span.start == SPAN:
        return Frontier(size, upper.extended(peaks)[0].peaks)
    return Frontier(size, upper.peaks + peaks)


def _check_checkpoints(connection: Connection, chain: KeyChain, upper: Frontier, span: Span) -> int:
    """Hold the checkpoints of the batches that a span closes against the tree. Gives the last batch's number."""
    stored: dict[int, tuple[int, bytes, str]] = {}
    number = 0
    for number, size, peaks in span.checkpoints:
        if number not in stored:
            stored = {
                batch: (leaves, root, note) for batch, leaves, root, note in checkpoints_after(connection, number - 1)
            }
        root = _joined(upper, span, size, peaks).root()
        check_checkpoint(chain, number, Checkpoint(chain.last.name, size, root), stored.get(number))
    return number
