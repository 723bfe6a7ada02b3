"""What the build adds: the commit, which an installed copy has no checkout to ask for."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface[Any]):
    """Puts the commit into wheels and source distributions, as `ledger/commit.txt`; the checkout stays as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file, unless the checkout itself is installed or, built from such a distribution, has it."""
        sys.path.insert(0, self.root)
        from ledger.cli.commit import BUILT_IN, UNKNOWN, commit_of  # noqa: PLC0415 -- found only now

        root = Path(self.root)
        commit = commit_of(root)
        if version == "editable" or commit == UNKNOWN or (root / BUILT_IN).exists():
            return
        self._folder = TemporaryDirectory()
        file = Path(self._folder.name) / BUILT_IN.name
        file.write_text(commit + "\n", encoding="utf-8")
        build_data["force_include"][str(file)] = BUILT_IN.as_posix()
