"""A kill between the two names that a restored ledger gets: the same command makes it all the same."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from ledger.store import leftovers
from ledger.store.file import OUTSIDE_SUFFIX
from tests.faults.audit import audit
from tests.faults.forked import Forked, command
from tests.faults.ground import filled
from tests.faults.tally import Tally


def _killed_between() -> None:
    """Run the command, which is killed when the outside checkpoints have their name and the ledger has not."""
    give_name = vars(leftovers)["give_name"]

    def once(made: Path, path: Path) -> None:
        give_name(made, path)
        os.kill(os.getpid(), signal.SIGKILL)

    vars(leftovers)["give_name"] = once
    command()


def test_checkpoints_without_their_ledger_block_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Outside checkpoints that a killed restore has left are removed by the next one; other ones never are."""
    (tmp_path / "ledger").mkdir()
    ledger = filled(tmp_path / "ledger", 3)
    made = tmp_path / "ledger" / "made"
    outside = made.with_name(made.name + OUTSIDE_SUFFIX)
    assert ledger.go("export", "export").code == 0
    killed = Forked.start(ledger.folder, "--ledger", made, "restore", "export", work=_killed_between).end()

    assert killed.code == -signal.SIGKILL
    assert (made.exists(), outside.exists()) == (False, True)
    assert ledger.go("restore", "export", ledger=made).code == 0
    assert audit(made) == []
    assert {path.name for path in made.parent.iterdir() if path.name.startswith("made")} == {made.name, outside.name}

    made.unlink()
    kept = outside.stat()
    assert ledger.go("backup", made).code == 2
    assert ledger.go("restore", "export", ledger=made).code == 0
    assert outside.stat() == kept
    Tally(record_property).add("kill while restoring", "survived")
