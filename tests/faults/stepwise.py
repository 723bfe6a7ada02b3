"""The command, killed at a step of its own counting: `stepwise NUMBER WORDS...` is killed before its step NUMBER.

Steps are what changes names, and the two sides of a COMMIT: between any two of them a kill leaves something else, and
moments drawn from a clock rarely fall there. What is written, but not synced yet, survives a kill: a sync is no step.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from ledger.cli import main as run
from ledger.store.file import LedgerFile

_STEPS: tuple[tuple[Any, str], ...] = (
    *((os, name) for name in ("rename", "replace", "link", "unlink", "mkdir", "rmdir")),
    (LedgerFile, "sign"),
    (LedgerFile, "_say_outside"),
)


def main() -> None:
    """Run the command up to a step."""
    left = int(sys.argv.pop(1))

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*arguments, **named)

        return count

    for of, name in _STEPS:
        setattr(of, name, counted(getattr(of, name)))
    run()
