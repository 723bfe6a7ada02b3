"""The verb verify: whether the ledger is what was sealed, and what to do if it is not."""

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.app import Settings, app
from ledger.cli.output import progress, say
from ledger.core.errors import WrongUsage

if TYPE_CHECKING:  # a verb loads only what it uses
    from ledger.sequencer.verifying import Verified


@app.command()
def verify(
    context: typer.Context,
    deep: Annotated[bool, typer.Option("--deep", help="Derive every decision again, too.")] = False,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="The ledger's public key, as `init` told it; may be given several times.",
            show_default="the ledger's own word",
        ),
    ] = None,
) -> None:
    """Verify that the ledger is what was sealed: every row, the tree over them, who signed, and what is derived.

    It records nothing. The first difference is named, and the exit code is 3 then. With --deep, every decision is
    derived again from the records, registers and rulebooks as they stood.
    """
    from ledger.sequencer.verifying import helpers
    from ledger.sequencer.verifying import verify as verify_ledger
    from ledger.tlog.note import NoteError, VerifierKey

    at: Settings = context.obj
    try:
        keys = [VerifierKey.parse(text) for text in key or ()]
    except NoteError as error:
        raise WrongUsage(f"--key cannot be used: {error}") from None
    with helpers(at.path) as pool, progress("verifying") as advanced:
        found = verify_ledger(at.path, keys, deep=deep, pool=pool, advanced=advanced)
    _tell(found)


def _tell(found: "Verified") -> None:
    """Print what was verified."""
    records = sum(found.records.values())
    for remark in found.remarks:
        say(f"remark: {remark}")
    print(f"leaves: {sum(found.leaves.values()):,} ({_listed(found.leaves)})")
    print(f"records: {records:,} ({_listed(found.records)})" if records else "records: 0")
    print(f"checkpoints: {found.checkpoints:,}, each over the leaves up to there, signed, and kept outside")
    print(f"root: {found.root.hex()}")
    print(f"key: {found.key}")
    if not found.is_key_given:
        print("  the ledger's own word: that it is the right key, only --key can show")
    if found.derived_again is not None:
        print(f"decisions: {found.derived_again:,} derived again, each as recorded")
    rate = f", {records / found.seconds:,.0f} records a second" if records else ""
    print(f"verified in {found.seconds:,.1f} s{rate}")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())
