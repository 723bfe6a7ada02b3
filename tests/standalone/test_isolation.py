"""An export that brings modules of its own: none of them is run, however the verifier is started."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.standalone.exports import FIRST, Export, key_text, plain_log
from tests.standalone.running import SOURCE

HOSTILE: Final = """import os, pathlib
pathlib.Path(__file__).parent.parent.joinpath("ran").touch()
print("verified: 10 leaves", flush=True)
os._exit(0)
"""
"""What says "verified" as soon as it is imported, and leaves a trace."""
MODULES: Final = ("hashlib.py", "json.py", "re.py", "argparse.py", "os.py", "cryptography/__init__.py", "sqlite3/x.py")


def hostile(folder: Path, *names: str, listed: bool = True) -> Path:
    """Give an export that is whole but for modules that lie in it, listed in the manifest or not."""
    export = Export.of(plain_log())
    planted = {name: HOSTILE.encode() for name in names}
    export.files |= {"verify.py": SOURCE.read_bytes(), **(planted if listed else {})}
    export.write(folder / "export", export.root())
    for name, content in planted.items():
        (folder / "export" / name).parent.mkdir(exist_ok=True)
        (folder / "export" / name).write_bytes(content)
    return folder / "export"


def answer(folder: Path, *words: str | Path, path: str | None = None) -> tuple[int, str]:
    """Run Python in a folder, as a user does who has set PYTHONPATH or not."""
    told = {"PYTHONPATH": path} if path is not None else {}
    command = [sys.executable, *words]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder, env=kept | told, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("options", [[], ["-I"], ["-P"], ["-X", "frozen_modules=off"]], ids=" ".join)
def test_modules_in_an_export_are_not_run_but_refused(tmp_path: Path, options: list[str], listed: bool) -> None:
    """Started in the folder itself, with its own verify.py, nothing there is imported, and what lies there is named."""
    folder = hostile(tmp_path, *MODULES, listed=listed)

    for words in (["verify.py"], ["verify.py", "."], [folder / "verify.py", "--key", key_text(FIRST)]):
        code, said = answer(folder, *options, *words)
        assert code == 3
        assert said.startswith("not verified: ")
        assert "is no plain file of an export" in said
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("module", MODULES)
def test_each_module_alone_is_not_run(tmp_path: Path, module: str) -> None:
    """Whichever module is planted, it is not the first that is imported that decides."""
    folder = hostile(tmp_path, module)

    assert answer(folder, "verify.py")[0] == 3
    assert answer(tmp_path, SOURCE, folder)[0] == 3
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("path", ["", ".", ":", "{folder}", "{folder}/.:{folder}/tables/.."])
def test_no_path_of_the_environment_leads_into_the_export(tmp_path: Path, path: str) -> None:
    """Also where PYTHONPATH names the export, or the folder that the user is in, nothing there is imported."""
    folder = hostile(tmp_path, "hashlib.py", "json.py")
    said = path.format(folder=folder)

    assert answer(folder, "verify.py", path=said)[0] == 3
    assert answer(folder, SOURCE, ".", path=said)[0] == 3
    assert answer(tmp_path, SOURCE, "export", path=said)[0] == 3
    assert not (tmp_path / "ran").exists()


def test_the_planted_modules_would_have_run(tmp_path: Path) -> None:
    """Without the care that the verifier takes, the modules are what Python imports."""
    folder = hostile(tmp_path, "hashlib.py")
    (folder / "careless.py").write_text("import hashlib\n", "utf-8")

    assert answer(folder, "careless.py") == (0, "verified: 10 leaves\n")
    assert (tmp_path / "ran").exists()


def test_without_the_package_cryptography_it_is_told_what_to_install(tmp_path: Path) -> None:
    """A Python that lacks it is no reason for a traceback, nor for an answer: exit code 2."""
    folder = hostile(tmp_path)
    code, said = answer(folder, "-I", "-S", SOURCE, folder)

    assert code == 2
    assert said.startswith("verify.py needs the package cryptography")
    assert said.endswith("python3 -m pip install cryptography\n")
