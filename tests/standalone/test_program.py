"""The program itself: how it is called, and that it says the same as the ledger without anything of it."""

import ast
import json
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from ledger.tlog.leaf import COUNTS, FIELDS, is_said, leaf_bytes, leaf_hash
from ledger.tlog.receipt import CONSISTENCY, RECEIPT
from tests.standalone.exports import FIRST, key_text, lost_log
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
