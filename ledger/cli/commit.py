"""Which commit the software is of: what the wheel was told when it was built, else what git says of the checkout.

Apart from the version because it must be asked for: the build (`hatch_build.py`) asks when it makes a wheel, and
`quotaledger --version` when it runs in a clone. It stands on nothing but the standard library, as the build does.
"""

import os
import subprocess
from pathlib import Path
from typing import Final

BUILT_IN: Final = Path("ledger", "commit.txt")
"""Where a wheel, and a source distribution, tell their commit; a checkout has no such file."""

UNKNOWN: Final = "unknown"
_DIGITS: Final = 12
_PATIENCE_SECONDS: Final = 5


def commit_of(root: Path) -> str:
    """Give the commit of the sources in a folder, with `+changes` if files differ from it; `unknown` if nothing tells.

    Nothing tells in a download without a history, without git, or where git does not trust the folder.
    """
    built_in = root / BUILT_IN
    if built_in.is_file():
        return built_in.read_text("utf-8").strip()
    # Without this, git would tell the commit of whatever repository the folder happens to lie in.
    if not (root / ".git").exists():
        return UNKNOWN
    try:
        commit = _git(root, "rev-parse", f"--short={_DIGITS}", "HEAD")
        # Files that git does not know are no change: whoever works in a clone keeps records of their own there.
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return f"{commit}+changes" if changes else commit


def _git(root: Path, *words: str) -> str:
    # GIT_DIR and its like, set where git runs a hook, would speak of another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(  # noqa: S603 -- fixed words
        ["git", "-C", str(root), "--no-optional-locks", *words],  # noqa: S607 -- git is wherever PATH says
        env=environment,
        capture_output=True,
        check=True,
        stdin=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=_PATIENCE_SECONDS,
    )
    return done.stdout.strip()
