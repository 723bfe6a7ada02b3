"""The command's verbs and what they share: which ledger, who runs it, and the time."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.core.errors import WrongUsage
from ledger.core.version import VERSION

if TYPE_CHECKING:  # a verb loads only what it uses
    from ledger.sequencer.desk import Desk

HELP = """A ledger of AI chips allocated to countries and companies, decided against the rule in force.

Start with `quotaledger init`, register parties, then import records; `quotaledger demo` shows it all on the deployments
announced in 2025 and 2026.
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


KeysOption = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="KEY",
        help="A public key as `init` told it, or a file with one a line; may be given several times.",
        show_default="the ledger's own word",
    ),
]
"""What whoever verifies has been told by a way that is not the file being verified."""


@dataclass
class Recorded:
    """What the command has recorded so far, for whoever must tell what a fault came after."""

    batch: int | None = None


@dataclass(frozen=True)
class Settings:
    """What every verb needs to know of its surroundings."""

    path: Path
    filed_by: str
    key: Path | None = None
    """Where the signing key is; beside the ledger if None."""
    recorded: Recorded = field(default_factory=Recorded)

    @staticmethod
    def now() -> datetime:
        """Give the present instant, UTC."""
        return datetime.now(UTC)


def see_no_ledger(context: typer.Context) -> None:
    """Raise WrongUsage if a ledger is named where a server is."""
    if "COMMANDLINE" in str(context.find_root().get_parameter_source("ledger")):
        raise WrongUsage("--ledger and --server (or QUOTALEDGER_SERVER) are two ledgers; leave one out")


def filed_by() -> str:
    """Give who runs the command: QUOTALEDGER_FILED_BY, else the user of the system."""
    try:
        return os.environ.get("QUOTALEDGER_FILED_BY") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _say_version(wanted: bool) -> None:
    if wanted:
        import platform
        from importlib.metadata import version

        from ledger.cli.commit import commit_of

        commit = commit_of(Path(__file__).parents[2])
        parts = f"commit {commit}, DuckDB {version('duckdb')}, Python {platform.python_version()}"
        typer.echo(f"quotaledger {VERSION} ({parts})")
        raise typer.Exit


@app.callback()
def settings(
    context: typer.Context,
    ledger: Annotated[
        Path,
        typer.Option("--ledger", envvar="QUOTALEDGER_LEDGER", metavar="PATH", help="The ledger's file."),
    ] = Path("quota.duckdb"),
    signing_key: Annotated[
        Path | None,
        typer.Option(
            envvar="QUOTALEDGER_SIGNING_KEY",
            metavar="PATH",
            help="The file of its private signing key.",
            show_default="the ledger's path and .key",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 -- it speaks and ends the command before this is called
        bool,
        typer.Option(
            "--version", help="Say which version, commit and DuckDB this is.", is_eager=True, callback=_say_version
        ),
    ] = False,
) -> None:
    """Remember which ledger is meant."""
    context.obj = Settings(ledger, filed_by(), signing_key, context.obj or Recorded())


@contextmanager
def opened(context: typer.Context, *, writing: bool) -> Iterator["Desk"]:
    """Give a desk at the ledger, for reading alone or for writing, and let go of the file afterwards."""
    from ledger.sequencer.desk import Desk
    from ledger.store.file import LedgerFile

    at: Settings = context.obj
    now = at.now()
    with LedgerFile.open(at.path, now if writing else None, at.key) as ledger:
        before = ledger.last_batch()
        try:
            yield Desk(ledger, at.filed_by, now)
        finally:
            # The file is asked, not whoever wrote: an interrupt may come when the commit is done and nobody knows yet.
            last = ledger.last_batch() if writing else before
            if last != before:
                at.recorded.batch = last
