"""A disk that fills up: a small one is mounted where that is allowed, else no file may grow beyond a size."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_MOUNT, _UNMOUNT = Path("/bin/mount"), Path("/bin/umount")
_RESERVE = "reserve"
_PAGE_BYTES = 4_096


@dataclass(frozen=True)
class Disk:
    """A folder on a disk that may be full; `mounted` says if it is one of its own."""

    folder: Path
    mounted: bool
    size: int

    @property
    def kind(self) -> str:
        """How the disk is full, for the table."""
        return "disk full" if self.mounted else "file full (no disk can be mounted)"

    def fill(self, room: int = 0) -> None:
        """Leave only some room."""
        if self.mounted:
            number = os.open(self.folder / _RESERVE, os.O_WRONLY | os.O_CREAT)
            try:
                size = 0
                with suppress(OSError):
                    while written := os.write(number, bytes(_PAGE_BYTES)):
                        size += written
                os.ftruncate(number, max(0, size - room))
            finally:
                os.close(number)

    def limited(self, work: Callable[[], object], limit: int) -> Callable[[], object]:
        """Give work whose files may not grow beyond a size, where no disk is mounted."""
        return work if self.mounted else _Limited(work, limit)

    def make_room(self) -> None:
        """Let there be room again."""
        (self.folder / _RESERVE).unlink(missing_ok=True)
        if self.mounted:
            subprocess.run([_MOUNT, "-o", "remount,size=400m", self.folder], check=True)


@dataclass(frozen=True)
class _Limited:
    work: Callable[[], object]
    limit: int

    def __call__(self) -> object:
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.limit))
        return self.work()


@contextmanager
def disk(folder: Path, size: int) -> Iterator[Disk]:
    """Give a disk of a size, mounted on a folder that is made for it."""
    folder.mkdir()
    command: list[str | Path] = [_MOUNT, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    mounted = _MOUNT.exists() and not subprocess.run(command, capture_output=True, check=False).returncode
    try:
        yield Disk(folder, mounted, size)
    finally:
        if mounted:
            subprocess.run([_UNMOUNT, folder], check=True)
