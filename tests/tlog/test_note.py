"""Signed notes: those of others are read, ours are theirs letter for letter, and nothing malformed gets through."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import partial
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.tlog.note import NoteError, VerifierKey, parts, sign, signed_text

# The example of golang.org/x/mod/sumdb/note.
PETER: Final = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(
    b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]  # after the byte that says Ed25519
)
ENOCH: Final = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT: Final = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE: Final = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE: Final = (
    "\u2014 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
NOTE: Final = f"{TEXT}\n{PETER_LINE}"
PETER_KEY: Final = VerifierKey.parse(PETER)
ENOCH_KEY: Final = VerifierKey.parse(ENOCH)
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def refused(call: Callable[[], object]) -> bool:
    """Say if something raises NoteError; another exception, or none of UTF-8 in its text, is a fault of the test."""
    try:
        call()
    except NoteError as error:
        return bool(str(error))
    return False


def test_the_well_known_note_is_read() -> None:
    """The example of the original implementation is signed by its key, whose text is read and written alike."""
    assert signed_text(NOTE, [PETER_KEY]) == TEXT
    assert (PETER_KEY.name, PETER_KEY.id.hex(), str(PETER_KEY)) == ("PeterNeumann", "c74f20a3", PETER)
    assert str(ENOCH_KEY) == ENOCH


def test_a_note_is_signed_letter_for_letter_like_others() -> None:
    """The private key of the original example gives its note, and its verifier key."""
    assert sign(TEXT, ("PeterNeumann", PETER_PRIVATE)) == NOTE
    assert VerifierKey.of("PeterNeumann", PETER_PRIVATE) == PETER_KEY


def test_of_several_signatures_each_known_one_is_checked() -> None:
    """Whoever of the signers is asked for has signed; the signatures of others are not looked at."""
    note = NOTE + ENOCH_LINE
    other = Ed25519PrivateKey.generate()

    assert [signed_text(note, keys) for keys in ([PETER_KEY], [ENOCH_KEY], [ENOCH_KEY, PETER_KEY])] == [TEXT] * 3
    assert [(name, key_id.hex(), len(found)) for name, key_id, found in parts(note)[1]] == [
        ("PeterNeumann", "c74f20a3", 64),
        ("EnochRoot", "af0cfe78", 64),
    ]
    both = sign(TEXT, ("PeterNeumann", PETER_PRIVATE), ("x", other))
    assert signed_text(both, [VerifierKey.of("x", other)]) == signed_text(both, [PETER_KEY]) == TEXT


def test_an_unknown_key_does_not_sign() -> None:
    """Neither another key, nor one of the same name, nor the same key under another name, nor no key is enough."""
    other = Ed25519PrivateKey.generate()
    for keys in ([ENOCH_KEY], [VerifierKey.of("PeterNeumann", other)], [VerifierKey.of("Peter", PETER_PRIVATE)], []):
        with pytest.raises(NoteError, match="none of the keys"):
            signed_text(NOTE, keys)


def test_one_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    """A signature that is not of this text is refused, even beside a right one."""
    wrong = sign("another text\n", ("PeterNeumann", PETER_PRIVATE)).rpartition("\n\n")[2]
    for note in (NOTE.replace("answer", "Answer"), f"{TEXT}\n{wrong}", f"{TEXT}\n{wrong}{ENOCH_LINE}", NOTE + wrong):
        with pytest.raises(NoteError, match="the signature by PeterNeumann is not of this text"):
            signed_text(note, [PETER_KEY, ENOCH_KEY])


def test_every_changed_letter_of_a_note_is_found() -> None:
    """Whichever letter is changed, left out or said twice, the note is not signed any more."""
    for place in range(len(NOTE)):
        letters = LETTERS if place > len(TEXT) else "x\n\u2014 "
        changes = [NOTE[:place] + letter + NOTE[place + 1 :] for letter in letters if letter != NOTE[place]]
        left_out = NOTE[:place] + NOTE[place + 1 :]
        for changed in (*changes, left_out, NOTE[:place] + NOTE[place] + NOTE[place:]):
            assert changed == NOTE or refused(partial(signed_text, changed, [PETER_KEY]))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        TEXT + "\n",
        NOTE[:-1],
        "\x01" + NOTE,
        NOTE.replace("\n", "\r\n"),
        "\ud800" + NOTE,
        NOTE.replace("PeterNeumann x", "Peter Neumann x"),
        NOTE.replace("PeterNeumann x", "Peter\u00a0Neumann x"),
        NOTE.replace("PeterNeumann x", "Peter+Neumann x"),
        NOTE.replace("PeterNeumann x", " x"),
        NOTE.replace("\u2014 ", "- "),
        NOTE.replace("\u2014 ", ""),
        NOTE + "an unexpected line\n",
        NOTE + "\n",
        f"{TEXT}\n\u2014 PeterNeumann x08go\n",
        f"{TEXT}\n\u2014 PeterNeumann x08gow==\n",
        f"{TEXT}\n\u2014 PeterNeumann\n",
        NOTE.replace("JnAM=", "JnAN="),
        NOTE.replace("JnAM=", "JnAM"),
        NOTE.replace("JnAM=", "JnAM=="),
        NOTE.replace("JnAM=", "Jn AM="),
        f"{TEXT}\n{PETER_LINE * 101}",
    ],
)
def test_a_malformed_note_is_refused(note: str) -> None:
    """What is no note, or one written otherwise than everyone writes it, is refused whoever is asked for."""
    with pytest.raises(NoteError):
        parts(note)
    with pytest.raises(NoteError):
        signed_text(note, [PETER_KEY])


def test_blank_lines_belong_to_the_text() -> None:
    """The last blank line parts text and signatures; those before it are signed."""
    for text in ("a\n\nb\n", "\n", "\n\n", f"a\n\n{PETER_LINE}"):
        note = sign(text, ("PeterNeumann", PETER_PRIVATE))
        assert signed_text(note, [PETER_KEY]) == text


def test_as_many_signatures_as_others_must_read_are_read() -> None:
    """A hundred signatures are fine."""
    assert signed_text(f"{TEXT}\n{ENOCH_LINE * 99}{PETER_LINE}", [PETER_KEY]) == TEXT


@pytest.mark.parametrize("text", ["", "abc", "a\n\nb", "a\r\n", "a\x00\n", "\ud800\n", f"a\n\n{PETER_LINE[:-1]}"])
def test_no_note_is_made_that_nobody_could_read(text: str) -> None:
    """A text without a last line feed, or with what notes cannot have, is not signed."""
    with pytest.raises(NoteError):
        sign(text, ("PeterNeumann", PETER_PRIVATE))


def test_a_note_without_signatures_is_not_made() -> None:
    """Nothing is a signed note that nobody has signed."""
    with pytest.raises(NoteError):
        sign(TEXT)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\n", "a\x00", "\ud800"])
def test_a_name_that_notes_cannot_have_is_refused(name: str) -> None:
    """A key's name has no blanks, no plus, no control characters, and is there."""
    with pytest.raises(NoteError):
        VerifierKey.of(name, PETER_PRIVATE)
    with pytest.raises(NoteError):
        sign(TEXT, (name, PETER_PRIVATE))
    with pytest.raises(NoteError):
        VerifierKey.parse(f"{name}+{PETER.partition('+')[2]}")


def test_a_key_whose_name_notes_cannot_have_is_none_though_its_hash_is_right() -> None:
    """A blank in the name of a verifier key is refused, or it could never be told from the rest of a signature."""
    with pytest.raises(NoteError, match="no Ed25519 verifier key"):
        VerifierKey.parse(str(VerifierKey("Peter Neumann", PETER_KEY.public)))


def test_a_mangled_key_is_refused() -> None:
    """No part of a verifier key is one, nor is one with a letter changed, of another length or algorithm."""
    for start in range(len(PETER)):
        for end in range(start + 1, len(PETER) + 1):
            assert PETER[start:end] == PETER or refused(partial(VerifierKey.parse, PETER[start:end]))
    for place, letter in enumerate(PETER):
        changed = PETER[:place] + chr(ord(letter) + 1) + PETER[place + 1 :]
        assert refused(partial(VerifierKey.parse, changed))
    assert refused(
        lambda: VerifierKey.parse("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==")
    )
    assert refused(lambda: VerifierKey.parse("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"))


def test_blanks_around_a_key_do_not_matter() -> None:
    """A key is often copied with a line feed; one in its middle is a mistake."""
    assert VerifierKey.parse(f" {PETER}\n") == PETER_KEY
    assert refused(lambda: VerifierKey.parse(PETER.replace("+c", "+\nc")))


NOTES: Final = st.one_of(
    st.text(),
    st.text(st.characters(exclude_categories=[]), max_size=40),
    st.lists(st.sampled_from([TEXT, PETER_LINE, ENOCH_LINE, "\n", "\n\n", "\u2014 ", "a", "+", " ", "=="])).map(
        "".join
    ),
)


@given(NOTES)
@example("\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
@example(f"\ud800\n\n{PETER_LINE}")
@example(f"a\n\n\u2014 PeterNeumann {b64encode(PETER_KEY.id + b'short').decode()}\n")
def test_any_text_is_a_note_or_refused_as_none(text: str) -> None:
    """Whatever text comes in, it is read or refused with NoteError, never with another exception."""
    for call in (
        lambda: signed_text(text, [PETER_KEY, ENOCH_KEY]),
        lambda: parts(text),
        lambda: VerifierKey.parse(text),
        lambda: sign(text, ("PeterNeumann", PETER_PRIVATE)),
        lambda: sign(TEXT, (text, PETER_PRIVATE)),
    ):
        assert refused(call) or call()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n")).map(lambda text: text + "\n"))
def test_what_is_signed_is_read_again(text: str) -> None:
    """Any text that notes can have comes back as it was."""
    assert signed_text(sign(text, ("n", PETER_PRIVATE)), [VerifierKey.of("n", PETER_PRIVATE)]) == text


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=1, max_size=80))
def test_a_key_of_any_bytes_does_no_harm(public: bytes, signature: bytes) -> None:
    """Bytes that are no point of the curve make a key that has not signed, whatever the length of the signature."""
    key = VerifierKey("PeterNeumann", public)
    note = f"{TEXT}\n\u2014 PeterNeumann {b64encode(key.id + signature).decode()}\n"

    assert VerifierKey.parse(str(key)) == key
    assert refused(lambda: signed_text(note, [key]))
