"""Bodies that came compressed, made plain: to a limit, some bytes at a time, so that a small bomb stays small."""

import zlib
from collections.abc import Iterator
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any, Final, cast

import pyarrow as pa

from ledger.store.sheet import Content, FileFault

CODINGS: Final = ("gzip", "zstd")
_AT_ONCE: Final = 1 << 20
_IN_MEMORY: Final = 1 << 20


class Inflated(Exception):
    """More came out of a compressed body than may."""


def inflated(content: Content, coding: str, most: int) -> Content:
    """Give what a body is when it is decompressed: in memory if it is small, else in a file without a name.

    Raises FileFault for what is no such coding or breaks off, Inflated beyond `most` bytes.
    """
    content.seek(0)
    plain: Content = BytesIO()
    size = 0
    try:
        for piece in _gunzipped(content) if coding == "gzip" else _unzstd(content):
            size += len(piece)
            if size > most:
                raise Inflated  # noqa: TRY301 -- what was kept is let go
            if size > _IN_MEMORY and isinstance(plain, BytesIO):
                plain = _moved(plain)
            plain.write(piece)
    except BaseException:
        plain.close()
        raise
    return plain


def _gunzipped(content: Content) -> Iterator[bytes]:
    """Decompress gzip, of which several may follow one another."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    left = content.read(_AT_ONCE)
    try:
        while left:
            yield inflater.decompress(left, _AT_ONCE)
            left = inflater.unconsumed_tail
            if inflater.eof and (left := inflater.unused_data or content.read(_AT_ONCE)):
                inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
            left = left or content.read(_AT_ONCE)
        while tail := inflater.decompress(b"", _AT_ONCE):
            yield tail
    except zlib.error:
        raise FileFault("coding", "the body is said to be gzip, and is not, or is damaged") from None
    if not inflater.eof:
        raise FileFault("coding", "the body breaks off: its gzip has no end")


def _unzstd(content: Content) -> Iterator[bytes]:
    try:
        with pa.input_stream(pa.PythonFile(cast("Any", _Unclosed(content)), mode="r"), compression="zstd") as stream:
            while piece := stream.read(_AT_ONCE):
                yield piece
    except (OSError, pa.ArrowException):
        raise FileFault("coding", "the body is said to be zstd, and is not, or breaks off or is damaged") from None


class _Unclosed:
    """A file that stays open when who reads it is done."""

    closed = False

    def __init__(self, content: Content) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        """Read some bytes."""
        return self._content.read(size)

    def close(self) -> None:
        """Leave it to whoever opened it."""


def _moved(plain: BytesIO) -> Content:
    moved = cast("Content", TemporaryFile())  # noqa: SIM115 -- who asked closes it
    moved.write(plain.getbuffer())
    return moved
