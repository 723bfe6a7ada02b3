"""The verifier in exports and the package give the same verdict on receipts and consistency statements."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.sequencer.receipting import make_consistency, make_receipt
from ledger.store.file import LedgerFile
from ledger.tlog.checkpoint import unchecked
from ledger.tlog.note import VerifierKey
from ledger.tlog.tree import EMPTY_ROOT
from tests.sealing import own_key
from tests.sequencer import both
from tests.sequencer.both import STRANGER, alone, package_statement

Says = dict[str, Any]


@pytest.fixture(name="path", scope="module")
def _path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with records, closed."""
    return both.filled(tmp_path_factory.mktemp("plain"))


def _key(path: Path) -> str:
    with LedgerFile.open(path) as ledger:
        return str(ledger.rows("SELECT key FROM key_row")[0][0])


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Give a receipt of each kind of leaf, and consistency statements of any two checkpoints."""
    with LedgerFile.open(path) as ledger:
        for (leaf,) in ledger.rows("SELECT min(leaf) FROM leaf GROUP BY kind ORDER BY 1"):
            yield "--receipt", make_receipt(ledger, leaf).text
        sizes = [str(size) for (size,) in ledger.rows("SELECT size FROM checkpoint ORDER BY size")]
        for at, earlier in enumerate(sizes):
            for later in sizes[at:]:
                yield "--consistency", make_consistency(ledger, earlier, later).text


def _verdicts(what: str, text: str | bytes, folder: Path, *keys: str) -> tuple[int, int]:
    """Give the exit codes of both."""
    (folder / "file").write_bytes(text if isinstance(text, bytes) else text.encode())
    ours = alone(what, folder / "file", keys=keys)[0].code
    return ours, package_statement(what, folder / "file", keys)


def test_both_accept_what_the_ledger_hands_out(path: Path, tmp_path: Path) -> None:
    """Receipts of every kind of leaf, and statements of any two checkpoints, hold with the key, not with another."""
    key, found = _key(path), 0
    other = str(VerifierKey.of(key.partition("+")[0], STRANGER))
    for what, text in _texts(path):
        assert _verdicts(what, text, tmp_path, key) == (0, 0)
        assert _verdicts(what, text, tmp_path, other) == (3, 3)
        found += 1
    assert found > 10


def _put(**values: Any) -> Callable[[Says], Says]:
    return lambda says: says | values


def _without(name: str) -> Callable[[Says], Says]:
    return lambda says: {key: value for key, value in says.items() if key != name}


def _field(**fields: Any) -> Callable[[Says], Says]:
    return lambda says: says | {"fields": says["fields"] | fields}


RECEIPTS: Final[dict[str, Callable[[Says], Says]]] = {
    "another number": lambda says: says | {"leaf": says["leaf"] + 1},
    "a number below 0": _put(leaf=-1),
    "true": _put(leaf=True),
    "a float": lambda says: says | {"leaf": float(says["leaf"])},
    "a huge number": _put(leaf=1 << 60),
    "another kind": _put(kind="party"),
    "an unknown kind": _put(kind="surprise"),
    "a kind that is no text": _put(kind=["decision"]),
    "another quantity": _field(quantity=11),
    "an unknown field": _field(surprise=1),
    "a blank field": _field(note=None),
    "a count of 0": _field(cap_tpp="0"),
    "a field that is true": _field(quantity=True),
    "a field that is a list": _field(quantity=[10]),
    "files of a decision": _field(files=[]),
    "fields that are a list": _put(fields=[]),
    "no proof": _put(proof=[]),
    "a proof that is none": _put(proof=None),
    "a step more": lambda says: says | {"proof": [*says["proof"], says["proof"][0]]},
    "a step of other bytes": _put(proof=["AAAA"]),
    "a step that is a number": _put(proof=[1]),
    "a step in other letters": lambda says: says | {"proof": [step.replace("=", "") for step in says["proof"]]},
    "no checkpoint": _without("checkpoint"),
    "a checkpoint that is none": _put(checkpoint=""),
    "a checkpoint that breaks off": lambda says: says | {"checkpoint": says["checkpoint"][:-1]},
    "a control character": lambda says: says | {"checkpoint": says["checkpoint"].replace("\n", "\r\n")},
    "more to say": _put(surprise=1),
    "another format": _put(format="quotaledger receipt 2"),
    "a message that is no text": _put(message=1),
    "a message that is blank": _put(message=None),
    "a message that is an object": _put(message={"text": "Admitted"}),
}


def _receipt(path: Path) -> Says:
    with LedgerFile.open(path) as ledger:
        (leaf,) = ledger.rows("SELECT leaf FROM leaf WHERE kind = 'decision' ORDER BY leaf")[0]
        return dict(json.loads(make_receipt(ledger, leaf).text))


@pytest.mark.parametrize("name", RECEIPTS)
def test_both_refuse_a_forged_receipt(name: str, path: Path, tmp_path: Path) -> None:
    """Whatever of a receipt is changed, left out or added: both refuse it."""
    text = json.dumps(RECEIPTS[name](_receipt(path)))

    assert _verdicts("--receipt", text, tmp_path, _key(path)) == (3, 3)


@pytest.mark.parametrize("name", ["other words", "none", "other letters"])
def test_both_accept_a_receipt_that_says_the_same(name: str, path: Path, tmp_path: Path) -> None:
    """The sentence for people may be another or missing, and JSON may be written otherwise."""
    says = _receipt(path)
    made = {"other words": says | {"message": "No"}, "none": _without("message")(says), "other letters": says}[name]

    assert _verdicts("--receipt", json.dumps(made, indent=7, sort_keys=True), tmp_path, _key(path)) == (0, 0)


RAW: Final[dict[str, Callable[[bytes], bytes]]] = {
    "a name said twice": lambda text: text.replace(b'"leaf"', b'"leaf": 0, "leaf"'),
    "a field said twice": lambda text: text.replace(b'"quantity"', b'"quantity": 0, "quantity"'),
    "no UTF-8": lambda text: text.replace(b'"mine"', b'"\xff"'),
    "half a character": lambda text: text.replace(b'"mine"', b'"\\ud800"'),
    "a mark of order": lambda text: b"\xef\xbb\xbf" + text,
    "a number with an exponent": lambda text: text.replace(b'"quantity": 10', b'"quantity": 1e1'),
    "a number below nothing": lambda text: text.replace(b'"leaf": ', b'"leaf": -0, "x": '),
    "no number": lambda text: text.replace(b'"quantity": 10', b'"quantity": NaN'),
    "deep": lambda _: b"[" * 99_999,
    "a list": lambda _: b"[]",
    "nothing": lambda _: b"",
    "broken off": lambda text: text[:-3],
}


@pytest.mark.parametrize("name", RAW)
def test_both_refuse_what_readers_would_understand_differently(name: str, path: Path, tmp_path: Path) -> None:
    """JSON that is none, or that two readers would take for two things, is refused by both."""
    text = json.dumps(_receipt(path)).encode()
    assert RAW[name](text) != text

    assert _verdicts("--receipt", RAW[name](text), tmp_path, _key(path)) == (3, 3)


def _signed(path: Path, note: str, **other: Any) -> str:
    """Sign a checkpoint anew as the ledger's owner, with something else in it."""
    said = unchecked(note)
    return replace(said, **other).signed(own_key(path))


STATEMENTS: Final[dict[str, Callable[[Says, Path], Says]]] = {
    "turned": lambda says, _: says | {"earlier": says["later"], "later": says["earlier"]},
    "a fork": lambda says, path: says | {"earlier": _signed(path, says["earlier"], root=bytes(32))},
    "another size": lambda says, path: says | {"earlier": _signed(path, says["earlier"], size=3)},
    "no leaves": lambda says, path: (
        says | {"earlier": _signed(path, says["earlier"], size=0, root=EMPTY_ROOT), "proof": []}
    ),
    "another log": lambda says, path: says | {"later": _signed(path, says["later"], origin="x")},
    "a step less": lambda says, _: says | {"proof": says["proof"][1:]},
    "a step more": lambda says, _: says | {"proof": [*says["proof"], says["proof"][0]]},
    "more to say": lambda says, _: says | {"message": "x"},
    "less to say": lambda says, _: {name: value for name, value in says.items() if name != "later"},
    "a note that is no text": lambda says, _: says | {"later": 1},
    "101 signatures": lambda says, _: says | {"later": says["later"] + says["later"].split("\n\n")[1] * 100},
    "a signature that is wrong": lambda says, _: says | {"later": says["later"] + says["earlier"].split("\n\n")[1]},
    "a signature by nobody": lambda says, _: says | {"later": says["later"] + "\u2014 x AAAA\n"},
    "a receipt": lambda says, _: says | {"format": "quotaledger receipt 1"},
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_both_refuse_a_forged_statement(name: str, path: Path, tmp_path: Path) -> None:
    """Whatever of a consistency statement is changed, left out or added: both refuse it."""
    with LedgerFile.open(path) as ledger:
        sizes = [size for (size,) in ledger.rows("SELECT size FROM checkpoint ORDER BY size")]
        says = json.loads(make_consistency(ledger, str(sizes[1]), str(sizes[3])).text)

    assert _verdicts("--consistency", json.dumps(STATEMENTS[name](says, path)), tmp_path, _key(path)) == (3, 3)


@pytest.mark.parametrize("more", ["\u2014 x AAAAAAAA\n", "\u2014 \u00e9 AAAAAAAA\n" * 99])
def test_both_pass_over_signatures_of_keys_that_nobody_gave(more: str, path: Path, tmp_path: Path) -> None:
    """Up to a hundred signatures stand under a note, and what unknown keys have signed is not looked at."""
    says = _receipt(path)

    text = json.dumps(says | {"checkpoint": says["checkpoint"] + more})
    assert _verdicts("--receipt", text, tmp_path, _key(path)) == (0, 0)


@pytest.mark.parametrize("what", ["--receipt", "--consistency"])
def test_both_tell_wrong_usage_alike(what: str, path: Path, tmp_path: Path) -> None:
    """No key, no file, a folder in the place of a file, and a file without a key are wrong usage: exit code 2."""
    key = _key(path)
    (tmp_path / "file").write_text(json.dumps(_receipt(path)), "utf-8")
    (tmp_path / "key").write_text(f"{key}\n", "utf-8")
    (tmp_path / "none").write_text("what is this\n", "utf-8")
    for file, given in (
        (tmp_path / "file", []),
        (tmp_path / "nowhere", [key]),
        (tmp_path, [key]),
        (tmp_path / "file", [key[:-1]]),
        (tmp_path / "file", [str(tmp_path / "nowhere")]),
        (tmp_path / "file", [str(tmp_path / "none")]),
        (tmp_path / "file", [str(tmp_path)]),
    ):
        assert (alone(what, file, keys=given)[0].code, package_statement(what, file, given)) == (2, 2), (file, given)
    named = [str(tmp_path / "key")]
    ours = alone(what, tmp_path / "file", keys=named)[0].code
    assert ours == package_statement(what, tmp_path / "file", named) == (0 if what == "--receipt" else 3)
