"""Whatever is planted in the checkpoints or the manifest of an export is found, and the first difference is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.tree import Frontier
from tests.standalone.exports import FIRST, ORIGIN, SECOND, STRANGER, Export, key_text
from tests.standalone.forging import letter, note, redact, says, signed
from tests.standalone.running import planted

PLANTED: Final[dict[str, tuple[Callable[[Export], object], str]]] = {
    "a signature is dropped": (note(2, lambda text: text[: text.index("\u2014")]), "checkpoint 3 is no signed note"),
    "a signature is changed": (
        note(2, letter),
        f"the signature of checkpoint 3 by '{ORIGIN}' is not of its",
    ),
    "a signature is cut": (note(2, lambda text: text[:-9] + "=\n"), "checkpoint 3"),
    "a checkpoint is signed by a stranger": (
        note(2, signed(10, STRANGER)),
        f"checkpoint 3 is not signed by the key in force, {key_text(FIRST)}",
    ),
    "a checkpoint is signed by the key before": (note(4, signed(14, FIRST)), f"the key in force, {key_text(SECOND)}"),
    "a checkpoint is signed by the key to come": (note(2, signed(10, SECOND)), f"the key in force, {key_text(FIRST)}"),
    "a key was not handed over": (note(3, signed(12, SECOND)), f"the key {key_text(SECOND)} was not handed over"),
    "a key hands over to itself": (note(3, signed(12, STRANGER, SECOND)), "was not handed over by the one before"),
    "the handover is left out": (
        lambda export: export.notes.pop(3),
        "checkpoint 4 is of 14 leaves of 'quota.example/ledger', not of leaves 10 to 11 (batch 4)",
    ),
    "a checkpoint has another root": (
        note(1, signed(6, FIRST, root=bytes(32))),
        "leaves 4 to 5 (batch 2) do not have the root of checkpoint 2",
    ),
    "a checkpoint is of another log": (
        note(1, signed(6, FIRST, origin="x")),
        "checkpoint 2 is of 6 leaves of 'x', not of leaves 4 to 5 (batch 2)",
    ),
    "a checkpoint is of no leaves": (
        lambda export: export.notes.insert(0, Checkpoint(ORIGIN, 0, Frontier().root()).signed(FIRST)),
        "checkpoint 1 is of 0 leaves",
    ),
    "checkpoints are swapped": (
        lambda export: export.notes.insert(1, export.notes.pop(2)),
        "checkpoint 2 is of 10 leaves",
    ),
    "a checkpoint has leading zeros": (
        note(1, lambda text: text.replace("\n6\n", "\n06\n")),
        "checkpoint 2 is no signed note",
    ),
    "a checkpoint has a line more": (
        note(1, lambda text: text.replace("\n6\n", "\n6\nx\n")),
        "checkpoint 2 is no signed note",
    ),
    "checkpoints have nothing between": (
        lambda export: setattr(export, "between", ""),
        "checkpoint 1 is no signed note",
    ),
    "checkpoints have too much between": (
        lambda export: setattr(export, "between", "\n\n"),
        "checkpoint 2 is no signed note",
    ),
    "checkpoints are garbage": (
        lambda export: setattr(export, "notes", ["\0\ufffd" * 99]),
        "checkpoint 1 is no signed note",
    ),
    "the manifest has another root": (says(root="00" * 32), "manifest.json says root '0000"),
    "the manifest has more leaves": (says(leaves=15), "manifest.json says leaves 15, not 14"),
    "the manifest has fewer records": (says(records=3), "manifest.json says records 3, not 4"),
    "the manifest hides redactions": (
        lambda export: [redact(7)(export), says(redacted=0)(export)],
        "manifest.json says redacted 0, not 1",
    ),
    "the manifest is of another log": (
        says(origin="x"),
        "leaf 0 (key) is a key of another log, not of 'x'",
    ),
    "the manifest is of another format": (says(format="quotaledger export 2"), "manifest.json is not that of a"),
    "the manifest has more to say": (says(more=1), "manifest.json is not that of a"),
    "the manifest has no list of files": (says(files=[]), "manifest.json is not that of a"),
    "the manifest has no files": (says(files={}), "'README.txt' is not in manifest.json"),
    "a checkpoint in the middle is left out": (lambda export: export.notes.pop(1), "checkpoint 2 is of 10 leaves"),
    "a checkpoint is there twice": (
        lambda export: export.notes.insert(1, export.notes[1]),
        "checkpoint 3 is of 6 leaves",
    ),
    "a checkpoint is there to come": (
        lambda export: export.notes.append(export.notes[-1]),
        "checkpoints.txt breaks off, or goes on after that of the last leaf",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_whatever_is_planted_is_found_and_named(program: Path, tmp_path: Path, name: str) -> None:
    """Whoever changes checkpoints or manifest is found, and the first difference is named."""
    plant, named = PLANTED[name]
    code, said = planted(program, tmp_path, plant)

    assert code == 3
    assert said.startswith("not verified: ")
    assert named in said
    assert said.count("\n") == 1
