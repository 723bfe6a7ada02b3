r"""The SQL shell: lines with history and completion, statements up to a semicolon, and \d to look around.

It holds neither the ledger nor a copy: each statement opens it for as long as it runs.
"""

import os
import pydoc
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Final

from ledger.cli.output import say
from ledger.core.errors import QuotaledgerError, WrongUsage

_WELCOME: Final = (
    "SQL on the ledger's views, read-only; end a statement with ; and leave with \\q or Ctrl-D.\n"
    "\\d lists the views, \\d NAME the columns of one, \\? helps. Try: FROM country_positions LIMIT 5;"
)
_HELP: Final = """\
  FROM decisions LIMIT 5;   a statement, over as many lines as it takes, up to the semicolon
  \\d                        the views, with what a row of each is
  \\d NAME                   the columns of a view, with what each has
  \\q                        leave (Ctrl-D does, too); Ctrl-C drops what was typed
  Tab                       completes views, columns and words of SQL; arrows go through earlier statements"""
_WORDS: Final = (
    *("SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "HAVING", "JOIN", "LEFT JOIN", "USING", "AND", "OR"),
    *("NOT", "IN", "IS NULL", "BETWEEN", "LIKE", "CASE", "WHEN", "THEN", "ELSE", "END", "AS", "ON", "DISTINCT"),
    *("count(*)", "sum(", "min(", "max(", "DATE '", "DESC", "ALL", "WITH", "FILTER (WHERE ", "DESCRIBE", "SUMMARIZE"),
)
_HISTORY_MAX: Final = 5_000
_VIEWS_SQL: Final = """
    SELECT view_name AS view, comment AS "a row is" FROM duckdb_views() WHERE NOT internal
    UNION ALL SELECT table_name, comment FROM duckdb_tables() WHERE comment IS NOT NULL ORDER BY ALL
"""
_COLUMNS_SQL: Final = """
    SELECT column_name AS "column", data_type AS type, comment AS "is" FROM duckdb_columns()
    WHERE table_name = '{name}' ORDER BY column_index
"""
_NAME: Final = re.compile(r"\w+")


class _Kept(StringIO):
    """What is shown later is written as for the terminal on which it will be."""

    def isatty(self) -> bool:
        """Say if it will be shown to a person."""
        return bool(sys.__stdout__ and sys.__stdout__.isatty())


def run_shell(place: Path, answer: Callable[[str], None]) -> None:
    """Read statements from the terminal until it ends, and have each answered."""
    say(_WELCOME)
    _prepare_lines(place)
    lines: list[str] = []
    while True:
        try:
            lines.append(input("quotaledger> " if not lines else "          -> "))
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            lines = []
            continue
        typed = "\n".join(lines).strip()
        if typed in ("\\q", "exit", "quit"):
            return
        if typed.startswith("\\") or typed.endswith(";"):
            _answer(typed, answer)
            lines = []
        elif not typed:
            lines = []


def _answer(typed: str, answer: Callable[[str], None]) -> None:
    """Answer a statement or a command; what is wrong with it is said, and the shell goes on."""
    try:
        if typed == "\\?":
            say(_HELP)
            return
        query = _query(typed)
        with redirect_stdout(_Kept()) as text:
            answer(query)
        _show(text.getvalue())
    except QuotaledgerError as error:
        say(f"error: {error}")
    except KeyboardInterrupt:
        say("stopped")


def _query(typed: str) -> str:
    """Give the SQL of what was typed. Raises WrongUsage for a command that there is not."""
    if not typed.startswith("\\"):
        return typed
    command, _, name = typed.rstrip(";").partition(" ")
    name = name.strip()
    if command != "\\d" or (name and not _NAME.fullmatch(name)):
        raise WrongUsage("there is no such command; \\? says what there is")
    return _COLUMNS_SQL.format(name=name) if name else _VIEWS_SQL


def _show(text: str) -> None:
    """Print a text; what is longer than the terminal, in a pager."""
    if sys.stdout.isatty() and text.count("\n") >= shutil.get_terminal_size().lines:
        os.environ.setdefault("LESS", "-FRSX")
        pydoc.pager(text)
    else:
        print(text, end="")


def _prepare_lines(place: Path) -> None:
    """Have lines edited, remembered from one shell to the next, and completed, where the system can."""
    try:
        import readline
    except ImportError:
        return
    from ledger.store.analyst import names

    known = names(place)
    words = sorted({*_WORDS, *known, *(column for columns in known.values() for column in columns)})

    def completed(typed: str, number: int) -> str | None:
        fitting = [word for word in words if word.lower().startswith(typed.lower())] if typed else []
        return fitting[number] if number < len(fitting) else None

    readline.set_completer(completed)
    readline.set_completer_delims(" \t\n,()=<>;")
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    readline.set_history_length(_HISTORY_MAX)
    history = _history()
    with suppress(OSError):
        history.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if history.exists():
            readline.read_history_file(history)
        import atexit

        atexit.register(_keep_history, history)


def _keep_history(history: Path) -> None:
    import readline

    with suppress(OSError):
        readline.write_history_file(history)
        history.chmod(0o600)


def _history() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "quotaledger" / "sql_history"
