"""The verbs that record: init, register, import."""

from contextlib import ExitStack, closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.app import Settings, app, opened, see_no_ledger
from ledger.cli.completion import rulebooks
from ledger.cli.inputs import open_input, read_bytes
from ledger.cli.output import progress, rows_text, say, say_rejected
from ledger.core.errors import InputRejected, WrongUsage
from ledger.core.text import visible

if TYPE_CHECKING:  # a verb loads only what it uses
    from ledger.sequencer.desk import Desk
    from ledger.sequencer.imported import ImportResult

_SHOWN_MAX = 20
ServerOption = Annotated[
    str, typer.Option(envvar="QUOTALEDGER_SERVER", metavar="URL", help="File with a server; the key says who submits.")
]
KeyOption = Annotated[
    str,
    typer.Option(
        envvar="QUOTALEDGER_API_KEY",
        metavar="@FILE|KEY",
        help="With --server: the API key. One on the command line is seen by all who list processes; @FILE is not.",
    ),
]


class Register(StrEnum):
    """The registers."""

    PARTIES = "parties"
    AUTHORIZATIONS = "authorizations"
    ASSURANCES = "assurances"
    CHIPS = "chips"


@app.command()
def init(
    context: typer.Context,
    rulebook: Annotated[
        str,
        typer.Option(
            metavar="R", help="A seeded rulebook's id, a folder, or its rulebook.toml.", autocompletion=rulebooks
        ),
    ] = "bis-ai-diffusion-2025",
) -> None:
    """Make a ledger under a rulebook.

    `quotaledger rulebook list` names those that come along. The project's chips are registered at once.
    """
    from ledger.sequencer.founding import found_ledger
    from ledger.store.seeds import find_rulebook

    at: Settings = context.obj
    book = find_rulebook(rulebook)
    key = found_ledger(at.path, book, at.filed_by, at.now(), at.key)
    say(f"made {at.path} under {book.id} (digest {book.digest[:12]}); next: quotaledger register parties FILE")
    say(f"its checkpoints are verified with this key; give it to whoever is to rely on them: {key}")


@app.command()
def register(
    context: typer.Context,
    register: Annotated[Register, typer.Argument(help="Which register.")],
    file: Annotated[str, typer.Argument(help="CSV, NDJSON or Parquet; - is standard input.")],
) -> None:
    """Add rows to a register: who belongs to whom, who holds what, what a chip is.

    A later row for the same key supersedes the earlier for decisions from then on; old decisions keep theirs. Columns:

    - parties: party, name, headquarters, parent
    - authorizations: party, basis (UVEU or NVEU), destination (NVEU), valid_from, valid_to, citation
    - assurances: destination, uplift_percent, valid_from, citation
    - chips: chip, name, vendor, tpp, class, source
    """
    from ledger.sequencer.registering import register_file, register_sheet

    content = read_bytes(file)
    with opened(context, writing=True) as desk:
        result = register_sheet(desk, register.value, register_file(register.value, file, content))
    for change in result.changes[:_SHOWN_MAX]:
        say(f"changed: {visible(change)}")
    if len(result.changes) > _SHOWN_MAX:
        say(f"changed: and {len(result.changes) - _SHOWN_MAX:,} more")
    unchanged = f", {result.unchanged:,} stood so already" if result.unchanged else ""
    print(f"{register.value}: {rows_text(result.recorded)} recorded{unchanged}")


@app.command("import")
def import_(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(help="CSV, NDJSON, Parquet or Arrow; - is standard input.")],
    provider: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who submits the records and owns their references.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide, and record nothing.")] = False,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Record the good rows even if others are rejected.")
    ] = False,
    decisions: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Write every decision to a .csv, .ndjson or .parquet file."),
    ] = None,
    layout: Annotated[
        str, typer.Option("--from", metavar="LAYOUT", help="Foreign layout: epoch-gpu-clusters or plain-inventory.")
    ] = "",
    consignee: Annotated[
        str, typer.Option(metavar="P", help="With --from: whose chips they are, where the layout does not say.")
    ] = "",
    accounting: Annotated[
        Path | None, typer.Option(metavar="OUT", help="With --from: write what became of every row, and why.")
    ] = None,
    owners: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="With --from: write the owners without headquarters, to be completed."),
    ] = None,
    server: ServerOption = "",
    key: KeyOption = "",
) -> None:
    """Decide records and record them: several files are one batch, recorded together or not at all.

    Columns: reference, kind (opening, allocation, delivery, lapse, attrition, reversal), date, destination, consignee,
    chip, quantity, and where they apply basis, under, license_number, expires, exporter, site, evidence, note.
    The same record again is recognised by its reference, so a file can safely be imported twice.

    With --server, one file is filed with the import API of a server; docs/api.md says more.

    With --from, the rows of somebody else's file become such records; docs/adapters.md says how.
    """
    from ledger.store.outputs import check_output

    if decisions:
        check_output(decisions, files)
    if server:
        from ledger.cli.remote import import_remotely

        if layout:
            raise WrongUsage("--from goes with a ledger's own file; with --server, give a file of records")
        see_no_ledger(context)
        import_remotely(server, key, files, provider, decisions, dry_run=dry_run, skip_invalid=skip_invalid)
        return
    if provider is None:
        raise WrongUsage("say with --provider NAME who submits the records")
    if layout:
        from ledger.cli.foreign import ForeignOutputs, import_foreign

        outputs = ForeignOutputs(decisions, accounting, owners)
        import_foreign(context, files, provider, layout, consignee, outputs, dry_run, skip_invalid)
        return
    if consignee or accounting or owners:
        raise WrongUsage("--consignee, --accounting and --owners go with --from LAYOUT; give that too")
    _import_here(context, files, provider, decisions, dry_run, skip_invalid)


def _import_here(
    context: typer.Context, files: list[str], provider: str, decisions: Path | None, dry_run: bool, skip_invalid: bool
) -> None:
    """Import files of records into the ledger itself."""
    from ledger.sequencer.answers import whole_file_answers
    from ledger.sequencer.importing import import_sheets, record_file
    from ledger.store.outputs import write_rows

    if files.count("-") > 1:
        raise WrongUsage("standard input can be read only once; give - once")
    with ExitStack() as stack:
        sheets = [record_file(file, stack.enter_context(closing(open_input(file)))) for file in files]
        desk = stack.enter_context(opened(context, writing=not dry_run))
        advanced = stack.enter_context(progress("deciding"))
        try:
            result = import_sheets(
                desk, provider, sheets, skip_invalid=skip_invalid, dry_run=dry_run, advanced=advanced
            )
        except InputRejected as error:
            if decisions and error.rows:
                write_rows(decisions, *whole_file_answers(sheets, error.rows))
            raise
        spoken = tell_decisions(desk, result, decisions, skip_invalid)
    tell_outcome(result, spoken, decisions, dry_run, skip_invalid)


def tell_decisions(desk: "Desk", result: "ImportResult", out: Path | None, skip_invalid: bool) -> tuple[list[str], int]:
    """Write the decisions of an import; give the sentences of its first refusals and breaches, and how many more."""
    from ledger.sequencer.answers import answer_columns, answer_rows, notable
    from ledger.store.outputs import write_rows

    if out:
        write_rows(out, answer_columns(result), answer_rows(desk, result, skip_invalid=skip_invalid))
    _warn_of_dates(desk, result)
    if result.fails(skip_invalid):
        return [], 0  # the import failed: what was refused of it is no answer
    return notable(desk, result, _SHOWN_MAX)


def _warn_of_dates(desk: "Desk", result: "ImportResult") -> None:
    """Warn of dates that are likely typing errors: one of them moves the day of everybody's positions for good."""
    from ledger.sequencer.answers import far_ahead

    found = far_ahead(desk, result)
    for file, row, day in found[:_SHOWN_MAX]:
        say(
            f"warning: {visible(file)}, row {row:,} is dated {day}, after the rulebook's horizon; if that"
            " is a typing error, reverse the record, and ask for positions with `status --as-of`"
        )
    if len(found) > _SHOWN_MAX:
        say(f"warning: and {len(found) - _SHOWN_MAX:,} more rows with such dates")


def tell_outcome(
    result: "ImportResult", spoken: tuple[list[str], int], out: Path | None, dry_run: bool, skip_invalid: bool
) -> None:
    """Print what became of an import. Raises InputRejected if it failed."""
    rows = sum(sheet.rows for sheet in result.sheets)
    said = f": {out} has all" if out else "; `--decisions OUT.csv` writes all rejected rows"
    say_rejected(result.rejected, said)
    if result.is_given_up:
        raise InputRejected(
            f"nothing was recorded: {result.counts['rejected']:,} of the first {result.rows:,} rows were rejected, and"
            " the rest was not looked at; mend what the first of them have in common"
        )
    if result.fails(skip_invalid):
        raise InputRejected(
            f"nothing was recorded: {result.counts['rejected']:,} of {rows:,} rows were"
            " rejected; mend them, or record the others with --skip-invalid"
        )
    for message in spoken[0]:
        print(message)
    if spoken[1]:
        print(
            f"... and {spoken[1]:,} more: quotaledger sql \"SELECT message FROM decisions WHERE outcome <> 'admitted'\""
        )
    head = "dry run, nothing recorded" if dry_run else f"batch {result.batch}" if result.batch else "nothing to record"
    counts = ", ".join(f"{number:,} {name}" for name, number in result.counts.items())
    print(f"{head}: {rows_text(rows)}: {counts}")
