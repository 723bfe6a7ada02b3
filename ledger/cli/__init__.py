"""The command `quotaledger`: it reads settings, clock and files, and turns errors into sentences and exit codes."""

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from ledger.core.text import visible

_INTERRUPTED = 130
"""What typer gives where Ctrl-C was pressed."""


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 input rejected, 2 wrong usage, 3 verification failed, 4 held, 5 else."""
    _open_outputs()
    # Imported here so that an import error, too, is one sentence.
    from typer import TyperException

    from ledger.cli.output import say_rejected
    from ledger.cli.verbs import app
    from ledger.core.errors import InputRejected, QuotaledgerError
    from ledger.rulebook.load import RulebookError

    try:
        exit_code = _run(app)
    except RulebookError as error:
        _end("the rulebook cannot be used:\n" + "\n".join(f"  {problem}" for problem in error.problems), 1)
    except QuotaledgerError as error:
        if isinstance(error, InputRejected):
            say_rejected(error.rows)
        _end(visible(str(error)), error.exit_code)
    except TyperException as error:
        _end(_usage(error), error.exit_code)
    except KeyboardInterrupt:
        _end("stopped; the last batch that was recorded is in `quotaledger sql 'FROM batches'`", 5)
    except MemoryError:
        _end("there is not enough memory for this; `quotaledger sql 'FROM batches'` tells what was recorded", 5)
    except OSError as error:
        where = f" ({visible(str(error.filename))})" if error.filename else ""
        _end(f"stopped by the system: {error.strerror or error}{where}; mend that and try again", 5)
    except Exception as error:  # the last resort of a command: a sentence, never a traceback
        if os.environ.get("QUOTALEDGER_DEBUG"):
            raise
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        _end(
            f"this should not have happened ({reason}); set QUOTALEDGER_DEBUG=1 to see where, and report it",
            5,
        )
    sys.exit(exit_code)


def _run(app: Callable[..., int | None]) -> int:
    """Run the app and give its exit code; its errors come out as they are."""
    try:
        exit_code = app(standalone_mode=False) or 0
        sys.stdout.flush()
    except (SystemExit, BrokenPipeError) as ended:
        # Whoever read the output has seen enough. Where typer notices that first, it ends the command, and with 1.
        if isinstance(ended, SystemExit) and not isinstance(ended.__context__, BrokenPipeError):
            raise
        _forget_output()
        return 0
    if exit_code == _INTERRUPTED:
        raise KeyboardInterrupt
    return exit_code


def _open_outputs() -> None:
    """Make sure that there are outputs, and that a character which one of them has not is no error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 -- lives as long as the command
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _forget_output() -> None:
    """Turn standard output away from what cannot be written to: Python must not complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end(sentence: str, exit_code: int) -> NoReturn:
    try:
        sys.stdout.flush()
    except OSError:
        _forget_output()
    if sentence:
        print(f"quotaledger: {sentence}", file=sys.stderr)
    sys.exit(exit_code)


def _usage(error: Any) -> str:
    """Say what of the command line is wrong and where to read on; nothing where its help has been shown instead."""
    context = getattr(error, "ctx", None)
    said = " ".join(visible(error.format_message()).replace("Value error, ", "").split())
    return f"{said.rstrip('.')}; see `{context.command_path} --help`" if said and context else said
