"""`import --from`: a foreign file imported, with its accounting and a comparison with the file's own sums."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from ledger.cli.app import opened
from ledger.cli.inputs import read_bytes
from ledger.cli.output import console, print_table, progress, rows_text, say
from ledger.cli.recording import tell_decisions, tell_outcome
from ledger.core.errors import WrongUsage
from ledger.core.text import visible

if TYPE_CHECKING:  # a verb loads only what it uses
    from ledger.adapters.accounting import Accounting, Sums
    from ledger.adapters.adapter import Adapter

_ROWS_SHOWN_MAX: Final = 20
_OWNERS_SHOWN_MAX: Final = 20
_PARTIES_SHOWN_MAX: Final = 12
_ID_LENGTH_MAX: Final = 100
_CHIPS_SHOWN_MAX: Final = 12


@dataclass(frozen=True)
class ForeignOutputs:
    """The files that are to be written, each if it is asked for."""

    decisions: Path | None
    accounting: Path | None
    owners: Path | None


def import_foreign(
    context: typer.Context,
    files: list[str],
    provider: str,
    layout: str,
    consignee: str,
    outputs: ForeignOutputs,
    dry_run: bool,
    skip_invalid: bool,
) -> None:
    """Import one file of a foreign layout, and say what became of every row of it."""
    from ledger.adapters.registry import find_adapter
    from ledger.sequencer.adapting import adapt_file
    from ledger.sequencer.foreign import import_adaptation
    from ledger.store.outputs import check_output

    adapter = find_adapter(layout)
    for out in (outputs.accounting, outputs.owners):
        if out:
            check_output(out, files)
    if len(files) > 1:
        raise WrongUsage("--from takes one file at a time: two months of a table would be added up")
    content = read_bytes(files[0])
    with opened(context, writing=not dry_run) as desk, progress("deciding") as advanced:
        adaptation = adapt_file(desk, adapter, files[0], content, consignee)
        done = import_adaptation(
            desk, provider, adaptation, skip_invalid=skip_invalid, dry_run=dry_run, advanced=advanced
        )
        one_h100e = done.desk.rulebook.figure("h100_equivalent_tpp")
        parties = done.desk.registers.parties
        spoken = tell_decisions(done.desk, done.result, outputs.decisions, skip_invalid)
    _write(done.accounting, outputs, parties)
    tell_outcome(done.result, spoken, outputs.decisions, dry_run, skip_invalid)
    if done.registered:
        will = "would be registered" if dry_run else "were registered"
        shown = ", ".join(done.registered[:_PARTIES_SHOWN_MAX])
        more = f" and {len(done.registered) - _PARTIES_SHOWN_MAX:,} more" * (len(done.registered) > _PARTIES_SHOWN_MAX)
        say(f"parties that {will} first, from seeds/parties/{adapter.owners}: {shown}{more}")
    _print_fates(adapter, done.accounting, dry_run)
    _print_countries(adapter, done.accounting, one_h100e)
    if adapter.explained:
        _print_chips(adapter, done.accounting, one_h100e)
    _print_owners(done.accounting, one_h100e)
    _say_what_next(done.accounting, outputs)


def _write(accounting: "Accounting", outputs: ForeignOutputs, taken: Collection[str]) -> None:
    from ledger.sequencer.foreign import ACCOUNTED, accounted_rows
    from ledger.store.outputs import write_rows
    from schemas.registers import REGISTERS

    if outputs.accounting:
        write_rows(outputs.accounting, ACCOUNTED, accounted_rows(accounting))
    if outputs.owners:
        names = [column.name for column in REGISTERS["parties"]]
        write_rows(outputs.owners, names, parties_to_complete(accounting, taken))


def parties_to_complete(accounting: "Accounting", taken: Collection[str]) -> Iterator[dict[str, str | None]]:
    """Give the owners without headquarters as rows of the register, under ids of their own, to be completed."""
    used = set(taken)
    for owner in accounting.owners():
        plain = unicodedata.normalize("NFKD", owner.name).encode("ascii", "ignore").decode().upper()
        stem = re.sub(r"[^A-Z0-9]+", "-", plain).strip("-")[:_ID_LENGTH_MAX].strip("-") or "OWNER"
        party, number = stem, 1
        while party in used:
            number += 1
            party = f"{stem}-{number}"
        used.add(party)
        yield {"party": party, "name": owner.name, "headquarters": None, "parent": None}


def _print_fates(adapter: "Adapter", accounting: "Accounting", dry_run: bool) -> None:
    """Print how many rows have which fate and why; those that somebody must see to, one by one."""
    from ledger.adapters.accounting import Fate

    rows = []
    for (fate, reason), (number, given) in accounting.by_fate().items():
        said = "would be recorded" if dry_run and fate is Fate.RECORDED else fate.value
        rows.append({"rows": number, "fate": said, "reason": reason, "file's H100e": round(given)})
    columns = ("rows", "fate", "reason", *(["file's H100e"] if adapter.explained else []))
    print_table(rows, columns, f"\n{adapter.name}: {rows_text(len(accounting.rows))} in the file")
    urgent = [row for row in accounting.rows if row.reasons and row.reasons[0].code in ("changed", "recorded-before")]
    for row in urgent[:_ROWS_SHOWN_MAX]:
        say(f"row {row.row:,}, {visible(row.adapted.name)}: {row.reasons[0].sentence} [{row.reasons[0].code}]")
    if len(urgent) > _ROWS_SHOWN_MAX:
        say(f"and {len(urgent) - _ROWS_SHOWN_MAX:,} more rows that differ from what was recorded of them")


def _print_countries(adapter: "Adapter", accounting: "Accounting", one_h100e: int) -> None:
    """Print what the ledger has in each country, against the file's own figures if it has any."""
    from ledger.adapters.accounting import Sums

    sums = accounting.by_country()
    ordered = sorted(sums, key=lambda country: (-sums[country].tpp, -sums[country].given, country))
    rows = [_sums_row(country or "none told", sums[country], one_h100e) for country in ordered]
    total = Sums()
    for each in sums.values():
        total = total.with_sums(each)
    rows.append(_sums_row("all", total, one_h100e))
    columns = ["country", "rows", "in ledger", "ledger TPP", "ledger H100e"]
    if adapter.explained:
        columns += ["file's H100e of these", "difference", "of left out", "of reported", "file's H100e in all"]
    print_table(rows, columns, "\nWhat the ledger has of this file")


def _sums_row(country: str, sums: "Sums", one_h100e: int) -> dict[str, Any]:
    h100e = round(sums.tpp / one_h100e)
    return {
        "country": country,
        "rows": sums.rows,
        "in ledger": sums.counted,
        "ledger TPP": sums.tpp,
        "ledger H100e": h100e,
        "file's H100e of these": round(sums.given_counted),
        "difference": h100e - round(sums.given_counted),
        "of left out": round(sums.given_left_out),
        "of reported": round(sums.given_reported),
        "file's H100e in all": round(sums.given),
    }


def _print_chips(adapter: "Adapter", accounting: "Accounting", one_h100e: int) -> None:
    """Print the chips on which ledger and file differ most, and why they do."""
    rows: list[dict[str, Any]] = []
    for chips, sums in accounting.by_chip().items():
        h100e = sums.tpp / one_h100e
        rows.append(
            {
                "chips": chips,
                "rows": sums.rows,
                "ledger H100e": round(h100e),
                "file's H100e": round(sums.given_counted),
                "difference": round(h100e) - round(sums.given_counted),
                "ledger / file": round(h100e / float(sums.given_counted), 2) if sums.given_counted else None,
            }
        )
    rows = sorted((row for row in rows if row["difference"]), key=lambda row: -abs(row["difference"]))
    if rows:
        print_table(rows[:_CHIPS_SHOWN_MAX], tuple(rows[0]), "\nWhere the difference comes from")
        console().print(adapter.explained)
        console().print("What is left out or reported is in the file's sums, and not in the ledger's.")


def _print_owners(accounting: "Accounting", one_h100e: int) -> None:
    """Print the owners without headquarters on whom most hangs."""
    owners = [
        {
            "owner": owner.name,
            "rows": owner.rows,
            "H100e": round(owner.tpp / one_h100e),
            "rows that lack more": owner.others,
        }
        for owner in accounting.owners()
    ]
    if owners:
        title = "\nOwners without headquarters, and what their rows would add"
        print_table(owners[:_OWNERS_SHOWN_MAX], tuple(owners[0]), title)
        if len(owners) > _OWNERS_SHOWN_MAX:
            console().print(f"... and {len(owners) - _OWNERS_SHOWN_MAX:,} more")


def _say_what_next(accounting: "Accounting", outputs: ForeignOutputs) -> None:
    if outputs.accounting:
        say(f"wrote {outputs.accounting}: what became of every row, and why")
    else:
        say("`--accounting OUT.csv` writes what became of every row, and why")
    if outputs.owners:
        say(
            f"wrote {outputs.owners}: fill in headquarters, delete the lines that you do not know, then"
            f" `quotaledger register parties {outputs.owners}` and import the file again"
        )
    elif accounting.owners():
        say("`--owners OUT.csv` writes the owners without headquarters, to be completed and registered")
