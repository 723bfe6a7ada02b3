"""Many requests in one transaction, when the process is killed or the disk is full: all of them, or none."""

import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.core.errors import QuotaledgerError
from ledger.sequencer.verifying import verify
from ledger.sequencer.writer import Writer
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile
from tests.faults import crowd
from tests.faults.audit import audit
from tests.faults.disk import Disk, disk
from tests.faults.forked import Forked, Quick
from tests.faults.ground import NOW, filled, fresh
from tests.faults.kills import recorded
from tests.faults.tally import Tally
from tests.sequencer.queueing import Clock, Queue, allocation, answered

Record = Callable[[str, object], None]
_CLIENTS, _ROWS = 10, 150
_PATIENCE_SECONDS = 120


@pytest.mark.parametrize("moment", crowd.MOMENTS)
def test_a_crash_between_commit_and_outside_is_made_up_for(
    moment: str, tmp_path: Path, record_property: Record
) -> None:
    """Whatever part of a transaction's checkpoints is outside, the next opening appends the rest, and all is there."""
    ledger = fresh(tmp_path)
    ran = Forked.start(ledger.folder, ledger.path, moment, work=crowd.main_cut).end(_PATIENCE_SECONDS)
    missing = {"before it": crowd.AT_ONCE, "in the middle of it": crowd.AT_ONCE // 2, "after it": 0}[moment]

    assert (ran.code, ran.out) == (-signal.SIGKILL, "answered\n")
    remarks = verify(ledger.path).remarks
    if moment == "before it":
        assert f"lacks the last {missing} of the ledger's checkpoints" in remarks[0]
    assert len(remarks) == (missing > 0)
    with LedgerFile.open(ledger.path, NOW):
        pass
    assert verify(ledger.path).remarks == []
    expected = [crowd.references(client, 1) for client in range(crowd.AT_ONCE)]
    assert recorded(ledger, crowd.PROVIDER) == set[str]().union(*expected)
    assert audit(ledger.path) == []
    Tally(record_property).add("kill between COMMIT and outside, many batches", "survived")


@contextmanager
def _full(small: Disk, ledger: Quick, room: int) -> Iterator[None]:
    """Leave little room on the disk, or, where none could be mounted, in the files of this process."""
    small.fill(room)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if not small.mounted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (ledger.path.stat().st_size + room, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        small.make_room()


@pytest.mark.parametrize("room", [0, 8_192, 65_536, 524_288])
def test_a_commit_without_room_fails_for_all_and_the_next_works(
    room: int, tmp_path: Path, record_property: Record
) -> None:
    """Where the COMMIT of many finds no room, all are told and none is recorded; the same writer goes on with room."""
    clock = Clock()
    with disk(tmp_path / "disk", 32_000_000) as small:
        ledger = filled(small.folder)
        with Writer(ledger.path, clock) as writer:
            made = Queue(writer, clock, [])
            file = [allocation(f"{number}") for number in range(_ROWS)]
            answered([made.file("before", *file)])
            with _full(small, ledger, room):
                with clock.held(made):
                    answers = [made.file(f"p{number}", *file) for number in range(_CLIENTS)]
                for answer in answers:
                    assert isinstance(answer.exception(_PATIENCE_SECONDS), QuotaledgerError)
            again = answered([made.file(f"p{number}", *file) for number in range(_CLIENTS)])

        assert [result.counts["admitted"] for result in again] == [_ROWS] * _CLIENTS
        assert len(recorded(ledger, "before")) == _ROWS
        assert verify(ledger.path).remarks == []
        assert audit(ledger.path) == []
        Tally(record_property).add(f"{small.kind}: commit of many", "refused")


def test_checkpoints_of_many_without_room_outside_are_written_later(tmp_path: Path, record_property: Record) -> None:
    """Where only the outside checkpoints have no room, nobody is acknowledged; with room what was recorded is found."""
    (tmp_path / "ledger").mkdir()
    ledger, clock = filled(tmp_path / "ledger"), Clock()
    outside = ledger.path.with_name(ledger.path.name + OUTSIDE_SUFFIX)
    with disk(tmp_path / "disk", 65_536) as small:
        outside.symlink_to(Path(shutil.move(outside, small.folder / "kept")))
        with Writer(ledger.path, clock) as writer:
            made = Queue(writer, clock, [])
            with clock.held(made) as first:
                answers = [made.file(f"p{number}", allocation("a")) for number in range(_CLIENTS * 5)]
                small.fill()
            errors = [answer.exception(_PATIENCE_SECONDS) for answer in (first, *answers)]
            small.make_room()
            again = answered([made.file(f"p{number}", allocation("a")) for number in range(_CLIENTS * 5)])

    told = [str(error) for error in errors[1:]]
    assert small.mounted or not any(errors)
    if small.mounted:
        assert all("the outside checkpoint cannot be written" in sentence for sentence in told)
        assert [result.counts["duplicates"] for result in again] == [1] * (_CLIENTS * 5)
    Tally(record_property).add(f"{small.kind}: outside checkpoints of many", "refused")
