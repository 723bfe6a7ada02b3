"""A byte flipped in any file, and any file cut short: found, or harmless because the content is the same."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX, LedgerFile
from tests.faults import recorder
from tests.faults.finding import copies, findings
from tests.faults.forked import Forked
from tests.faults.ground import NOW, filled
from tests.faults.tally import Tally

_SEED = 20_280_229
_WAL = ".wal"
_HEADER_BYTES, _BLOCK_BYTES = 4_096, 262_144
"""DuckDB's file: three headers, then blocks that begin with the checksum of the rest."""

Record = Callable[[str, object], None]


def _flip(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ (1 << place % 8)]))


def _cut(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.truncate(place)


_DAMAGES = {"a bit flipped": _flip, "cut short": _cut}


def _places(name: str, suffix: str, size: int, count: int) -> list[int]:
    """Give places in a file: the ends, around the headers and the beginnings of blocks, and others at random."""
    chance = random.Random(f"{_SEED} {name} {suffix}")  # noqa: S311 -- the same places in every run
    edges = [0, 1, size - 1]
    if not suffix:
        headers = [start + offset for start in (0, _HEADER_BYTES, 2 * _HEADER_BYTES) for offset in (0, 9, 13, 40)]
        blocks = [*range(3 * _HEADER_BYTES, size, _BLOCK_BYTES)]
        edges += [*headers, *(start + chance.randrange(_BLOCK_BYTES) for start in blocks), *blocks[::4]]
    return sorted({place for place in (*edges, *(chance.randrange(size) for _ in range(count))) if place < size})


def _found(
    original: Path, damaged: list[Path], suffix: str, places: list[int], name: str, record: Record
) -> list[tuple[str, str]]:
    """Damage each copy at a place, and give what finds each."""
    for path, place in zip(damaged, places, strict=True):
        _DAMAGES[name](path.with_name(path.name + suffix), place)
    found = findings(original, damaged)
    for became, _ in found:
        Tally(record).add(f"{suffix or 'ledger'} {name}", became)
    return found


def _lost(places: list[int], found: list[tuple[str, str]]) -> list[tuple[int, str, str]]:
    """Give the places at which damage is found by nothing."""
    return [(place, *what) for place, what in zip(places, found, strict=True) if what[0] == "lost"]


def _ill_told(found: list[tuple[str, str]]) -> list[str]:
    """Give what is told of damage in more than a sentence, or taken for something else."""
    return [said for became, said in found if became == "opening" and ("\n" in said or "held" in said)]


@pytest.mark.parametrize("name", _DAMAGES)
@pytest.mark.parametrize("suffix", ["", KEY_SUFFIX, OUTSIDE_SUFFIX])
def test_damage_is_found_or_harmless(
    suffix: str, name: str, tmp_path: Path, record_property: Record, request: pytest.FixtureRequest
) -> None:
    """Whatever bit of the ledger, of its key or of its outside checkpoints is flipped, and wherever they are cut."""
    original = filled(tmp_path).path
    size = original.with_name(original.name + suffix).stat().st_size
    places = _places(name, suffix, size, request.config.getoption("kills"))
    damaged = copies(original, tmp_path, len(places))
    found = _found(original, damaged, suffix, places, name, record_property)

    assert (_lost(places, found), _ill_told(found)) == ([], [])
    assert {became for became, _ in found} - {"harmless"}


@pytest.mark.parametrize("name", _DAMAGES)
def test_a_damaged_write_ahead_log_is_found_or_harmless(
    name: str, tmp_path: Path, record_property: Record, request: pytest.FixtureRequest
) -> None:
    """DuckDB takes a damaged write-ahead log for one that a crash has torn; the outside checkpoints tell them apart."""
    original = filled(tmp_path).path
    Forked.start(tmp_path, original, work=recorder.main_without_closing).end()
    wal = original.with_name(original.name + _WAL)
    places = _places(name, _WAL, wal.stat().st_size, request.config.getoption("kills"))
    damaged = copies(original, tmp_path, len(places))
    for path in damaged:
        shutil.copy(wal, path.with_name(wal.name))
    with LedgerFile.open(original, NOW):
        pass
    found = _found(original, damaged, _WAL, places, name, record_property)

    assert (_lost(places, found), _ill_told(found)) == ([], [])
    assert [sentence for _, sentence in found if "it is an older copy" in sentence]
