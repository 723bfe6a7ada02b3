"""What the ledger knows, as the fold wants it: rulebook, registers, balances and the standings of records."""

import json
from collections.abc import Collection, Iterable, Sequence
from hashlib import md5
from typing import Any, Final

import duckdb
import pyarrow as pa

from ledger.core.dates import FOREVER, year_and_quarter
from ledger.rulebook.balances import Balances, Counts
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.columns import Standing
from ledger.rulebook.registers import Assurance, Authorization, Chip, Party, Registers, Row
from ledger.store.contributions import balances_query
from ledger.store.file import LedgerFile
from ledger.store.query import first, lent, rows
from schemas.record import COLUMNS, NEVER_COMPARED
from schemas.words import Basis, Kind

Connection = duckdb.DuckDBPyConnection
_EVERYTHING: Final = 2**62

_BASES: Final = {None: Basis.NONE} | {basis.name: basis for basis in Basis if basis is not Basis.NONE}
_STATED: Final = ("destination", "consignee", "chip", "quantity", "basis")
_STANDING: Final = """sequence, reference, kind, date, destination, consignee, chip, quantity, tpp, stated_basis, basis,
    outcome, under_sequence, fulfilled, cap_tpp, lpp_tpp, lpp_year, lpp_from_tpp, lpp_from_year, nveu_tpp,
    nveu_quarter, committed_tpp, installed_tpp, pending_tpp, counted_destination"""
COMPARED: Final = tuple(name for name in COLUMNS if name not in ("reference", *NEVER_COMPARED))
"""The columns of a record that are compared when its reference comes again."""


REFERENCE_HASH: Final = "CAST(md5_number_lower(provider || chr(0) || reference) >> 1 AS BIGINT)"
"""SQL of the 63 bits by which a reference is found again; an exact comparison follows."""


def reference_hash(provider: str, reference: str) -> int:
    """Give what `REFERENCE_HASH` gives."""
    digest = md5(f"{provider}\0{reference}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") >> 1


def rulebook_texts(connection: Connection, before_leaf: int = _EVERYTHING) -> dict[str, str]:
    """Give the files of the rulebook in force, by name, as of a leaf."""
    row = first(connection, "SELECT texts FROM rulebook_row WHERE leaf < ? ORDER BY leaf DESC LIMIT 1", [before_leaf])
    texts: dict[str, str] = json.loads(row[0]) if row else {}
    return texts


def filers(connection: Connection) -> dict[str, set[str]]:
    """Give, by party, the providers that have had a record of theirs recorded for it, whatever became of it."""
    found: dict[str, set[str]] = {}
    for party, provider in rows(connection, "SELECT DISTINCT consignee, provider FROM entry"):
        found.setdefault(party, set()).add(provider)
    return found


def register_state(connection: Connection) -> tuple[int, ...]:
    """Give what changes whenever registers or rulebook do: how many rows each has, which only grow."""
    tables = ("rulebook_row", "party_row", "authorization_row", "assurance_row", "chip_row")
    return first(connection, "SELECT " + ", ".join(f"(SELECT count(*) FROM {name})" for name in tables)) or ()


def registers(connection: Connection, before_leaf: int = _EVERYTHING) -> Registers:
    """Give the registers as they stood before a leaf."""
    return Registers().with_rows(register_rows(connection, 0, before_leaf))


def register_rows(connection: Connection, start: int, before_leaf: int) -> list[Row]:
    """Give the register rows whose leaves are from `start` to before another, those of each register in order."""

    def rows(columns: str, table: str) -> list[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM {table} WHERE leaf >= ? AND leaf < ? ORDER BY leaf"
        return connection.execute(query, [start, before_leaf]).fetchall()

    found: list[Row] = [
        Party(party, name, headquarters, parent or "")
        for party, name, headquarters, parent in rows("party, name, headquarters, parent", "party_row")
    ]
    found += [
        Authorization(
            party,
            basis,
            destination or "",
            first.toordinal(),
            last.toordinal() if last else FOREVER,
            citation or "",
        )
        for party, basis, destination, first, last, citation in rows(
            "party, basis, destination, valid_from, valid_to, citation", "authorization_row"
        )
    ]
    found += [
        Assurance(destination, percent, first.toordinal(), citation or "")
        for destination, percent, first, citation in rows(
            "destination, uplift_percent, valid_from, citation", "assurance_row"
        )
    ]
    found += [
        Chip(chip, name, vendor or "", tpp, chip_class, source or "")
        for chip, name, vendor, tpp, chip_class, source in rows(
            "chip, name, vendor, tpp, chip_class, source", "chip_row"
        )
    ]
    return found


def balances(connection: Connection, codebook: Codebook, before_sequence: int | None = None) -> Balances:
    """Give the accounts by family, as they are or, counted anew from the entries, before a sequence."""
    query = "SELECT account, consignee, destination, period, CAST(sum(tpp) AS BIGINT) FROM balance GROUP BY ALL"
    if before_sequence is not None:
        query = balances_query(f"sequence < {before_sequence:d}")
    sums = Balances()
    for account, consignee, destination, period, tpp in connection.execute(query).fetchall():
        family = codebook.families[codebook.party_of[consignee]]
        place = codebook.place_of[destination] if destination else 0
        sums.add(family, place, _counts(account, period, tpp))
    return sums


def _counts(account: str, period: int, tpp: int) -> Counts:
    match account:
        case "lpp":
            return Counts(lpp=tpp, lpp_year=period)
        case "nveu":
            return Counts(nveu=tpp, nveu_quarter=period)
    return Counts(**{account: tpp})


def may_know(ledger: LedgerFile, provider: str, references: Sequence[str]) -> bool:
    """Say if any of a few references of a provider's may be recorded: most are new, and that is told soon.

    What waits to be inserted stays where it is, and is looked through, too. Of many references it may always be.
    """
    if len(references) > _FEW:
        return True
    hashes = {reference_hash(provider, reference) for reference in references}
    if hashes & ledger.gathered.recorded:
        return True
    unasked = hashes - ledger.gathered.unknown
    return bool(unasked and known_hashes(ledger, unasked))


def look_ahead(ledger: LedgerFile, references: Iterable[tuple[str, str]]) -> None:
    """Find out which references, each with its provider, are not recorded: one question for many a `may_know`."""
    hashes = {reference_hash(*reference) for reference in references}
    if hashes:
        ledger.gathered.unknown = hashes - known_hashes(ledger, hashes)


def known_hashes(ledger: LedgerFile, hashes: Collection[int]) -> set[int]:
    """Give those of some hashes of references that a record which is inserted has."""
    query = f"SELECT reference_hash FROM entry WHERE reference_hash IN ({', '.join('?' * len(hashes))})"
    return {found for (found,) in ledger.as_inserted(query, list(hashes))}


def find_references(connection: Connection, provider: str, references: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """Give, by reference, sequence and then the `COMPARED` columns, as given, of the provider's records."""
    found: dict[str, tuple[Any, ...]] = {}
    columns = ", ".join(f"entry.{f'stated_{name}' if name in _STATED else name}" for name in COMPARED)
    for reference, *content in _looked_up(connection, provider, references, f"entry.reference, sequence, {columns}"):
        found[reference] = tuple(content)
    return found


def _looked_up(
    connection: Connection, provider: str, references: Sequence[str], columns: str
) -> Iterable[tuple[Any, ...]]:
    """Find records by reference: a few through the index, many by one join."""
    if len(references) <= _FEW:
        hashes = ", ".join(str(reference_hash(provider, reference)) for reference in references) or "NULL"
        query = f"SELECT entry.provider, {columns} FROM entry WHERE reference_hash IN ({hashes})"
        found = connection.execute(query).fetchall()
        wanted = set(references)
        return [row[1:] for row in found if row[0] == provider and row[1] in wanted]
    with lent(connection, "wanted", pa.table({"reference": references})):
        return rows(
            connection,
            f"WITH sought AS (SELECT reference, {REFERENCE_HASH.replace('provider', '$provider')} AS hash FROM wanted)"
            f" SELECT {columns} FROM entry JOIN sought ON entry.reference_hash = sought.hash"
            " AND entry.reference = sought.reference WHERE entry.provider = $provider",
            {"provider": provider},
        )


_FEW: Final = 64


def standings(
    connection: Connection, codebook: Codebook, sequences: Iterable[int], before_sequence: int = _EVERYTHING
) -> dict[int, Standing]:
    """Give, by sequence, how recorded records stand before a sequence, with those that they draw on."""
    wanted = set(sequences)
    rows = {row[0]: row for row in _by_sequence(connection, wanted)}
    rows |= {row[0]: row for row in _by_sequence(connection, {row[12] for row in rows.values()} - {None} - rows.keys())}
    found = {sequence: _standing(row, codebook) for sequence, row in rows.items()}
    for sequence, row in rows.items():
        found[sequence].draws_on = found.get(row[12])
    draws = _naming(connection, found.keys(), before_sequence)
    undone = {
        named
        for named, _, kind, _, _ in _naming(connection, {d[1] for d in draws}, before_sequence)
        if kind == "reversal"
    }
    for named, sequence, kind, quantity, fulfilled in draws:
        if kind == "reversal":
            found[named].reversed = True
        elif sequence not in undone:
            found[named].draws += 1
            if kind == "attrition":
                found[named].left -= quantity
            else:
                found[named].outstanding -= fulfilled if kind == "delivery" else quantity
    return found


def _by_sequence(connection: Connection, sequences: Iterable[int]) -> list[tuple[Any, ...]]:
    listed = sorted(sequences)
    if not listed:
        return []
    if len(listed) <= _FEW:
        condition = f"sequence IN ({', '.join(map(str, listed))})"
        return connection.execute(f"SELECT {_STANDING} FROM entry WHERE {condition}").fetchall()
    return _joined(connection, _STANDING, "sequence", listed)


def _naming(connection: Connection, sequences: Iterable[int], before: int) -> list[tuple[int, int, str, int, int]]:
    """Give the records that name these: named, own sequence, kind, quantity, fulfilled."""
    listed = sorted(sequences)
    columns = "under_sequence, sequence, kind, quantity, fulfilled"
    if not listed:
        return []
    if len(listed) <= _FEW:
        condition = f"under_sequence IN ({', '.join(map(str, listed))})"
        rows = connection.execute(f"SELECT {columns} FROM entry WHERE {condition}").fetchall()
    else:
        rows = _joined(connection, columns, "under_sequence", listed)
    return [row for row in rows if row[1] < before]


def _joined(connection: Connection, columns: str, key: str, numbers: Sequence[int]) -> list[Any]:
    with lent(connection, "wanted", pa.table({"number": pa.array(numbers, pa.int64())})):
        return rows(connection, f"SELECT {columns} FROM entry JOIN wanted ON entry.{key} = wanted.number")


def _standing(row: tuple[Any, ...], codebook: Codebook) -> Standing:
    (
        sequence,
        _,
        kind_word,
        day,
        destination,
        consignee,
        chip,
        quantity,
        tpp,
        stated,
        basis,
        outcome,
        _,
        fulfilled,
    ) = row[:14]
    cap, lpp, lpp_year, lpp_from, lpp_from_year, nveu, nveu_quarter, committed, installed, pending, counted = row[14:]
    kind, refused, ordinal = Kind[kind_word.upper()], outcome == "refused", day.toordinal()
    return Standing(
        sequence=sequence,
        content=-1,
        kind=kind,
        day=ordinal,
        year=year_and_quarter(ordinal)[0],
        place=codebook.place_of[destination],
        destination=codebook.place_of[counted],
        consignee=codebook.party_of[consignee],
        chip=codebook.chip_of[chip],
        quantity=quantity,
        tpp=tpp,
        stated=_BASES[stated],
        basis=_BASES[basis],
        refused=refused,
        counts=Counts(
            cap=cap,
            lpp=lpp,
            lpp_year=lpp_year,
            lpp_from=lpp_from,
            lpp_from_year=lpp_from_year,
            nveu=nveu,
            nveu_quarter=nveu_quarter,
            committed=committed,
            installed=installed,
            pending=pending,
        ),
        fulfilled=fulfilled,
        outstanding=quantity if kind is Kind.ALLOCATION and not refused else 0,
        left=quantity if kind in (Kind.OPENING, Kind.DELIVERY) else 0,
    )


def entry(connection: Connection, sequence: int) -> dict[str, Any] | None:
    """Give a recorded record by its sequence, by column, or None."""
    found = connection.execute("SELECT * FROM entry WHERE sequence = ?", [sequence])
    names = [column[0] for column in found.description or ()]
    row = found.fetchall()
    return dict(zip(names, row[0], strict=True)) if row else None
