"""What a killed command leaves under a name of its own: removed by the next one, because nobody else ever would.

Whatever appears under its name when it is whole is written under `NAME.PID.unfinished` before.
"""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from ledger.core.errors import WrongUsage


def unfinished(path: Path) -> Path:
    """Give the name under which this process writes what is to appear at a path when it is whole."""
    return path.with_name(f"{path.name}.{os.getpid()}.unfinished")


def clear(path: Path) -> None:
    """Remove what killed commands left of making a file or folder at a path, or a file beside it, such as its key.

    To be called before this process makes any: in a container a command has the same process id each time.
    """
    pattern = re.compile(rf"{re.escape(path.name)}(\.key|\.checkpoints)?\.(?P<pid>\d+)\.unfinished([.-]\w+)*")
    with suppress(OSError):  # a leftover that stays does no harm
        for leftover in list(path.absolute().parent.iterdir()):
            made = pattern.fullmatch(leftover.name)
            if made and not _is_alive(int(made["pid"])):
                _unname(leftover, path)
                if leftover.is_dir() and not leftover.is_symlink():
                    shutil.rmtree(leftover, ignore_errors=True)
                else:
                    leftover.unlink(missing_ok=True)


def _unname(leftover: Path, path: Path) -> None:
    """Remove outside checkpoints that got their name when the ledger to them did not: they would block that name."""
    outside = path.with_name(f"{path.name}.checkpoints")
    nameless = leftover.name.endswith(".unfinished.checkpoints") and not path.exists()
    if nameless and outside.exists() and leftover.samefile(outside):
        outside.unlink()


def give_name(made: Path, path: Path) -> None:
    """Give what is whole its name, for good, beside the one that it has: whoever made it removes that.

    Raises WrongUsage if another command has taken the name: a rename would replace what is there.
    """
    taken = WrongUsage(f"there is a file at {path} already; move it away, or choose another path")
    try:
        os.link(made, path)
    except FileExistsError:
        raise taken from None
    except OSError:  # a file system without links
        if path.exists():
            raise taken from None
        made.rename(path)
    sync_folder(path.absolute().parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a crash, too."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _is_alive(process: int) -> bool:
    """Say if another process of that number runs."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
