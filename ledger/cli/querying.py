"""SQL on the views, and the copy that it is asked of: sql, publish."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.app import Settings, app, opened
from ledger.cli.output import Format, print_rows, progress, say
from ledger.core.errors import WrongUsage
from ledger.core.text import visible


class SqlFormat(StrEnum):
    """How the rows of a query are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


@app.command()
def sql(
    context: typer.Context,
    query: Annotated[
        str | None, typer.Argument(help="SQL on the views; without it, what standard input says, or a shell.")
    ] = None,
    form: Annotated[
        SqlFormat, typer.Option("--format", help="How to write the answer; parquet goes with --out.")
    ] = SqlFormat.TABLE,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to a .parquet, .csv, .ndjson or .arrow file.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the ledger itself, though there is a copy.")] = False,
) -> None:
    """Ask in SQL, read-only: decisions, country_positions, lpp_positions, refusals, breaches, batches and more.

    The published copy is asked if there is one (`quotaledger publish`), and what it is of is said on standard error;
    else the ledger is opened for the length of a statement. docs/views.md has every view and column.
    """
    at: Settings = context.obj
    place = _place(at.path, live)
    if form is SqlFormat.PARQUET and not out:
        raise WrongUsage("Parquet is for files: give --out FILE.parquet")
    if query is None and sys.stdin.isatty():
        from ledger.cli.shell import run_shell

        run_shell(place, lambda text: answer(place, text, form, None))
        return
    answer(place, query if query is not None else sys.stdin.read(), form, out)


def _place(ledger: Path, live: bool) -> Path:
    """Give the file that is asked, and say which if it is a copy."""
    from ledger.sequencer.publishing import copy_of

    copy = None if live else copy_of(ledger)
    if copy is None:
        return ledger
    made = copy.publication
    behind = max(0, (copy.leaves_now or 0) - made.leaves)
    rest = f"; {behind:,} leaves were recorded since, --live or `quotaledger publish` has them" if behind else ""
    say(f"from the copy published {made.published_at:%Y-%m-%d %H:%M:%S} UTC, after record {made.sequence:,}{rest}")
    return copy.path


def answer(place: Path, query: str, form: SqlFormat, out: Path | None) -> None:
    """Answer a query on standard output or in a file."""
    from ledger.store.analyst import ask
    from ledger.store.outputs import check_output, write_rows

    is_parquet = bool(out) and (form is SqlFormat.PARQUET or out.suffix == ".parquet")  # type: ignore[union-attr]
    if out:
        check_output(out.with_suffix(".parquet") if is_parquet else out)
    found = ask(place, query, out if is_parquet else None)
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    if out:
        if not is_parquet:
            write_rows(out, found.columns, rows)
        say(f"wrote {visible(str(out))}")
        return
    print_rows(rows, found.columns, Format(form))


@app.command()
def publish(
    context: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where; beside the ledger as NAME.published.duckdb if not given."),
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write Parquet files, too: decisions in a folder of each month.")
    ] = None,
) -> None:
    """Write the read-only copy for analysts: a plain DuckDB file with what the views have, and the checkpoint.

    It needs nothing of quotaledger to be read: DuckDB 1.4 or later opens it (docs/sql.md). Whoever reads the copy that
    was there goes on with that. `quotaledger serve` publishes by itself.
    """
    from ledger.sequencer.publishing import publish as publish_copy
    from ledger.store.publishing import copy_path

    at: Settings = context.obj
    with opened(context, writing=False) as desk, progress("publishing") as advanced:
        made = publish_copy(desk.ledger, at.now(), out, parquet, advanced)
    where = " and ".join(visible(str(place)) for place in (out or copy_path(at.path), parquet) if place)
    say(f"wrote {where}: {made.sequence:,} records, checkpoint of {made.leaves:,} leaves")
