"""The command `quotaledger`: it reads settings, clock and files, and turns errors into sentences and exit codes."""

import os
import sys


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 input rejected, 2 wrong usage, 3 verification failed, 4 held, 5 else."""
    # Imported here so that an import error, too, is one sentence.
    from ledger.cli.output import say_rejected
    from ledger.cli.verbs import app
    from ledger.core.errors import InputRejected, QuotaledgerError
    from ledger.rulebook.load import RulebookError

    try:
        app()
    except RulebookError as error:
        _end("the rulebook cannot be used:\n" + "\n".join(f"  {problem}" for problem in error.problems), 1)
    except QuotaledgerError as error:
        if isinstance(error, InputRejected):
            say_rejected(error.rows)
        _end(str(error), error.exit_code)
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        _end("stopped; what was not said to be recorded is not", 5)
    except MemoryError:
        _end("there is not enough memory for this; nothing was recorded", 5)
    except Exception as error:  # the last resort of a command: a sentence, never a traceback
        if os.environ.get("QUOTALEDGER_DEBUG"):
            raise
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        _end(
            f"this should not have happened ({reason}); set QUOTALEDGER_DEBUG=1 to see where, and report it",
            5,
        )


def _end(sentence: str, exit_code: int) -> None:
    sys.stdout.flush()
    print(f"quotaledger: {sentence}", file=sys.stderr)
    sys.exit(exit_code)
