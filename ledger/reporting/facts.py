"""What the overview knows of a ledger: every figure of the page as one query on the views.

Apart from the sentences and the page, so that each figure can be asked for, and checked, by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ledger.rulebook.rulebook import Rulebook
from ledger.store.file import LedgerFile
from ledger.store.log import last_checkpoint
from ledger.store.read import rulebook_texts
from ledger.store.seeds import parse_rulebook

Row = Mapping[str, Any]

VERDICTS_MAX: Final = 100
RECORDS_MAX: Final = 200
REPEATS_MAX: Final = 50
NOTES_MAX: Final = 5_000
"""A page is for reading: of a large ledger it shows this many rows and says how many there are."""

_RECORD_COLUMNS: Final = (
    "d.sequence, d.provider, d.reference, d.kind, d.date, d.destination, d.consignee, d.chip, d.quantity,"
    " d.tpp, d.basis, d.outcome, d.limit_id, d.account, d.remaining_tpp, d.limit_tpp, d.message,"
    " d.evidence, d.note, p.name, r.reference AS reversed_by"
)
_POSITION_COLUMNS: Final = "destination, name, cap_tpp, used_tpp, remaining_tpp, used_percent, delivered_tpp, status"
_BATCH_COLUMNS: Final = (
    "batch, provider, filed_by, recorded_at, file, sha256, records, admitted, refused, breached, rejected,"
    " duplicates, software_version"
)


@dataclass(frozen=True)
class Facts:
    """All that the page says, as rows of the views."""

    rulebook: Rulebook
    summary: Row
    counts: list[Row]
    refusals: list[Row]
    breaches: list[Row]
    positions: list[Row]
    countries: int
    lpp: list[Row]
    uveu: list[Row]
    shares: list[Row]
    nveu: list[Row]
    holders: list[Row]
    assurances: list[Row]
    notes: list[Row]
    repeats: list[Row]
    parameters: list[Row]
    batches: list[Row]
    digests: list[Row]
    checkpoint: Row
    records: list[Row]

    def counted(self, **wanted: str) -> int:
        """Give the number of records of a kind, an outcome or a basis."""
        return sum(row["records"] for row in self.counts if wanted.items() <= row.items())


def gather_facts(ledger: LedgerFile) -> Facts:
    """Ask the views."""
    latest_first = f"FROM batches ORDER BY batch DESC LIMIT {RECORDS_MAX}"
    return Facts(
        rulebook=parse_rulebook(rulebook_texts(ledger.connection)),
        summary=_summary(ledger),
        counts=_counts(ledger),
        refusals=_verdicts(ledger, "refusals"),
        breaches=_verdicts(ledger, "breaches"),
        positions=_positions(ledger),
        countries=_ask(ledger, "count(*) AS n", "FROM country_positions")[0]["n"],
        lpp=_family_rows(ledger, "lpp_positions", "year, cap_tpp, used_tpp, remaining_tpp, status"),
        uveu=_family_rows(
            ledger, "uveu_positions", "installed_tpp, outside_us_percent, outside_tier_1_percent, status"
        ),
        shares=_family_rows(ledger, "uveu_country_shares", "destination, tpp, percent, remaining_tpp, status"),
        nveu=_nveu(ledger),
        holders=_holders(ledger),
        assurances=_ask(ledger, "destination, uplift_percent, valid_from, citation", "FROM assurances ORDER BY ALL"),
        notes=_notes(ledger),
        repeats=_repeats(ledger),
        parameters=_ask(
            ledger,
            "parameter, value, unit, valid_from, citation, certainty, sentence",
            "FROM rulebook_parameters ORDER BY parameter",
        ),
        batches=_ask(ledger, _BATCH_COLUMNS, latest_first)[::-1],
        digests=_digests(ledger),
        checkpoint=last_checkpoint(ledger.connection),
        records=_named_rows(ledger, "decisions", f"ORDER BY d.sequence LIMIT {RECORDS_MAX}"),
    )


def _ask(ledger: LedgerFile, columns: str, rest: str) -> list[Row]:
    """Give the rows of a query by the names of its columns."""
    names = [column.rpartition(" AS ")[2].rpartition(".")[2] for column in columns.split(", ")]
    return [dict(zip(names, row, strict=True)) for row in ledger.rows(f"SELECT {columns} {rest}")]


def _summary(ledger: LedgerFile) -> Row:
    columns = "count(*) AS records, max(sequence) AS sequence, min(date) AS first, max(date) AS last"
    return _ask(ledger, columns, "FROM decisions")[0]


def _counts(ledger: LedgerFile) -> list[Row]:
    columns = "kind, basis, outcome, under IS NULL AS alone, count(*) AS records, sum(tpp) AS tpp"
    return _ask(ledger, columns, "FROM decisions GROUP BY ALL ORDER BY ALL")


def _positions(ledger: LedgerFile) -> list[Row]:
    """Give the countries with use, the most used first."""
    return _ask(
        ledger,
        _POSITION_COLUMNS,
        "FROM country_positions WHERE used_tpp <> 0 OR delivered_tpp <> 0"
        " ORDER BY used_percent DESC, delivered_tpp DESC, destination",
    )


def _named_rows(ledger: LedgerFile, view: str, rest: str) -> list[Row]:
    """Give records with their consignees' names, and with the record that took each back, if one did."""
    return _ask(
        ledger,
        _RECORD_COLUMNS,
        f"FROM {view} AS d LEFT JOIN parties AS p ON p.party = d.consignee LEFT JOIN decisions AS r"
        f" ON r.kind = 'reversal' AND r.provider = d.provider AND r.under = d.reference {rest}",
    )


def _verdicts(ledger: LedgerFile, view: str) -> list[Row]:
    """Give the largest refusals or breaches; of equal ones, that which has most too much first."""
    order = "ORDER BY d.tpp DESC, d.tpp - coalesce(d.remaining_tpp, 0) DESC, d.sequence"
    return _named_rows(ledger, view, f"{order} LIMIT {VERDICTS_MAX}")


def _family_rows(ledger: LedgerFile, view: str, columns: str, where: str = "") -> list[Row]:
    """Give rows of a view about families, with the families' names."""
    return _ask(
        ledger,
        f"v.family, p.name, {columns}",
        f"FROM (SELECT * FROM {view} {where}) AS v"
        f" LEFT JOIN (SELECT party, name FROM parties) AS p ON p.party = v.family"
        f" ORDER BY v.family, {', '.join(columns.split(', ')[:2])} LIMIT {RECORDS_MAX}",
    )


def _nveu(ledger: LedgerFile) -> list[Row]:
    """Give the bases in the latest quarter with records, and in any quarter in which they are over."""
    last: date | None = _summary(ledger)["last"]
    quarter = f"{last.year}Q{(last.month + 2) // 3}" if last else ""
    where = f"WHERE status = 'over' OR quarter = least('{quarter}', (SELECT max(quarter) FROM nveu_positions))"
    columns = "destination, quarter, cap_tpp, used_tpp, remaining_tpp, status"
    return _family_rows(ledger, "nveu_positions", columns, where)


def _holders(ledger: LedgerFile) -> list[Row]:
    """Give who is or was registered as validated end user."""
    return _ask(
        ledger,
        "a.party, p.name, a.basis, a.destination, a.valid_from, a.valid_to, a.citation",
        "FROM authorizations AS a LEFT JOIN parties AS p ON p.party = a.party"
        f" ORDER BY a.party, a.basis, a.destination, a.valid_from LIMIT {RECORDS_MAX}",
    )


def _notes(ledger: LedgerFile) -> list[Row]:
    return _ask(
        ledger,
        "reference, chip, note",
        "FROM decisions WHERE contains(note, 'assumed') OR contains(note, 'equivalent')"
        f" ORDER BY sequence LIMIT {NOTES_MAX}",
    )


def _repeats(ledger: LedgerFile) -> list[Row]:
    """Give the consignees with several records in one country: one announcement may be part of another."""
    return _ask(
        ledger,
        "d.destination, d.consignee, any_value(p.name) AS name, list(d.reference ORDER BY d.sequence) AS found",
        "FROM decisions AS d LEFT JOIN parties AS p ON p.party = d.consignee"
        " ANTI JOIN decisions AS r"
        " ON r.kind = 'reversal' AND r.provider = d.provider AND r.under = d.reference"
        " WHERE d.kind IN ('opening', 'allocation', 'delivery') AND d.under IS NULL"
        " GROUP BY d.destination, d.consignee HAVING count(*) > 1"
        f" ORDER BY d.destination, d.consignee LIMIT {REPEATS_MAX}",
    )


def _digests(ledger: LedgerFile) -> list[Row]:
    """Give the rulebooks under which records were decided."""
    rest = "FROM decisions GROUP BY rulebook_digest ORDER BY min(sequence)"
    return _ask(ledger, "rulebook_digest, count(*) AS records", rest)
