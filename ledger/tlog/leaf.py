"""The leaf of a record: bytes that anyone can write again from what they know, and their RFC 6962 hash.

A leaf is a line that names version and kind, `quotaledger/1 decision`, a newline, and the RFC 8785 canonical JSON of
a closed list of fields. Amounts in TPP are decimal strings, because canonical JSON refuses numbers past 2^53; days
are `YYYY-MM-DD`, instants `YYYY-MM-DDTHH:MM:SS.ffffffZ`. A field that is blank is left out, and so is a count of 0
with its period: most records count on few accounts. `salt` is 16 random bytes in hex, so that the hash of a
confidential record gives nothing away.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

VERSION: Final = 1
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
LEAF_PREFIX: Final = b"\x00"
"""What is hashed in front of a leaf, and never of an inner node."""
INSTANT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
"""How an instant in UTC is written, for `strftime`."""

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "decision": (
        # the record, as it was given
        *("provider", "reference", "kind", "date", "stated_destination", "stated_consignee", "stated_chip"),
        *("stated_quantity", "stated_basis", "under", "license_number", "expires", "exporter", "site"),
        *("evidence", "note"),
        # what it came to
        *("sequence", "destination", "counted_destination", "consignee", "family", "chip", "quantity"),
        "under_sequence",
        *("basis", "outcome", "limit_id", "account", "tpp", "remaining_tpp", "limit_tpp", "fulfilled"),
        # what it counts
        *("cap_tpp", "lpp_tpp", "lpp_year", "lpp_from_tpp", "lpp_from_year", "nveu_tpp", "nveu_quarter"),
        *("committed_tpp", "installed_tpp", "pending_tpp"),
        *("rulebook_digest", "batch", "recorded_at", "salt"),
    ),
    "party": ("party", "name", "headquarters", "parent", "batch", "recorded_at", "salt"),
    "authorization": (
        *("party", "basis", "destination", "valid_from", "valid_to", "citation"),
        *("batch", "recorded_at", "salt"),
    ),
    "assurance": ("destination", "uplift_percent", "valid_from", "citation", "batch", "recorded_at", "salt"),
    "chip": ("chip", "name", "vendor", "tpp", "chip_class", "source", "batch", "recorded_at", "salt"),
    "rulebook": ("rulebook", "digest", "note", "batch", "recorded_at", "salt"),
    "key": ("key", "note", "batch", "recorded_at", "salt"),
    "request": ("request", "provider", "idempotency_key", "sha256", "unrecorded", "batch", "recorded_at", "salt"),
    "claim": (
        *("report", "period", "today", "leaves", "definition", "attempt", "holder", "lease_until"),
        *("batch", "recorded_at", "salt"),
    ),
    "run": (
        *("report", "period", "attempt", "outcome", "sha256", "milliseconds", "reason"),
        *("batch", "recorded_at", "salt"),
    ),
    "batch": (
        *("batch", "kind", "provider", "filed_by", "recorded_at", "files"),
        *("records", "admitted", "refused", "breached", "rejected", "duplicates"),
        *("rulebook_digest", "software_version", "salt"),
    ),
}
"""The kinds of leaves and the closed list of fields of each; `*tpp` fields are decimal strings.

A `batch` leaf closes the leaves that one transaction recorded; its `files` are a list of objects, the only field that
is neither a text nor a number.
"""

COUNTS: Final = frozenset(
    (
        *("fulfilled", "cap_tpp", "lpp_tpp", "lpp_year", "lpp_from_tpp", "lpp_from_year", "nveu_tpp", "nveu_quarter"),
        *("committed_tpp", "installed_tpp", "pending_tpp"),
    )
)
"""The fields of a decision that are left out where they are 0."""

_CLOSED: Final = {kind: frozenset(fields) for kind, fields in FIELDS.items()}
# Of texts and whole numbers below 2^53 under ASCII names, this is RFC 8785 byte for byte; the tests hold it against the
# reference encoder.
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)

Value = str | int | Sequence[Mapping[str, str | int]] | None


def leaf_bytes(kind: str, fields: Mapping[str, Value]) -> bytes:
    """Write a leaf of all fields of its kind, None where blank. Raises ValueError if they are others."""
    if fields.keys() != _CLOSED[kind]:
        raise ValueError(f"a {kind} leaf has other fields: {sorted(fields.keys() ^ _CLOSED[kind])}")
    said = {name: value for name, value in fields.items() if is_said(name, value)}
    return (first_line(kind) + _ENCODER.encode(said)).encode()


def first_line(kind: str) -> str:
    """Give the line with which the leaves of a kind begin."""
    return f"quotaledger/{VERSION} {kind}\n"


def is_said(name: str, value: Value) -> bool:
    """Say if a field is in a leaf: blanks and counts of 0 are not."""
    return value is not None and not (name in COUNTS and value in (0, "0"))


def encode(value: Value) -> str:
    """Write a value as JSON."""
    return _ENCODER.encode(value)


def leaf_hash(leaf: bytes) -> bytes:
    """Give the leaf's hash: SHA-256 of a zero byte and the leaf (RFC 6962, 2.1)."""
    return sha256(LEAF_PREFIX + leaf).digest()
