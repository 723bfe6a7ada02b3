"""What differs between two rulebooks, in words that a person can check against both: figures, texts, tiers, dates.

Meaning is compared, not writing: a country whose table was split in two is no difference.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger.core.dates import FOREVER, day_text
from ledger.rulebook import keys
from ledger.rulebook.figures import parameter_values
from ledger.rulebook.rulebook import Rulebook

_REST: Final = "every other country"
_CITED, _UNIT = "cited", "unit"
"""Where it is from and in what it is measured: told with every difference, and never compared."""

Said = Mapping[str, str]
"""What a rulebook says of one thing, by key."""


@dataclass(frozen=True)
class Difference:
    """One thing that two rulebooks say differently; `old` or `new` is blank where it is not there at all."""

    part: str
    """rulebook, date, event, figure, limit, tier or alias."""
    name: str
    key: str
    old: str
    new: str
    unit: str
    citation: str
    """Of the new rulebook; of the old one for what is no longer there."""


def differences(old: Rulebook, new: Rulebook) -> list[Difference]:
    """Give what differs, part by part."""
    found: list[Difference] = []
    for part in _PARTS:
        found += _compared(part, _PARTS[part](old), _PARTS[part](new))
    return [*found, *_moved("tier", _tiers(old, new), _tiers(new, old)), *_moved("alias", _aliases(old), _aliases(new))]


def _compared(part: str, old: Mapping[str, Said], new: Mapping[str, Said]) -> Iterator[Difference]:
    """Give the differences of a part whose things are known by name."""
    for name in dict.fromkeys([*new, *old]):
        before, after = old.get(name, {}), new.get(name, {})
        either = {**before, **after}
        for key in dict.fromkeys([*after, *before]):
            if key not in (_CITED, _UNIT) and before.get(key, "") != after.get(key, ""):
                unit, citation = either.get(_UNIT, ""), either.get(_CITED, "")
                yield Difference(part, name, key, before.get(key, ""), after.get(key, ""), unit, citation)


def _moved(part: str, old: Mapping[str, Said], new: Mapping[str, Said]) -> Iterator[Difference]:
    """Give the differences of countries; those of which both rulebooks say the same things are one."""
    together: dict[tuple[str, str, str, str], list[str]] = {}
    for difference in _compared(part, old, new):
        same = (difference.key, difference.old, difference.new, difference.citation)
        together.setdefault(same, []).append(difference.name)
    for (key, before, after, citation), names in together.items():
        yield Difference(part, ", ".join(names), key, before, after, "", citation)


def _instrument(rulebook: Rulebook) -> dict[str, Said]:
    texts: dict[str, Said] = {key: {"text": text} for key, text in rulebook.instrument.items()}
    return texts | {"status": {"text": rulebook.status}}


def _dates(rulebook: Rulebook) -> dict[str, Said]:
    return {name: {"date": day.isoformat()} for name, day in rulebook.dates.items()}


def _events(rulebook: Rulebook) -> dict[str, Said]:
    """Name events by their day; of two on one day, the second has a number."""
    named: dict[str, Said] = {}
    for event in rulebook.events:
        day = event["date"].isoformat()
        name = day if day not in named else f"{day} ({sum(name.startswith(day) for name in named) + 1})"
        named[name] = {key: event[key] for key in keys.EVENT if key != "date"}
    return named


def _figures(rulebook: Rulebook) -> dict[str, Said]:
    """Name every figure; a schedule has its periods, and under its own name what is said of them all."""
    named: dict[str, Said] = {}
    for figure in rulebook.parameters.values():
        for name, text in parameter_values(figure.name, figure.value):
            named[name] = {"value": text, _UNIT: figure.unit, _CITED: figure.citation}
        sources = {key: getattr(figure, key) for key in keys.SOURCE}
        said = {"valid_from": figure.valid_from.isoformat(), **sources, _CITED: figure.citation}
        named[figure.name] = {**named.get(figure.name, {}), **said}
    return named


def _limits(rulebook: Rulebook) -> dict[str, Said]:
    return {
        name: {**{key: getattr(text, key) for key in keys.LIMIT}, _CITED: text.citation}
        for name, text in rulebook.limits.items()
    }


_PARTS: Final = {
    "rulebook": _instrument,
    "date": _dates,
    "event": _events,
    "figure": _figures,
    "limit": _limits,
}


def _tiers(rulebook: Rulebook, other: Rulebook) -> dict[str, Said]:
    """Give tier and sources of every country that either rulebook names, and of the rest of the world."""
    tables: list[dict[str, Any]] = tomllib.loads(rulebook.texts["tiers.toml"])["tier"]
    rest = next(table for table in tables if table.get("rest"))
    named = sorted({span.country for book in (rulebook, other) for span in book.spans})
    territories = sorted({*rulebook.aliases, *other.aliases} - set(named))
    of_country = {country: [t for t in tables if country in t.get("countries", ())] for country in named}
    said: dict[str, Said] = {
        country: {"tier": _tier_text(rulebook, country), **_sources(of_country[country] or [rest])} for country in named
    }
    said |= {territory: {"tier": _tier_text(rulebook, territory)} for territory in territories}
    return said | {_REST: _sources([rest])}


def _tier_text(rulebook: Rulebook, country: str) -> str:
    """Write a country's tiers: `tier 3 to 2026-02-02, then tier 2`."""
    starts = [1, *rulebook.tier_changes]
    spans: list[tuple[int, int]] = []
    for start in starts:
        tier = rulebook.tier(country, start)
        if not spans or spans[-1][1] != tier:
            spans.append((start, tier))
    ends = [start - 1 for start, _ in spans[1:]] + [FOREVER]
    texts = [
        f"tier {tier}" + (f" to {day_text(end)}" if end < FOREVER else "")
        for (_, tier), end in zip(spans, ends, strict=True)
    ]
    return ", then ".join(texts)


def _aliases(rulebook: Rulebook) -> dict[str, Said]:
    tables: list[dict[str, Any]] = tomllib.loads(rulebook.texts["tiers.toml"]).get("alias", [])
    return {
        code: {"counted_as": table["counted_as"], **_sources([table])}
        for table in tables
        for code in sorted(table["countries"])
    }


def _sources(tables: list[dict[str, Any]]) -> Said:
    said = {key: "; ".join(dict.fromkeys(table[key] for table in tables)) for key in keys.SOURCE}
    return {**said, _CITED: said["citation"]}
