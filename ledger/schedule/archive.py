"""Where made reports are kept: a folder for each report and period, which appears whole, once its run is recorded.

What is made stands in a hidden folder of its attempt until then: a killed scheduler leaves either that, which the next
one gives its name or removes, or the folder itself.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ledger.core.text import visible
from ledger.store.claims import Claim, Standing
from ledger.store.leftovers import sync_folder

SUMMARY: Final = "summary.txt"
"""The first sentences of a report, below its title: what a message says, too."""
_STAGED: Final = re.compile(r"\.(?P<period>.+)\.attempt-(?P<attempt>[0-9]+)")


class Archive:
    """The folder of all reports of a ledger. Everything raises OSError where it cannot be read or written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def place(self, report: str, period: str) -> Path:
        """Give where a report for a period is kept, once it is made."""
        return self.root / report / period

    def stage(self, claim: Claim) -> Path:
        """Give an empty folder for what is made under a claim."""
        staged = self._staged(claim)
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        return staged

    def finish(self, claim: Claim, title: str, sentences: Sequence[str]) -> str:
        """Add the summary to what was made, sync all of it to the disk, and give the SHA-256 of the list of files."""
        staged = self._staged(claim)
        text = "".join(f"{visible(line)}\n" for line in (title, "", *sentences))
        (staged / SUMMARY).write_text(text, "utf-8", newline="")
        for path in staged.iterdir():
            number = os.open(path, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)
        sync_folder(staged)
        return digest_of(staged)

    def give_name(self, claim: Claim) -> Path:
        """Give what was made under a claim its name: its run is recorded. What has that name is kept aside."""
        staged, place = self._staged(claim), self.place(claim.report, claim.period)
        if place.exists():
            place.rename(place.with_name(f"{place.name}.before-attempt-{claim.attempt}"))
        staged.rename(place)
        sync_folder(place.parent)
        return place

    def drop(self, claim: Claim) -> None:
        """Forget what was made under a claim that came to nothing."""
        shutil.rmtree(self._staged(claim), ignore_errors=True)

    def settle(self, standings: Mapping[tuple[str, str], Standing]) -> None:
        """Name or remove what killed schedulers have left: of a recorded run it is the report, of others nothing."""
        with suppress(OSError):  # what stays does no harm, and the next one tries again
            for staged in list(self.root.glob("*/.*.attempt-*")):
                said = _STAGED.fullmatch(staged.name)
                standing = standings.get((staged.parent.name, said["period"])) if said else None
                if said is None or standing is None:
                    continue
                is_last = standing.claim.attempt == int(said["attempt"])
                if is_last and standing.run is None:
                    continue  # it may be being made
                if is_last and standing.is_made and standing.run and digest_of(staged) == standing.run.sha256:
                    self.give_name(standing.claim)
                else:
                    shutil.rmtree(staged, ignore_errors=True)

    def _staged(self, claim: Claim) -> Path:
        return self.root / claim.report / f".{claim.period}.attempt-{claim.attempt}"


def digest_of(folder: Path) -> str:
    """Give the SHA-256, hex, of the list of a folder's files: a line `SHA-256  NAME` each, in order of their names."""
    lines = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()
