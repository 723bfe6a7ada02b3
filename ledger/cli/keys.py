"""The verbs on the signing key: show, rotate."""

from typing import Annotated

import typer

from ledger.cli.app import Settings, app, opened
from ledger.cli.output import say

signing_key = typer.Typer(help="The key that signs the ledger's checkpoints.", no_args_is_help=True)
app.add_typer(signing_key, name="signing-key")


@signing_key.command("show")
def show(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Every key so far, and how each was put in use.")] = False,
) -> None:
    """Print the public key in use, as others need it to verify receipts, exports and checkpoints."""
    from ledger.sequencer.rotating import keys_in_turn
    from ledger.store.guard import key_in_use

    with opened(context, writing=False) as desk:
        if not every:
            print(key_in_use(desk.ledger.connection))
            return
        for use in keys_in_turn(desk.ledger):
            by = "signed for by the key before" if use.is_handed_over else "signed for by itself alone"
            print(f"{use.key}\n  from leaf {use.leaf:,} on, {use.since:%Y-%m-%d %H:%M} UTC; {by}")


@signing_key.command("rotate")
def rotate(
    context: typer.Context,
    note: Annotated[str, typer.Option(help="Why; it is recorded.")],
    lost: Annotated[
        bool, typer.Option("--lost", help="The key in use is lost, and cannot sign for the next one.")
    ] = False,
) -> None:
    """Put a new signing key in use.

    The change is recorded as a leaf of the log, and the checkpoint over it is signed by the old key and the new one:
    whoever trusts the old one can trust the new one, and `receipt --leaf` of that leaf shows it to them. The file of
    the old one is kept under another name. If the old one is lost, or somebody else may have it, tell the new one to
    others by some way that they trust.
    """
    from ledger.sequencer import rotating

    at: Settings = context.obj
    done = rotating.rotate(at.path, note, at.filed_by, at.now(), at.key, lost=lost)
    say(f"batch {done.batch}: the signing key is another one now, signed for by {'itself alone' if lost else 'both'}")
    if done.old_file and lost:
        say(f"what was in the place of the key is at {done.old_file}; it is not the key that was in use")
    elif done.old_file:
        say(f"the old private key is at {done.old_file}: keep it locked away as long as there are backups from before")
    print(done.key)
