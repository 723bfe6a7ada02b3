"""The lines of an export's `leaves.ndjson`: every leaf as it was hashed, or its hash alone where it is left out."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import duckdb

from ledger.core.errors import VerificationFailed
from ledger.store.log import last_checkpoint
from ledger.store.query import first, rows
from ledger.store.stored_leaves import stored_leaves
from ledger.tlog.leaf import LEAF_PREFIX, first_line

_AT_ONCE: Final = 50_000
"""Leaves are large; so many at a time bound the memory."""
_NAMED_ALONE: Final = ("decision", "batch")
"""The kinds that name a provider because it filed them; in the others it is named by somebody else."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines: their bytes, their leaves, how many are hashes alone, how many name who is hidden."""

    text: bytes
    hashes: bytes
    """32 bytes for each line: the hash of its leaf."""
    redacted: int
    mentions: int


def export_lines(connection: duckdb.DuckDBPyConnection, hidden: Sequence[str] = ()) -> Iterator[Lines]:
    """Give the lines of all leaves in order, some at a time: hashes alone of what the providers `hidden` have filed.

    There are as many as the last checkpoint is over. Raises VerificationFailed for a leaf that is not there, or whose
    row is not what was sealed.
    """
    names = [json.dumps(name, ensure_ascii=False)[1:-1].encode() for name in hidden]
    size = last_checkpoint(connection)["leaves"]
    if first(connection, "SELECT count(*) FROM leaf") != (size,):
        raise VerificationFailed(
            f"the ledger has not the {size:,} leaves that its last checkpoint is over: it was changed, and nothing is"
            " made of it; `quotaledger verify` tells more"
        )
    for start in range(0, size, _AT_ONCE):
        end = min(start + _AT_ONCE, size)
        query = "SELECT leaf, hash FROM leaf WHERE leaf >= ? AND leaf < ? ORDER BY leaf"
        written, parts, redacted, mentions = stored_leaves(connection, start, end), [], 0, 0
        found = dict(rows(connection, query, [start, end]))
        for leaf in range(start, end):
            kind, provider, said = written.get(leaf, ("", None, b""))
            digest = found.get(leaf)
            if sha256(said).digest() != digest:
                raise VerificationFailed(
                    f"the row of leaf {leaf:,} is not what was sealed, or missing: the ledger was changed, and nothing"
                    " is made of it; `quotaledger verify` tells more"
                )
            if provider is not None and provider in hidden:
                redacted += 1
                parts.append(f'{{"leaf": {leaf}, "kind": "{kind}", "hash": "{digest.hex()}"}}\n'.encode())
                continue
            mentions += kind not in _NAMED_ALONE and any(name in said for name in names)
            fields = said[len(LEAF_PREFIX) + len(first_line(kind)) :]
            parts.append(b'{"leaf": %d, "kind": "%s", "fields": %s}\n' % (leaf, kind.encode(), fields))
        yield Lines(b"".join(parts), b"".join(found[leaf] for leaf in range(start, end)), redacted, mentions)
