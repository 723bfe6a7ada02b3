"""The spans of the log shared out to the processes that help to verify it, each with the ledger open for itself."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

from ledger.store.file import LedgerFile, legible
from ledger.store.rehashing import SPAN, Span, rehash


def open_ahead(path: Path, pool: ProcessPoolExecutor) -> None:
    """Have the processes open the ledger while this one looks at its tables.

    What goes wrong goes wrong again with the first span, and is told then.
    """
    for _ in range(os.cpu_count() or 1):
        pool.submit(_opened, path)


def spans(ledger: LedgerFile, size: int, pool: ProcessPoolExecutor | None) -> Iterator[Span]:
    """Give every span of leaves, in order, as it was found again."""
    bounds = [(start, min(start + SPAN, size)) for start in range(0, size, SPAN)]
    if pool is None:
        return (rehash(ledger.connection, *bound) for bound in bounds)
    futures = [pool.submit(_rehashed, ledger.path, *bound) for bound in bounds]
    return (future.result() for future in futures)


def _opened(path: Path) -> None:
    """Open the ledger in a process of its own."""
    _own(path)


def _rehashed(path: Path, start: int, end: int) -> Span:
    """Hash a span again in a process of its own."""
    with legible(path):
        return rehash(_own(path).connection, start, end)


@cache
def _own(path: Path) -> LedgerFile:
    """Open the ledger once in each process that helps; the processes are the threads."""
    ledger = LedgerFile.examine(path)
    ledger.connection.execute("SET threads = 1")
    return ledger
