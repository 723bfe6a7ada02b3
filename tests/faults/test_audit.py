"""The tests' own verification looks at who signed: the key in force, and where it changes, the one before."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.sequencer.rotating import rotate
from ledger.store.file import KEY_SUFFIX
from tests.faults.audit import audit
from tests.faults.forked import Quick
from tests.faults.ground import NOW, filled, grow
from tests.sealing import own_key, rows_of, seal_again


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with some batches."""
    return filled(tmp_path, 3).path


def _handed_over(path: Path) -> None:
    rotate(path, "yearly", "tests", NOW, lost=False)


def _lost(path: Path) -> None:
    path.with_name(path.name + KEY_SUFFIX).unlink()
    rotate(path, "lost", "tests", NOW, lost=True)


def _last_key(path: Path) -> int:
    ((leaf,),) = rows_of(path, "SELECT max(leaf) FROM key_row")
    assert isinstance(leaf, int)
    return leaf


def test_a_key_that_was_handed_over_signs_on(path: Path) -> None:
    """With both signatures where the key changes and the new one after that, all holds."""
    _handed_over(path)

    assert audit(path) == []
    assert audit(path, [_last_key(path)]) != []


def test_a_key_that_nobody_vouches_for_must_be_known_as_lost(path: Path) -> None:
    """A rotation without the old key's signature holds only for who knows that it was lost."""
    _lost(path)

    assert [said for said in audit(path) if "none of the keys asked for has signed it" in said]
    assert audit(path, [_last_key(path)]) == []


@pytest.mark.parametrize("rotated", [_handed_over, _lost])
def test_a_key_out_of_force_does_not_sign(path: Path, rotated: Callable[[Path], None]) -> None:
    """Neither the old key after a rotation nor the new one before it will do: each checkpoint has its own."""
    old = own_key(path)
    rotated(path)
    new = own_key(path)
    grow(Quick(path.parent), 4)
    assert audit(path, [_last_key(path)] if rotated is _lost else []) == []
    for private in (old, new):
        seal_again(path, private)

        assert [said for said in audit(path) if "is not signed by the key in force then" in said]
