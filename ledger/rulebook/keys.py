"""Which keys the four files of a rulebook have: the loader allows these and no others, and the page lists them.

The figures of `parameters.toml` are in `figures`, and the limits of `limits.toml` in `schemas.words`.
"""

from typing import Final

SOURCE: Final = ("citation", "certainty", "sentence")
"""Where a figure or sentence is from, how sure it is, and what it says."""

HEAD: Final = ("format", "status", "rulebook", "dates", "event")
INSTRUMENT: Final = ("id", "title", "sentence", "instrument")
"""What `[rulebook]` must hold; any other key of it is a text, too."""
DATES: Final = ("published", "effective", "compliance")
"""What `[dates]` must hold; any other key of it is a date, too."""
EVENT: Final = ("date", "sentence", "source", "certainty")
PARAMETER: Final = ("value", "unit", "valid_from", *SOURCE)
LIMIT: Final = ("title", *SOURCE)
TIER: Final = ("tier", "countries", *SOURCE)
REST: Final = ("tier", "rest", *SOURCE)
"""The tier of every country that no other table covers on a day; it has no days of its own."""
SPAN: Final = ("from", "to")
"""What a tier may have besides."""
ALIAS: Final = ("counted_as", "countries", *SOURCE)

KEYS: Final[dict[str, tuple[str, ...]]] = {
    "rulebook.toml": (
        *HEAD[:2],
        *(f"rulebook.{key}" for key in INSTRUMENT),
        *(f"dates.{key}" for key in DATES),
        *(f"event.{key}" for key in EVENT),
    ),
    "parameters.toml": PARAMETER,
    "limits.toml": LIMIT,
    "tiers.toml": tuple(f"tier.{key}" for key in (*TIER[:2], "rest", *SPAN, *SOURCE))
    + tuple(f"alias.{key}" for key in ALIAS),
}
"""Every key by file, as a page names it."""
