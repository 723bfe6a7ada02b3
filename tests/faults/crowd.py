"""A process in which many threads record through one writer, and acknowledge each answer: `crowd LEDGER MODE TURNS`.

Each client prints its number and its turn, as `3-1`, when it has its answer, and only then files the next one. The
request of a turn has the records `3-1-1` to `3-1-k`, where k differs from turn to turn. Modes: `plainly`, and
`bytewise`, which writes outside checkpoints byte by byte, so that a kill is likely to tear those of a transaction.
"""

import os
import signal
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from ledger.sequencer.imported import ImportResult
from ledger.sequencer.writer import Writer
from ledger.store import file as store_file
from ledger.store.outside import OutsideCheckpoints
from tests.faults import recorder
from tests.harness import sheet
from tests.sequencer.queueing import Clock, Queue

PROVIDER = "crowd"
CLIENTS, TURNS, AT_ONCE = 12, 4, 40
MODES = ("plainly", "bytewise")
MOMENTS = ("before it", "in the middle of it", "after it")
"""When a process is killed that appends the checkpoints of a transaction outside."""


def references(client: int, turn: int) -> set[str]:
    """Give the references of a request."""
    return {f"{client}-{turn}-{number}" for number in range(1, 2 + (client + turn) % 3)}


def file(writer: Writer, client: int, turn: int) -> Future[ImportResult]:
    """File the request of a client's turn."""
    row = {"kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "ALPHA", "chip": "H100"}
    rows = [row | {"reference": reference, "quantity": "1"} for reference in sorted(references(client, turn))]
    return writer.submit(PROVIDER, [sheet(rows)], filed_by=f"client {client}")


def main() -> None:
    """Record as the command's words say."""
    path, mode, turns = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if mode == "bytewise":
        recorder.write_bytewise()
    with Writer(path, lambda: datetime.now(UTC)) as writer, ThreadPoolExecutor(CLIENTS) as pool:

        def client(number: int) -> None:
            for turn in range(1, turns + 1):
                file(writer, number, turn).result()
                os.write(1, f"{number}-{turn}\n".encode())

        list(pool.map(client, range(CLIENTS)))


class _Cut(OutsideCheckpoints):
    """The file of outside checkpoints, to a process that is killed when those of many batches are appended."""

    moment = ""

    def append(self, notes: Iterable[str]) -> None:
        """Append one note; of several as much as is written at the moment, and end."""
        listed = list(notes)
        if len(listed) == 1:
            super().append(listed)
            return
        whole = "".join(f"{note}\n" for note in listed)
        kept = {"before it": 0, "in the middle of it": len(whole) // 2, "after it": len(whole)}[self.moment]
        with self.path.open("a", encoding="utf-8") as opened:
            opened.write(whole[:kept])
        os.kill(os.getpid(), signal.SIGKILL)


def main_cut() -> None:
    """Record one request, then many in one transaction, and be killed when their checkpoints are appended outside."""
    path, _Cut.moment = Path(sys.argv[1]), sys.argv[2]
    vars(store_file)["OutsideCheckpoints"] = _Cut
    clock = Clock()
    writer = Writer(path, clock)
    with clock.held(Queue(writer, clock, [])) as first:
        first.add_done_callback(lambda _: os.write(1, b"answered\n"))
        answers = [file(writer, client, 1) for client in range(AT_ONCE)]
    for answer in answers:
        answer.result()
        os.write(1, b"answered\n")
