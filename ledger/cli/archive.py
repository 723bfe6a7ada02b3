"""The verbs that keep a ledger safe: export, restore, backup."""

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.app import KeysOption, Settings, app, opened
from ledger.cli.output import progress, say
from ledger.core.text import visible


@app.command()
def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet, or empty.")],
    only_provider: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Leave out what others than NAME have filed; can be given several times."),
    ] = None,
    without_provider: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Leave out what NAME has filed; can be given several times."),
    ] = None,
) -> None:
    """Write all that it takes to verify this ledger without this software, and to rebuild it.

    What is left out of an export for one provider is there as hashes: it can be verified as a whole, but no ledger be
    rebuilt from it. The private signing key is in no export.
    """
    from ledger.sequencer.exporting import export_ledger

    at: Settings = context.obj
    with opened(context, writing=False) as desk, progress("exporting") as advanced:
        done = export_ledger(
            desk.ledger, folder, at.now(), only=only_provider or (), without=without_provider or (), advanced=advanced
        )
    left_out = f", {done.redacted:,} of them as hashes alone" if done.redacted else ""
    say(f"wrote {visible(str(folder))}: {done.leaves:,} leaves{left_out}, root {done.root}")
    if done.mentions:
        say(
            f"warning: registers and rulebooks are in it in full, and {done.mentions:,} of their leaves name a provider"
            " that is left out"
        )
    if only_provider or without_provider:
        say("no ledger can be rebuilt from it, because records are left out")
    say(f"who verifies it needs this key, from you and not out of the export: {done.key}")


@app.command()
def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an export.")],
    key: KeysOption = None,
) -> None:
    """Rebuild a ledger of an export, at the path that --ledger names.

    It is the same record for record, with the same root and checkpoints, and is verified as `verify` does, or there is
    none.
    """
    from ledger.sequencer.receipting import read_keys
    from ledger.sequencer.restoring import restore_ledger

    at: Settings = context.obj
    keys = read_keys(key or ())
    with progress("restoring") as advanced:
        made = restore_ledger(folder, at.path, keys, advanced)
    say(f"made {at.path}: {made.records:,} records, {made.leaves:,} leaves, root {made.root}")
    say(f"its checkpoints are signed with {made.key}; compare that with what you know of the ledger")
    if made.missing:
        say(
            f"warning: the outside checkpoints that were there have {made.missing:,} more: what was recorded in those"
            " batches is not in the export, and nothing is recorded on top of it; look for a newer export or backup"
            " first"
        )
    if not made.private.exists():
        say(f"it can be read at once; to record in it, put its private signing key at {made.private}")


@app.command()
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy, which is not there yet.")],
) -> None:
    """Copy the ledger and its checkpoints, and verify the copy as `verify` does.

    The private signing key is not copied: keep a copy of it in another place.
    """
    from ledger.sequencer.restoring import back_up_ledger

    with opened(context, writing=False) as desk, progress("copying") as advanced:
        made = back_up_ledger(desk.ledger, file, advanced)
    say(f"made {file}: {made.records:,} records, {made.leaves:,} leaves, root {made.root}")
    say(f"its signing key is not copied; to record in the copy, put it at {made.private}")
