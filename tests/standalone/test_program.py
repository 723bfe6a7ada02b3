"""The program itself: how it is called, and that it says the same as the ledger without anything of it."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from ledger.tlog.leaf import COUNTS, FIELDS, is_said, leaf_bytes, leaf_hash
from ledger.tlog.receipt import CONSISTENCY, RECEIPT
from tests.standalone.exports import FIRST, SECOND, STRANGER, Export, key_text, lost_log, rotated_log
from tests.standalone.running import ROOT, SOURCE, run

GOLDEN: Final = json.loads((ROOT / "tests/tlog/golden.json").read_text("utf-8"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["nowhere"],
        ["--key", "x"],
        ["--key", key_text(FIRST)[:-1]],
        ["--receipt", "verify.py"],
        ["--receipt", "nowhere", "--key", key_text(FIRST)],
        ["--receipt", "verify.py", "--consistency", "verify.py", "--key", key_text(FIRST)],
        ["--receipt", "verify.py", ".", "--key", key_text(FIRST)],
        ["--surprise"],
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(program: Path, arguments: list[str]) -> None:
    """A file that is not there, a key that is none or is missing, and two questions at once are wrong usage."""
    assert run(program, *arguments)[0] == 2


def test_what_cannot_be_answered_is_told_plainly(program: Path, tmp_path: Path) -> None:
    """A folder that is no export is not verified; a file in its place, or a folder for a file, is wrong usage."""
    (tmp_path / "file").write_bytes(b"")

    assert run(program, tmp_path) == (3, f"not verified: '{tmp_path}' is no export: it has no manifest.json\n")
    for words in ([tmp_path / "file"], ["--receipt", tmp_path, "--key", key_text(FIRST)], [tmp_path / "none"]):
        code, said = run(program, *words)
        assert code == 2
        assert "error: there is no such file or folder as" in said
    code, said = run(program, "--receipt", tmp_path / "file")
    assert code == 2
    assert "--key is missing" in said


def test_a_key_may_be_a_file_with_one_a_line(program: Path, tmp_path: Path) -> None:
    """Blank lines do not count; a file that is not there, or has something else in it, is wrong usage."""
    export = Export.of(rotated_log())
    export.write(tmp_path / "export", export.root())
    (tmp_path / "keys").write_text(f"\n{key_text(STRANGER)}\n  {key_text(SECOND)}  \n\n{key_text(FIRST)}", "utf-8")
    (tmp_path / "odd").write_text(f"{key_text(FIRST)}\nno key\n", "utf-8")
    code, said = run(program, tmp_path / "export", "--key", tmp_path / "keys")

    assert code == 0
    assert f"key: {key_text(FIRST)}, {key_text(SECOND)}, as given\n" in said
    assert run(program, tmp_path / "export", "--key", tmp_path / "odd")[0] == 2
    assert "no key" in run(program, tmp_path / "export", "--key", tmp_path / "odd")[1]
    assert "No such file" in run(program, tmp_path / "export", "--key", tmp_path / "none")[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGPIPE])
def test_an_end_from_outside_leaves_no_traceback(program: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C while it reads, and an answer that nobody reads, end it without a word."""
    export = Export.of(rotated_log())
    export.write(tmp_path, export.root())
    (tmp_path / "leaves.ndjson").unlink()
    os.mkfifo(tmp_path / "fifo")
    command: list[str | Path] = [sys.executable, "-I", program, tmp_path]
    if number == signal.SIGINT:  # a key in a pipe that nobody writes to is waited for
        command = [sys.executable, "-I", program, tmp_path, "--key", tmp_path / "fifo"]
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, text=True) as running:
        os.close(writer)
        if number == signal.SIGINT:
            with (tmp_path / "fifo").open("w"):  # it is there when somebody reads
                running.send_signal(number)
                assert running.wait(60) == -number
        assert running.stderr
        assert (running.wait(60), running.stderr.read()) == (-number, "")


def loaded() -> ModuleType:
    """Load the verifier as a module, as nothing but tests does."""
    spec = spec_from_file_location("standalone_verify", SOURCE)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("vector", GOLDEN, ids=lambda vector: vector["name"])
def test_its_leaves_are_the_golden_leaves(vector: dict[str, Any]) -> None:
    """The verifier writes leaves like the ledger, byte for byte."""
    said = {name: value for name, value in vector["fields"].items() if is_said(name, value)}

    assert loaded().leaf_hash("a leaf", vector["kind"], said).hex() == vector["hash"]


def test_it_knows_the_words_of_the_ledger() -> None:
    """Kinds, their fields, formats and leaves of every kind are those of the ledger."""
    module = loaded()

    assert {kind: sorted(names) for kind, names in module.NAMES.items()} == {
        kind: sorted(names) for kind, names in FIELDS.items()
    }
    assert module.COUNTS == COUNTS
    assert (module.RECEIPT, module.CONSISTENCY) == (RECEIPT, CONSISTENCY)
    for kind, fields, found in lost_log().leaves:
        assert (
            module.leaf_hash("a leaf", kind, fields)
            == found
            == leaf_hash(leaf_bytes(kind, dict.fromkeys(FIELDS[kind]) | fields))
        )


def test_it_imports_nothing_of_the_ledger() -> None:
    """Only the standard library and cryptography are imported, at the top of the file and in no function."""
    tree = ast.parse(SOURCE.read_text("utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in found if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "." for node in found if isinstance(node, ast.ImportFrom)}

    assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "cryptography"}
    top = [part for node in tree.body for part in (node, *getattr(node, "body", ()))]
    assert all(node in top for node in found)
    assert not re.search(r"__import__|importlib|exec\(|eval\(", SOURCE.read_text("utf-8"))
