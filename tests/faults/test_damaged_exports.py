"""A bit flipped in any file of an export, and any of its files cut short: the stand-alone verifier finds it."""

import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.standalone import verify as alone
from tests.faults.forked import Forked
from tests.faults.ground import filled
from tests.faults.tally import Tally

_SEED = 20_310_601


def _flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :]


def _cut(content: bytes, place: int) -> bytes:
    return content[:place]


def _verify_each() -> None:
    """Print the exit code of the stand-alone verifier for each damage, which is done and undone here."""
    folder, key, damage, places = sys.argv[1:]
    change = {"flip": _flip, "cut": _cut}[damage]
    for name, place in json.loads(places):
        path = Path(folder) / name
        content = path.read_bytes()
        path.write_bytes(change(content, place))
        sys.argv = ["verify.py", folder, "--key", key]
        code = alone.main()
        path.write_bytes(content)
        print(f"CODE {code}", flush=True)


@pytest.mark.parametrize("damage", ["flip", "cut"])
def test_a_damaged_export_is_found(
    damage: str, tmp_path: Path, record_property: Callable[[str, object], None], request: pytest.FixtureRequest
) -> None:
    """Wherever a file of an export is damaged, its manifest included, the stand-alone verifier refuses it."""
    (tmp_path / "ledger").mkdir()
    ledger = filled(tmp_path / "ledger", 3)
    assert ledger.go("export", "export").code == 0
    folder = ledger.folder / "export"
    key = ledger.go("verify").out.partition("key: ")[2].splitlines()[0]
    chance = random.Random(f"{_SEED} {damage}")  # noqa: S311 -- the same places in every run
    count = max(2, request.config.getoption("kills") // 10)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]
    places = [
        (str(path.relative_to(folder)), chance.randrange(path.stat().st_size)) for path in files for _ in range(count)
    ]
    shutil.copytree(folder, tmp_path / "original")
    ran = Forked.start(ledger.folder, folder, key, damage, json.dumps(places), work=_verify_each).end(300)
    codes = [line.removeprefix("CODE ") for line in ran.out.splitlines() if line.startswith("CODE ")]
    unfound = [place for place, code in zip(places, codes, strict=True) if code != "3"]

    for place in places:
        Tally(record_property).add("export damaged", "lost" if place in unfound else "stand-alone")
    assert unfound == []
