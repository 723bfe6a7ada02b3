"""The import record: its columns, what each kind must and may give, and how long a text may be.

The same columns everywhere: a CSV header, a key of NDJSON, a column of Parquet or Arrow.
"""

from typing import Final

from schemas.words import Kind

COLUMNS: Final = (
    "reference",
    "kind",
    "date",
    "destination",
    "consignee",
    "chip",
    "quantity",
    "basis",
    "under",
    "license_number",
    "expires",
    "exporter",
    "site",
    "evidence",
    "note",
)

NEVER_COMPARED: Final = ("evidence", "note")
"""A record sent again is the same record if every other column is as it was given."""

INHERITED: Final = ("destination", "consignee", "chip", "basis")
"""What a record with `under` takes from the record that it names, and may repeat."""

ALWAYS: Final = ("reference", "kind", "date")
"""Columns without which a file cannot be read at all."""

LENGTH_MAX: Final = {
    "reference": 128,
    "under": 128,
    "license_number": 64,
    "exporter": 1000,
    "site": 1000,
    "evidence": 1000,
    "note": 1000,
}
"""Characters."""

QUANTITY_MAX: Final = 1_000_000_000

_ASKED = ("destination", "consignee", "chip", "quantity")

REQUIRED: Final = {
    Kind.OPENING: (*ALWAYS, *_ASKED),
    Kind.ALLOCATION: (*ALWAYS, *_ASKED),
    Kind.DELIVERY: (*ALWAYS, "quantity"),
    Kind.LAPSE: (*ALWAYS, "quantity", "under"),
    Kind.ATTRITION: (*ALWAYS, "quantity", "under"),
    Kind.REVERSAL: (*ALWAYS, "under", "note"),
}
"""What each kind must give; a delivery without `under` must give destination, consignee and chip too."""

REQUIRED_WITHOUT_UNDER: Final = {Kind.DELIVERY: _ASKED[:3]}

SUPERFLUOUS: Final = {
    Kind.OPENING: ("under", "license_number", "expires"),
    Kind.ALLOCATION: ("under",),
    Kind.DELIVERY: ("license_number", "expires"),
    Kind.LAPSE: ("license_number", "expires"),
    Kind.ATTRITION: ("license_number", "expires"),
    Kind.REVERSAL: (*INHERITED, "quantity", "license_number", "expires"),
}
"""What each kind must leave blank."""
