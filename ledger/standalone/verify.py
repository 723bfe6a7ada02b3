"""Verify an export, a receipt or a consistency statement of a quotaledger log, without quotaledger.

    python3 -I /path/of/your/own/verify.py FOLDER [--key KEY ...]            an export
    python3 -I /path/of/your/own/verify.py --receipt FILE --key KEY ...      that a leaf is in the log
    python3 -I /path/of/your/own/verify.py --consistency FILE --key KEY ...  that a log is the beginning of a later one

KEY is a public key, NAME+HASH+BASE64, or a file with one a line. Have it from elsewhere than the export, and this
program, too: a forged export can have a forged verify.py. Run it from another folder. Exit code 0: verified; 3: not,
and a sentence names the first difference; 2: wrong usage. Formats: RFC 6962, RFC 8785, C2SP signed-note and checkpoint.
"""

import sys

# Modules are looked for in these folders first, and a forged export's own json.py could say "verified": they go.
if __name__ == "__main__":
    sys.path[:] = sys.path[0 if sys.flags.safe_path else 1 :]
    from os.path import realpath

    sys.path[:] = [path for path in sys.path if realpath(path) not in map(realpath, (".", f"{__file__}/..", *sys.argv))]

import argparse
import hashlib
import json
import re
import signal
import sqlite3
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from itertools import takewhile
from pathlib import Path
from typing import IO, Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError as missing:
    sys.stderr.write(f"verify.py needs the package cryptography ({missing}): python3 -m pip install cryptography\n")
    sys.exit(2)

COUNTS = {"fulfilled", "cap_tpp", "lpp_tpp", "lpp_year", "lpp_from_tpp", "lpp_from_year", "nveu_tpp", "nveu_quarter"}
COUNTS |= {"committed_tpp", "installed_tpp", "pending_tpp"}  # a decision does not say those that are 0
FIELDS = {
    "key": "key note",
    "rulebook": "rulebook digest note",
    "request": "request provider idempotency_key sha256 unrecorded",
    "claim": "report period today leaves definition attempt holder lease_until",
    "run": "report period attempt outcome sha256 milliseconds reason",
    "chip": "chip name vendor tpp chip_class source",
    "party": "party name headquarters parent",
    "authorization": "party basis destination valid_from valid_to citation",
    "assurance": "destination uplift_percent valid_from citation",
    "decision": "provider reference kind date stated_destination stated_consignee stated_chip stated_quantity evidence"
    " stated_basis under license_number expires exporter site note sequence destination counted_destination consignee"
    " family chip quantity under_sequence basis outcome limit_id account tpp remaining_tpp limit_tpp rulebook_digest "
    + " ".join(COUNTS),
    "batch": "kind provider filed_by files records admitted refused breached rejected duplicates rulebook_digest"
    " software_version",
}
NAMES = {kind: frozenset(f"batch recorded_at salt {names}".split()) for kind, names in FIELDS.items()}
OUTCOMES, FILE = ("admitted", "refused", "breached"), {"file": str, "sha256": str, "records": int}
EXPORT, RECEIPT, CONSISTENCY = "quotaledger export 1", "quotaledger receipt 1", "quotaledger consistency 1"
SAYS = {"leaf": int, "kind": str, "fields": dict, "checkpoint": str, "message": str}
MANIFEST = {"format", "origin", "made_at", "software_version", "leaves", "records", "root", "redacted", "files"}
FILES = r"manifest\.json|leaves\.ndjson|checkpoints\.txt|README\.txt|verify\.py|tables/[a-z_]+\.parquet"
NAME, NUMBER, ROOT, BASE64 = r"[^\s+\x00-\x1f]+", "0|[1-9][0-9]{0,17}", "[A-Za-z0-9+/]{43}=", "[A-Za-z0-9+/]{6,}=*"
HASH_BYTES, ID_BYTES, ED25519, EXACT, NOT_VERIFIED = 32, 4, b"\x01", 1 << 53, 3


def demand(holds: object, otherwise: str) -> None:
    """Go on only if something holds; else the text says what does not, for people."""
    if not holds:
        raise ValueError(otherwise)


# ---- JSON and base64, read so that no two readers can understand them differently
def load(content: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object, in UTF-8, that says no name twice and no number that some readers would round."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        demand(len(found := dict(pairs)) == len(pairs), f"{what} says a name twice")
        return found

    def whole(digits: str) -> int:
        fine = re.fullmatch("0|-?[1-9][0-9]{0,15}", digits) and abs(int(digits)) < EXACT
        demand(fine, f"{digits[:40]} is no number that every reader knows exactly")
        return int(digits)

    try:
        text = content.decode()
        found = json.loads(text, object_pairs_hook=once, parse_int=whole, parse_float=whole, parse_constant=whole)
        json.dumps(found if b"\\u" in content else "", ensure_ascii=False).encode()  # half a character is no text
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is no JSON to rely on ({error})") from None
    demand(type(found) is dict, f"{what} is no JSON object")
    return dict(found)


def take(says: Mapping[str, Any], name: str, of: type, what: str) -> Any:
    """Give a value that must be there and of a type; True is no number."""
    demand(type(says.get(name)) is of, f"{what} does not say {name!r}, or not as it should")
    return says[name]


def canonical(value: object) -> str:
    """Write a value in the one form of RFC 8785, which this is for texts and whole numbers under ASCII names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_base64(text: Any, what: str) -> bytes:
    """Read base64 in its one usual form."""
    with suppress(ValueError, TypeError):
        if b64encode(found := b64decode(text, validate=True)).decode() == text:
            return found
    raise ValueError(f"{what} is not written in base64")


# ---- Leaves, and the tree of RFC 6962, 2.1
def leaf_hash(what: str, kind: str, fields: Mapping[str, Any]) -> bytes:
    """Give the hash of a leaf, whose bytes are a line and its fields; of other fields there is no such leaf."""
    for name, value in fields.items():
        fine = type(value) in (str, int) and name != "files" and not (value in (0, "0") and name in COUNTS)
        if name == "files" and type(value) is list:
            fine = all(type(file) is dict and {key: type(said) for key, said in file.items()} == FILE for file in value)
        if not fine or name not in NAMES[kind]:
            raise ValueError(f"{what} says {name!r}, or says it as no leaf of its kind does")
    return hashlib.sha256(b"\x00" + f"quotaledger/1 {kind}\n{canonical(fields)}".encode()).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def climb(at: int, last: int, start: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Give the roots of all up to the `at`-th node of a level that ends with `last`, and of all (RFC 9162, 2.1.3.2)."""
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
def read_key(text: str) -> str:
    """Give a key written NAME+HASH+BASE64, an Ed25519 key, if it is one."""
    name, digest, encoded = [*(text := text.strip()).split("+", 2), "", ""][:3]
    public = from_base64(encoded, f"the key {text!r}")
    due = hashlib.sha256(name.encode() + b"\n" + public).hexdigest()[: 2 * ID_BYTES]
    fine = re.fullmatch(NAME, name) and len(public) == 1 + HASH_BYTES and public.startswith(ED25519) and digest == due
    demand(fine, f"{text!r} is no Ed25519 key NAME+HASH+BASE64, or has a typing error")
    return text


def read_keys(given: str) -> list[str]:
    """Read a key, or a file with one a line."""
    try:
        text = given if "+" in given and not Path(given).is_file() else Path(given).read_text("utf-8", "replace")
        return [read_key(line) for line in text.splitlines() if line.strip()] or [read_key("")]
    except (ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def read_checkpoint(note: str, keys: Collection[str], what: str) -> tuple[str, int, bytes, set[str]]:
    """Give log, size and root of a signed note, and who of some keys has signed it, none of them wrongly."""
    text, line = f"({NAME})\n({NUMBER})\n({ROOT})\n", f"\u2014 ({NAME}) ({BASE64})\n"
    found, signers = re.fullmatch(f"({text})\n((?:{line}){{1,100}})", note), set()
    if not found:
        raise ValueError(f"{what} is no signed note of a checkpoint")
    for name, encoded in re.findall(line, found[5]):
        signature = from_base64(encoded, f"a signature of {what}")
        for key in keys:  # a key signs for the log of its own name
            if key.startswith(f"{found[2]}+{signature[:ID_BYTES].hex()}+") and name == found[2]:
                public = Ed25519PublicKey.from_public_bytes(b64decode(key.split("+", 2)[2])[1:])
                try:
                    public.verify(signature[ID_BYTES:], found[1].encode())
                except InvalidSignature:
                    raise ValueError(f"the signature of {what} by {name!r} is not of its text") from None
                signers.add(key)
    return found[2], int(found[3]), from_base64(found[4], f"the root of {what}"), signers


# ---- An export, leaf by leaf and checkpoint by checkpoint
def described(leaf: int, kind: str, fields: Mapping[str, Any]) -> str:
    """Name a leaf for people; texts are quoted, for they may hold anything."""
    names = [repr(fields[name]) for name in ("sequence", "provider", "reference") if name in fields]
    return f"leaf {leaf} ({' '.join([kind, *names])})"


def counted(counts: Mapping[str, int]) -> str:
    """Write counts for people, such as 2 admitted, 0 refused."""
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"


class Audit:
    """What must hold of the leaves one after another, and of the checkpoint that follows each batch of them."""

    def __init__(self, origin: str, given: Collection[str], notes: IO[bytes]) -> None:
        self.origin, self.given, self.notes, self.noted = origin, given, notes, 0
        self.size, self.peaks, self.root, self.redacted = 0, list[bytes](), b"", 0
        self.kinds, self.outcomes = Counter[str](), Counter[str]()
        # the keys in their order; those given that have signed; the place of the last one that was not handed over
        self.keys, self.trusted, self.lost = list[str](), dict[str, None](), 0
        # the batch that is open: its number, its first leaf, its leaves by kind, its decisions by outcome
        self.batch, self.first, self.rows, self.decided = 1, 0, Counter[str](), Counter[str]()
        # every provider and reference so far, in a temporary file of its own: there may be more than memory holds
        self.references = sqlite3.connect("").execute("CREATE TABLE seen (name TEXT PRIMARY KEY) WITHOUT ROWID")

    def leaf(self, line: bytes) -> None:
        """Check the next leaf and append it to the tree; if it closes a batch, check the checkpoint."""
        what = f"leaf {self.size}"
        says = load(line, what)
        kind, body = take(says, "kind", str, what), "fields" if "fields" in says else "hash"
        demand(kind in FIELDS and says.keys() == {"leaf", "kind", body}, f"{what} is of an unknown kind or form")
        demand(says["leaf"] == self.size, f"leaf {says['leaf']!r} stands in leaves.ndjson where {what} should")
        (self.kinds if kind == "request" else self.rows)[kind] += 1  # how a batch came is none of its records
        if body == "fields":
            what = described(self.size, kind, take(says, body, dict, what))
            hashed = leaf_hash(what, kind, says[body])
            self.follow(what, kind, says[body])
        else:
            demand(re.fullmatch("[0-9a-f]{64}", take(says, body, str, what)), f"{what} has no hash")
            what, hashed = f"leaf {self.size} ({kind}, redacted)", bytes.fromhex(says[body])
            demand(kind != "key" and self.size, f"{what} must be open, or nobody knows who signs")
            self.decided.update(["redacted"] if kind == "decision" else [])
            self.redacted += 1
        written = f'{{"leaf": {self.size}, "kind": "{kind}", "{body}": {canonical(says[body])}}}\n'
        demand(line == written.encode(), f"{what} is not written in the one form of leaves, or breaks off")
        self.size, at = self.size + 1, self.size
        while at & 1:  # the tree's perfect subtrees: a leaf closes as many as the size before it ends with ones
            hashed, at = node_hash(self.peaks.pop(), hashed), at >> 1
        self.peaks.append(hashed)
        if kind == "batch":
            self.checkpoint()

    def follow(self, what: str, kind: str, fields: Mapping[str, Any]) -> None:
        """Check that a leaf continues those before it."""
        demand(kind == "key" or self.size, "leaf 0 is not the first signing key")
        demand(take(fields, "batch", int, what) == self.batch, f"{what} stands among the leaves of batch {self.batch}")
        if kind == "key":
            self.keys.append(key := read_key(take(fields, "key", str, what)))
            demand(key.startswith(f"{self.origin}+"), f"{what} is a key of another log, not of {self.origin!r}: {key}")
        elif kind == "decision":
            due, outcome = self.kinds[kind] + self.rows[kind], take(fields, "outcome", str, what)
            fine = take(fields, "sequence", int, what) == due and outcome in OUTCOMES
            demand(fine, f"{what} should be decision {due}, and admitted, refused or breached")
            self.decided[outcome] += 1
            name = canonical([take(fields, "provider", str, what), take(fields, "reference", str, what)])
            new = self.references.execute("INSERT OR IGNORE INTO seen VALUES (?)", (name,)).rowcount
            demand(new, f"{what} has a reference that its provider has used before")
        elif kind == "batch":
            stated, seen = {name: take(fields, name, int, what) for name in OUTCOMES}, self.decided
            right = sum(stated.values()) == seen.total() and all(seen[name] <= stated[name] for name in OUTCOMES)
            demand(right, f"{what} says {counted(stated)}, but its decisions are {counted(seen)}")
            due = self.rows.total() - 1 + sum(take(fields, name, int, what) for name in ("rejected", "duplicates"))
            demand(take(fields, "records", int, what) == due, f"{what} should say that it has {due} records")

    def checkpoint(self) -> None:
        """Check that the next note, with a blank line within and one after it, is of this batch and rightly signed."""
        what, some = f"checkpoint {self.batch}", f"leaves {self.first} to {self.size - 1} (batch {self.batch})"
        note = b"\n".join(b"".join(takewhile(b"\n".__ne__, self.notes)) for _ in range(2))
        demand(note != b"\n", f"checkpoints.txt ends before {what}, which should close {some}")
        self.noted += len(note) + 1
        origin, size, root, signers = read_checkpoint(note.decode("utf-8", "replace"), {*self.keys, *self.given}, what)
        demand((origin, size) == (self.origin, self.size), f"{what} is of {size} leaves of {origin!r}, not of {some}")
        self.root = reduce(lambda found, peak: node_hash(peak, found), reversed(self.peaks))
        demand(root == self.root, f"{some} do not have the root of {what}: the ones or the other were changed")
        demand(self.keys[-1] in signers, f"{what} is not signed by the key in force, {self.keys[-1]}")
        for place in range(max(len(self.keys) - self.rows["key"], 1), len(self.keys)):
            self.lost = self.lost if self.keys[place - 1] in signers else place
        self.trusted |= {key: None for key in self.given if key in signers}
        self.kinds, self.outcomes = self.kinds + self.rows, self.outcomes + self.decided
        self.batch, self.first, self.rows, self.decided = self.batch + 1, self.size, Counter(), Counter()

    def who_signed(self) -> str:
        """Tell whose word all leaves are: a key vouches for those before it, and for the next by handing over."""
        keys, later = ", ".join(self.keys), self.keys[self.lost :]
        demand(self.trusted or not self.given, f"none of the keys given has signed this log, whose keys are {keys}")
        vouched = not self.lost or any(key in self.trusted for key in later)
        demand(vouched, f"the key {later[0]} was not handed over by the one before: give it with --key if it is right")
        own = "believed because the export says so; compare it with what the log's owner says, or give it with --key"
        return f"{', '.join(self.trusted)}, as given" if self.trusted else f"{self.keys[-1]}, {own}"


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what the folder should have, and check that it has these files and no others."""
    demand((folder / "manifest.json").is_file(), f"{str(folder)!r} is no export: it has no manifest.json")
    manifest = load((folder / "manifest.json").read_bytes(), "manifest.json")
    fine = manifest.get("format") == EXPORT and manifest.keys() == MANIFEST and type(manifest["files"]) is dict
    demand(fine, f'manifest.json is not that of a "{EXPORT}"')
    due = {"manifest.json", "leaves.ndjson", "checkpoints.txt", *manifest["files"]}
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    for name, path in there.items():
        fine = path.is_dir() if name == "tables" else path.is_file() and re.fullmatch(FILES, name)
        demand(fine and not path.is_symlink(), f"{name!r} is no plain file of an export")
    for name in sorted(due ^ (there.keys() - {"tables"})):  # a name with .. or a slash in front is never there
        raise ValueError(f"{name!r} is " + ("missing in the folder" if name in due else "not in manifest.json"))
    return manifest


def verify_export(folder: Path, given: Sequence[str]) -> str:
    """Verify an export folder, one leaf and one checkpoint of it in memory, and tell what is in it."""
    manifest = read_manifest(folder)
    with (folder / "leaves.ndjson").open("rb") as lines, (folder / "checkpoints.txt").open("rb") as notes:
        audit = Audit(take(manifest, "origin", str, "manifest.json"), given, notes)
        for line in lines:
            audit.leaf(line)
        demand(audit.size and not audit.rows, f"leaves.ndjson ends after {audit.size} leaves, which no batch closes")
        demand(notes.seek(0, 2) == audit.noted, "checkpoints.txt breaks off, or goes on after that of the last leaf")
    key = audit.who_signed()
    found = {"leaves": audit.size, "root": audit.root.hex(), "records": audit.kinds["decision"]}
    for name, value in {**found, "redacted": audit.redacted}.items():
        demand(manifest[name] == value, f"manifest.json says {name} {manifest[name]!r}, not {value!r}")
    for name, stated in sorted(manifest["files"].items()):
        with (folder / name).open("rb") as file:
            digest, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        demand(stated == {"sha256": digest, "bytes": size}, f"{name!r} is not the file that manifest.json says")
    return (
        f"verified: {audit.size} leaves of {audit.origin}, made {manifest['made_at']!r}\nroot: {found['root']}\n"
        f"leaves: {counted(audit.kinds)}; {audit.redacted} of all are redacted, only their hash is known\n"
        f"records: {counted(audit.outcomes)}\ncheckpoints: {audit.batch - 1}\nkey: {key}\n"
        "tables: only compared with the unsigned manifest.json; only `quotaledger restore` compares them with leaves"
    )


# ---- Receipts and consistency statements
def read_statement(content: bytes, form: str, of: Mapping[str, type], keys: Collection[str]) -> tuple[Any, list[Any]]:
    """Give the proof in a statement and what else it says, all that it should; of signed notes log, size and root."""
    says, found = {"message": "", **load(content, "the file")} if form == RECEIPT else load(content, "the file"), []
    demand(says.get("format") == form, f'the file is no "{form}"')
    odd = sorted(says.keys() ^ {"format", "proof", *of})
    demand(not odd, f"the file says too much or too little: {', '.join(map(repr, odd))}")
    proof = [from_base64(step, "a step of the proof") for step in take(says, "proof", list, "the file")]
    demand({*map(len, proof)} <= {HASH_BYTES}, "a step of the proof is no hash")
    for name, one in of.items():
        value, what = take(says, name, one, "the file"), f"the note {name!r}"
        if name in ("checkpoint", "earlier", "later"):
            *value, signers = read_checkpoint(value, keys, what)
            demand(signers, f"{what} is not signed by a key given, for the log {value[0]!r}")
        found.append(value)
    return proof, found


def verify_receipt(content: bytes, keys: Collection[str]) -> str:
    """Verify that a leaf is in the log."""
    proof, [leaf, kind, fields, (origin, size, due), _] = read_statement(content, RECEIPT, SAYS, keys)
    what, whole = described(leaf, kind, fields), f"the first {size} leaves of {origin}"
    demand(kind in NAMES and 0 <= leaf < size, f"{what} is not among {whole}")
    _, root = climb(leaf, size - 1, leaf_hash(what, kind, fields), proof) or (b"", b"")
    demand(root == due, f"{what} is not under the root of {whole}: fields, number or proof are not those of the log")
    return f"verified: {what} is among {whole}; a message beside it is not proven"


def verify_consistency(content: bytes, keys: Collection[str]) -> str:
    """Verify that a log is the beginning of a later one."""
    of = {"earlier": str, "later": str}
    proof, [(log, old, old_root), (other, new, new_root)] = read_statement(content, CONSISTENCY, of, keys)
    what = f"{old} leaves of {log} are the beginning of {new} leaves of {other}"
    demand(log == other and 0 < old <= new, f"it cannot be that {what}")
    width = old & -old if old < new else new  # of the perfect trees that the old one is made of, or of the whole
    at, last = (old - 1) // width, (new - 1) // width
    proof = proof if at else [old_root, *proof]  # a perfect tree is itself the first step, and left out: it is known
    demand(proof and climb(at, last, proof[0], proof[1:]) == (old_root, new_root), f"nothing shows that {what}")
    return f"verified: {what}"


def main() -> int:
    """Do what the command line says, and tell how it ended."""
    parser = argparse.ArgumentParser(description="Verify an export, a receipt or a consistency statement.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("folder", nargs="?", type=Path, help="an export; by default the folder of this file")
    what.add_argument("--receipt", type=Path, metavar="FILE", help="a receipt")
    what.add_argument("--consistency", type=Path, metavar="FILE", help="a consistency statement")
    parser.add_argument("--key", type=read_keys, action="extend", default=[], help="a key to trust, or a file of them")
    asked = parser.parse_args()
    file, folder = asked.receipt or asked.consistency, asked.folder or Path(__file__).parent
    if (file and not asked.key) or not (file.is_file() if file else folder.is_dir()):
        parser.error(f"there is no such file or folder as {file or folder}, or --key is missing")
    verify = verify_receipt if asked.receipt else verify_consistency
    try:
        answer = verify(file.read_bytes(), asked.key) if file else verify_export(folder, asked.key)
    except (ValueError, OSError, sqlite3.Error) as error:
        answer = f"not verified: {error}"
    sys.stdout.buffer.write(f"{answer}\n".encode())
    return NOT_VERIFIED if answer.startswith("not") else 0


if __name__ == "__main__":
    for ending in {signal.SIGINT, getattr(signal, "SIGPIPE", signal.SIGINT)}:  # Ctrl-C, or an answer that nobody reads
        signal.signal(ending, signal.SIG_DFL)
    sys.exit(main())
