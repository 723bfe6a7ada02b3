"""Both verifiers side by side: `verify.py` as whoever has nothing else runs it, and the package's restore and verify.

What each says is made comparable: whether it is verified, and if so the root and the key in use.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.core.errors import VerificationFailed, WrongUsage
from ledger.sequencer.exporting import export_ledger
from ledger.sequencer.receipting import check_consistency, check_receipt
from ledger.sequencer.restoring import restore_ledger
from ledger.sequencer.rotating import rotate
from ledger.sequencer.verifying import verify
from ledger.store.file import KEY_SUFFIX, LedgerFile, beside
from ledger.tlog.note import VerifierKey
from tests.harness import NOW, Bench, bench, copy_ledger

SOURCE: Final = Path(__file__).parent.parent.parent / "ledger/standalone/verify.py"
ORDER: Final = {"kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "P", "chip": "H100"}
STRANGER: Final = Ed25519PrivateKey.from_private_bytes(bytes([9] * 32))
_NUMBERS: Final = count()

Forgery = Callable[[Path], object]


class Said(NamedTuple):
    """What a verifier says: the exit code, and of what is verified the root and the key in use."""

    code: int
    root: str = ""
    key: str = ""


def alone(*words: str | Path, keys: Sequence[str] = ()) -> tuple[Said, str]:
    """Run the stand-alone verifier, and give besides all that it says."""
    options = [part for key in keys for part in ("--key", key)]
    done = subprocess.run(
        [sys.executable, "-I", SOURCE, *words, *options], capture_output=True, check=False, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    key = told.get("key", "").partition(",")[0]
    return Said(done.returncode, *([told.get("root", ""), key] if not done.returncode else [])), done.stdout


def package(folder: Path, keys: Sequence[str] = ()) -> Said:
    """Restore an export and verify what came of it."""
    path = folder.parent / f"restored-{next(_NUMBERS)}.duckdb"
    known = [VerifierKey.parse(key) for key in keys]
    try:
        restore_ledger(folder, path, known)
        found = verify(path, known)
    except WrongUsage:
        return Said(2)
    except VerificationFailed:
        return Said(3)
    return Said(0, found.root.hex(), str(found.key))


def package_statement(what: str, file: Path, keys: Sequence[str]) -> int:
    """Verify a receipt or a statement with the package, and give the exit code."""
    try:
        (check_receipt if what == "--receipt" else check_consistency)(file, keys)
    except WrongUsage:
        return 2
    except VerificationFailed:
        return 3
    return 0


def fill(made: Bench) -> None:
    """Record a party, four records of two providers, one of them refused, and a rule that they break."""
    made.register("parties", {"party": "P", "name": "Gulf “芯片”\n\u2028", "headquarters": "AE"})
    made.submit("mine", *(ORDER | {"reference": f"a{n}", "quantity": "10"} for n in range(3)))
    made.submit("other", ORDER | {"reference": "a0", "quantity": "10"})


def export(path: Path, folder: Path) -> Path:
    """Export a ledger that lies at a path."""
    with LedgerFile.open(path) as ledger:
        export_ledger(ledger, folder, NOW)
    return folder


def filled(folder: Path) -> Path:
    """Give the path of a ledger with records."""
    with bench(folder) as made:
        fill(made)
        return made.ledger.path


def chain(folder: Path, kinds: str) -> tuple[Path, list[str]]:
    """Export a ledger whose key changed, h for handed over, l for lost, a record after each; give the keys, too."""
    path = filled(folder)
    for number, kind in enumerate(kinds):
        if kind == "l":
            beside(path, KEY_SUFFIX).unlink()
        rotate(path, "why", "tests", NOW, lost=kind == "l")
        with LedgerFile.open(path, NOW) as ledger:
            Bench(ledger).submit("mine", ORDER | {"reference": f"k{number}", "quantity": "1"})
    with LedgerFile.open(path) as ledger:
        keys = [key for (key,) in ledger.rows("SELECT key FROM key_row ORDER BY leaf")]
    return export(path, folder / "export"), keys


# ---- Changing an export, with its manifest made to fit
def replace(folder: Path, name: str, content: bytes) -> None:
    """Put a file in an export and say so in its manifest, as a forger would."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"][name] = {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def declare(**says: Any) -> Forgery:
    """Have the manifest say something else."""

    def change(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        (folder / "manifest.json").write_text(json.dumps(manifest | says), "utf-8")

    return change


def edit(name: str, to: Callable[[bytes], bytes]) -> Forgery:
    """Change the bytes of a file, which must be others then."""

    def change(folder: Path) -> None:
        before = (folder / name).read_bytes()
        assert to(before) != before
        replace(folder, name, to(before))

    return change


def lines(to: Callable[[list[bytes]], list[bytes]], *, numbered: bool = True) -> Forgery:
    """Change the list of leaves, and number them anew, as whoever hides a change would."""

    def change(content: bytes) -> bytes:
        found = to(content.split(b"\n")[:-1])
        again = [
            b'{"leaf": %d, %s' % (at, line.partition(b", ")[2]) if numbered else line for at, line in enumerate(found)
        ]
        return b"".join(line + b"\n" for line in again)

    return edit("leaves.ndjson", change)


def notes(to: Callable[[list[bytes]], list[bytes]]) -> Forgery:
    """Change the list of checkpoints."""

    def change(content: bytes) -> bytes:
        parts = content.split(b"\n\n")[:-1]
        pairs = [parts[at] + b"\n\n" + parts[at + 1] + b"\n\n" for at in range(0, len(parts), 2)]
        return b"".join(to(pairs))

    return edit("checkpoints.txt", change)


def copied(path: Path, folder: Path) -> Path:
    """Copy a closed ledger into a folder."""
    folder.mkdir(exist_ok=True)
    return copy_ledger(path, folder / path.name)
