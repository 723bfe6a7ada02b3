"""quotaledger: an append-only ledger of AI chips, decided against the rule in force.

From Python, `ledger.open(path)` gives a read-only handle; `docs/python.md` shows what it answers.
"""

from os import PathLike
from typing import TYPE_CHECKING

from ledger.core.errors import LedgerUnavailable, QuotaledgerError, WrongUsage
from ledger.core.version import VERSION

if TYPE_CHECKING:  # `import ledger` loads neither DuckDB nor Arrow
    from ledger.handle import Handle

__all__ = ["LedgerUnavailable", "QuotaledgerError", "WrongUsage", "__version__", "open"]

__version__ = VERSION


def open(path: str | PathLike[str], *, frames: str = "arrow") -> "Handle":  # noqa: A001 -- as `gzip.open` and others
    """Give a read-only handle on the ledger at a path; its tables are of `arrow` or of `pandas`.

    Raises LedgerUnavailable if the ledger is not there or held by a process that writes, WrongUsage for other frames
    or where pandas is not installed, QuotaledgerError if the file is no ledger.
    """
    from ledger.handle import Handle  # noqa: PLC0415

    return Handle(path, frames)
