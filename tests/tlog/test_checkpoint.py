"""Checkpoints: three lines that say exactly one thing, signed."""

from base64 import b64encode
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.tlog.checkpoint import SIZE_END, Checkpoint, read_checkpoint, unchecked
from ledger.tlog.note import NoteError, VerifierKey, sign

PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER: Final = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY: Final = VerifierKey.of("quota.example/ledger", PRIVATE)
ROOT: Final = bytes(range(100, 132))
BASE64: Final = b64encode(ROOT).decode()
CHECKPOINT: Final = Checkpoint("quota.example/ledger", 12, ROOT)
# The example of the specification, C2SP tlog-checkpoint.
SOFA: Final = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 example.com/behind-the-sofa"
    " Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)


def test_a_checkpoint_is_what_was_signed() -> None:
    """Signed and read again, a checkpoint says the same; its text is origin, size and root, a line each."""
    note = CHECKPOINT.signed(PRIVATE)

    assert CHECKPOINT.text == f"quota.example/ledger\n12\n{BASE64}\n"
    assert note.startswith(f"{CHECKPOINT.text}\n\u2014 quota.example/ledger ")
    assert read_checkpoint(note, [KEY]) == unchecked(note) == CHECKPOINT


def test_the_example_of_the_specification_is_read() -> None:
    """The note that the specification shows is a checkpoint, and written again as it is."""
    found = unchecked(SOFA)

    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert SOFA.startswith(found.text)


def test_when_keys_change_hands_both_sign() -> None:
    """A checkpoint that two keys sign is read with either."""
    note = CHECKPOINT.signed(PRIVATE, OTHER)

    assert note.count("\u2014 quota.example/ledger ") == 2
    assert read_checkpoint(note, [KEY]) == read_checkpoint(note, [VerifierKey.of(KEY.name, OTHER)]) == CHECKPOINT


def test_a_checkpoint_of_another_key_is_read_by_none() -> None:
    """The signature counts, not the name: another key under the same name has not signed."""
    note = CHECKPOINT.signed(OTHER)

    assert unchecked(note) == CHECKPOINT
    with pytest.raises(NoteError, match="none of the keys"):
        read_checkpoint(note, [KEY])


@pytest.mark.parametrize(
    ("changed", "said"),
    [("quota.example/Ledger\n12", "none of the keys"), ("quota.example/ledger\n13", "is not of this text")],
)
def test_a_changed_checkpoint_is_refused(changed: str, said: str) -> None:
    """Another origin or size is not what was signed."""
    with pytest.raises(NoteError, match=said):
        read_checkpoint(CHECKPOINT.signed(PRIVATE).replace("quota.example/ledger\n12", changed, 1), [KEY])


def test_a_key_signs_for_no_log_but_its_own() -> None:
    """A checkpoint of another log is not believed, though the key of this one has signed it."""
    note = sign(f"elsewhere\n12\n{BASE64}\n", (KEY.name, PRIVATE))

    with pytest.raises(NoteError, match="none of the keys"):
        read_checkpoint(note, [KEY])


@pytest.mark.parametrize(
    "text",
    [
        f"o\n-1\n{BASE64}\n",
        f"o\n+1\n{BASE64}\n",
        f"o\n012\n{BASE64}\n",
        f"o\n1_0\n{BASE64}\n",
        f"o\n 1\n{BASE64}\n",
        f"o\n\u0661\n{BASE64}\n",
        f"o\n1.0\n{BASE64}\n",
        f"o\n{SIZE_END}\n{BASE64}\n",
        f"o\n{'9' * 5000}\n{BASE64}\n",
        f"o\n\n{BASE64}\n",
        f"\n1\n{BASE64}\n",
        "o\n1\n\n",
        f"o\n1\n{BASE64[:-1]}\n",
        f"o\n1\n{BASE64[:-2]}l=\n",
        f"o\n1\n{BASE64[:-4]}\n",
        f"o\n1\n{b64encode(ROOT + b'x').decode()}\n",
        f"o\n1\n{BASE64}\nmore\n",
        "o\n1\n",
        "o\n",
        "\n",
    ],
)
def test_what_is_no_checkpoint_is_refused_though_signed(text: str) -> None:
    """A text has one writing for each checkpoint; every other is none, whoever signed it."""
    note = sign(text, (KEY.name, PRIVATE))
    with pytest.raises(NoteError, match="no checkpoint"):
        read_checkpoint(note, [KEY])
    with pytest.raises(NoteError, match="no checkpoint"):
        unchecked(note)
    with pytest.raises(NoteError, match="no checkpoint"):
        Checkpoint.of_text(text)


def test_an_empty_log_and_the_largest_have_checkpoints() -> None:
    """Sizes from 0 to the bound are read as they are written."""
    for size in (0, 1, 2**53, SIZE_END - 1):
        assert unchecked(Checkpoint("o", size, ROOT).signed(PRIVATE)).size == size


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb"])
def test_an_origin_that_no_key_can_be_called_signs_nothing(origin: str) -> None:
    """Keys go by the name of the log, so a log cannot be called what a key cannot."""
    with pytest.raises(NoteError):
        Checkpoint(origin, 1, ROOT).signed(PRIVATE)


@given(st.one_of(st.text(), st.lists(st.sampled_from(["o", "\n", "1", "0", "-", BASE64, "=", "\ud800"])).map("".join)))
@example(f"\ud800\n1\n{BASE64}\n")
def test_any_text_is_a_checkpoint_or_refused_as_none(text: str) -> None:
    """Whatever comes in, it is read and written again as it was, or refused with NoteError."""
    for read in (Checkpoint.of_text, unchecked):
        try:
            found = read(text)
        except NoteError:
            continue
        assert text.startswith(found.text)
