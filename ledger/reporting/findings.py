"""The findings in plain words, worked out from the facts: for who reads only the first lines."""

from dataclasses import dataclass
from typing import Any, Final

from ledger.reporting.facts import Facts, Row
from ledger.reporting.wording import (
    counted,
    day_words,
    named,
    number_words,
    percent_text,
    short_number,
    thousands,
)
from ledger.rulebook.rulebook import Rulebook
from ledger.rulebook.sentences import FORBIDDEN
from ledger.store.seeds import country_names

FINDINGS_MAX: Final = 8
_TIER_PROHIBITED: Final = 3


@dataclass(frozen=True)
class Finding:
    """One record that the rule forbids: the record, and why, as a clause."""

    row: Row
    why: str


def headline(facts: Facts) -> str:
    """Say how many requests the rule would have refused and how many facts break it."""
    refused, breached = facts.counted(outcome="refused"), facts.counted(outcome="breached")
    requests = counted(facts.counted(kind="allocation"), "request", words=True)
    deliveries = counted(facts.counted(kind="delivery"), "delivery", "deliveries", words=True)
    if not facts.summary["records"]:
        return "Nothing is recorded in this ledger yet."
    first = f"The rule would have refused {number_words(refused)} of the {requests} recorded here"
    if not facts.counted(kind="allocation"):
        first = "No request is recorded here"
    if breached and breached == facts.counted(outcome="breached", kind="delivery"):
        return f"{first}, and {number_words(breached)} of the {deliveries} would have broken it."
    if breached:
        return f"{first}, and {counted(breached, 'recorded fact', words=True)} would have broken it."
    return f"{first}; nothing recorded as a fact would have broken it."


def enforcement(rulebook: Rulebook) -> tuple[str, str]:
    """Say, by the rulebook's dates, whether the rule ever bound anyone; blank if it was not called off."""
    called_off, due = rulebook.dates.get("enforcement_called_off"), rulebook.dates.get("compliance")
    if called_off is None:
        return "", ""
    if due is None or called_off >= due:
        return "The rule is not enforced.", f"Its enforcement was called off on {day_words(called_off)}."
    days = counted((due - called_off).days, "day", words=True)
    return (
        "The rule was never enforced.",
        (
            f"Its enforcement was called off on {day_words(called_off)}, {days} before compliance was due"
            f" ({day_words(due)}), so in fact it refused nothing."
        ),
    )


def forbidden(facts: Facts) -> tuple[list[Finding], list[Finding]]:
    """Give the largest refusals and the breaches that were not taken back, each with its reason."""
    refused = [Finding(row, _why_refused(row, facts.rulebook)) for row in facts.refusals[:FINDINGS_MAX]]
    standing = [row for row in facts.breaches if row["reversed_by"] is None]
    return refused, [Finding(row, _why_breached(row, facts)) for row in standing[:FINDINGS_MAX]]


def _why_refused(row: Row, rulebook: Rulebook) -> str:
    one = rulebook.figure("h100_equivalent_tpp")
    asks = f"asks for {thousands(row['tpp'] // one)} H100e"
    if row["remaining_tpp"] is None:
        return f"{asks}; {_banned(row, rulebook)}"
    limit, most, left = _limit_name(row, rulebook), row["limit_tpp"], row["remaining_tpp"]
    short = row["tpp"] - left
    room = f"of {limit} of {thousands(most // one)} only {thousands(left // one)} were left"
    if left == most:
        room = f"{limit} is {thousands(most // one)} in all"
    return f"{asks}; {room}, so {thousands(short // one)} ({short_number(short)} TPP) are too many"


def _why_breached(row: Row, facts: Facts) -> str:
    rulebook = facts.rulebook
    one = rulebook.figure("h100_equivalent_tpp")
    brings = f"{thousands(row['tpp'] // one)} H100e"
    if row["remaining_tpp"] is None:
        return f"{brings}; {_banned(row, rulebook)}"
    limit = _limit_name(row, rulebook)
    for place in facts.positions if row["limit_id"] == "country-cap" else ():
        over = place["used_tpp"] - place["cap_tpp"]
        if place["destination"] == row["account"] and over > 0:
            return (
                f"{brings}; {limit} of {thousands(place['cap_tpp'] // one)} is now exceeded by"
                f" {thousands(over // one)} ({short_number(over)} TPP):"
                f" {percent_text(place['used_percent'])} is used"
            )
    return f"{brings}, beyond {limit}"


def _banned(row: Row, rulebook: Rulebook) -> str:
    tier = rulebook.tier(row["destination"], row["date"].toordinal())
    if row["limit_id"] == "prohibited" and tier == _TIER_PROHIBITED:
        return f"{named(row['destination'], country_names())} is in tier 3, where nothing may go"
    return FORBIDDEN.get(row["limit_id"], "a limit of the rule forbids it")


def _limit_name(row: Row, rulebook: Rulebook) -> str:
    if row["limit_id"] == "country-cap":
        return "the country's cap"
    text = rulebook.limits.get(row["limit_id"])
    return f"the {text.title if text else row['limit_id']} of {row['account']}"


def totals(facts: Facts) -> dict[str, Any]:
    """Add up what was refused, and what the rule does not count at all."""
    refused = [row for row in facts.counts if row["outcome"] == "refused"]
    free = [row for row in facts.counts if row["basis"] == "AIA" and row["outcome"] == "admitted"]
    free = [row for row in free if row["alone"] and row["kind"] in ("allocation", "delivery")]
    return {
        "refused_tpp": sum(row["tpp"] for row in refused),
        "free_records": sum(row["records"] for row in free),
        "free_tpp": sum(row["tpp"] for row in free),
        "uncounted": facts.counted(basis="UNCOUNTED"),
        "over": [row for row in facts.positions if row["status"] == "over"],
        "tight": [row for row in facts.positions if row["status"] in ("watch", "critical", "exhausted")],
    }
