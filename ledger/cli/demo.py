"""The verb demo: a ledger of the announced deployments, its positions and refusals, and one page."""

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.app import Settings, app, filed_by
from ledger.cli.asking import print_positions
from ledger.cli.output import progress, say
from ledger.core.errors import WrongUsage

_HONESTY = """
What to make of it: the rule was never enforced, nobody is registered here as a validated end user, in some rows the
chip or the day is assumed (their notes say so), and one announcement may be part of another. The page tells more."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the demo's ledger and page.")] = Path("demo"),
) -> None:
    """Show it all on the AI-chip deployments announced in 2025 and 2026, and write one page.

    Makes DIR/demo.duckdb anew, registers the parties, imports the records, and writes DIR/overview.html.
    """
    from ledger.reporting.overview import render_overview
    from ledger.sequencer.desk import Desk
    from ledger.sequencer.founding import found_ledger
    from ledger.sequencer.importing import import_sheets, record_sheet
    from ledger.sequencer.positions import status
    from ledger.sequencer.registering import register_file, register_sheet
    from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX, LedgerFile
    from ledger.store.seeds import DEFAULT_RULEBOOK, find_rulebook, seed_bytes

    path, page = out / "demo.duckdb", out / "overview.html"
    try:
        out.mkdir(parents=True, exist_ok=True)
        for suffix in ("", ".wal", KEY_SUFFIX, OUTSIDE_SUFFIX):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise WrongUsage(f"the demo cannot be written to {out}: {error.strerror or error}") from None
    now, who = Settings.now(), filed_by()
    found_ledger(path, find_rulebook(DEFAULT_RULEBOOK), who, now)
    with LedgerFile.open(path, now) as ledger, progress("deciding") as advanced:
        parties = register_file("parties", "parties.csv", seed_bytes("samples", "announced", "parties.csv"))
        register_sheet(Desk(ledger, who, now), "parties", parties)
        records = record_sheet("records.csv", seed_bytes("samples", "announced", "records.csv"))
        import_sheets(Desk(ledger, who, now), "announced", [records], advanced=advanced)
        positions = status(Desk(ledger, who, now))
        spoken = ledger.rows("SELECT message FROM decisions WHERE outcome <> 'admitted' ORDER BY tpp DESC, sequence")
        page.write_text(render_overview(ledger), encoding="utf-8")
    print_positions(positions, None)
    print("\nWhat the 2025 rule would have refused, and the facts that would have broken it:\n")
    for (message,) in spoken:
        print(f"- {message}")
    print(_HONESTY)
    say(f"\nwrote {page}; ask the ledger more: quotaledger --ledger {path} sql 'FROM decisions'")
