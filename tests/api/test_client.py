"""The client against the real server: every call, lost answers, a server that comes back, and keys that are kept."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ledger.client import Client, ProblemError, ServerUnavailable
from ledger.sequencer.keys import create_key
from ledger.store.file import LedgerFile
from schemas.access import Scope
from schemas.api import AllocationRequest, AssessmentRequest
from tests.api.served import PATIENCE_SECONDS, Served, allocation, record, rows_csv, served

ROWS = [record("a", 5), record("b", 4_000), record("c", 7)]


def _key(path: Path) -> str:
    return create_key(path, "acme", Scope.IMPORT, None, datetime.now(UTC), "tests").secret


@pytest.fixture
def client(server: Served) -> Iterator[Client]:
    """A client that does not wait between two attempts."""
    with Client(server.address, _key(server.path), sleep=lambda _: None) as made:
        yield made


def _references(path: Path) -> list[str]:
    with LedgerFile.open(path) as ledger:
        return [reference for (reference,) in ledger.rows("SELECT reference FROM entry ORDER BY sequence")]


@contextmanager
def losing(address: str, answers: int) -> Iterator[str]:
    """Stand before a server, and hang up instead of passing on its first answers: they were given all the same."""
    host, port = address.removeprefix("http://").split(":")
    left = [answers]

    def pass_on(caller: socket.socket) -> None:
        with caller, socket.create_connection((host, int(port)), PATIENCE_SECONDS) as behind:
            caller.settimeout(PATIENCE_SECONDS)
            behind.settimeout(PATIENCE_SECONDS)
            threading.Thread(target=_copy, args=(caller, behind), daemon=True).start()
            while answer := behind.recv(65_536):
                if left[0]:
                    left[0] -= 1
                    caller.shutdown(socket.SHUT_RDWR)  # or whoever still reads from it keeps it open
                    return
                caller.sendall(answer)

    def accept(listening: socket.socket) -> None:
        while True:
            try:
                caller, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=pass_on, args=(caller,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def _copy(from_: socket.socket, to: socket.socket) -> None:
    try:
        while piece := from_.recv(65_536):
            to.sendall(piece)
    except OSError:
        return


def test_single_requests(client: Client) -> None:
    """Filed, tried, explained, proven: the answers are typed."""
    asked = AllocationRequest(**allocation("a", 10))
    filed = client.allocate(asked)
    again = client.allocate(asked)
    given = {name: value for name, value in allocation("x", 5_000).items() if name != "reference"}
    tried = client.assess(AssessmentRequest(**given))

    assert (filed.outcome, filed.duplicate, again.duplicate) == ("admitted", False, True)
    assert int(filed.tpp) == 158_320
    assert tried.outcome == "refused"
    assert client.decision(filed.sequence).decision.reference == "a"
    assert '"reference": "a"' in client.receipt("a")
    assert client.checkpoint().startswith("quotaledger/")


def test_files_small_and_large_and_what_became_of_their_rows(client: Client, tmp_path: Path) -> None:
    """By suffix, compressed or not; with progress, decisions in pages and as a file."""
    small, large = tmp_path / "small.csv.gz", tmp_path / "large.csv"
    small.write_bytes(gzip.compress(rows_csv(*ROWS)))
    large.write_bytes(rows_csv(*(record(f"m{number}") for number in range(30_000))))
    told: list[tuple[str, int, int]] = []
    done = client.file(small)
    more = client.file(large, progress=lambda *said: told.append(said))
    client.save_decisions(more.id, tmp_path / "out.parquet")

    assert (done.admitted, done.refused, more.records) == (2, 1, 30_000)
    assert [row.outcome for row in client.decisions(done.id)] == ["admitted", "refused", "admitted"]
    assert pq.read_table(tmp_path / "out.parquet").num_rows == len(list(client.decisions(more.id))) == 30_000
    assert [said for said in told if said[0] == "sent"][-1] == ("sent", large.stat().st_size, large.stat().st_size)


def test_a_dry_run_is_filed_by_its_token(client: Client, tmp_path: Path) -> None:
    """And what has failed is a problem with its rows."""
    file, bad = tmp_path / "f.csv", tmp_path / "bad.csv"
    file.write_bytes(rows_csv(*ROWS))
    bad.write_bytes(rows_csv(record("z", chip="none")))
    tried = client.file(file, dry_run=True)
    done = client.file(file, token=tried.token)
    with pytest.raises(ProblemError) as caught:
        client.file(bad)

    assert (tried.batch, done.admitted) == (None, tried.admitted)
    assert [fault.code for fault in caught.value.problem.errors or ()] == ["unknown-chip"]


@pytest.mark.parametrize("lost", [1, 2])
def test_an_answer_that_is_lost_is_asked_for_again(server: Served, tmp_path: Path, lost: int) -> None:
    """It was recorded; the same request with the same key is answered with what became of it, and recorded once."""
    file = tmp_path / "f.csv"
    file.write_bytes(rows_csv(*ROWS))
    with (
        losing(server.address, lost) as address,
        Client(address, _key(server.path), sleep=lambda _: None) as client,
    ):
        filed = client.allocate(AllocationRequest(**allocation("x")))
    with (
        losing(server.address, lost) as address,
        Client(address, _key(server.path), sleep=lambda _: None) as client,
    ):
        done = client.file(file)

    assert (filed.sequence, filed.duplicate) == (1, False)
    assert (done.state, done.records, done.duplicates) == ("done", 3, 0)


def test_a_server_that_comes_back_is_asked_again(ledger: Path) -> None:
    """Between two attempts it starts; the record is there once."""
    key = _key(ledger)
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with pytest.MonkeyPatch.context() as patched:
        started: list[Any] = []

        def start(_: float) -> None:
            if not started:
                started.append(served(ledger, port=port))
                started[0].__enter__()

        with Client(f"http://127.0.0.1:{port}", key, sleep=start) as client:
            filed = client.allocate(AllocationRequest(**allocation("a")))
        started[0].__exit__(None, None, None)
        patched.undo()

    assert filed.outcome == "admitted"
    assert _references(ledger) == ["a"]


def test_who_is_told_to_wait_waits_as_long(ledger: Path) -> None:
    """`Retry-After` is kept; after so many attempts the problem is raised."""
    waited: list[float] = []
    with (
        served(ledger, requests_per_second=0.05, requests_at_once=1) as server,
        Client(server.address, _key(ledger), attempts=3, sleep=waited.append) as client,
    ):
        client.checkpoint()
        with pytest.raises(ProblemError, match="more often"):
            client.checkpoint()

    assert len(waited) == 2
    assert min(waited) >= 10


def test_a_key_goes_nowhere_unencrypted_and_is_told_to_nobody(tmp_path: Path) -> None:
    """Plain HTTP is for this machine alone; neither errors nor the client's own text have the key."""
    with pytest.raises(ValueError, match="https"):
        Client("http://ledger.example", "secret-key")
    with Client("http://127.0.0.1:9", "secret-key", attempts=2, sleep=lambda _: None) as client:
        with pytest.raises(ServerUnavailable) as caught:
            client.checkpoint()
        assert "secret-key" not in f"{client!r} {client} {caught.value} {caught.value!r}"
        with pytest.raises(ValueError, match="does not say what it is"):
            client.file(tmp_path / "records.txt")
