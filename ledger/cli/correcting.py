"""The verb correct: a reversal and a new record in one step."""

from typing import Annotated

import typer

from ledger.cli.app import app, opened
from ledger.core.text import visible


@app.command()
def correct(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="The record to correct.")],
    provider: Annotated[str, typer.Option(metavar="P", help="Who filed it.")],
    quantity: Annotated[str, typer.Option(metavar="N", help="How many chips it should have been.")],
    note: Annotated[str, typer.Option(metavar="WHY", help="Why it is corrected; both records get it as their note.")],
    new_reference: Annotated[
        str,
        typer.Option("--reference", metavar="NEW", help="Of the new record; REFERENCE/v2 (then /v3) if not given."),
    ] = "",
    accept_refusal: Annotated[
        bool, typer.Option("--accept-refusal", help="Take the record back even if the new one is refused.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide, and record nothing.")] = False,
) -> None:
    """Correct the quantity of a record: it is taken back and filed anew, both in one batch or neither.

    The new record repeats all else that the old one gave, and is decided under the rulebook and registers of now. The
    same correction again records nothing and gives its decisions again.
    """
    from ledger.sequencer.correcting import correct as correct_record

    with opened(context, writing=not dry_run) as desk:
        done = correct_record(
            desk,
            provider,
            reference,
            quantity,
            note,
            new_reference=new_reference,
            accept_refusal=accept_refusal,
            dry_run=dry_run,
        )
    if done.names is None:
        print(f"{visible(reference)} has {done.before:,} chips already; nothing was recorded")
        return
    reversal, new = done.answers
    for answer in (reversal, new) if reversal["outcome"] != "admitted" else (new,):
        print(visible(answer["message"]))
    head = f"batch {done.batch}"
    if done.duplicate:
        head = "recorded before, nothing recorded now"
    elif dry_run:
        head = "dry run, nothing recorded"
    print(
        f"{head}: {visible(done.names.reversal)} takes {done.kind} {visible(reference)} back, and"
        f" {visible(done.names.new)} replaces it: {new['outcome']}"
    )
