"""The command `quotaledger`: it reads settings, clock and files, and turns errors into sentences and exit codes."""

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

_INTERRUPTED = 130
"""What typer gives where Ctrl-C was pressed."""

_INTERRUPTED_QUERY = "Query interrupted"
"""What DuckDB says, in a RuntimeError, where Ctrl-C was pressed while it worked."""

_STOPPED = "stopped; the last batch that was recorded is in `quotaledger sql 'FROM batches'`"


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 input rejected, 2 wrong usage, 3 verification failed, 4 held, 5 else."""
    try:
        _main()
    except KeyboardInterrupt:  # while the parts of the command were loaded
        _end(_STOPPED, 5)


def _main() -> None:
    _open_outputs()
    # Imported here so that an import error, too, is one sentence.
    from typer import TyperException

    from ledger.cli.app import Recorded
    from ledger.cli.output import say_rejected
    from ledger.cli.verbs import app
    from ledger.core.errors import InputRejected, QuotaledgerError
    from ledger.core.text import visible
    from ledger.rulebook.load import RulebookError

    recorded = Recorded()
    try:
        exit_code = _run(app, recorded)
    except RulebookError as error:
        _end("the rulebook cannot be used:\n" + "\n".join(f"  {problem}" for problem in error.problems), 1)
    except QuotaledgerError as error:
        if isinstance(error, InputRejected):
            say_rejected(error.rows)
        _end(_after(recorded.batch, visible(str(error))), error.exit_code)
    except TyperException as error:
        _end(_usage(error), error.exit_code)
    except KeyboardInterrupt:
        _end(_after(recorded.batch, "stopped") if recorded.batch else _STOPPED, 5)
    except MemoryError:
        what = "there is not enough memory for this"
        told = f"{what}; `quotaledger sql 'FROM batches'` tells what was recorded"
        _end(_after(recorded.batch, what) if recorded.batch else told, 5)
    except OSError as error:
        where = f" ({visible(str(error.filename))})" if error.filename else ""
        what = f"stopped by the system: {error.strerror or error}{where}"
        _end(_after(recorded.batch, what) if recorded.batch else f"{what}; mend that and try again", 5)
    except Exception as error:  # the last resort of a command: a sentence, never a traceback
        if os.environ.get("QUOTALEDGER_DEBUG"):
            raise
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        what = f"this should not have happened ({reason}); set QUOTALEDGER_DEBUG=1 to see where, and report it"
        _end(_after(recorded.batch, what), 5)
    _let_go()
    sys.exit(exit_code)


def _after(batch: int | None, what: str) -> str:
    """Say what went wrong, and whenever something was recorded before it, that it is."""
    if batch is None:
        return what
    return (
        f"batch {batch} is recorded, but its answer was not told in full: {what}; nothing is recorded twice if the same"
        " command is given again"
    )


def _run(app: Callable[..., int | None], recorded: Any) -> int:
    """Run the app and give its exit code; its errors come out as they are."""
    try:
        exit_code = app(standalone_mode=False, obj=recorded) or 0
        sys.stdout.flush()
    except (SystemExit, BrokenPipeError) as ended:
        # Whoever read the output has seen enough. Where typer notices that first, it ends the command, and with 1.
        if isinstance(ended, SystemExit) and not isinstance(ended.__context__, BrokenPipeError):
            raise
        _forget_output()
        return 0
    except RuntimeError as error:
        if str(error) != _INTERRUPTED_QUERY:
            raise
        raise KeyboardInterrupt from None
    if exit_code == _INTERRUPTED:
        raise KeyboardInterrupt
    return exit_code


def _let_go() -> None:
    """Let a further Ctrl-C end the process at once: all is said, and Python would show a traceback."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


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
    _let_go()
    try:
        sys.stdout.flush()
    except OSError:
        _forget_output()
    if sentence:
        print(f"quotaledger: {sentence}", file=sys.stderr)
    sys.exit(exit_code)


def _usage(error: Any) -> str:
    """Say what of the command line is wrong and where to read on; nothing where its help has been shown instead."""
    from ledger.core.text import visible

    context = getattr(error, "ctx", None)
    said = " ".join(visible(error.format_message()).replace("Value error, ", "").split())
    return f"{said.rstrip('.')}; see `{context.command_path} --help`" if said and context else said
