"""A scheduler in a process of its own: `scheduler LEDGER REPORTS INSTANT [STEP]`, killed with -9 before a step."""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from ledger.schedule import runner
from ledger.schedule.archive import Archive
from tests.schedule.ground import Clock, Ground


def killed(*_: object, **__: object) -> None:
    """End as a process does that is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(path: str, reports: str, instant: str, step: str = "") -> None:
    """Do what is due at an instant, or die on the way."""
    if step:
        setattr(Archive if hasattr(Archive, step) else runner, step, killed)
    Ground(Path(path), Path(reports), Clock(datetime.fromisoformat(instant))).runner().run_due()


if __name__ == "__main__":
    main(*sys.argv[1:])
