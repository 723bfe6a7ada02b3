"""Installed, not only cloned: the wheel in an environment that has nothing but what it asks for."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ledger.cli.commit import commit_of
from ledger.core.version import VERSION
from tests.cli.command import ROOT, Ledger

_FOLDERS = ("ledger", "schemas", "seeds", "reports")
_METADATA = f"quotaledger-{VERSION}.dist-info"


def _run(*words: str | Path, cwd: Path) -> str:
    """Run a program that knows nothing of this checkout, and give what it prints."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    done = subprocess.run(words, cwd=cwd, env=kept, capture_output=True, check=False, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def _build(sources: Path, kind: str, out: Path) -> Path:
    """Build a `wheel` or an `sdist` of sources without a network."""
    _run(sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", out, cwd=sources)
    (built,) = out.iterdir()
    return built


def _contents(wheel: Path) -> dict[str, bytes]:
    """Give the files of a wheel; the list of them that it carries, in one order."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    record = f"{_METADATA}/RECORD"
    return files | {record: b"\n".join(sorted(files[record].splitlines()))}


def _metadata(wheel: Path) -> Message:
    return message_from_bytes(_contents(wheel)[f"{_METADATA}/METADATA"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return _build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel and what it requires, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    (site,) = folder.glob("lib/python*/site-packages")
    for name in _required(_metadata(wheel).get_all("Requires-Dist", [])):
        _link(name, site)
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "--disable-pip-version-check")
    _run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    return programs


def _required(requirements: list[str]) -> set[str]:
    """Give the names of all that is required, without extras, and of all that those require."""
    todo, found = [Requirement(text) for text in requirements], set[str]()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)  # one is required as typing-extensions and as typing_extensions
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        todo += [Requirement(text) for text in distribution(wanted.name).requires or ()]
    return found


def _link(name: str, site: Path) -> None:
    """Put an installed distribution, without what stands beside it, into another environment."""
    there = distribution(name)
    for top in {file.parts[0] for file in there.files or ()} - {"..", "__pycache__"}:
        (site / top).symlink_to(str(there.locate_file(top)))


def test_the_wheel_has_all_that_a_user_needs_and_no_more(wheel: Path) -> None:
    """The wheel has every file of the four folders, byte for byte, and nothing of tests, docs or the checkout."""
    expected = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in _sources()
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {name: content for name, content in _contents(wheel).items() if not name.startswith(_METADATA)}
    told = found.pop("ledger/commit.txt", b"unknown\n").decode().strip()

    assert found == expected
    assert {Path(name).suffix for name in found} >= {".py", ".sql", ".toml", ".csv", ".j2", ".css"}
    assert told == commit_of(ROOT)


def _sources() -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from (ROOT / folder).rglob("*")


def test_the_metadata_say_what_it_is(wheel: Path) -> None:
    """The wheel carries its licence and README and names no site; pandas is an extra."""
    metadata = _metadata(wheel)

    assert (metadata["Name"], metadata["Version"]) == ("quotaledger", VERSION)
    assert (metadata["License-Expression"], metadata["License-File"]) == ("Apache-2.0", "LICENSE")
    assert _contents(wheel)[f"{_METADATA}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert str(metadata.get_payload()).strip() == (ROOT / "README.md").read_text("utf-8").strip()
    assert not metadata.get_all("Project-URL")
    assert not metadata["Home-page"]
    assert "pandas>=2.2; extra == 'pandas'" in metadata.get_all("Requires-Dist", [])


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """What is built from the source distribution, where there is no git, is the wheel of the checkout."""
    archive = _build(ROOT, "sdist", tmp_path / "sdist")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "sources", filter="data")
    (sources,) = (tmp_path / "sources").iterdir()

    assert _contents(_build(sources, "wheel", tmp_path / "again")) == _contents(wheel)
    assert (sources / "tests" / "test_wheel.py").is_file()


def test_the_demo_runs_where_the_wheel_is_installed(installed: Path, tmp_path: Path) -> None:
    """With the wheel alone, far from the checkout, the demo tells what it tells here, and writes its page."""
    command = installed / "quotaledger"
    here = tmp_path / "here"
    here.mkdir()

    assert _run(command, "demo", "--out", "demo", cwd=tmp_path) == Ledger(here).run("demo", "--out", "demo").out
    assert "<svg" in (tmp_path / "demo" / "overview.html").read_text("utf-8")
    assert f"quotaledger {VERSION} (commit {commit_of(ROOT)}, " in _run(command, "--version", cwd=tmp_path)
    assert "bis-ai-diffusion-2025" in _run(command, "rulebook", "list", cwd=tmp_path)

    _run(command, "init", cwd=tmp_path)

    assert "790000000" in _run(command, "sql", "SELECT cap_tpp FROM country_positions", "--format", "csv", cwd=tmp_path)


def test_python_finds_the_wheel_and_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    """What is imported there is the wheel's own, pandas and tools of developers are not there, and Arrow answers."""
    _run(installed / "quotaledger", "init", cwd=tmp_path)
    script = """
import importlib.util, ledger, schemas, sys
assert all(module.__file__.startswith(sys.prefix) for module in (ledger, schemas)), ledger.__file__
assert not [name for name in ("pandas", "pytest", "hatchling", "tests") if importlib.util.find_spec(name)]
assert ledger.open("quota.duckdb").sql("FROM chips").num_rows > 50
try:
    ledger.open("quota.duckdb", frames="pandas")
except ledger.WrongUsage as error:
    print(error)
"""

    assert "install quotaledger[pandas]" in _run(installed / "python", "-c", script, cwd=tmp_path)
