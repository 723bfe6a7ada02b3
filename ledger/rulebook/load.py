"""Reading a rulebook out of its TOML texts; a malformed one is refused with every file, key and reason."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, time
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

import rfc8785

from ledger.core.dates import FOREVER, day_text
from ledger.core.text import did_you_mean, likely_country, normal, shown
from ledger.rulebook import keys
from ledger.rulebook.figures import FIGURES, contradictions
from ledger.rulebook.rulebook import REST_TIER, LimitText, Parameter, Rulebook, TierSpan
from ledger.rulebook.toml import TomlFault, read_toml
from schemas.words import LIMIT_IDS

FILES: Final = ("rulebook.toml", "limits.toml", "parameters.toml", "tiers.toml")
FORMAT: Final = 1
"""What a rulebook must hold changes only with a new format; a ledger's adopted rulebooks must load for ever, so a later
version of this software goes on reading the formats before its own."""

CERTAINTIES: Final = ("verified", "legal-analysis", "press", "derived", "unchecked", "chosen")

_TIERS = (1, 2, 3)
_TIER_1 = 1
_DATE = "a date, written 2025-01-31 without quotes"
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_ID_SAID: Final = "1 to 128 letters, digits, dots, hyphens and underscores"
_BITS_MAX = 256
"""A longer number is not written out: beyond some thousands of digits Python refuses to."""
_ITEMS_SHOWN = 4


class RulebookError(ValueError):
    """A rulebook that cannot be used; `problems` has one sentence for a fault: file, key, found, allowed."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def load_rulebook(texts: Mapping[str, str], countries: Mapping[str, str]) -> Rulebook:
    """Read a rulebook out of the texts of its files, by file name.

    `countries` are the codes that may be named, with their names. Raises RulebookError with all problems found.
    """
    faults: list[str] = []
    content = {name: _toml(name, texts, faults) for name in FILES}
    first, limits_file, parameters_file, tiers_file = (content[name] for name in FILES)
    if first is not None:
        _head(first, faults)
    limits = {} if limits_file is None else _limits(limits_file, faults)
    parameters = {} if parameters_file is None else _parameters(parameters_file, countries, faults)
    aliases = {} if tiers_file is None else _aliases(tiers_file, countries, faults)
    spans = () if tiers_file is None else _spans(tiers_file, countries, aliases, faults)
    if faults or first is None:
        raise RulebookError(faults)
    rulebook = Rulebook(
        id=first["rulebook"]["id"],
        digest=sha256(rfc8785.dumps(_plain(content))).hexdigest(),
        instrument=first["rulebook"],
        dates=first["dates"],
        status=first["status"],
        events=tuple(first.get("event", ())),
        parameters=parameters,
        limits=limits,
        spans=spans,
        aliases=aliases,
        texts={name: texts[name] for name in FILES},
    )
    _check_home(rulebook)
    return rulebook


def _check_home(rulebook: Rulebook) -> None:
    """Check that the home country is in tier 1 throughout: elsewhere nobody could hold UVEU."""
    start, end = (rulebook.figure(name).toordinal() for name in ("counting_start", "horizon_end"))
    home = rulebook.figure("uveu_home_country")
    tiers = {rulebook.tier(home, day) for day in (start, *rulebook.tier_changes) if start <= day <= end}
    if tiers != {_TIER_1}:
        problem = (
            f"parameters.toml: uveu_home_country.value: found {_found(home)}, of tier {max(tiers)},"
            " expected a country that is in tier 1 from counting_start to horizon_end"
        )
        raise RulebookError([problem])


def _plain(value: Any) -> Any:
    """Write dates and whole numbers as text: canonical JSON has no dates, and no exact number past 2^53."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool | str):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _toml(name: str, texts: Mapping[str, str], faults: list[str]) -> dict[str, Any] | None:
    if name not in texts:
        faults.append(f"{name}: is missing; a rulebook is a folder with {', '.join(FILES)}")
        return None
    try:
        return read_toml(texts[name])
    except TomlFault as fault:
        faults.append(f"{name}: {fault}")
        return None


def _found(value: Any) -> str:
    """Write a value for a message, about as TOML would have it; None is a key that is not there."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list):
        more = ", …" if len(value) > _ITEMS_SHOWN else ""
        return f"[{', '.join(_found(item) for item in value[:_ITEMS_SHOWN])}{more}]"
    if isinstance(value, int) and value.bit_length() > _BITS_MAX:
        return f"a number of {value.bit_length():,} bits"
    if isinstance(value, Mapping):
        return "a table"
    return "nothing" if value is None else str(value).lower()


def _nearest(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and isinstance(normal(value), str)


def _wanting(value: Any) -> str:
    """Say what a text must be: its characters end up in sentences, and a terminal obeys some."""
    return "without control characters" if isinstance(value, str) and value.strip() else "that is not blank"


def _unknown_keys(where: str, table: Mapping[str, Any], known: Collection[str], faults: list[str]) -> None:
    faults.extend(f"{where}{key}: is not known here{_nearest(key, known)}" for key in table if key not in known)


def _tables(name: str, content: Mapping[str, Any], key: str, faults: list[str]) -> list[Any]:
    """Give the tables that a file has under a key, each written `[[key]]`."""
    tables = content.get(key, [])
    if isinstance(tables, list):
        return tables
    faults.append(f"{name}: {key}: found {_found(tables)}, expected tables that each begin with [[{key}]]")
    return []


def _keys(where: str, table: Any, required: Collection[str], faults: list[str]) -> bool:
    """Check that a table has exactly the required keys, with good certainty and texts; say if it has."""
    before = len(faults)
    if not isinstance(table, Mapping):
        faults.append(f"{where}: found {_found(table)}, expected a table with {', '.join(required)}")
        return False
    faults.extend(f"{where}.{key}: is missing" for key in required if key not in table)
    _unknown_keys(f"{where}.", table, required, faults)
    certainty = table.get("certainty", CERTAINTIES[0])
    if certainty not in CERTAINTIES:
        faults.append(f"{where}.certainty: found {_found(certainty)}, expected one of {', '.join(CERTAINTIES)}")
    faults.extend(
        f"{where}.{key}: found {_found(table[key])}, expected a text {_wanting(table[key])}"
        for key in ("title", "citation", "sentence", "source")
        if key in table and not _is_text(table[key])
    )
    return len(faults) == before


def _head(content: Mapping[str, Any], faults: list[str]) -> None:
    where = "rulebook.toml"
    _unknown_keys(f"{where}: ", content, keys.HEAD, faults)
    if content.get("format") != FORMAT or isinstance(content.get("format"), bool):
        faults.append(f"{where}: format: found {_found(content.get('format'))}, expected {FORMAT}")
    head, dates = content.get("rulebook"), content.get("dates")
    if isinstance(head, Mapping):
        texts = {**dict.fromkeys(keys.INSTRUMENT), **head}
        faults.extend(
            f"{where}: rulebook.{key}: found {_found(value)}, expected a text {_wanting(value)}"
            for key, value in texts.items()
            if not _is_text(value)
        )
        if _is_text(texts["id"]) and not _ID.fullmatch(texts["id"]):
            faults.append(f"{where}: rulebook.id: found {_found(texts['id'])}, expected {_ID_SAID}")
    else:
        faults.append(f"{where}: rulebook: found {_found(head)}, expected a table")
    if isinstance(dates, Mapping):
        days = {**dict.fromkeys(keys.DATES), **dates}
        faults.extend(
            f"{where}: dates.{key}: found {_found(value)}, expected {_DATE}"
            for key, value in days.items()
            if type(value) is not date
        )
    else:
        faults.append(f"{where}: dates: found {_found(dates)}, expected a table")
    if not _is_text(content.get("status")):
        faults.append(f"{where}: status: found {_found(content.get('status'))}, expected a sentence")
    for number, event in enumerate(_tables(where, content, "event", faults), 1):
        if _keys(f"{where}: event {number}", event, keys.EVENT, faults) and type(event["date"]) is not date:
            faults.append(f"{where}: event {number}.date: found {_found(event['date'])}, expected {_DATE}")


def _limits(content: Mapping[str, Any], faults: list[str]) -> dict[str, LimitText]:
    where = "limits.toml"
    faults.extend(f"{where}: {name}: is missing" for name in LIMIT_IDS if name not in content)
    limits = {}
    for name, table in content.items():
        if name not in LIMIT_IDS:
            faults.append(f"{where}: {name}: no such limit{_nearest(name, LIMIT_IDS)}")
        elif _keys(f"{where}: {name}", table, keys.LIMIT, faults):
            limits[name] = LimitText(**table)
    return limits


def _parameters(content: Mapping[str, Any], countries: Mapping[str, str], faults: list[str]) -> dict[str, Parameter]:
    where = "parameters.toml"
    figures = {figure.name: figure for figure in FIGURES}
    faults.extend(f"{where}: {name}: is missing" for name in figures if name not in content)
    parameters = {}
    for name, table in content.items():
        if name not in figures:
            faults.append(f"{where}: {name}: no such parameter{_nearest(name, figures)}")
            continue
        if not _keys(f"{where}: {name}", table, keys.PARAMETER, faults):
            continue
        figure, value = figures[name], table["value"]
        allowed = figure.check(value)
        if allowed:
            faults.append(f"{where}: {name}.value: found {_found(value)}, expected {allowed}")
            continue
        if figure.countries:
            named = value if isinstance(value, list) else [value]
            _known(f"{where}: {name}.value", named, countries, faults)
        if table["unit"] != figure.unit:
            faults.append(f'{where}: {name}.unit: found {_found(table["unit"])}, expected "{figure.unit}"')
        if type(table["valid_from"]) is not date:
            faults.append(f"{where}: {name}.valid_from: found {_found(table['valid_from'])}, expected {_DATE}")
        parameters[name] = Parameter(name=name, **table)
    values = {name: parameter.value for name, parameter in parameters.items()}
    faults.extend(
        f"{where}: {name}.value: found {_found(values[name])}, expected {allowed}"
        for name, allowed in contradictions(values)
    )
    return parameters


def _known(where: str, codes: Any, countries: Mapping[str, str], faults: list[str]) -> bool:
    """Check that a list names known countries, each once; say if it does."""
    if not isinstance(codes, list):
        faults.append(f'{where}: found {_found(codes)}, expected a list of country codes, such as ["AE", "SA"]')
        return False
    before = len(faults)
    known = [code for code in codes if isinstance(code, str) and code in countries]
    faults.extend(
        f"{where}: {_found(code)} is not an ISO 3166-1 alpha-2 code{_likely(code, countries)}"
        for code in codes
        if code not in known
    )
    faults.extend(f"{where}: {code} is named twice" for code in sorted({c for c in known if known.count(c) > 1}))
    return len(faults) == before


def _likely(code: Any, countries: Mapping[str, str]) -> str:
    names = {name.casefold(): code for code, name in countries.items()}
    return did_you_mean(likely_country(code, countries, names) if isinstance(code, str) else None)


def _aliases(content: Mapping[str, Any], countries: Mapping[str, str], faults: list[str]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for number, table in enumerate(_tables("tiers.toml", content, "alias", faults), 1):
        where = f"tiers.toml: alias {number}"
        if not _keys(where, table, keys.ALIAS, faults):
            continue
        good = _known(f"{where}.counted_as", [table["counted_as"]], countries, faults)
        if not (_known(f"{where}.countries", table["countries"], countries, faults) and good):
            continue
        faults.extend(
            f"{where}.countries: {code} counts as {aliases[code]} already"
            for code in table["countries"]
            if code in aliases
        )
        aliases |= dict.fromkeys(table["countries"], table["counted_as"])
    faults.extend(
        f"tiers.toml: alias: {code} counts as {aim}, which itself counts as another country"
        for code, aim in aliases.items()
        if aim in aliases
    )
    return aliases


def _spans(
    content: Mapping[str, Any], countries: Mapping[str, str], aliases: Mapping[str, str], faults: list[str]
) -> tuple[TierSpan, ...]:
    spans: list[TierSpan] = []
    rests = 0
    _unknown_keys("tiers.toml: ", content, ("tier", "alias"), faults)
    for number, table in enumerate(_tables("tiers.toml", content, "tier", faults), 1):
        where = f"tiers.toml: tier {number}"
        rest = isinstance(table, Mapping) and table.get("rest") is True
        rests += rest
        spans += _spans_of(where, table, countries, faults, rest=rest)
    if rests != 1:
        faults.append(f"tiers.toml: found {rests} tiers with rest = true, expected one")
    faults.extend(
        f"tiers.toml: {span.country} has a tier and is also an alias" for span in spans if span.country in aliases
    )
    ordered = sorted(spans, key=lambda span: (span.country, span.first))
    faults.extend(
        f"tiers.toml: {b.country} is in two tiers at once{f', from {day_text(b.first)} on' if b.first > 1 else ''}"
        for a, b in pairwise(ordered)
        if a.country == b.country and b.first <= a.last
    )
    return tuple(ordered)


def _spans_of(where: str, table: Any, countries: Mapping[str, str], faults: list[str], *, rest: bool) -> list[TierSpan]:
    """Give the spans of one table of tiers: none of the rest of the world, and none if there is a fault."""
    before = len(faults)
    # The rest of the world is what no other table covers on a day, so it has no days of its own.
    optional = [key for key in keys.SPAN if not rest and isinstance(table, Mapping) and key in table]
    if not _keys(where, table, (*(keys.REST if rest else keys.TIER), *optional), faults):
        return []
    if type(table["tier"]) is not int or table["tier"] not in _TIERS:
        faults.append(f"{where}.tier: found {_found(table['tier'])}, expected 1, 2 or 3")
    elif rest and table["tier"] != REST_TIER:
        faults.append(f"{where}.rest: only tier {REST_TIER} can be the rest of the world")
    wrong = [key for key in optional if type(table[key]) is not date]
    faults.extend(f"{where}.{key}: found {_found(table[key])}, expected {_DATE}" for key in wrong)
    if not rest:
        _known(f"{where}.countries", table["countries"], countries, faults)
    if rest or len(faults) > before:
        return []
    first = table["from"].toordinal() if "from" in table else 1
    last = table["to"].toordinal() if "to" in table else FOREVER
    if first > last:
        faults.append(f"{where}.to: found {_found(table['to'])}, expected a day that is not before from")
        return []
    return [TierSpan(code, table["tier"], first, last) for code in table["countries"]]
