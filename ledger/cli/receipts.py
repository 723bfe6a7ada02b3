"""The verbs that prove something to others: receipt, checkpoint and consistency."""

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.app import app, opened
from ledger.cli.output import say
from ledger.core.errors import WrongUsage

OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write it to a new file; else it is printed.")
]


@app.command()
def receipt(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="[REFERENCE]", help="The record's reference.")] = "",
    provider: Annotated[str, typer.Option(metavar="P", help="Who filed it.")] = "",
    sequence: Annotated[int | None, typer.Option(metavar="N", help="The record's place in the ledger.")] = None,
    leaf: Annotated[
        int | None, typer.Option(metavar="N", help="Any leaf of the log: a row of a register, a batch, a key.")
    ] = None,
    out: OutOption = None,
) -> None:
    """Prove to others that a record and its decision are in the log.

    A receipt is a JSON file with the record, its decision, the newest checkpoint, signed, and the proof that leads from
    one to the other. `quotaledger verify --receipt FILE --key KEY` checks it, without this ledger.
    """
    from ledger.sequencer.receipting import leaf_of_reference, leaf_of_sequence, make_receipt

    named = bool(reference or provider)
    if named + (sequence is not None) + (leaf is not None) != 1 or (named and not (reference and provider)):
        raise WrongUsage("name one record: --provider P REFERENCE, or --sequence N, or --leaf N")
    with opened(context, writing=False) as desk:
        if named:
            leaf = leaf_of_reference(desk.ledger, provider, reference)
        elif sequence is not None:
            leaf = leaf_of_sequence(desk.ledger, sequence)
        made = make_receipt(desk.ledger, leaf or 0)
    _hand_out(made.text, out, f"a receipt of leaf {made.leaf:,}, {made.kind}")


@app.command()
def checkpoint(
    context: typer.Context,
    leaves: Annotated[
        str, typer.Argument(metavar="[LEAVES]", help="The one of so many leaves; the newest if not given.")
    ] = "",
    out: OutOption = None,
) -> None:
    """Print a signed checkpoint, for others to keep: what nobody outside has seen can be rewritten.

    All lines of it are needed. Whoever kept it can ask for its `consistency` with any later one.
    """
    from ledger.sequencer.receipting import find_checkpoint

    with opened(context, writing=False) as desk:
        found = find_checkpoint(desk.ledger, leaves)
    _hand_out(found, out, "a checkpoint")


@app.command()
def consistency(
    context: typer.Context,
    earlier: Annotated[
        str,
        typer.Argument(metavar="EARLIER", help="A number of leaves, a file with checkpoints (the last), or a receipt."),
    ],
    later: Annotated[str, typer.Argument(metavar="[LATER]", help="The same; the newest checkpoint if not given.")] = "",
    out: OutOption = None,
) -> None:
    """Prove to others that nothing in the log has changed between two checkpoints.

    Whoever kept the earlier checkpoint, or a receipt with it, can so rely on the later. `quotaledger sql 'FROM
    checkpoints'` lists them; `quotaledger verify --consistency FILE --key KEY` checks it without this ledger.
    """
    from ledger.sequencer.receipting import make_consistency

    with opened(context, writing=False) as desk:
        made = make_consistency(desk.ledger, earlier, later)
    _hand_out(made.text, out, "a consistency statement")


def _hand_out(text: str, out: Path | None, what: str) -> None:
    """Print a text, or write it to a new file, whole or not at all: nothing is written over, least of all a key."""
    from ledger.store.outputs import whole

    if out is None:
        print(text, end="")
        return
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise WrongUsage(f"{out} cannot be written: name a file in a folder that is there")
    with whole(out, new=True) as partial:
        partial.write_text(text, encoding="utf-8")
    say(f"wrote {what}, to {out}")
