"""Publishing from within: what interrupts it leaves nothing behind, and is not taken for something else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.sequencer.publishing import publish
from tests.harness import bench
from tests.sequencer.sealed import ALLOCATION, PARTIES


class _Interrupted(Exception):
    """Whoever publishes is to end."""


def test_who_is_interrupted_leaves_nothing_behind(tmp_path: Path) -> None:
    """The interruption comes out as it went in, so that the server's end is no failure in its log."""

    def interrupt(*_: int) -> None:
        raise _Interrupted

    with bench(tmp_path) as made:
        made.register("parties", *PARTIES)
        made.submit("p", ALLOCATION)
        before = sorted(tmp_path.iterdir())
        with pytest.raises(_Interrupted):
            publish(made.ledger, datetime.now(UTC), advanced=interrupt)

        assert sorted(tmp_path.iterdir()) == before
