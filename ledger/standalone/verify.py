"""Verify an export, a receipt or a consistency statement of a quotaledger log, without quotaledger.

    python verify.py [FOLDER] [--key KEY ...]            an export; without FOLDER, the folder that this file lies in
    python verify.py --receipt FILE --key KEY ...        that a leaf is in the log
    python verify.py --consistency FILE --key KEY ...    that a log is the beginning of a later one

KEY is a public key, NAME+HASH+BASE64. Have it, and better this program, too, from elsewhere than the export. Exit code
0: verified. 3: not verified, and a sentence names the first difference. 2: wrong usage. It needs Python 3.11 and
`cryptography`, and is meant to be read before it is trusted: JSON, tree, notes, then what must hold of an export, a
receipt and a statement. The formats: RFC 6962 (tree), RFC 8785 (JSON), C2SP signed-note and tlog-checkpoint.
"""

import argparse
import hashlib
import json
import re
import sqlite3
import sys
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KINDS = ("key", "rulebook", "chip", "party", "authorization", "assurance", "decision", "batch")
OUTCOMES = ("admitted", "refused", "breached")
EXPORT, RECEIPT, CONSISTENCY = "quotaledger export 1", "quotaledger receipt 1", "quotaledger consistency 1"
MANIFEST = {"format", "origin", "made_at", "software_version", "leaves", "records", "root", "redacted", "files"}
HASH_BYTES, ID_BYTES, ED25519, TEXT_LINES = 32, 4, b"\x01", 3
PROGRESS_LEAVES, NOT_VERIFIED = 20_000, 3


class NotVerified(ValueError):
    """Something is not as it was signed; the text says what, for people."""


def demand(holds: object, otherwise: str) -> None:
    """Go on only if something holds."""
    if not holds:
        raise NotVerified(otherwise)


# ---- JSON and base64, read so that no two readers can understand them differently
def load(content: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object, in UTF-8, that says no name twice."""

    def named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        demand(len(found := dict(pairs)) == len(pairs), f"{what} says a name twice")
        return found

    try:
        found = json.loads(content.decode(), object_pairs_hook=named_once)
        json.dumps(found if b"\\u" in content else "", ensure_ascii=False).encode()  # half a character is no text
    except (ValueError, RecursionError) as error:
        raise NotVerified(f"{what} is no JSON to rely on ({error})") from None
    demand(type(found) is dict, f"{what} is no JSON object")
    return dict(found)


def take(says: Mapping[str, Any], name: str, of: type, what: str) -> Any:
    """Give a value that must be there and of a type; True is no number."""
    demand(type(says.get(name)) is of, f"{what} does not say {name!r}, or not as it should")
    return says[name]


def from_base64(text: str, what: str) -> bytes:
    """Read base64 in its one usual form."""
    try:
        found = b64decode(text, validate=True)
    except (ValueError, TypeError):
        found = b""
    demand(found and b64encode(found).decode() == text, f"{what} is not written in base64")
    return found


# ---- The tree of RFC 6962, 2.1
def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf_hash(kind: str, fields: Mapping[str, Any]) -> bytes:
    """Give the hash of a leaf, whose bytes are a line and the canonical JSON of its fields."""
    body = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(b"\x00" + f"quotaledger/1 {kind}\n{body}".encode()).digest()


def append(peaks: list[bytes], size: int, found: bytes) -> None:
    """Append a leaf's hash to the perfect subtrees of a tree: it closes as many as the size ends with ones."""
    while size & 1:
        found, size = node_hash(peaks.pop(), found), size >> 1
    peaks.append(found)


def root_of(peaks: Sequence[bytes]) -> bytes:
    """Give the root over the perfect subtrees of a tree that has leaves, the largest first."""
    return reduce(lambda root, peak: node_hash(peak, root), reversed(peaks))


def climb(at: int, last: int, start: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Follow a proof upwards from a node, the `at`-th of a level that ends with `last` (RFC 9162, 2.1.3.2, 2.1.4.2).

    Gives the root of what lies up to the node and that of the whole tree; None if the proof is too short or too long.
    """
    old = new = start
    for step in proof:
        if not last:
            return None
        if at & 1 or at == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, step)
        at, last = at >> 1, last >> 1
    return None if last else (old, new)


# ---- Keys and signed notes (C2SP signed-note, tlog-checkpoint)
class Key(NamedTuple):
    """A public Ed25519 key, the name that it signs under, and the four bytes by which signatures tell it."""

    name: str
    id: bytes
    public: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(ED25519 + self.public).decode()}"


def read_key(text: str) -> Key:
    """Read a key written NAME+HASH+BASE64."""
    name, _, rest = text.strip().partition("+")
    public = from_base64(rest.partition("+")[2], f"the key {text!r}")[1:]
    digest = hashlib.sha256(name.encode("utf-8", "replace") + b"\n" + ED25519 + public).digest()
    key = Key(name, digest[:ID_BYTES], public)
    fine = len(public) == HASH_BYTES and re.fullmatch(r"[^\s+]+", name) and str(key) == text.strip()
    demand(fine, f"{text!r} is no Ed25519 key NAME+HASH+BASE64, or has a typing error")
    return key


class Checkpoint(NamedTuple):
    """What a signed note says: the log, its number of leaves and their root; and the text and who signed it."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: list[tuple[str, bytes]]

    def signers(self, keys: Collection[Key], what: str) -> set[Key]:
        """Give those of some keys that have signed; one wrong signature by any of them spoils all."""
        known, signed = {(key.name, key.id): key for key in keys}, set()
        for name, signature in self.signatures:
            if key := known.get((name, signature[:ID_BYTES])):
                try:
                    Ed25519PublicKey.from_public_bytes(key.public).verify(signature[ID_BYTES:], self.text.encode())
                except InvalidSignature:
                    raise NotVerified(f"the signature of {what} by {name!r} is not of its text") from None
                signed.add(key)
        return signed


def read_checkpoint(lines: Sequence[str], what: str) -> Checkpoint:
    """Read a note: three lines, a blank one, signatures; each line is ended."""
    text, signed = "".join(lines[: TEXT_LINES + 1]), lines[TEXT_LINES + 1 :]
    shape = re.fullmatch(r"([^\s+]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n\n", text)
    named = [re.fullmatch("\u2014 ([^\\s+]+) ([A-Za-z0-9+/=]+)\n", line) for line in signed]
    if not shape or not signed or not all(named):
        raise NotVerified(f"{what} is no signed note of a checkpoint")
    signatures = [(found[1], from_base64(found[2], f"a signature of {what}")) for found in named if found]
    return Checkpoint(shape[1], int(shape[2]), from_base64(shape[3], f"the root of {what}"), text[:-1], signatures)


def checkpoints_of(path: Path) -> Iterator[Checkpoint]:
    """Give every checkpoint of a file of notes: each ends with the next blank line after its first signature."""
    number, lines = 1, list[str]()
    with path.open("rb") as file:
        for raw in file:
            line = raw.decode("utf-8", "replace")  # nothing that is signed has the character put for other bytes
            if line == "\n" and len(lines) > TEXT_LINES:
                yield read_checkpoint(lines, f"checkpoint {number}")
                number, lines = number + 1, []
            else:
                lines.append(line)
    yield from [read_checkpoint(lines, f"checkpoint {number}")] if lines or number == 1 else []


# ---- An export, leaf by leaf and checkpoint by checkpoint
def described(leaf: int, kind: str, fields: Mapping[str, Any]) -> str:
    """Name a leaf for people; texts are quoted, for they may hold anything."""
    names = [repr(fields.get(name)) for name in ("batch", "sequence", "provider", "reference")]
    more = "{1}, {2} {3}, of batch {0}" if kind == "decision" else "of batch {0}"
    return f"leaf {leaf} ({kind} {more.format(*names)})"


def counted(counts: Mapping[str, int]) -> str:
    """Write counts for people, such as 2 admitted, 0 refused."""
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"


class Audit:
    """What must hold of the leaves one after another, and of the checkpoints between them."""

    def __init__(self, origin: str, given: Collection[Key]) -> None:
        self.origin, self.given, self.keys = origin, given, list[Key]()
        self.size, self.peaks, self.redacted, self.checkpoints = 0, list[bytes](), 0, 0
        self.kinds, self.outcomes = Counter[str](), Counter[str]()
        # at the last checkpoint: how many leaves and keys there were; since then: the first and the last decision
        self.signed_size, self.signed_keys, self.decisions = 0, 0, list[str]()
        # the batch that is open, its decisions by outcome, and if its own leaf was the last
        self.batch, self.decided, self.closed = 1, Counter[str](), False
        # every provider and reference so far, in a temporary file of its own: there may be more than memory holds
        self.references = sqlite3.connect("").execute("CREATE TABLE seen (name TEXT PRIMARY KEY, leaf) WITHOUT ROWID")

    def leaf(self, line: bytes) -> None:
        """Check the next leaf, and append it to the tree."""
        what = f"leaf {self.size}"
        demand(line.endswith(b"\n"), f"leaves.ndjson breaks off in {what}")
        says = load(line, what)
        kind, found = take(says, "kind", str, what), take(says, "leaf", int, what)
        demand(found == self.size, f"leaf {found} stands in leaves.ndjson where {what} should")
        known = kind in KINDS and says.keys() - {"hash"} in ({"leaf", "kind", "fields"}, {"leaf", "kind"})
        demand(known, f"{what} is of an unknown kind or form")
        if "fields" in says:
            fields = take(says, "fields", dict, what)
            what, hashed = described(self.size, kind, fields), leaf_hash(kind, fields)
            demand(says.get("hash", hashed.hex()) == hashed.hex(), f"{what} was changed: its fields have another hash")
            self.follow(what, kind, fields)
        else:
            demand(re.fullmatch("[0-9a-f]{64}", take(says, "hash", str, what)), f"{what} has no hash")
            what, hashed = f"leaf {self.size} ({kind}, redacted)", bytes.fromhex(says["hash"])
            demand(kind != "key" and self.size, f"{what} must be open, or nobody knows who signs")
            self.decided.update(["redacted"] if kind == "decision" else [])
            self.redacted += 1
        if kind == "decision":
            self.decisions[1:] = [what]
        elif kind == "batch":
            self.outcomes, self.batch, self.decided = self.outcomes + self.decided, self.batch + 1, Counter()
        append(self.peaks, self.size, hashed)
        self.kinds[kind], self.size, self.closed = self.kinds[kind] + 1, self.size + 1, kind == "batch"

    def follow(self, what: str, kind: str, fields: Mapping[str, Any]) -> None:
        """Check that a leaf continues those before it."""
        demand(kind == "key" or self.size, "leaf 0 is not the first signing key")
        demand(take(fields, "batch", int, what) == self.batch, f"{what} stands among the leaves of batch {self.batch}")
        if kind == "key":
            self.keys.append(key := read_key(take(fields, "key", str, what)))
            demand(key.name == self.origin, f"{what} is a key of {key.name!r}, not of {self.origin!r}")
        elif kind == "decision":
            due, outcome = self.kinds["decision"] + 1, take(fields, "outcome", str, what)
            demand(take(fields, "sequence", int, what) == due, f"{what} should be decision {due}")
            demand(outcome in OUTCOMES, f"{what} has an unknown outcome")
            self.decided[outcome] += 1
            name = json.dumps([take(fields, "provider", str, what), take(fields, "reference", str, what)])
            new = self.references.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (name, what)).rowcount
            found = () if new else self.references.execute("SELECT leaf FROM seen WHERE name = ?", (name,)).fetchone()
            demand(new, f"{what} has the reference of {' '.join(found)}")
        elif kind == "batch":
            stated, seen = {name: take(fields, name, int, what) for name in OUTCOMES}, self.decided
            right = sum(stated.values()) == seen.total() and all(seen[name] <= stated[name] for name in OUTCOMES)
            demand(right, f"{what} says {counted(stated)}, but its decisions are {counted(seen)}")

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Check a checkpoint over the leaves so far: log, root, and that the key in force has signed it."""
        what, origin = f"checkpoint {self.checkpoints + 1} (of {checkpoint.size} leaves)", checkpoint.origin
        demand(origin == self.origin, f"{what} is of another log, {origin!r}, not of {self.origin!r}")
        some = ", ".join([f"leaves {self.signed_size} to {self.size - 1}", *self.decisions])
        changed = "one of them or the checkpoint was changed, or leaves were moved, added or left out"
        demand(checkpoint.root == root_of(self.peaks), f"{some} do not have the root of {what}: {changed}")
        signers = checkpoint.signers({*self.keys, *self.given}, what)
        demand(self.keys[-1] in signers, f"{what} is not signed by the key in force, {self.keys[-1]}")
        for before, key in pairwise(self.keys[max(self.signed_keys - 1, 0) :]):
            lost = f"the key {key} was not handed over by the one before it, which has not signed {what}"
            demand(before in signers or key in self.given, f"{lost}; give it with --key if its owner says it is right")
        self.checkpoints += 1
        self.signed_size, self.signed_keys, self.decisions = self.size, len(self.keys), []


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what the folder should have, and check that it has these files and no others."""
    manifest = load((folder / "manifest.json").read_bytes(), "manifest.json")
    known = manifest.get("format") == EXPORT and manifest.keys() == MANIFEST
    demand(known and type(manifest["files"]) is dict, f'manifest.json is not that of a "{EXPORT}"')
    there, due = set(), {"manifest.json", "leaves.ndjson", "checkpoints.txt", *manifest["files"]}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        demand(not path.is_symlink() and (path.is_dir() or path.is_file()), f"{name!r} is a link or no plain file")
        there |= {name} if path.is_file() else set()
    for name in sorted(due ^ there):  # a name with .. or a slash in front is never there
        raise NotVerified(f"{name!r} is " + ("missing in the folder" if name in due else "not in manifest.json"))
    return manifest


def verify_export(folder: Path, given: Sequence[Key]) -> str:
    """Verify an export folder, one leaf and one checkpoint of it in memory, and tell what is in it."""
    manifest = read_manifest(folder)
    audit, checkpoints = Audit(manifest["origin"], given), checkpoints_of(folder / "checkpoints.txt")
    due = next(checkpoints, None)
    with (folder / "leaves.ndjson").open("rb") as lines:
        for line in lines:
            audit.leaf(line)
            while due and due.size <= audit.size:
                demand(due.size == audit.size, f"checkpoint {audit.checkpoints + 1} goes back to {due.size} leaves")
                audit.checkpoint(due)
                due = next(checkpoints, None)
            if sys.stderr.isatty() and not audit.size % PROGRESS_LEAVES:
                sys.stderr.write(f"{audit.size:,} leaves\r")
    whole = f"leaves.ndjson ends after {audit.size} leaves"
    demand(not due, f"{whole}, checkpoint {audit.checkpoints + 1} has {due.size if due else 0}")
    demand(audit.signed_size == audit.size and audit.closed, f"{whole}, which no batch and checkpoint close")
    found = {"leaves": audit.size, "root": root_of(audit.peaks).hex(), "records": audit.kinds["decision"]}
    for name, value in {**found, "redacted": audit.redacted}.items():
        demand(manifest[name] == value, f"manifest.json says {name} {manifest[name]!r}, not {value!r}")
    for name, stated in sorted(manifest["files"].items()):
        with (folder / name).open("rb") as file:
            digest, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        same = stated == {"sha256": digest, "bytes": size}
        demand(same, f"{name!r} is not the file of manifest.json: its bytes are others")
    trusted, keys = ", ".join(str(key) for key in audit.keys if key in given), ", ".join(map(str, audit.keys))
    demand(trusted or not given, f"none of the keys given is one of this log, which has {keys}")
    believed = "believed because the export says so; compare it with what the log's owner says, or give it with --key"
    return (
        f"verified: {audit.size} leaves of {audit.origin}, made {manifest['made_at']!r}\nroot: {found['root']}\n"
        f"leaves: {counted(audit.kinds)}; {audit.redacted} of all are redacted, only their hash is known\n"
        f"records: {counted(audit.outcomes)}\ncheckpoints: {audit.checkpoints}\n"
        f"key: {f'{trusted}, as given' if trusted else f'{audit.keys[0]}, {believed}'}"
    )


# ---- Receipts and consistency statements
def read_statement(content: bytes, form: str, keys: Sequence[Key], *notes: str) -> tuple[Any, list[bytes], Any]:
    """Read what a statement says, its proof, and its notes, each signed by a key that was given and names the log."""
    says, signed = load(content, "the file"), []
    demand(says.get("format") == form, f'the file is no "{form}"')
    for name in notes:
        found = read_checkpoint(re.findall(".*\n|.+$", take(says, name, str, "the file")), f"the note {name!r}")
        names = {key.name for key in found.signers(keys, f"the note {name!r}")}
        demand(found.origin in names, f"the note {name!r} is not signed by a key given, for the log {found.origin!r}")
        signed.append(found)
    proof = [from_base64(step, "a step of the proof") for step in take(says, "proof", list, "the file")]
    demand({*map(len, proof)} <= {HASH_BYTES}, "a step of the proof is no hash")
    return says, proof, signed


def verify_receipt(content: bytes, keys: Sequence[Key]) -> str:
    """Verify that a leaf is in the log."""
    says, proof, (checkpoint,) = read_statement(content, RECEIPT, keys, "checkpoint")
    leaf, kind = take(says, "leaf", int, "the file"), take(says, "kind", str, "the file")
    fields = take(says, "fields", dict, "the file")
    what, whole = described(leaf, kind, fields), f"the first {checkpoint.size} leaves of {checkpoint.origin}"
    demand(kind in KINDS and 0 <= leaf < checkpoint.size, f"{what} is not among {whole}")
    _, root = climb(leaf, checkpoint.size - 1, leaf_hash(kind, fields), proof) or (b"", b"")
    changed = "its fields, number or proof are not those of the log"
    demand(root == checkpoint.root, f"{what} is not under the root of {whole}: {changed}")
    return f"verified: {what} is among {whole}; a message beside it is not proven"


def verify_consistency(content: bytes, keys: Sequence[Key]) -> str:
    """Verify that a log is the beginning of a later one."""
    _, proof, (old, new) = read_statement(content, CONSISTENCY, keys, "earlier", "later")
    what = f"{old.size} leaves of {old.origin} are the beginning of {new.size} leaves of {new.origin}"
    demand(old.origin == new.origin and 0 < old.size <= new.size, f"it cannot be that {what}")
    at, last = (old.size - 1, new.size - 1) if old.size < new.size else (0, 0)
    while at & 1:
        at, last = at >> 1, last >> 1
    if not at:  # a perfect tree, like the whole one, is itself the first step, and left out because it is known
        proof = [old.root, *proof]
    demand(proof and climb(at, last, proof[0], proof[1:]) == (old.root, new.root), f"nothing shows that {what}")
    return f"verified: {what}"


def main() -> int:
    """Do what the command line says, and tell how it ended."""
    parser = argparse.ArgumentParser(description="Verify an export, a receipt or a consistency statement.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("folder", nargs="?", type=Path, help="an export; by default the folder of this file")
    what.add_argument("--receipt", type=Path, metavar="FILE", help="a receipt")
    what.add_argument("--consistency", type=Path, metavar="FILE", help="a consistency statement")
    parser.add_argument("--key", type=read_key, action="append", default=[], help="a key to trust, NAME+HASH+BASE64")
    asked = parser.parse_args()
    file, folder = asked.receipt or asked.consistency, asked.folder or Path(__file__).parent
    if (file and not asked.key) or not (file.is_file() if file else folder.is_dir()):
        parser.error(f"--key is missing, or there is no {file or folder}")
    verify = verify_receipt if asked.receipt else verify_consistency
    try:
        answer = verify(file.read_bytes(), asked.key) if file else verify_export(folder, asked.key)
    except (NotVerified, OSError, sqlite3.Error) as error:
        answer = f"not verified: {error}"
    sys.stdout.buffer.write(f"{answer}\n".encode())
    return NOT_VERIFIED if answer.startswith("not") else 0


if __name__ == "__main__":
    sys.exit(main())
