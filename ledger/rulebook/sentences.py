"""What a person reads: one template for each limit and outcome, and one for each way to contradict the record.

A decision's sentence is derived from its values whenever it is shown: `schemas/macros.sql` puts those that are stored
in their places, `decision_sentence` those of one that was just made; a test holds them together. The places are {asked}
{basis} {account} {limit_tpp} {remaining_tpp} {remaining_h100e} {short_tpp} {citation}.
"""

from collections.abc import Mapping
from math import floor
from typing import Any, Final

from ledger.core.dates import day_text
from ledger.core.text import shown
from ledger.rulebook.columns import Rejection
from ledger.rulebook.rulebook import Rulebook
from schemas.words import LIMIT_IDS, Kind, word

_LEFT: Final = "{remaining_tpp} TPP ({remaining_h100e} H100e)"

FORBIDDEN: Final[dict[str, str]] = {
    "allocation-exceeded": "it brings more chips than its allocation had outstanding",
    "prohibited": (
        "its destination, its consignee's headquarters or its ultimate parent's headquarters is in tier 3,"
        " where nothing may go"
    ),
    "authorization-unavailable": "the authorization relied on, as stated, is not open to it on that date",
    "beyond-horizon": "no figure is published for so late a date",
    "country-cap": "the country cap of {account} is {limit_tpp} TPP and",
    "lpp-annual": "the LPP year {account} has {limit_tpp} TPP and",
    "nveu-installed-base": "the NVEU base {account} may be {limit_tpp} TPP and",
    "uveu-single-country": "the share of one country, {account}, may be {limit_tpp} TPP and",
    "uveu-outside-tier-1": "the share of {account} outside tier 1 may be {limit_tpp} TPP and",
    "uveu-outside-us": "the share of {account} outside the United States may be {limit_tpp} TPP and",
}
"""Why each limit speaks; those with an account go on with what is left."""

BANS: Final = LIMIT_IDS[:4]

TEMPLATES: Final[dict[tuple[str, str], str]] = (
    {("", "admitted"): "Admitted: {asked} under {basis}; no limit applies."}
    | {(ban, "refused"): f"Refused: {{asked}}; {FORBIDDEN[ban]} ({{citation}})." for ban in BANS}
    | {(ban, "breached"): f"Breach: {{asked}}; {FORBIDDEN[ban]} ({{citation}})." for ban in BANS}
    | {
        (
            limit,
            "admitted",
        ): f"Admitted: {{asked}} under {{basis}}; {FORBIDDEN[limit]} {_LEFT} are left ({{citation}})."
        for limit in LIMIT_IDS[4:]
    }
    | {
        (limit, "refused"): f"Refused: {{asked}} under {{basis}}; {FORBIDDEN[limit]} only {_LEFT} are left"
        ", {short_tpp} TPP too few ({citation})."
        for limit in LIMIT_IDS[4:]
    }
    | {
        (
            limit,
            "breached",
        ): f"Breach: {{asked}} under {{basis}}; {FORBIDDEN[limit]} it is exceeded ({{citation}})."
        for limit in LIMIT_IDS[4:]
    }
)
"""The sentence of a decision by limit (blank where none was tested) and outcome."""


def decision_sentence(rulebook: Rulebook, values: Mapping[str, Any]) -> str:
    """Give the sentence of a decision under a rulebook; `values` are those of its columns of `entry`."""
    limit, left, tpp = values["limit_id"] or "", values["remaining_tpp"], values["tpp"]
    places = {
        "asked": f"{values['kind']} of {values['quantity']:,} {values['chip']} ({tpp:,} TPP) in {values['destination']}"
        f" for {values['consignee']}",
        "basis": values["basis"] or "no stated authorization",
        "account": values["account"] or "",
        "remaining_tpp": _grouped(left),
        "remaining_h100e": "" if left is None else _grouped(left // rulebook.figure("h100_equivalent_tpp")),
        "limit_tpp": _grouped(values["limit_tpp"]),
        "short_tpp": _grouped(0 if left is None else max(tpp - left, 0)),
        "citation": rulebook.limits[limit].citation if limit else "",
    }
    return TEMPLATES[limit, values["outcome"]].format_map(places)


def h100e(tpp: int, rulebook: Rulebook) -> float:
    """Give TPP in H100 equivalents, rounded to a tenth, for reading: as the macro `h100e` does."""
    return floor(tpp / int(str(rulebook.figure("h100_equivalent_tpp"))) * 10 + 0.5) / 10


def _grouped(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def contradiction_sentence(rejection: Rejection, reference: str, under: str, given: str) -> str:
    """Say how a row contradicts the record: what was found and what is allowed.

    `given` is the text of the column at fault.
    """
    found, allowed = rejection.found, rejection.allowed
    match rejection.code:
        case "reference-reused":
            return (
                f"found {shown(reference)} with other content than the record {found} that was filed under it;"
                " a correction is a reversal and a new record with a reference of its own"
            )
        case "under-not-found":
            return (
                f"found {shown(under)}, which is no earlier record of this provider"
                " (only records before this row count, and rejected rows are not recorded)"
            )
        case "under-disagrees":
            return (
                f"found {shown(given)}, but the record {found} that it names has another; leave it blank or repeat it"
            )
        case "under-kind":
            return f"found {shown(under)}, which is a record of kind {word(Kind(found))}; that cannot be named here"
        case "under-reversed":
            return f"found {shown(under)}, but the record {found} has been reversed already"
        case "under-refused":
            return f"found {shown(under)}, but the record {found} was refused and counts nowhere"
        case "under-later":
            return f"found the date {day_text(found)}, but the record that it names is dated {day_text(allowed)}"
        case "lapse-exceeds-outstanding":
            return f"found {found:,} chips to lapse, but {allowed:,} are outstanding on {shown(under)}"
        case "attrition-exceeds-left":
            return f"found {found:,} chips gone, but {allowed:,} are left of {shown(under)}"
        case "reversal-drawn-on":
            drawing = "a later record draws" if found == 1 else f"{found:,} later records draw"
            return f"found {shown(under)}, on which {drawing}; reverse that first"
    return f"found an account that would hold {found:,} TPP, more than the {allowed:,} that this ledger can hold"
