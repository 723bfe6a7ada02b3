"""Who signed: the keys that are believed, and those that must be named."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.sequencer.desk import Desk
from ledger.sequencer.verifying import verify
from ledger.store.append import append_rows, key_row
from ledger.store.file import LedgerFile
from ledger.store.signing import Signer
from ledger.tlog.note import VerifierKey
from tests.harness import NOW, Bench
from tests.sealing import change, own_key, rows_of, seal_again
from tests.sequencer.sealed import ALLOCATION, FORGERY, fails


def test_a_ledger_forged_with_a_key_of_its_own_needs_the_key_to_be_known(path: Path) -> None:
    """Whoever forges the first key as well has a ledger that is consistent: only who knows the key notices."""
    (origin,) = {VerifierKey.parse(str(key)).name for (key,) in rows_of(path, "SELECT key FROM key_row")}
    real, private = VerifierKey.of(origin, own_key(path)), Ed25519PrivateKey.generate()
    change(path, FORGERY, f"UPDATE key_row SET key = '{VerifierKey.of(origin, private)}'")
    seal_again(path, private)

    assert not verify(path).is_key_given
    assert "never signed with the key" in fails(path, real)


def _rotate(path: Path, *, lost: bool) -> VerifierKey:
    """Put another signing key in use, and record something with it."""
    private = Ed25519PrivateKey.generate()
    with LedgerFile.open(path, NOW) as ledger:
        assert ledger.signer
        origin, new = ledger.signer.origin, Signer(ledger.signer.origin, (private,))
        ledger.signer = new if lost else ledger.signer.handing_over(private)
        desk = Desk(ledger, "tests", NOW)
        with ledger.transaction():
            append_rows(ledger, desk.batch("key", 1), [key_row(new.key, "rotated")])
        ledger.signer = new
        Bench(ledger).submit("p", ALLOCATION | {"reference": "after", "quantity": 1})
    return VerifierKey.of(origin, private)


def test_a_key_that_was_handed_over_is_believed(path: Path) -> None:
    """A checkpoint signed by the old and the new key leads from one to the other, whichever of them is known."""
    first = verify(path).key
    second = _rotate(path, lost=False)

    assert verify(path).key == second
    assert verify(path, [first]).is_key_given
    assert verify(path, [second]).is_key_given


def test_a_key_that_nobody_vouches_for_must_be_named(path: Path) -> None:
    """Where the old key was lost, anybody could have written on: the new key is believed only if it is named."""
    first = verify(path).key
    second = _rotate(path, lost=True)

    assert f"--key '{second}'" in fails(path)
    assert f"--key '{second}'" in fails(path, first)
    assert verify(path, [second]).key == second


def test_a_checkpoint_after_a_rotation_is_not_signed_with_the_old_key(path: Path) -> None:
    """The old key has no say any more once another is in use."""
    old = own_key(path)
    _rotate(path, lost=False)
    seal_again(path, old)

    assert "is not signed as it should be" in fails(path)
