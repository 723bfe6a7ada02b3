"""Reading a rulebook out of its TOML texts; a malformed one is refused with every file, key and reason."""

import difflib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from hashlib import sha256
from typing import Any, Final

import rfc8785

from ledger.core.dates import FOREVER
from ledger.rulebook.figures import FIGURES
from ledger.rulebook.rulebook import REST_TIER, LimitText, Parameter, Rulebook, TierSpan
from schemas.words import LIMIT_IDS

FILES: Final = ("rulebook.toml", "limits.toml", "parameters.toml", "tiers.toml")
CERTAINTIES: Final = ("verified", "legal-analysis", "press", "derived", "unchecked", "chosen")

_LIMIT_KEYS = ("title", "citation", "certainty", "sentence")
_PARAMETER_KEYS = ("value", "unit", "valid_from", "citation", "certainty", "sentence")
_EVENT_KEYS = ("date", "sentence", "source", "certainty")
_TIERS = (1, 2, 3)


class RulebookError(ValueError):
    """A rulebook that cannot be used; `problems` has one sentence for each fault: file, key, found, allowed."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def load_rulebook(texts: Mapping[str, str], countries: Collection[str]) -> Rulebook:
    """Read a rulebook out of the texts of its files, by file name.

    `countries` are the codes that may be named. Raises RulebookError with all problems found.
    """
    faults: list[str] = []
    content = {name: _toml(name, texts, faults) for name in FILES}
    if faults:
        raise RulebookError(faults)
    head = _head(content["rulebook.toml"], faults)
    limits = _limits(content["limits.toml"], faults)
    parameters = _parameters(content["parameters.toml"], countries, faults)
    aliases = _aliases(content["tiers.toml"], countries, faults)
    spans = _spans(content["tiers.toml"], countries, aliases, faults)
    if faults:
        raise RulebookError(faults)
    return Rulebook(
        id=head["id"],
        digest=sha256(rfc8785.dumps(_plain(content))).hexdigest(),
        instrument=head,
        dates=content["rulebook.toml"]["dates"],
        status=content["rulebook.toml"]["status"],
        events=tuple(content["rulebook.toml"].get("event", ())),
        parameters=parameters,
        limits=limits,
        spans=spans,
        aliases=aliases,
        texts={name: texts[name] for name in FILES},
    )


def _plain(value: Any) -> Any:
    """Write dates and whole numbers as text: canonical JSON has no dates, and no exact number past 2^53."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool | str):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _toml(name: str, texts: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    if name not in texts:
        faults.append(f"{name}: is missing; a rulebook is a folder with {', '.join(FILES)}")
        return {}
    try:
        return tomllib.loads(texts[name])
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{name}: is not TOML: {error}")
        return {}


def _nearest(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _keys(where: str, table: Any, required: Collection[str], faults: list[str]) -> bool:
    """Check that a table has exactly the required keys, certainty and texts being well-formed; say if it has."""
    before = len(faults)
    if not isinstance(table, Mapping):
        faults.append(f"{where}: found {table!r}, expected a table with {', '.join(required)}")
        return False
    faults.extend(f"{where}.{key}: is missing" for key in required if key not in table)
    faults.extend(
        f"{where}.{key}: is not known here{_nearest(key, required)}" for key in table if key not in required
    )
    certainty = table.get("certainty", CERTAINTIES[0])
    if certainty not in CERTAINTIES:
        faults.append(f"{where}.certainty: found {certainty!r}, expected one of {', '.join(CERTAINTIES)}")
    for key in ("title", "citation", "sentence", "source"):
        if key in table and not (isinstance(table[key], str) and table[key].strip()):
            faults.append(f"{where}.{key}: found {table[key]!r}, expected a text that is not blank")
    return len(faults) == before


def _head(content: Mapping[str, Any], faults: list[str]) -> Mapping[str, Any]:
    where = "rulebook.toml"
    head = content.get("rulebook", {})
    for key in ("id", "title", "sentence", "instrument"):
        if not isinstance(head.get(key), str) or not head[key].strip():
            faults.append(f"{where}: rulebook.{key}: found {head.get(key)!r}, expected a text")
    dates = content.get("dates", {})
    for key in ("published", "effective", "compliance"):
        if key not in dates:
            faults.append(f"{where}: dates.{key}: is missing")
    faults.extend(
        f"{where}: dates.{key}: found {value!r}, expected a date, written 2025-01-31 without quotes"
        for key, value in dates.items()
        if type(value) is not date
    )
    if not isinstance(content.get("status"), str):
        faults.append(f"{where}: status: found {content.get('status')!r}, expected a sentence")
    for number, event in enumerate(content.get("event", ()), 1):
        _keys(f"{where}: event {number}", event, _EVENT_KEYS, faults)
    return dict(head)


def _limits(content: Mapping[str, Any], faults: list[str]) -> dict[str, LimitText]:
    where = "limits.toml"
    faults.extend(f"{where}: {name}: is missing" for name in LIMIT_IDS if name not in content)
    limits = {}
    for name, table in content.items():
        if name not in LIMIT_IDS:
            faults.append(f"{where}: {name}: no such limit{_nearest(name, LIMIT_IDS)}")
        elif _keys(f"{where}: {name}", table, _LIMIT_KEYS, faults):
            limits[name] = LimitText(**table)
    return limits


def _parameters(
    content: Mapping[str, Any], countries: Collection[str], faults: list[str]
) -> dict[str, Parameter]:
    where = "parameters.toml"
    figures = {figure.name: figure for figure in FIGURES}
    faults.extend(f"{where}: {name}: is missing" for name in figures if name not in content)
    parameters = {}
    for name, table in content.items():
        if name not in figures:
            faults.append(f"{where}: {name}: no such parameter{_nearest(name, figures)}")
            continue
        if not _keys(f"{where}: {name}", table, _PARAMETER_KEYS, faults):
            continue
        figure, value = figures[name], table["value"]
        allowed = figure.check(value)
        if allowed:
            faults.append(f"{where}: {name}.value: found {value!r}, expected {allowed}")
        elif figure.countries:
            named = value if isinstance(value, list) else [value]
            _known(f"{where}: {name}.value", named, countries, faults)
        if table["unit"] != figure.unit:
            faults.append(f'{where}: {name}.unit: found {table["unit"]!r}, expected "{figure.unit}"')
        if type(table["valid_from"]) is not date:
            faults.append(
                f"{where}: {name}.valid_from: found {table['valid_from']!r}, expected a date without quotes"
            )
        parameters[name] = Parameter(name=name, **table)
    return parameters


def _known(where: str, codes: Any, countries: Collection[str], faults: list[str]) -> bool:
    """Check that a list names known countries, each once."""
    if not isinstance(codes, list):
        faults.append(f'{where}: found {codes!r}, expected a list of country codes, such as ["AE", "SA"]')
        return False
    unknown = [code for code in codes if code not in countries]
    faults.extend(f"{where}: {code!r} is not an ISO 3166-1 alpha-2 code" for code in unknown)
    faults.extend(f"{where}: {code} is named twice" for code in sorted({c for c in codes if codes.count(c) > 1}))
    return not unknown


def _aliases(content: Mapping[str, Any], countries: Collection[str], faults: list[str]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    keys = ("counted_as", "countries", "citation", "certainty", "sentence")
    for number, table in enumerate(content.get("alias", ()), 1):
        where = f"tiers.toml: alias {number}"
        if not _keys(where, table, keys, faults):
            continue
        _known(f"{where}.counted_as", [table["counted_as"]], countries, faults)
        if _known(f"{where}.countries", table["countries"], countries, faults):
            aliases |= dict.fromkeys(table["countries"], table["counted_as"])
    faults.extend(
        f"tiers.toml: alias: {code} counts as {aim}, which itself counts as another country"
        for code, aim in aliases.items()
        if aim in aliases
    )
    return aliases


def _spans(
    content: Mapping[str, Any], countries: Collection[str], aliases: Mapping[str, str], faults: list[str]
) -> tuple[TierSpan, ...]:
    spans: list[TierSpan] = []
    rests = 0
    for number, table in enumerate(content.get("tier", ()), 1):
        where = f"tiers.toml: tier {number}"
        rest = table.get("rest") is True
        optional = [key for key in ("from", "to") if key in table]
        keys = ("tier", "rest" if rest else "countries", "citation", "certainty", "sentence", *optional)
        if not _keys(where, table, keys, faults):
            continue
        if table["tier"] not in _TIERS:
            faults.append(f"{where}.tier: found {table['tier']!r}, expected 1, 2 or 3")
        wrong = [key for key in optional if type(table[key]) is not date]
        faults.extend(f"{where}.{key}: found {table[key]!r}, expected a date without quotes" for key in wrong)
        if rest:
            rests += 1
            if table["tier"] != REST_TIER:
                faults.append(f"{where}.rest: only tier {REST_TIER} can be the rest of the world")
        elif _known(f"{where}.countries", table["countries"], countries, faults) and not wrong:
            first = table["from"].toordinal() if "from" in table else 1
            last = table["to"].toordinal() if "to" in table else FOREVER
            spans += [TierSpan(code, table["tier"], first, last) for code in table["countries"]]
    if rests != 1:
        faults.append(f"tiers.toml: found {rests} tiers with rest = true, expected one")
    faults.extend(
        f"tiers.toml: {span.country} has a tier and is also an alias" for span in spans if span.country in aliases
    )
    ordered = sorted(spans, key=lambda span: (span.country, span.first))
    faults.extend(
        f"tiers.toml: {b.country} is of two tiers on the same day"
        for a, b in zip(ordered, ordered[1:], strict=False)
        if a.country == b.country and b.first <= a.last
    )
    return tuple(ordered)
