"""The registers: the columns of each, in order, and what each column holds."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class RegisterColumn:
    """A column: `form` is id, text, country, party, basis, date, percent or tpp."""

    name: str
    form: str
    required: bool = True


REGISTERS: Final[dict[str, tuple[RegisterColumn, ...]]] = {
    "parties": (
        RegisterColumn("party", "id"),
        RegisterColumn("name", "text"),
        RegisterColumn("headquarters", "country"),
        RegisterColumn("parent", "party", required=False),
    ),
    "authorizations": (
        RegisterColumn("party", "party"),
        RegisterColumn("basis", "basis"),
        RegisterColumn("destination", "country", required=False),
        RegisterColumn("valid_from", "date"),
        RegisterColumn("valid_to", "date", required=False),
        RegisterColumn("citation", "text", required=False),
    ),
    "assurances": (
        RegisterColumn("destination", "country"),
        RegisterColumn("uplift_percent", "percent"),
        RegisterColumn("valid_from", "date"),
        RegisterColumn("citation", "text", required=False),
    ),
    "chips": (
        RegisterColumn("chip", "id"),
        RegisterColumn("name", "text"),
        RegisterColumn("vendor", "text", required=False),
        RegisterColumn("tpp", "tpp"),
        RegisterColumn("class", "text"),
        RegisterColumn("source", "text", required=False),
    ),
}
"""By register. A later row with the same key supersedes the earlier from the moment that it is recorded."""
