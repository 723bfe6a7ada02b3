"""A rulebook: figures, limits, tiers and aliases of one instrument, each with its paragraph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from ledger.core.dates import FOREVER

REST_TIER = 2


@dataclass(frozen=True)
class Parameter:
    """One figure or switch, with its source.

    `valid_from` is the day from which the instrument has it; a decision takes the figure of the rulebook that
    is in force when it is made, whatever the record's date.
    """

    name: str
    value: Any
    unit: str
    valid_from: date
    citation: str
    certainty: str
    sentence: str


@dataclass(frozen=True)
class LimitText:
    """What the rulebook says of one limit: its title, paragraph, how sure that is, and one sentence."""

    title: str
    citation: str
    certainty: str
    sentence: str


@dataclass(frozen=True)
class TierSpan:
    """A country is of `tier` from `first` to `last`, days both included."""

    country: str
    tier: int
    first: int
    last: int


@dataclass(frozen=True)
class Rulebook:
    """One instrument as data. `digest` is the SHA-256, in hex, of its meaning: comments and layout do not change it."""

    id: str
    digest: str
    instrument: Mapping[str, Any]
    dates: Mapping[str, date]
    status: str
    events: tuple[Mapping[str, Any], ...]
    parameters: Mapping[str, Parameter]
    limits: Mapping[str, LimitText]
    spans: tuple[TierSpan, ...]
    aliases: Mapping[str, str]
    texts: Mapping[str, str] = field(repr=False)
    """The files as they were read, by name: what the ledger keeps, so that any decision can be derived again."""

    def figure(self, name: str) -> Any:
        """Give the value of a parameter by name. Raises KeyError for a name that no rulebook has."""
        return self.parameters[name].value

    def counted(self, country: str) -> str:
        """Give the country as which a destination or headquarters counts (HK counts as CN)."""
        return self.aliases.get(country, country)

    @cached_property
    def _spans_of(self) -> dict[str, list[TierSpan]]:
        spans: dict[str, list[TierSpan]] = {}
        for span in self.spans:
            spans.setdefault(span.country, []).append(span)
        return spans

    def tier(self, country: str, day: int) -> int:
        """Give the tier, 1 to 3, of a country on a day."""
        for span in self._spans_of.get(self.counted(country), ()):
            if span.first <= day <= span.last:
                return span.tier
        return REST_TIER

    @cached_property
    def tier_changes(self) -> tuple[int, ...]:
        """Give the days on which any country's tier changes, in order."""
        days = {span.first for span in self.spans if span.first > 1}
        days |= {span.last + 1 for span in self.spans if span.last < FOREVER}
        return tuple(sorted(days))
