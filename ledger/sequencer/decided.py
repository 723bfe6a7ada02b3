"""What an import has decided, as one digest: two that have it in common have decided alike, row for row."""

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from ledger.core.columns import Column, Numbers

if TYPE_CHECKING:
    from ledger.sequencer.imported import ImportResult, Part

_COMPARED: Final = ("outcome", "basis", "limit_id", "account", "tpp", "remaining_tpp", "limit_tpp")


class Decided:
    """The decisions of some rows after the other, however they are cut into lots.

    Where the ledger stands is not in it: numbers of records and batches may be others.
    """

    def __init__(self, request: str) -> None:
        """Begin with what tells the request from others."""
        self._request = request
        self._hashes = {name: sha256() for name in (*_COMPARED, "row")}

    def add(self, part: "Part") -> None:
        """Add the next rows."""
        for name in _COMPARED:
            self._hashes[name].update(_octets(part.columns[name]))
        self._hashes["row"].update(part.rows.astype("<i8").tobytes())

    def digest(self, result: "ImportResult") -> str:
        """Give the digest of all so far, hex; `result` is what became of them."""
        rest = [[row for row, _ in result.duplicates], [(row, fault.code) for row, fault in result.faults]]
        parts = [self._request, *(made.hexdigest() for made in self._hashes.values()), repr(rest)]
        return sha256("\n".join(parts).encode()).hexdigest()


def _octets(column: Column | Numbers) -> bytes:
    if not isinstance(column, Column):
        return column.astype("<i8").tobytes()
    texts = [repr(value).encode() + b"\n" for value in column.values]
    items: list[Any] = [texts[code] for code in column.codes.tolist()]
    return b"".join(items)
