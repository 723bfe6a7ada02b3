"""What follows from the ledger tables and this software: views, and what they need of the adopted rulebooks."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

import duckdb

from ledger.core.dates import FOREVER
from ledger.rulebook.figures import parameter_values
from ledger.rulebook.rulebook import Rulebook
from ledger.rulebook.sentences import TEMPLATES
from ledger.store.insert import insert
from ledger.store.query import first, rows
from ledger.store.seeds import country_names, parse_rulebook
from ledger.store.views import macros, make_views, view_files
from schemas.words import LIMIT_IDS


def derive_rulebook(connection: duckdb.DuckDBPyConnection, rulebook: Rulebook) -> None:
    """Write countries and parameters for the rulebook in force, and the texts of its limits."""
    _replace(connection, "country", _columns(_countries(rulebook)))
    _replace(connection, "parameter", _columns(_parameters(rulebook)))
    connection.execute("DELETE FROM limit_text WHERE rulebook_digest = ?", [rulebook.digest])
    insert(connection, "limit_text", _columns(_limit_texts(rulebook)))


def derive_again(connection: duckdb.DuckDBPyConnection) -> None:
    """Make views and sentences anew if this software has others than the one that wrote the file."""
    digest = views_digest()
    if first(connection, "SELECT digest FROM view_digest") == (digest,):
        return
    connection.execute("BEGIN")
    make_views(connection)
    for (adopted,) in rows(connection, "SELECT texts FROM rulebook_row ORDER BY leaf"):
        derive_rulebook(connection, parse_rulebook(json.loads(adopted)))
    _replace(connection, "view_digest", {"digest": [digest]})
    connection.execute("COMMIT")


def write_again(connection: duckdb.DuckDBPyConnection) -> None:
    """Write something derived as it was: the smallest COMMIT that there is."""
    digests = [digest for (digest,) in rows(connection, "SELECT digest FROM view_digest")]
    connection.execute("BEGIN")
    _replace(connection, "view_digest", {"digest": digests})
    connection.execute("COMMIT")


def views_digest() -> str:
    """Give the digest of this software's views, macros and sentences."""
    texts = [macros(), *view_files().values(), *(f"{key} {text}" for key, text in sorted(TEMPLATES.items()))]
    return sha256("\0".join(texts).encode()).hexdigest()


def expected_rows(adopted: Sequence[Rulebook]) -> dict[str, list[dict[str, Any]]]:
    """Give the rows that follow from the adopted rulebooks, the one in force last, by table."""
    texts = {rulebook.digest: list(_limit_texts(rulebook)) for rulebook in adopted}
    return {
        "view_digest": [{"digest": views_digest()}],
        "country": list(_countries(adopted[-1])),
        "parameter": list(_parameters(adopted[-1])),
        "limit_text": [row for rows_of_one in texts.values() for row in rows_of_one],
    }


def latest_date(connection: duckdb.DuckDBPyConnection, adopted: Sequence[Rulebook]) -> date:
    """Give the latest date recorded, as of which positions are told: the first days that count stand for one, too.

    Those of rulebooks adopted before any record; `adopted` are all of them, in order.
    """
    query = "SELECT b.last_sequence FROM rulebook_row AS r JOIN batch AS b USING (batch) ORDER BY r.leaf"
    before_any = [not sequence for (sequence,) in rows(connection, query)]
    days: list[date] = [
        rulebook.figure("counting_start") for rulebook, is_before in zip(adopted, before_any, strict=True) if is_before
    ]
    days += [day for (day,) in rows(connection, "SELECT max(date) FROM entry") if day]
    return max(days)


def _replace(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, list[Any]]) -> None:
    connection.execute(f"DELETE FROM {table}")
    insert(connection, table, columns)


def _columns(rows: Iterator[dict[str, Any]]) -> dict[str, list[Any]]:
    listed = list(rows)
    return {name: [row[name] for row in listed] for name in listed[0]}


def _countries(rulebook: Rulebook) -> Iterator[dict[str, Any]]:
    """Give a row for each country and each span of days in which no country's tier changes for it."""
    for code, name in country_names().items():
        starts = [1, *rulebook.tier_changes]
        ends = [day - 1 for day in starts[1:]] + [FOREVER]
        spans = [[start, end, rulebook.tier(code, start)] for start, end in zip(starts, ends, strict=True)]
        merged = [spans[0]]
        for span in spans[1:]:
            if span[2] == merged[-1][2]:
                merged[-1][1] = span[1]
            else:
                merged.append(span)
        for first_day, last_day, tier in merged:
            yield {
                "country": code,
                "name": name,
                "counted_as": rulebook.counted(code),
                "tier": tier,
                "first_day": date.fromordinal(first_day),
                "last_day": date.fromordinal(last_day),
            }


def _parameters(rulebook: Rulebook) -> Iterator[dict[str, Any]]:
    for parameter in rulebook.parameters.values():
        for name, value in parameter_values(parameter.name, parameter.value):
            yield {
                "parameter": name,
                "value": value,
                "unit": parameter.unit,
                "valid_from": parameter.valid_from,
                "citation": parameter.citation,
                "certainty": parameter.certainty,
                "sentence": parameter.sentence,
                "rulebook": rulebook.id,
            }


def _limit_texts(rulebook: Rulebook) -> Iterator[dict[str, Any]]:
    for (limit, outcome), template in TEMPLATES.items():
        text = rulebook.limits[limit] if limit in LIMIT_IDS else None
        yield {
            "rulebook_digest": rulebook.digest,
            "limit_id": limit,
            "outcome": outcome,
            "template": template,
            "title": text.title if text else "",
            "citation": text.citation if text else "",
            "h100_equivalent_tpp": rulebook.figure("h100_equivalent_tpp"),
        }
