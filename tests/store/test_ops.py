"""The operational store: many at once, and every way in which its file can be wrong, full or gone, told as such."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import pytest

from ledger.core.errors import LedgerUnavailable, QuotaledgerError
from ledger.store import access, ops
from ledger.store.ops import Ops, ops_path
from tests.faults.disk import disk
from tests.harness import NOW

_NOBODY = 65_534
_ADDING = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ledger.store import access
from ledger.store.ops import Ops
sys.stdin.read()
with Ops.open(Path(sys.argv[1])) as made:
    for number in range(20):
        assert access.add_permission(made, sys.argv[2], f"P{number}", datetime(2026, 11, 22, tzinfo=UTC), "tests")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """What stands for a ledger: a file that nobody opens."""
    return _ledger(tmp_path)


def _ledger(folder: Path) -> Path:
    made = folder / "ledger.duckdb"
    made.write_bytes(b"held by a server")
    return made


def _filled(path: Path) -> Path:
    """Give the file of a store with enough in it to be of several pages, closed."""
    with Ops.open(path) as made:
        for number in range(300):
            assert access.add_permission(made, "provider", f"PARTY-{number}", NOW, "tests")
    return ops_path(path)


def _fault(path: Path) -> str:
    """Give what is said where a store is opened and read, which must go wrong."""
    with pytest.raises(QuotaledgerError) as raised, Ops.open(path) as opened:
        access.all_permissions(opened)
    assert raised.value.exit_code == QuotaledgerError.exit_code
    return str(raised.value)


def test_only_the_owner_may_read_what_is_made(path: Path) -> None:
    """The store and what SQLite puts beside it have mode 0600, whatever new files have otherwise."""
    before = os.umask(0)
    try:
        with Ops.open(path) as made:
            access.add_permission(made, "p", "A", NOW, "tests")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("*.ops*")}
    finally:
        os.umask(before)

    assert modes == {f"ledger.duckdb.ops{end}": 0o600 for end in ("", "-wal", "-shm")}


def test_processes_that_begin_at_once_lose_nothing(path: Path) -> None:
    """Of several processes that make the same store and write to it, every row is there, and no leftover."""
    names = [f"process {number}" for number in range(4)]
    running = [
        subprocess.Popen([sys.executable, "-c", _ADDING, str(path), name], stdin=subprocess.PIPE) for name in names
    ]
    for process in running:
        assert process.stdin
        process.stdin.close()

    assert [process.wait() for process in running] == [0] * len(names)
    with Ops.open(path) as made:
        found = {(row.provider, row.party) for row in access.all_permissions(made)}
    assert found == {(name, f"P{number}") for name in names for number in range(20)}
    assert sorted(file.name for file in path.parent.iterdir()) == ["ledger.duckdb", "ledger.duckdb.ops"]


def test_threads_that_begin_at_once_lose_nothing(path: Path) -> None:
    """Of many threads that open the same store, and of many that share one, every row is there."""
    together = Barrier(8)

    def add(number: int) -> bool:
        together.wait()
        with Ops.open(path) as own:
            return access.add_permission(own, "own", f"P{number}", NOW, "tests")

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(add, range(8)))
        with Ops.open(path) as shared:
            done = threads.map(lambda n: access.add_permission(shared, "shared", f"P{n}", NOW, "tests"), range(200))
            assert all(done)
            assert len(access.all_permissions(shared)) == 208


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _emptied(file: Path) -> None:
    os.truncate(file, 0)


def _text(file: Path) -> None:
    file.write_text("provider,party\n" * 1000)


def _page_overwritten(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xa5" * 4096
    file.write_bytes(content)


def _index_overwritten(file: Path) -> None:
    """Damage what no list of permissions reads, but what tells whether one is in force."""
    with closing(sqlite3.connect(file)) as known:
        ((page,),) = known.execute("SELECT rootpage FROM sqlite_master WHERE name = 'permission_in_force'")
    content = bytearray(file.read_bytes())
    content[4096 * (page - 1) : 4096 * page] = b"\xa5" * 4096
    file.write_bytes(content)


def _of_another_program(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE api_key (id)")
    file.chmod(0o600)


def _without_table(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("DROP TABLE permission")


def _instant_of_no_day(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("UPDATE permission SET granted_at = 'soon' WHERE party = 'PARTY-7'")


def _no_text(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("UPDATE permission SET granted_by = CAST(x'ff' AS TEXT) WHERE party = 'PARTY-7'")


@pytest.mark.parametrize(
    "damage",
    [
        _cut,
        _emptied,
        _text,
        _page_overwritten,
        _index_overwritten,
        _of_another_program,
        _without_table,
        _instant_of_no_day,
        _no_text,
    ],
)
def test_damage_is_told(damage: Callable[[Path], None], path: Path) -> None:
    """A store that is damaged, or none, is told with its name and what to do; it is left as it was found."""
    file = _filled(path)
    damage(file)
    found = file.read_bytes()
    said = _fault(path)

    assert said.startswith(f"{file} is damaged, or no store of keys: ")
    assert file.read_bytes() == found


def test_a_newer_format_is_left_alone(path: Path) -> None:
    """A store that newer software made is not read as if it were known."""
    file = _filled(path)
    with closing(sqlite3.connect(file)) as newer:
        newer.execute(f"PRAGMA user_version = {ops.FORMAT + 1}")

    assert _fault(path) == f"{file} has format 4, and this version knows 3: use a newer quotaledger"


def test_a_store_of_the_first_format_is_brought_up_to_date(path: Path) -> None:
    """What an older version has made keeps its keys, and can log queries, deliveries and alerts from then on."""
    file = _filled(path)
    with closing(sqlite3.connect(file)) as older:
        keys = older.execute("SELECT * FROM api_key").fetchall()
        newer = "query", "delivery", "alert", "alert_level", "alert_look", "alert_mute"
        older.executescript("".join(f"DROP TABLE {name};" for name in newer) + "PRAGMA user_version = 1;")

    with ops.Ops.open(path) as opened:
        assert opened.rows("SELECT * FROM api_key") == keys
        assert opened.rows("SELECT count(*) FROM query") == opened.rows("SELECT count(*) FROM delivery") == [(0,)]
        assert opened.rows("SELECT count(*) FROM alert") == [(0,)]
        assert opened.rows("PRAGMA user_version") == [(ops.FORMAT,)]


def _folder(file: Path) -> None:
    file.mkdir()


def _pipe(file: Path) -> None:
    os.mkfifo(file)


def _link_to_nowhere(file: Path) -> None:
    file.symlink_to(file.parent / "nowhere")


def _loop(file: Path) -> None:
    file.symlink_to(file)


def _log_alone(file: Path) -> None:
    file.with_name(f"{file.name}-wal").write_bytes(b"of a store that is gone")


def _open_to_others(file: Path) -> None:
    _filled(file.with_suffix(""))
    file.chmod(0o640)


@pytest.mark.parametrize(
    ("put", "said"),
    [
        (_folder, "is no file"),
        (_pipe, "is no file"),
        (_link_to_nowhere, "is no file"),
        (_loop, "cannot be opened: Too many levels"),
        (_log_alone, "is gone, but ledger.duckdb.ops-wal is there"),
        (_open_to_others, "chmod 600"),
    ],
)
def test_what_cannot_be_a_store_is_told(put: Callable[[Path], None], said: str, path: Path) -> None:
    """What has the name of the store and is none, or may be read by others, is told and not opened."""
    put(ops_path(path))
    fault = _fault(path)

    assert str(ops_path(path)) in fault
    assert said in fault


@pytest.mark.parametrize("another", [False, True])
def test_a_store_that_is_taken_away_is_not_believed_any_more(another: bool, path: Path, tmp_path: Path) -> None:
    """Whoever has it open is told, and does not go on with what was in it, whether or not another is in its place."""
    (tmp_path / "elsewhere").mkdir()
    backup = _filled(_ledger(tmp_path / "elsewhere"))
    with Ops.open(path) as opened:
        access.add_permission(opened, "p", "A", NOW, "tests")
        ops_path(path).unlink()
        if another:
            backup.rename(ops_path(path))

        with pytest.raises(QuotaledgerError, match="was moved, or another file put in its place"):
            access.is_permitted(opened, "p", "A")


def test_there_is_no_store_without_a_ledger(tmp_path: Path) -> None:
    """Where there is no ledger nothing is made."""
    with pytest.raises(LedgerUnavailable, match="there is no ledger"):
        Ops.open(tmp_path / "nowhere.duckdb")
    with pytest.raises(LedgerUnavailable, match="there is no ledger"), Ops.found(tmp_path / "nowhere.duckdb"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_whoever_only_reads_makes_no_file(path: Path) -> None:
    """To ask for what was never kept leaves nothing behind."""
    with Ops.found(path) as found:
        assert found is None

    assert list(path.parent.iterdir()) == [path]


def test_one_who_writes_for_too_long_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another holds the store for writing, reading goes on and writing is told that it is held."""
    monkeypatch.setattr(ops, "_WAIT_SECONDS", 0)
    with Ops.open(path) as opened, closing(sqlite3.connect(ops_path(path), isolation_level=None)) as other:
        access.add_permission(opened, "p", "A", NOW, "tests")
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM permission")

        assert access.is_permitted(opened, "p", "A")
        with pytest.raises(LedgerUnavailable, match=r"another process has been writing .*[.]ops for"):
            access.add_permission(opened, "p", "B", NOW, "tests")

        other.execute("ROLLBACK")
        assert access.add_permission(opened, "p", "B", NOW, "tests")


def test_no_room_is_told_and_survived(tmp_path: Path) -> None:
    """On a full disk writing is told, reading goes on, and with room again so does writing."""
    with disk(tmp_path / "disk", 1_000_000) as ground:
        path = _ledger(ground.folder)
        with Ops.open(path) as opened:
            assert access.add_permission(opened, "p", "A", NOW, "tests")
            ground.fill()
            with _limited(0 if ground.mounted else 65_536), pytest.raises(QuotaledgerError, match=r"room|disk") as full:
                _add_many(opened)
            kept = len(access.all_permissions(opened))
            assert str(ops_path(path)) in str(full.value)
            assert access.is_permitted(opened, "p", "A")

            ground.make_room()
            assert access.add_permission(opened, "p", "C", NOW, "tests")
        with Ops.open(path) as again:
            assert len(access.all_permissions(again)) == kept + 1


def _add_many(opened: Ops) -> None:
    for number in range(1000):
        access.add_permission(opened, "p", f"B{number}", NOW, "tests")


@contextmanager
def _limited(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, where one is given."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        if size:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def _nobody() -> Iterator[None]:
    """Be somebody who is not above permissions."""
    is_root = os.geteuid() == 0
    try:
        if is_root:
            os.seteuid(_NOBODY)
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_that_may_not_be_written_is_told(is_there: bool) -> None:
    """In a read-only folder no store can be made, nor one be used that is there, and the sentence says why."""
    # Not in the tests' own folder, into which nobody else may look.
    with TemporaryDirectory(prefix="quotaledger-nobody-") as temporary:
        folder = Path(temporary)
        path = _ledger(folder)
        if is_there:
            _filled(path)
        if os.geteuid() == 0:
            for file in (folder, *folder.iterdir()):
                os.chown(file, _NOBODY, _NOBODY)
        folder.chmod(0o555)
        try:
            with _nobody():
                said = _fault(path)
        finally:
            folder.chmod(0o755)

        assert str(ops_path(path)) in said
        assert ("let its owner write the file and its folder" if is_there else "Permission denied") in said
