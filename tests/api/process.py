"""The command `serve` as a process of its own, for tests and benchmarks."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.api.served import PATIENCE_SECONDS
from tests.cli.command import environment

_ADDRESS = re.compile(r"at (https?://\S+);")


@dataclass
class Process:
    """The command, and where it serves."""

    process: "subprocess.Popen[str]"
    address: str

    def stop(self, how: signal.Signals) -> int:
        """Send a signal, and give the exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def serving(path: Path, *options: str, **more: object) -> Iterator[Process]:
    """Run `quotaledger serve` on a free port, with options, and settings as it has them in the environment."""
    words = [sys.executable, "-m", "ledger", "--ledger", str(path), "serve", "--port", "0", *options]
    settings = {"QUOTALEDGER_API_REQUESTS_PER_SECOND": "100000", "QUOTALEDGER_API_REQUESTS_AT_ONCE": "100000"}
    settings |= {"QUOTALEDGER_API_SCHEDULE": "false"}  # or what is due makes leaves beside those of a test
    settings |= {f"QUOTALEDGER_API_{name.upper()}": str(value) for name, value in more.items()}
    with subprocess.Popen(
        words, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment() | settings
    ) as process:
        assert process.stderr
        line = process.stderr.readline()
        found = _ADDRESS.search(line)
        assert found, line
        # What it says further is read, or it would wait for that.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        try:
            yield Process(process, found[1])
        finally:
            process.kill()
