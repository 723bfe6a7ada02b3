"""Logs and export folders as a ledger writes them, made from tlog alone, to be changed by tests."""

import json
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.leaf import FIELDS, encode, is_said, leaf_bytes, leaf_hash
from ledger.tlog.note import VerifierKey
from ledger.tlog.tree import Frontier, node_hash

ORIGIN: Final = "quota.example/ledger"
FIRST, SECOND, THIRD, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in range(4))
OUTCOMES: Final = ("admitted", "refused", "breached")

Leaf = tuple[str, dict[str, Any]]


def key_text(private: Ed25519PrivateKey, name: str = ORIGIN) -> str:
    return str(VerifierKey.of(name, private))


def key(private: Ed25519PrivateKey) -> Leaf:
    return "key", {"key": key_text(private), "note": "put in use"}


def decision(sequence: int, outcome: str, **more: Any) -> Leaf:
    plain = {"provider": "ACME", "reference": f"PO-{sequence}", "kind": "allocation", "quantity": 1000}
    return "decision", plain | {"sequence": sequence, "outcome": outcome, "tpp": "15832000"} | more


@dataclass
class Log:
    """A log that grows batch by batch, each closed by its leaf and a signed checkpoint."""

    leaves: list[tuple[str, dict[str, Any], bytes]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    frontiers: list[Frontier] = field(default_factory=lambda: [Frontier()])

    def batch(
        self,
        kind: str,
        *leaves: Leaf,
        by: Sequence[Ed25519PrivateKey] = (FIRST,),
        stated: Mapping[str, Any] | None = None,
    ) -> "Log":
        """Record a batch; `stated` is what its leaf says otherwise than it should."""
        number = sum(known == "batch" for known, *_ in self.leaves) + 1
        outcomes = [fields["outcome"] for known, fields in leaves if known == "decision"]
        counts = {outcome: outcomes.count(outcome) for outcome in OUTCOMES}
        files = [{"file": "märz.csv", "sha256": "ab" * 32, "records": len(outcomes)}] if outcomes else None
        provider = next((fields["provider"] for known, fields in leaves if known == "decision"), None)
        rest = {"kind": kind, "provider": provider, "records": len(leaves), "rejected": 0, "duplicates": 0}
        for known, fields in (*leaves, ("batch", counts | rest | {"files": files} | dict(stated or {}))):
            salt = sha256(str(len(self.leaves)).encode()).hexdigest()[:32]
            common = {"batch": number, "recorded_at": "2026-11-22T12:00:00.000000Z", "salt": salt}
            every = dict.fromkeys(FIELDS[known]) | common | fields
            said = {name: value for name, value in every.items() if is_said(name, value)}
            self.leaves.append((known, said, leaf_hash(leaf_bytes(known, every))))
            self.frontiers.append(self.frontiers[-1].extended(self.leaves[-1][2])[0])
        self.notes.append(self.checkpoint(len(self.leaves)).signed(*by))
        return self

    def checkpoint(self, size: int) -> Checkpoint:
        """Give the checkpoint over the first leaves."""
        return Checkpoint(ORIGIN, size, self.frontiers[size].root())

    def node(self, level: int, index: int) -> bytes:
        """Give the root of a perfect subtree, as proofs ask for it."""
        if not level:
            return self.leaves[index][2]
        return node_hash(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))


def plain_log() -> Log:
    """Leaves 0 to 3: key, rulebook, chip, batch 1; 4 and 5: party, batch 2; 6 to 9: decisions 1 to 3, batch 3."""
    book = ("rulebook", {"rulebook": "diffusion", "digest": "cd" * 32})
    log = Log().batch("rulebook", key(FIRST), book, ("chip", {"chip": "H100", "tpp": "15832"}))
    log.batch("register", ("party", {"party": "GULF", "name": "Gulf “芯片”\n\u2028"}))
    return log.batch("import", decision(1, "admitted"), decision(2, "refused"), decision(3, "admitted"))


def rotated_log() -> Log:
    """After the plain log, leaves 10 and 11: the second key, handed over by the first, batch 4; 12, 13: decision 4."""
    log = plain_log().batch("key", key(SECOND), by=[FIRST, SECOND])
    return log.batch("import", decision(4, "breached"), by=[SECOND])


def lost_log() -> Log:
    """After the rotated log, leaves 14 and 15: a third key by itself, batch 6; 16, 17: decision 5."""
    log = rotated_log().batch("key", key(THIRD), by=[THIRD])
    return log.batch("import", decision(5, "admitted"), by=[THIRD])


@dataclass
class Export:
    """What will be an export folder: lines of leaves, notes and other files; `manifest` overrides what it will say."""

    lines: list[dict[str, Any]]
    notes: list[str]
    files: dict[str, bytes] = field(default_factory=lambda: {"tables/entry.parquet": b"PAR1", "README.txt": b""})
    manifest: dict[str, Any] = field(default_factory=dict)
    between: str = "\n"

    @classmethod
    def of(cls, log: Log, redacted: Collection[int] = ()) -> "Export":
        """Give the export of a log, of some leaves of which there is only the hash."""
        lines = [
            {"leaf": leaf, "kind": kind, **({"hash": found.hex()} if leaf in redacted else {"fields": fields})}
            for leaf, (kind, fields, found) in enumerate(log.leaves)
        ]
        return cls(lines, list(log.notes))

    def numbered(self) -> None:
        """Number the lines anew, as whoever hides a change would."""
        self.lines = [line | {"leaf": leaf} for leaf, line in enumerate(self.lines)]

    def root(self) -> bytes:
        """Give the root that the lines have."""
        hashes = [
            leaf_hash(leaf_bytes(line["kind"], dict.fromkeys(FIELDS[line["kind"]]) | line["fields"]))
            if "fields" in line
            else bytes.fromhex(line["hash"])
            for line in self.lines
        ]
        return Frontier().extended(b"".join(hashes))[0].root()

    def leaves_file(self) -> bytes:
        """Give the bytes of the file of leaves: fields in the canonical form, as they are hashed."""
        texts = [
            ", ".join(f"{json.dumps(name)}: {encode(value)}" for name, value in line.items()) for line in self.lines
        ]
        return "".join(f"{{{text}}}\n" for text in texts).encode()

    def write(self, folder: Path, root: bytes) -> None:
        """Write the folder, with a manifest that fits all that is in it."""
        notes = "".join(f"{note}{self.between}" for note in self.notes)
        files = self.files | {"checkpoints.txt": notes.encode()}
        files |= {"leaves.ndjson": self.leaves_file()} if "leaves.ndjson" not in files else {}
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        stated = {name: {"sha256": sha256(text).hexdigest(), "bytes": len(text)} for name, text in files.items()}
        manifest = {
            "format": "quotaledger export 1",
            "origin": ORIGIN,
            "made_at": "2026-11-22T13:00:00.000000Z",
            "software_version": "0.1.0",
            "leaves": len(self.lines),
            "records": sum(line["kind"] == "decision" for line in self.lines),
            "root": root.hex(),
            "redacted": sum("fields" not in line for line in self.lines),
            "files": stated,
        }
        (folder / "manifest.json").write_text(
            json.dumps(manifest | self.manifest, ensure_ascii=False, indent=1), "utf-8"
        )


def base64s(proof: Sequence[bytes]) -> list[str]:
    return [b64encode(step).decode() for step in proof]
