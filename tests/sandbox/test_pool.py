"""The processes: one caller sees nothing of another, what misbehaves is replaced, and none outlives the server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.core.errors import Busy, LedgerUnavailable, WrongUsage
from ledger.sandbox.pool import Pool, QueryStopped
from ledger.sandbox.process import Worker
from ledger.sandbox.running import Limits
from tests.api.served import PATIENCE_SECONDS
from tests.cli.command import environment
from tests.sandbox.published import published

_LONG = "SELECT count(*) FROM range(1000000000000)"


@pytest.fixture(name="copy")
def _copy(tmp_path: Path) -> Path:
    return published(tmp_path).path


@pytest.fixture(name="pool")
def _pool(copy: Path) -> Iterator[Pool]:
    made = Pool(copy, Limits(seconds=30), workers=1, waiting_max=1)
    yield made
    made.close()


def test_every_format_has_the_same_rows_and_whole_numbers(pool: Pool) -> None:
    """Sums stay whole numbers; parameters are for values."""
    query = "SELECT reference, sum(tpp) AS tpp FROM decisions WHERE sequence > ? GROUP BY ALL ORDER BY ALL"
    found = {form: pool.submit(query, [1], form).result().content for form in ("json", "csv", "arrow", "parquet")}
    expected = [{"reference": "r1", "tpp": 15832}, {"reference": "r2", "tpp": 15832}]

    assert json.loads(found["json"])["rows"] == [list(row.values()) for row in expected]
    assert found["csv"] == b"reference,tpp\nr1,15832\nr2,15832\n"
    assert pa.ipc.open_stream(found["arrow"]).read_all().to_pylist() == expected
    parquet = pq.read_table(BytesIO(found["parquet"])).schema
    assert parquet.field("tpp").type == pa.int64()
    assert parquet.metadata[b"sequence"] == pa.ipc.open_stream(found["arrow"]).schema.metadata[b"sequence"] == b"3"
    assert parquet.metadata[b"checkpoint"].count(b"\n") > 3


def test_an_answer_says_of_what_it_is(pool: Pool, copy: Path) -> None:
    """The checkpoint is that of the copy; another copy under the name is seen by the next query."""
    with duckdb.connect(str(copy), read_only=True) as opened:
        ((note, sequence),) = opened.execute("SELECT checkpoint, sequence FROM publication").fetchall()
    first = pool.submit("SELECT 1 AS one").result()
    (copy.parent / "other").mkdir()
    published(copy.parent / "other", more=2).path.replace(copy)
    second = pool.submit("SELECT count(*) AS n FROM decisions").result()

    assert (first.checkpoint, first.sequence) == (note, sequence)
    assert (second.sequence, second.content[-5:]) == (5, b"[5]]}")


def test_nothing_that_one_query_makes_is_there_for_the_next(pool: Pool) -> None:
    """Each has a connection of its own; who has ended while idle is replaced before it is asked."""
    for name in ("made", "made_again"):
        with pytest.raises(WrongUsage):
            pool.submit(f"CREATE TEMP TABLE {name} AS SELECT 1").result()
    first = pool.submit("SELECT count(*) AS n FROM duckdb_tables() WHERE temporary").result()
    (worker,) = _idle(pool)
    worker.kill()
    worker._process.wait()  # noqa: SLF001

    assert first.content == pool.submit("SELECT count(*) AS n FROM duckdb_tables() WHERE temporary").result().content


def _idle(pool: Pool) -> list[Worker]:
    """Wait until the processes are free, and give them, still free."""
    found = [pool._idle.get(timeout=PATIENCE_SECONDS)]  # noqa: SLF001
    for worker in found:
        pool._idle.put(worker)  # noqa: SLF001
    return [worker for worker in found if worker]


def test_a_copy_that_is_none_is_told_and_not_blamed_on_the_query(pool: Pool, copy: Path) -> None:
    """Whoever asks meanwhile is told that it is the copy; with one that can be read it goes on."""
    (copy.parent / "other").mkdir()
    whole = published(copy.parent / "other", more=2).path
    pool.submit("SELECT 1 AS one").result()
    (copy.parent / "garbage").write_bytes(b"no database" * 1_000)
    (copy.parent / "garbage").replace(copy)
    for _ in range(2):
        with pytest.raises(LedgerUnavailable):
            pool.submit("SELECT 2 AS two").result()
    whole.replace(copy)

    assert pool.submit("SELECT count(*) AS n FROM decisions").result().sequence == 5


def test_a_query_can_be_cancelled_and_others_wait_no_longer(pool: Pool) -> None:
    """By its name; who waits behind is answered, and who finds no room is told at once."""
    long = pool.submit(_LONG, name="long")
    waiting = pool.submit("SELECT 2 AS two", name="waiting")
    with pytest.raises(Busy):
        pool.submit("SELECT 3")
    while pool._asked["long"] is None:  # noqa: SLF001 -- until it runs
        pass
    assert pool.cancel("long")
    assert not pool.cancel("nobody")

    assert waiting.result().rows == 1
    with pytest.raises(QueryStopped, match="cancelled"):
        long.result()


def test_nobody_takes_all_of_the_room(copy: Path) -> None:
    """A quarter of it is one owner's at most, until some of those are answered; others are let in."""
    pool = Pool(copy, Limits(seconds=30), workers=1, waiting_max=7)
    mine = [pool.submit(_LONG, name=f"m{number}", owner="me") for number in range(2)]
    with pytest.raises(Busy, match="your queries"):
        pool.submit("SELECT 1", owner="me")
    other = pool.submit("SELECT 2 AS two", owner="you")
    for number in range(2):
        pool.cancel(f"m{number}")

    assert other.result().rows == 1
    assert all(isinstance(future.exception(), QueryStopped) for future in mine)
    assert pool.submit("SELECT 3 AS three", owner="me").result().rows == 1
    pool.close()


def test_without_a_copy_it_is_said_and_with_one_it_goes_on(tmp_path: Path) -> None:
    """A server starts before anything is published."""
    pool = Pool(tmp_path / "ledger.published.duckdb", Limits(), workers=1)
    with pytest.raises(LedgerUnavailable, match="no published copy"):
        pool.submit("SELECT 1").result()
    made = published(tmp_path)
    assert made.path == tmp_path / "ledger.published.duckdb"
    assert pool.submit("SELECT count(*) AS n FROM decisions").result().content == made.counted
    pool.close()


def test_what_comes_behind_an_answer_belongs_to_the_next() -> None:
    """A process that is quick says that it is ready again while its answer is read."""
    theirs, ours = os.pipe()
    os.write(ours, b'{"bytes": 3}\nabc{"ready": true, "bytes": 0}\n')
    worker = Worker.__new__(Worker)
    worker._ours, worker._rest = theirs, b""  # noqa: SLF001 -- what it would have of a real process
    answer = worker._read(time.monotonic() + PATIENCE_SECONDS, 10)  # noqa: SLF001
    worker.wait_until_ready()
    os.close(theirs)
    os.close(ours)

    assert answer == ({}, b"abc")


_SERVER = """
import sys
from pathlib import Path
from ledger.sandbox.pool import Pool
from ledger.sandbox.running import Limits
pool = Pool(Path(sys.argv[1]), Limits(seconds=300), workers=1)
future = pool.submit("SELECT count(*) FROM range(1000000000000)", name="long")
while pool._asked["long"] is None: pass
print(pool._asked["long"]._process.pid, flush=True)
future.result()
"""


def test_no_process_outlives_the_server(copy: Path) -> None:
    """Also one that is in the middle of a query when the server is killed."""
    server = subprocess.Popen([sys.executable, "-c", _SERVER, copy], stdout=subprocess.PIPE, env=environment())
    assert server.stdout is not None
    worker = os.pidfd_open(int(server.stdout.readline()))
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    server.stdout.close()
    began = datetime.now(UTC)
    while _runs(worker):
        assert (datetime.now(UTC) - began).total_seconds() < 60
    os.close(worker)


def _runs(process: int) -> bool:
    """Say if a process runs still; whoever adopted it may not have asked for its end."""
    try:
        signal.pidfd_send_signal(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/self/fdinfo/{process}").read_text().split("Pid:")[1].split()[0]
    try:
        return Path(f"/proc/{state}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
