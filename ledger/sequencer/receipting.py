"""Receipts and consistency statements, which providers and auditors keep: made of a ledger, checked without one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ledger.core.errors import InputRejected, QuotaledgerError, VerificationFailed, WrongUsage
from ledger.core.text import did_you_mean, nearest, shown, visible
from ledger.store import log, read
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile, beside
from ledger.store.guard import hold_outside, key_in_use
from ledger.store.outside import OutsideCheckpoints, split_last
from ledger.tlog.checkpoint import Checkpoint, unchecked
from ledger.tlog.note import NoteError, VerifierKey
from ledger.tlog.proofs import consistency_proof, inclusion_proof
from ledger.tlog.receipt import Consistency, Receipt, ReceiptError

_FILE_BYTES_MAX: Final = 1 << 26


def leaf_of_reference(ledger: LedgerFile, provider: str, reference: str) -> int:
    """Give the leaf of a provider's record. Raises InputRejected if there is none."""
    found = read.find_references(ledger.connection, provider, [reference])
    if not found:
        filed = log.providers(ledger.connection)
        if provider not in filed:
            hint = did_you_mean(nearest(provider, filed))
            raise InputRejected(f"no provider {shown(provider)} has filed anything here{hint}")
        raise InputRejected(
            f"{shown(provider)} has filed no record {shown(reference)}; see quotaledger sql 'FROM decisions'"
        )
    return leaf_of_sequence(ledger, found[reference][0])


def leaf_of_sequence(ledger: LedgerFile, sequence: int) -> int:
    """Give the leaf of a record. Raises InputRejected if there is none."""
    leaf = log.leaf_of(ledger.connection, sequence)
    if leaf is None:
        (last,) = ledger.rows("SELECT sequence FROM head")[0]
        raise InputRejected(f"there is no record {sequence:,}; the last one is {last:,}")
    return leaf


def make_receipt(ledger: LedgerFile, leaf: int) -> Receipt:
    """Give the receipt of a leaf under the newest checkpoint. Raises InputRejected if there is no such leaf.

    That of a key is under the first checkpoint above it, which the key before has signed, too: whoever trusts only
    that one can learn the new one from it.
    """
    _hold(ledger)
    connection = ledger.connection
    size = log.last_checkpoint(connection)["leaves"]
    if not 0 <= leaf < size:
        raise InputRejected(f"there is no leaf {leaf:,}; the last one is {size - 1:,}")
    kind, fields = log.leaf_fields(connection, leaf)
    if kind == "key":
        size = log.sizes_around(connection, leaf)[-1]
    proof = inclusion_proof(leaf, size, log.nodes(connection))
    message = log.message_of(connection, leaf) if kind == "decision" else None
    made = Receipt(
        leaf, kind, {n: v for n, v in fields.items() if v is not None}, tuple(proof), _note(ledger, size), message
    )
    try:
        made.check([key_in_use(connection, size)])
    except ReceiptError as error:
        raise VerificationFailed(f"the ledger gives no receipt that holds: {error}; verify it") from None
    return made


def _hold(ledger: LedgerFile) -> None:
    """Hand nothing out of a ledger that is behind its outside checkpoints, or disagrees. Raises VerificationFailed."""
    outside = OutsideCheckpoints(beside(ledger.path, OUTSIDE_SUFFIX))
    try:
        hold_outside(ledger.connection, outside, ledger.said or outside.last()[0])
    except QuotaledgerError as error:
        raise VerificationFailed(str(error)) from None


def find_checkpoint(ledger: LedgerFile, given: str = "") -> str:
    """Give the signed note of a number of leaves, the newest if none is given. Raises WrongUsage if there is none."""
    _hold(ledger)
    if given:
        return _note(ledger, _checkpoint(ledger, given))
    return _note(ledger, log.last_checkpoint(ledger.connection)["leaves"])


def make_consistency(ledger: LedgerFile, earlier: str, later: str = "") -> Consistency:
    """Give the statement that one checkpoint's log is the beginning of another's, the newest unless `later` is given.

    Each is a number of leaves, a file with checkpoints, of which the last counts, or a receipt. Raises WrongUsage for
    what is no checkpoint of this ledger, VerificationFailed for one that this ledger's log contradicts.
    """
    _hold(ledger)
    connection = ledger.connection
    first = _checkpoint(ledger, earlier)
    second = _checkpoint(ledger, later) if later else log.last_checkpoint(connection)["leaves"]
    if first > second:
        raise WrongUsage(f"the checkpoint of {first:,} leaves is later than that of {second:,}; give them in order")
    proof = consistency_proof(first, second, log.nodes(connection))
    made = Consistency(_note(ledger, first), _note(ledger, second), tuple(proof))
    try:
        made.check([key_in_use(connection, size) for size in (first, second)])
    except ReceiptError as error:
        raise VerificationFailed(f"the ledger's checkpoints do not agree: {error}; verify it") from None
    return made


def check_receipt(file: Path, keys: Sequence[str]) -> tuple[Receipt, Checkpoint]:
    """Give a receipt that holds under one of some keys, and the checkpoint that proves it; no ledger is needed.

    A key is its text or a file with it. Raises WrongUsage for what cannot be read, VerificationFailed if it does not
    hold.
    """
    known = _known(keys)
    with _holding(file):
        found = Receipt.of_text(_content(file))
        return found, found.check(known)


def check_consistency(file: Path, keys: Sequence[str]) -> tuple[Consistency, tuple[Checkpoint, Checkpoint]]:
    """Give a consistency statement that holds under some keys, and its two checkpoints, as `check_receipt` does."""
    known = _known(keys)
    with _holding(file):
        found = Consistency.of_text(_content(file))
        return found, found.check(known)


@contextmanager
def _holding(file: Path) -> Iterator[None]:
    """Raise VerificationFailed, with the name of the file, where it does not hold."""
    try:
        yield
    except ReceiptError as error:
        raise VerificationFailed(f"{visible(str(file))} does not hold: {error}") from None


def read_keys(given: Sequence[str]) -> list[VerifierKey]:
    """Give verifier keys: each given as its text, or as the name of a file with one a line. Raises WrongUsage."""
    return [_key(text) for one in given for text in _key_texts(one)]


def _key_texts(given: str) -> list[str]:
    path = Path(given)
    if "+" in given and not path.is_file():
        return [given]
    return [line for line in _content(path).decode("utf-8", "replace").splitlines() if line.strip()] or [""]


def _key(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except NoteError as error:
        raise WrongUsage(f"{shown(text)}: {error}") from None


def _known(keys: Sequence[str]) -> list[VerifierKey]:
    if not keys:
        raise WrongUsage("nothing can be verified without a key that you trust; give it with --key")
    return read_keys(keys)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _FILE_BYTES_MAX:
            raise WrongUsage(f"{path} is too large to be a receipt, a checkpoint or a key")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WrongUsage(f"{visible(str(path))} cannot be read: {reason}") from None


def _note(ledger: LedgerFile, size: int) -> str:
    """Give the signed checkpoint of so many leaves. Raises WrongUsage if there is none, naming those around."""
    note = log.checkpoint_note(ledger.connection, size)
    if note is None:
        around = log.sizes_around(ledger.connection, size)
        raise WrongUsage(
            f"this ledger has signed no checkpoint of {size:,} leaves; the nearest have"
            f" {' and '.join(f'{near:,}' for near in around)}"
        )
    return note


def _checkpoint(ledger: LedgerFile, given: str) -> int:
    """Give the number of leaves of a checkpoint, given as that number, or as a file with checkpoints or a receipt."""
    digits = given.replace(",", "").replace("_", "")
    if digits.isascii() and digits.isdigit():
        size = int(digits[:18])
        _note(ledger, size)
        return size
    content = _content(Path(given))
    try:
        if content.lstrip().startswith(b"{"):
            content = Receipt.of_text(content).checkpoint.encode()
        last, _ = split_last(content.rstrip(b"\n") + b"\n\n")
        stated = unchecked(last or content.decode("utf-8", "replace"))
    except ValueError as error:  # a NoteError and a ReceiptError are such
        raise WrongUsage(f"{visible(given)} is no checkpoint: {error}") from None
    note = log.checkpoint_note(ledger.connection, stated.size)
    if note is None or unchecked(note) != stated:
        raise VerificationFailed(
            f"this ledger has never signed the checkpoint in {visible(given)}, of {stated.size:,} leaves: it is of"
            " another log, or this ledger's history was changed after it"
        )
    return stated.size
