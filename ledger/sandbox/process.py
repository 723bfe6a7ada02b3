"""One sandboxed process, and the two pipes to it: queries go in, facts and bytes come out.

What it says is not believed: its answers have a limit and a deadline, and what comes unasked ends it.
"""

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ledger.sandbox.running import Limits

_START_SECONDS: Final = 60
_GRACE_SECONDS: Final = 2.0
"""DuckDB ends a query at its deadline by itself, mostly; so much later the process is killed."""
_HEAD_MAX: Final = 1 << 20
_PACKAGES: Final = Path(__file__).parents[2]


class Died(Exception):
    """A process that says nothing more, or what it should not."""


class Worker:
    """A process, and the two pipes to it."""

    def __init__(self, copy: Path, limits: Limits) -> None:
        """Start it. Raises OSError."""
        self.queries = 0
        self._rest = b""
        """What has come behind the last answer: that it is ready again."""
        theirs: int
        self._ours, theirs = os.pipe()
        begun = json.dumps({"copy": copy.name, "limits": asdict(limits)})
        code = f"import sys; sys.path.insert(0, {str(_PACKAGES)!r}); from ledger.sandbox.worker import main; main()"
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- nothing of a caller's is in it
                [sys.executable, "-I", "-c", code, str(theirs), begun],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs,),
                cwd=copy.absolute().parent,
                # Arrow's own allocator reserves a gigabyte ahead, which the limit of memory would count.
                env={"LANG": "C.UTF-8", "TZ": "UTC", "ARROW_DEFAULT_MEMORY_POOL": "system"},
                start_new_session=True,
            )
        except BaseException:
            os.close(self._ours)
            raise
        finally:
            os.close(theirs)

    def wait_until_ready(self) -> None:
        """Wait until it can be asked. Raises Died."""
        facts, _ = self._read(time.monotonic() + _START_SECONDS, 0)
        if "ready" not in facts:
            raise Died

    def ask(self, line: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
        """Have a query answered: facts and bytes. Raises Died, also at the deadline."""
        assert self._process.stdin is not None  # noqa: S101 -- it was asked for
        self.queries += 1
        if self._rest or self._says(0):
            raise Died  # an answer to what was not asked yet
        deadline = time.monotonic() + limits.seconds + _GRACE_SECONDS
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:
            raise Died from None
        return self._read(deadline, limits.bytes)

    @property
    def has_ended(self) -> bool:
        """Whether the process is there no more."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it, whatever it does."""
        with suppress(OSError):
            self._process.kill()

    def close(self) -> None:
        """End it, and let go of the pipes."""
        self.kill()
        self._process.wait()
        with suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        with suppress(OSError):
            os.close(self._ours)

    def _read(self, deadline: float, most: int) -> tuple[dict[str, Any], bytes]:
        """Read a line of facts, and so many bytes as it says."""
        head, self._rest = self._rest, b""
        while (place := head.find(b"\n")) < 0:
            if len(head) > _HEAD_MAX:
                raise Died
            head += self._some(deadline)
        try:
            facts = json.loads(head[:place])
            size = int(facts.pop("bytes"))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Died from None
        content = bytearray(head[place + 1 :])
        if size > most:
            raise Died
        while len(content) < size:
            content += self._some(deadline)
        self._rest = bytes(content[size:])
        return facts, bytes(content[:size])

    def _says(self, seconds: float) -> bool:
        """Wait until there is something to read, or the process has ended; say if so."""
        waiting = select.poll()  # select would take no descriptor beyond 1,023
        waiting.register(self._ours, select.POLLIN)
        return bool(waiting.poll(max(0.0, 1_000 * seconds)))

    def _some(self, deadline: float) -> bytes:
        piece = os.read(self._ours, 1 << 20) if self._says(deadline - time.monotonic()) else b""
        if not piece:
            raise Died
        return piece
