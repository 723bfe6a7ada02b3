"""A receipt or a consistency statement of which a bit is flipped, or that is cut anywhere: refused, or the same."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.core.errors import VerificationFailed
from ledger.sequencer.receipting import check_consistency, check_receipt, make_consistency, make_receipt
from ledger.store.file import LedgerFile
from ledger.store.guard import key_in_use
from ledger.tlog.receipt import Consistency, Receipt

_MESSAGE = re.compile(rb'"message": "(.*)"\n')
"""The sentence, which is for reading and not proven: any other one there is no other receipt."""

_OTHER_CASE = 0x20
"""The bit that makes a small letter of a capital: base64 and names stay well formed with it."""


class Given(NamedTuple):
    """What somebody keeps, the key that they check it with, and how."""

    content: bytes
    key: str
    check: Callable[[bytes], Receipt | Consistency]


def _given(text: str, key: str, folder: Path, *, consistency: bool) -> Given:
    file = folder / "kept.json"

    def check(content: bytes) -> Receipt | Consistency:
        file.write_bytes(content)
        return (check_consistency(file, [key]) if consistency else check_receipt(file, [key]))[0]

    return Given(text.encode(), key, check)


@pytest.fixture(params=["a decision", "a party", "consistency"])
def given(request: pytest.FixtureRequest, sealed: Path, tmp_path: Path) -> Given:
    """The receipt of a record or of a register's row, or a statement."""
    with LedgerFile.open(sealed) as ledger:
        key = str(key_in_use(ledger.connection))
        if request.param == "consistency":
            ((size,),) = ledger.rows("SELECT size FROM checkpoint WHERE batch = 4")
            return _given(make_consistency(ledger, str(size)).text, key, tmp_path, consistency=True)
        table = "entry" if request.param == "a decision" else "party_row"
        ((leaf,),) = ledger.rows(f"SELECT max(leaf) FROM {table}")
        return _given(make_receipt(ledger, leaf).text, key, tmp_path, consistency=False)


def _accepted(given: Given, changed: Iterator[tuple[int, bytes]]) -> list[tuple[int, Receipt | Consistency]]:
    """Give where a change is not refused, and what was read then."""
    found = []
    for place, content in changed:
        try:
            found.append((place, given.check(content)))
        except VerificationFailed:
            continue
    return found


def _flipped(content: bytes) -> Iterator[tuple[int, bytes]]:
    for place, byte in enumerate(content):
        for bit in {1 << place % 8, _OTHER_CASE}:
            yield place, content[:place] + bytes([byte ^ bit]) + content[place + 1 :]


def test_a_flipped_bit_is_refused_but_in_the_sentence(given: Given) -> None:
    """Every byte is under the signature, under the proof or part of the form; those of the sentence alone are not."""
    whole = given.check(given.content)
    message = _MESSAGE.search(given.content)
    irrelevant = range(*message.span(1)) if message else range(0)
    accepted = _accepted(given, _flipped(given.content))

    assert {place for place, _ in accepted} <= set(irrelevant)
    assert bool(accepted) is bool(message)
    for _, found in accepted:
        assert isinstance(found, Receipt)
        assert isinstance(whole, Receipt)
        assert (found.leaf, found.kind, found.fields) == (whole.leaf, whole.kind, whole.fields)
        assert (found.proof, found.checkpoint) == (whole.proof, whole.checkpoint)
        assert found.message != whole.message


def test_a_file_cut_short_is_refused(given: Given) -> None:
    """Nothing but the line end after it may be missing."""
    ends = range(len(given.content))
    accepted = _accepted(given, ((end, given.content[:end]) for end in ends))

    assert accepted == [(len(given.content) - 1, given.check(given.content))]


def test_other_white_space_is_the_same(given: Given) -> None:
    """How the JSON is laid out says nothing."""
    lines = given.content.split(b"\n")

    assert given.check(b" \r\n\t".join(lines)) == given.check(given.content)
