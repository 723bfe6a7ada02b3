"""What is handed to others as JSON: that a leaf is in the log, and that a log is the beginning of a later one.

A receipt has all that it takes to write its leaf again and to follow the proof to a signed root; a consistency
statement has two signed roots and the proof between them. Both are read strictly: what two readers might understand
differently (a name said twice, a number too large, a blank that is said) is refused.
"""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Self, TypeVar

from ledger.tlog.checkpoint import Checkpoint, read_checkpoint
from ledger.tlog.leaf import FIELDS, HASH_BYTES, Value, is_said, leaf_bytes, leaf_hash
from ledger.tlog.note import NoteError, VerifierKey, from_base64
from ledger.tlog.proofs import includes, is_consistent

RECEIPT: Final = "quotaledger receipt 1"
CONSISTENCY: Final = "quotaledger consistency 1"
_EXACT: Final = 1 << 53
"""Readers that keep numbers as floats have whole numbers exactly below this."""
_CALLED: Final[Mapping[type, str]] = {int: "a whole number", str: "a text", dict: "an object", list: "a list"}
_FILE: Final = {"file": str, "sha256": str, "records": int}
_T = TypeVar("_T")


class ReceiptError(ValueError):
    """A receipt or a statement is malformed or does not hold; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A leaf, by its number, kind and fields without blanks, its proof, and the signed note of a checkpoint above it.

    `message` is the sentence of a decision, None of other kinds; it is not in the leaf, and so not proven.
    """

    leaf: int
    kind: str
    fields: Mapping[str, Value]
    proof: tuple[bytes, ...]
    checkpoint: str
    message: str | None = None

    @property
    def text(self) -> str:
        """The receipt as JSON: the same bytes for the same receipt."""
        said = {name: value for name, value in sorted(self.fields.items()) if is_said(name, value)}
        message = {} if self.message is None else {"message": self.message}
        proof = [b64encode(step).decode() for step in self.proof]
        stated = {"leaf": self.leaf, "kind": self.kind, "fields": said, "proof": proof, "checkpoint": self.checkpoint}
        return _written({"format": RECEIPT, **stated, **message})

    @classmethod
    def of_text(cls, text: str | bytes) -> Self:
        """Read a receipt. Raises ReceiptError if it is none."""
        says = _read(text, RECEIPT, "leaf", "kind", "fields", "proof", "checkpoint", optional="message")
        leaf, kind = _typed(says, "leaf", int), _typed(says, "kind", str)
        if leaf < 0:
            raise ReceiptError(f"leaves are numbered from 0, and {leaf} is less")
        if kind not in FIELDS:
            raise ReceiptError(f"there are no leaves of the kind {kind!r}")
        fields = _fields(kind, _typed(says, "fields", dict))
        message = _typed(says, "message", str) if "message" in says else None
        return cls(leaf, kind, fields, _hashes(says), _typed(says, "checkpoint", str), message)

    def check(self, keys: Sequence[VerifierKey]) -> Checkpoint:
        """Give the checkpoint that proves the leaf, signed by one of some keys. Raises ReceiptError if none does."""
        checkpoint = _signed(self.checkpoint, keys, "the checkpoint")
        if self.leaf >= checkpoint.size:
            raise ReceiptError(f"leaf {self.leaf} is not among the {checkpoint.size} leaves of the checkpoint")
        found = leaf_hash(leaf_bytes(self.kind, dict.fromkeys(FIELDS[self.kind]) | dict(self.fields)))
        if not includes(found, self.leaf, checkpoint.size, self.proof, checkpoint.root):
            raise ReceiptError(
                f"leaf {self.leaf} with these fields is not under the signed root of {checkpoint.size} leaves: its"
                " fields, its number, its kind or its proof are not those of the log"
            )
        return checkpoint


@dataclass(frozen=True, slots=True)
class Consistency:
    """The signed notes of two checkpoints, and the proof that the earlier log is the beginning of the later."""

    earlier: str
    later: str
    proof: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """The statement as JSON: the same bytes for the same statement."""
        proof = [b64encode(step).decode() for step in self.proof]
        return _written({"format": CONSISTENCY, "earlier": self.earlier, "later": self.later, "proof": proof})

    @classmethod
    def of_text(cls, text: str | bytes) -> Self:
        """Read a statement. Raises ReceiptError if it is none."""
        says = _read(text, CONSISTENCY, "earlier", "later", "proof")
        return cls(_typed(says, "earlier", str), _typed(says, "later", str), _hashes(says))

    def check(self, keys: Sequence[VerifierKey]) -> tuple[Checkpoint, Checkpoint]:
        """Give the earlier and the later checkpoint, each signed by one of some keys.

        Raises ReceiptError if they are not, are of two logs, or nothing shows that the later log continues the earlier.
        """
        earlier = _signed(self.earlier, keys, "the earlier checkpoint")
        later = _signed(self.later, keys, "the later checkpoint")
        if earlier.origin != later.origin:
            raise ReceiptError(f"the checkpoints are of two logs, {earlier.origin} and {later.origin}")
        if not earlier.size:
            raise ReceiptError("the earlier checkpoint has no leaves, and any log begins with none")
        if earlier.size > later.size:
            raise ReceiptError(f"the earlier checkpoint has {earlier.size} leaves, the later only {later.size}")
        if not is_consistent(earlier.size, later.size, earlier.root, later.root, self.proof):
            raise ReceiptError(
                f"nothing shows that the log of {later.size} leaves begins with that of {earlier.size}: a leaf of the"
                " earlier log was changed or taken away, or the proof is not the log's"
            )
        return earlier, later


def _written(says: Mapping[str, Any]) -> str:
    return json.dumps(says, ensure_ascii=False, indent=1) + "\n"


def _read(text: str | bytes, form: str, *names: str, optional: str = "") -> dict[str, Any]:
    """Read a JSON object of a format that has exactly some names."""
    try:
        says = json.loads(
            text if isinstance(text, str) else text.decode(),
            object_pairs_hook=_named_once,
            parse_int=_whole,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
        json.dumps(says, ensure_ascii=False).encode()
    except RecursionError:
        raise ReceiptError("it is nested too deeply") from None
    except UnicodeError:
        raise ReceiptError("it is no UTF-8") from None
    except json.JSONDecodeError as error:
        raise ReceiptError(f"it is no JSON: {error}") from None
    if not isinstance(says, dict) or says.get("format") != form:
        raise ReceiptError(f'it is not of the format "{form}"')
    odd = sorted({*names, "format"} - says.keys() | says.keys() - {*names, "format", optional})
    if odd:
        raise ReceiptError(f"it says too much or too little: {', '.join(map(repr, odd))}")
    return says


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name said twice: readers differ in which of the two they take."""
    says = dict(pairs)
    if len(says) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ReceiptError(f"it says {twice!r} twice")
    return says


def _whole(digits: str) -> int:
    if len(digits) > len(str(-_EXACT)) or not -_EXACT < int(digits) < _EXACT or digits == "-0":
        raise ReceiptError(f"{digits[:40]} is no number that every reader knows exactly")
    return int(digits)


def _no_number(text: str) -> NoReturn:
    raise ReceiptError(f"{text[:40]} is no whole number")


def _typed(says: Mapping[str, Any], name: str, of: type[_T]) -> _T:
    """Give what is said under a name, which must be exactly of a type: True is no number."""
    value = says[name]
    if type(value) is not of:
        raise ReceiptError(f"{name!r} is not {_CALLED[of]}")
    return value


def _hashes(says: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Give the steps of the proof."""
    proof = []
    for step in _typed(says, "proof", list):
        try:
            found = from_base64(step) if isinstance(step, str) else b""
        except NoteError:
            found = b""
        if len(found) != HASH_BYTES:
            raise ReceiptError(f"a step of the proof is not the base64 of {HASH_BYTES} bytes")
        proof.append(found)
    return tuple(proof)


def _fields(kind: str, fields: Mapping[str, Any]) -> Mapping[str, Value]:
    """Give the fields of a leaf, checked to be those that a leaf of the kind may say."""
    for name, value in fields.items():
        if name not in FIELDS[kind]:
            raise ReceiptError(f"a {kind} leaf has no field {name!r}")
        if name == "files":
            for file in value if type(value) is list else [None]:
                if type(file) is not dict or {key: type(said) for key, said in file.items()} != _FILE:
                    raise ReceiptError("'files' is not a list of file, sha256 and records")
        elif type(value) not in (str, int):
            raise ReceiptError(f"the field {name!r} is neither a text nor a whole number")
        if not is_said(name, value):
            raise ReceiptError(f"the field {name!r} is 0, which a leaf does not say")
    return fields


def _signed(note: str, keys: Sequence[VerifierKey], what: str) -> Checkpoint:
    try:
        return read_checkpoint(note, keys)
    except NoteError as error:
        raise ReceiptError(f"{what} is not one to trust: {error}") from None
