"""The verb verify: whether the ledger is what was sealed, and what to do if it is not."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledger.cli.app import KeysOption, Settings, app
from ledger.cli.output import progress, say
from ledger.core.errors import WrongUsage

if TYPE_CHECKING:  # a verb loads only what it uses
    from ledger.sequencer.verifying import Verified

_MANY: Final = 10_000
"""Of fewer records, a rate would say how long it takes to begin."""
_SAID: Final = (
    *("provider", "reference", "sequence", "kind", "date", "destination", "consignee", "chip", "quantity", "under"),
    *("outcome", "basis", "limit_id", "account", "remaining_tpp", "recorded_at", "rulebook_digest"),
)
"""What is told of a receipt's leaf, as far as it has it."""


@app.command()
def verify(
    context: typer.Context,
    deep: Annotated[bool, typer.Option("--deep", help="Derive every decision again, too.")] = False,
    key: KeysOption = None,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Verify a receipt instead; no ledger is needed, --key is.")
    ] = None,
    consistency: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Verify a statement that `consistency` wrote instead; --key is needed."),
    ] = None,
    renew: Annotated[
        bool,
        typer.Option("--renew-checkpoints", help="Write the outside checkpoints anew, which are lost for good."),
    ] = False,
) -> None:
    """Verify that the ledger is what was sealed: every row, the tree over them, who signed, and what is derived.

    It records nothing. The first difference is named, and the exit code is 3 then. With --deep, every decision is
    derived again from the records, registers and rulebooks as they stood.
    """
    from ledger.sequencer.receipting import read_keys
    from ledger.sequencer.verifying import helpers
    from ledger.sequencer.verifying import verify as verify_ledger

    if receipt or consistency:
        if (receipt and consistency) or deep or renew:
            raise WrongUsage("--receipt and --consistency stand alone, with --key only")
        _tell_receipt(receipt, key or []) if receipt else _tell_consistency(consistency, key or [])
        return
    at: Settings = context.obj
    keys = read_keys(key or ())
    with helpers(at.path) as pool, progress("verifying") as advanced:
        found = verify_ledger(at.path, keys, deep=deep, renew=renew, pool=pool, advanced=advanced)
    _tell(found)


def _tell_receipt(file: Path, keys: list[str]) -> None:
    """Print what a receipt proves."""
    from ledger.sequencer.receipting import check_receipt

    found, checkpoint = check_receipt(file, keys)
    fields = found.fields
    print(
        f"leaf {found.leaf:,} ({found.kind}) is in the log {checkpoint.origin}, among its first {checkpoint.size:,}"
        " leaves"
    )
    for name in _SAID:
        if name in fields:
            print(f"  {name}: {fields[name]}")


def _tell_consistency(file: Path | None, keys: list[str]) -> None:
    """Print what a consistency statement proves."""
    from ledger.sequencer.receipting import check_consistency

    _, (earlier, later) = check_consistency(file or Path(), keys)
    print(
        f"the first {earlier.size:,} leaves of the log {earlier.origin} are those that it began with when it had"
        f" {later.size:,}"
    )


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
    rate = f", {records / found.seconds:,.0f} records a second" if records >= _MANY else ""
    print(f"verified in {found.seconds:,.1f} s{rate}")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())
