"""The verifier that lies in exports: run by itself, away from the ledger, it tells what holds and who signed it."""

from pathlib import Path
from typing import Any

import pytest

from tests.standalone.exports import (
    FIRST,
    ORIGIN,
    SECOND,
    STRANGER,
    THIRD,
    Export,
    key_text,
    lost_log,
    plain_log,
    rotated_log,
)
from tests.standalone.running import run, verdict


def test_a_whole_export_is_verified_and_told(program: Path, tmp_path: Path) -> None:
    """Leaves by kind, records by outcome, checkpoints, root and the key that was believed are told."""
    code, said = verdict(program, tmp_path, Export.of(log := rotated_log()))

    assert code == 0
    kinds = "2 key, 1 rulebook, 1 chip, 5 batch, 1 party, 4 decision"
    believed = "believed because the export says so; compare it with what the log's owner says, or give it with --key"
    assert said.splitlines() == [
        f"verified: 14 leaves of {ORIGIN}, made '2026-11-22T13:00:00.000000Z'",
        f"root: {log.frontiers[14].root().hex()}",
        f"leaves: {kinds}; 0 of all are redacted, only their hash is known",
        "records: 2 admitted, 1 refused, 1 breached",
        "checkpoints: 5",
        f"key: {key_text(SECOND)}, {believed}",
        "tables: only compared with the unsigned manifest.json; only `quotaledger restore` compares them with leaves",
    ]


def test_the_folder_of_the_program_is_the_default(program: Path, tmp_path: Path) -> None:
    """Copied into an export and listed there, the verifier checks what it lies in."""
    export = Export.of(plain_log())
    export.files["verify.py"] = program.read_bytes()
    export.write(tmp_path, export.root())

    assert run(tmp_path / "verify.py")[0] == 0
    assert run(tmp_path / "verify.py", "--key", key_text(FIRST))[0] == 0
    (tmp_path / "verify.py").write_text(program.read_text("utf-8") + "\n", "utf-8")
    assert run(tmp_path / "verify.py") == (
        3,
        "not verified: 'verify.py' is not the file that manifest.json says\n",
    )


def test_redacted_leaves_are_counted_and_followed(program: Path, tmp_path: Path) -> None:
    """Of a redacted decision, party or batch only the hash is known: all else still holds, and it is told how many."""
    code, said = verdict(program, tmp_path, Export.of(rotated_log(), {1, 4, 5, 7, 12, 13}), key_text(FIRST))

    assert code == 0
    assert "6 of all are redacted" in said
    assert "records: 2 admitted, 2 redacted" in said


@pytest.mark.parametrize("trusted", [[FIRST], [SECOND], [FIRST, SECOND], [STRANGER, FIRST]])
def test_a_chain_of_keys_is_trusted_from_any_of_them(program: Path, tmp_path: Path, trusted: list[Any]) -> None:
    """The first key hands over to the second, and the second signs all that the first did: either is enough."""
    code, said = verdict(program, tmp_path, Export.of(rotated_log()), *map(key_text, trusted))

    assert code == 0
    assert ", as given" in said
    assert key_text(STRANGER) not in said


def test_a_key_of_nobody_is_not_enough(program: Path, tmp_path: Path) -> None:
    """Keys that have not signed this log, even under its name, verify nothing."""
    code, said = verdict(program, tmp_path, Export.of(rotated_log()), key_text(STRANGER))

    assert code == 3
    assert f"none of the keys given has signed this log, whose keys are {key_text(FIRST)}, {key_text(SECOND)}" in said


@pytest.mark.parametrize(("given", "code"), [([], 3), ([FIRST], 3), ([SECOND], 3), ([THIRD], 0), ([FIRST, THIRD], 0)])
def test_a_key_that_was_not_handed_over_must_be_given(
    program: Path, tmp_path: Path, given: list[Any], code: int
) -> None:
    """After a key was lost, the next is trusted only by who was told of it."""
    found, said = verdict(program, tmp_path, Export.of(lost_log()), *map(key_text, given))

    assert found == code
    assert code == 0 or f"the key {key_text(THIRD)} was not handed over by the one before" in said


def test_an_earlier_export_is_verified_too(program: Path, tmp_path: Path) -> None:
    """What ends with an earlier batch and its checkpoint is an older state of the log, and whole."""
    export = Export.of(rotated_log())
    del export.lines[10:], export.notes[3:]

    assert verdict(program, tmp_path, export, key_text(FIRST))[0] == 0
