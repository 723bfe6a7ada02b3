"""Small files in the layout of Epoch AI's table of GPU clusters, made up: no row of it is anybody's."""

import csv
import io
from collections.abc import Mapping, Sequence

from ledger.adapters.accounting import AccountedRow
from ledger.adapters.epoch import EPOCH
from ledger.sequencer.adapting import adapt_file
from ledger.sequencer.foreign import ForeignImport, import_adaptation
from tests.harness import Bench

GOOD = {
    "Name": "Aurora Example 1",
    "Status": "Existing",
    "Certainty": "Confirmed",
    "Chip type (primary)": "NVIDIA H100 SXM5 80GB",
    "Chip quantity (primary)": "1000.0",
    "Total number of AI chips": "1000.0",
    "Country": "Japan",
    "Owner": "Microsoft",
    "First Operational Date": "2024-05-15",
    "H100 equivalents": "1000.0000000147",
}
"""A row that lacks nothing: an opening of 1,000 H100 in Japan."""

NAMELESS = "Anonymized Chinese System"


def row(name: str = GOOD["Name"], **changes: str) -> dict[str, str]:
    """Give the good row under a name, with changes; `country` stands for the column Country, and so on."""
    columns = dict.fromkeys((*EPOCH.required, *EPOCH.optional), "") | GOOD | {"Name": name}
    short = {
        "chip": "Chip type (primary)",
        "count": "Chip quantity (primary)",
        "chip2": "Chip type (secondary)",
        "count2": "Chip quantity (secondary)",
        "total": "Total number of AI chips",
        "date": "First Operational Date",
        "gone": "Decommissioned Date (if applicable)",
        "superseded": "Superseded by",
        "duplicate": "Possible Duplicate",
        "duplicate_of": "Possible Duplicate Of",
    }
    for word, value in changes.items():
        columns[short.get(word, word.capitalize())] = value
        if word == "count" and "total" not in changes and "count2" not in changes:
            columns["Total number of AI chips"] = value
    return columns


def table(*rows: Mapping[str, str]) -> bytes:
    """Write rows as a CSV file."""
    names = list(dict.fromkeys(name for each in rows for name in each)) or [*EPOCH.required, *EPOCH.optional]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def bring(made: Bench, *rows: Mapping[str, str], dry_run: bool = False, skip_invalid: bool = False) -> ForeignImport:
    """Import rows of the layout as the provider `epoch`."""
    desk = made.desk()
    adaptation = adapt_file(desk, EPOCH, "clusters.csv", table(*rows))
    return import_adaptation(desk, "epoch", adaptation, dry_run=dry_run, skip_invalid=skip_invalid)


def fates(done: ForeignImport) -> list[str]:
    """Give the fate of every row, with the reason that it is counted by."""
    return [fate_of(row) for row in done.accounting.rows]


def fate_of(row: AccountedRow) -> str:
    """Write a row's fate and first reason."""
    return f"{row.fate}: {row.reasons[0].code}" if row.reasons else row.fate.value


def references(made: Bench, done: ForeignImport) -> Sequence[str]:
    """Give the references of what was recorded, in order."""
    found = made.ledger.rows(f"SELECT reference FROM decisions WHERE batch = {done.result.batch} ORDER BY sequence")
    return [reference for (reference,) in found]
