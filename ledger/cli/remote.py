"""Importing through a server: the same verb, the same answers, and somebody else's ledger."""

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.cli.output import progress, rows_text, say_rejected
from ledger.core.errors import InputRejected, LedgerUnavailable, RejectedRow, WrongUsage
from ledger.core.text import visible

if TYPE_CHECKING:  # a verb loads only what it uses
    from schemas.api import Import, Problem

_SHOWN_MAX = 20


def import_remotely(
    server: str,
    key: str,
    files: list[str],
    provider: str | None,
    decisions: Path | None,
    *,
    dry_run: bool,
    skip_invalid: bool,
) -> None:
    """File records with a server, wait for what becomes of them, and tell it. A `provider` must be the key's.

    Raises WrongUsage for what cannot be filed so, InputRejected if nothing was recorded, LedgerUnavailable where the
    server does not answer.
    """
    from ledger.client import Client, ProblemError, ServerUnavailable

    if len(files) != 1 or files == ["-"]:
        raise WrongUsage("with --server, give one file: each is a batch of its own there")
    if not Path(files[0]).is_file():
        raise WrongUsage(f"{visible(files[0])} cannot be read: there is no such file")
    try:
        with Client(server, secret(key)) as client, progress("filing") as advanced:
            if provider is not None and (own := client.key().provider) != provider.strip():
                raise WrongUsage(f"the key files for {visible(own)}, not for {visible(provider)}; leave --provider out")
            done = client.file(
                files[0],
                dry_run=dry_run,
                skip_invalid=skip_invalid,
                progress=lambda _, finished, total: advanced(finished, total),
            )
            if decisions and done.decisions:
                client.save_decisions(done.id, decisions)
    except ProblemError as error:
        raise _failed(files[0], error.problem) from None
    except ServerUnavailable as error:
        raise LedgerUnavailable(
            f"{visible(str(error))}; whether it was recorded is not known; the same command may be given again"
        ) from None
    except ValueError as error:
        raise WrongUsage(str(error)) from None
    if done.problem:
        raise _failed(files[0], done.problem)
    _tell(done)


def secret(key: str) -> str:
    """Give the key itself, which may be in a file."""
    try:
        secret = (Path(key[1:]).read_text("utf-8") if key.startswith("@") else key).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"{visible(key[1:])} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not secret or not secret.isascii() or not secret.isprintable():
        raise WrongUsage("give a key: in the environment as QUOTALEDGER_API_KEY, or in a file with --key @FILE")
    return secret


def _failed(file: str, problem: "Problem") -> Exception:
    rows = [
        RejectedRow(file, fault.row, fault.reference, fault.column or "", fault.code or "", fault.detail)
        for fault in problem.errors or ()
    ]
    if problem.type in ("/problems/rejected", "/problems/decisions-changed", "/problems/idempotency-key-reused"):
        say_rejected(rows[:_SHOWN_MAX], "; `--decisions OUT.csv` writes all rejected rows")
        return InputRejected(visible(problem.detail))
    return LedgerUnavailable(f"{visible(problem.detail)} ({problem.type}; quote {problem.instance} when you ask)")


def _tell(done: "Import") -> None:
    head = "dry run, nothing recorded" if done.dry_run else f"batch {done.batch}" if done.batch else "nothing to record"
    names = ("admitted", "refused", "breached", "rejected", "duplicates")
    counts = ", ".join(f"{getattr(done, name):,} {name}" for name in names)
    print(f"{head}: {rows_text(done.records or 0)}: {counts}")
