"""The hash by which a reference is found again, of many records at once: the same as `REFERENCE_HASH` of `read`.

It is a number out of an MD5, which guards nothing: two records that have it in common are compared. DuckDB computes it
one text after another, numpy a step of it for thousands of texts together, in a third of the time.
"""

from collections.abc import Iterator
from hashlib import md5
from math import floor, sin
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ledger.core.columns import Numbers

KEY: Final = "concat(provider, chr(0), reference)"
"""SQL of the text that is hashed."""
_BLOCK: Final = 64
_SHORT: Final = 55
"""Bytes of a text that is hashed as one block."""
_AT_ONCE: Final = 8_192
"""So few texts at a time that all that is computed of them stays in the processor's cache."""
# RFC 1321, 3.3 and 3.4.
_BEGIN: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_ADDED: Final = [np.uint32(floor(abs(sin(step + 1)) * (1 << 32))) for step in range(64)]
_TURNS: Final = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_PLACES: Final = ((1, 0), (5, 1), (3, 5), (7, 0))
"""Of each round, by how much the places of its words go on, and the first of them."""


def reference_hashes(keys: Any) -> Numbers:
    """Give the hash of each of some texts, an array of Arrow as `KEY` gives them."""
    return np.concatenate([np.zeros(0, np.int64), *_hashes(keys.cast(pa.large_string()))])


def _hashes(keys: Any) -> Iterator[Any]:
    """Give the hashes of some at a time."""
    ends = np.frombuffer(keys.buffers()[1], np.int64)[keys.offset : keys.offset + len(keys) + 1]
    # Where a text ends, as many bytes must follow as a block has.
    written = np.frombuffer(bytes(keys.buffers()[2] or b"") + bytes(_BLOCK), np.uint8)
    for at in range(0, len(keys), _AT_ONCE):
        starts, lengths = ends[:-1][at : at + _AT_ONCE], np.diff(ends[at : at + _AT_ONCE + 1])
        found = _hashed(_words(written, starts, np.minimum(lengths, _SHORT)))
        for place in np.flatnonzero(lengths > _SHORT):
            text = written[starts[place] : starts[place] + lengths[place]].tobytes()
            found[place] = int.from_bytes(md5(text, usedforsecurity=False).digest()[8:], "little") >> 1
        yield found


def _words(written: Any, starts: Any, lengths: Any) -> Any:
    """Give the sixteen words of the one block that each text is padded to, a row for each word."""
    windows = np.ndarray((len(written) - _BLOCK + 1,), f"V{_BLOCK}", written, strides=(1,))
    blocks = windows[starts].view(np.uint8).reshape(-1, _BLOCK)
    blocks *= np.arange(_BLOCK) < lengths[:, None]
    blocks[np.arange(len(blocks)), lengths] = 0x80
    words = np.ascontiguousarray(blocks.view("<u4").T)
    words[14] = 8 * lengths
    return words


def _hashed(words: Any) -> Any:
    """Give the upper half of the MD5 of each block, without its lowest bit."""
    a, b, c, d, mixed, turned = (np.full(words.shape[1], value, np.uint32) for value in (*_BEGIN, 0, 0))
    for step, added in enumerate(_ADDED):
        kind = step // 16
        _mix(kind, b, c, d, mixed)
        by, begin = _PLACES[kind]
        mixed += a
        mixed += words[(by * step + begin) % 16]
        mixed += added
        turn = _TURNS[kind][step % 4]
        np.left_shift(mixed, np.uint32(turn), out=turned)
        mixed >>= np.uint32(32 - turn)
        mixed |= turned
        mixed += b
        a, b, c, d, mixed = d, mixed, b, c, a
    c += np.uint32(_BEGIN[2])
    d += np.uint32(_BEGIN[3])
    return ((c.astype(np.uint64) | d.astype(np.uint64) << np.uint64(32)) >> np.uint64(1)).astype(np.int64)


def _mix(kind: int, b: Any, c: Any, d: Any, mixed: Any) -> None:
    """Mix three words as each round does."""
    if kind == 0:
        np.bitwise_xor(c, d, out=mixed)
        mixed &= b
        mixed ^= d
    elif kind == 1:
        np.bitwise_xor(b, c, out=mixed)
        mixed &= d
        mixed ^= c
    elif kind == 2:  # noqa: PLR2004 -- the third of four rounds
        np.bitwise_xor(b, c, out=mixed)
        mixed ^= d
    else:
        np.invert(d, out=mixed)
        mixed |= b
        mixed ^= c
