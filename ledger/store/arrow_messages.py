"""Arrow streams of strangers: what is in them must not become much larger in memory than it is.

The buffers of an Arrow message may be compressed, and are then decompressed as a whole, whatever they say that they
come to. pyarrow does not tell which are, so the few bytes that do are read here (Message.fbs of the Arrow format: a
message's third field is its header; a record batch's fourth is its compression; a dictionary's second is its batch).
"""

from collections.abc import Iterator
from struct import unpack_from
from typing import Any, Final

import pyarrow as pa

from ledger.store.sheet import Content, FileFault, too_many_rows

_HEADER, _COMPRESSION, _BATCH_OF_DICTIONARY = 2, 3, 1
_BATCHES: Final = {"record batch": (_HEADER,), "dictionary": (_HEADER, _BATCH_OF_DICTIONARY)}
"""Where the record batch of a message is, field by field."""


def check_plain(file: Content) -> None:
    """Raise FileFault for a stream with compressed buffers, an ArrowException for what is no stream."""
    file.seek(0)
    for message in pa.ipc.MessageReader.open_stream(file):
        if message.type in _BATCHES and _is_compressed(message):
            raise FileFault(
                "compressed",
                "the buffers of the Arrow stream are compressed; write it without compression, and send it with the"
                " header Content-Encoding: zstd instead",
            )


def limited(stream: Any, rows_max: int) -> Iterator[Any]:
    """Give the batches of a stream, whose rows may cost nothing to send: of no value, or of one for all of them.

    Raises FileFault at the batch with which they are too many, before any of it is looked at.
    """
    rows = 0
    for batch in stream:
        rows += batch.num_rows
        if rows > rows_max:
            raise too_many_rows(rows_max)
        yield batch


def _is_compressed(message: Any) -> bool:
    octets = message.metadata.to_pybytes()
    try:
        table = unpack_from("<I", octets)[0]
        for field in _BATCHES[message.type]:
            table = _followed(octets, table, field)
        return _place(octets, table, _COMPRESSION) != 0
    except Exception:  # noqa: BLE001 -- what cannot be followed is not to be trusted
        return True


def _followed(octets: bytes, table: int, field: int) -> int:
    """Give where the table is that a field of another table has."""
    place = table + _place(octets, table, field)
    return int(place + unpack_from("<I", octets, place)[0])


def _place(octets: bytes, table: int, field: int) -> int:
    """Give where in a table a field is; 0 if it is left out."""
    fields = table - unpack_from("<i", octets, table)[0]
    at, size = 4 + 2 * field, unpack_from("<H", octets, fields)[0]
    return int(unpack_from("<H", octets, fields + at)[0]) if at < size else 0
