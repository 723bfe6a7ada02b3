"""What `--version` says: the version, the commit of a clone or of a wheel, and what it runs on."""

import platform
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from ledger.cli.commit import BUILT_IN, UNKNOWN, commit_of
from ledger.core.version import VERSION
from tests.cli.command import GOOD, HEADER, ROOT, Ledger, environment, fresh

_GIT = shutil.which("git")
_COMMIT = r"[0-9a-f]{12,}" if _GIT else UNKNOWN
"""Without git there is no clone to speak of, and what is known of one is nothing."""


def _git(folder: Path, *words: str) -> None:
    if _GIT:
        who = ["-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false"]
        subprocess.run([_GIT, "-C", folder, *who, *words], check=True, capture_output=True, env=environment())


def _clone(folder: Path) -> Path:
    """Make a repository with one commit, or what looks like one where there is no git."""
    (folder / ".git").mkdir(parents=True)
    (folder / "a.py").write_text(f"{folder.name}\n")
    _git(folder, "init")
    _git(folder, "add", "a.py")
    _git(folder, "commit", "-m", "first")
    return folder


def test_version_is_one_line_of_versions(tmp_path: Path) -> None:
    """`--version` gives quotaledger's version and commit, DuckDB's and Python's, from wherever it is run."""
    ran = Ledger(tmp_path).run("--version")
    expected = re.escape(f"DuckDB {version('duckdb')}, Python {platform.python_version()}")

    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(rf"quotaledger {re.escape(VERSION)} \(commit [0-9a-z+]+, {expected}\)\n", ran.out)
    assert f"(commit {commit_of(ROOT)}, " in ran.out
    assert list(tmp_path.iterdir()) == []


def test_version_needs_no_git(tmp_path: Path) -> None:
    """Where no git is to be found the commit is unknown, and nothing else is said of it."""
    ran = Ledger(tmp_path).run("--version", env={"PATH": str(tmp_path)})

    assert (ran.code, ran.err) == (0, "")
    assert f"quotaledger {VERSION} (commit unknown, DuckDB " in ran.out


def test_a_clone_tells_its_commit_and_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clone has its commit, with `+changes` once a file of it differs; files beside it are no change."""
    clone = _clone(tmp_path / "clone")
    (clone / "records.csv").write_text("mine")
    clean = commit_of(clone)
    monkeypatch.setenv("GIT_DIR", str(_clone(tmp_path / "other") / ".git"))

    assert re.fullmatch(_COMMIT, clean)
    assert commit_of(clone) == clean

    (clone / "a.py").write_text("2\n")

    assert commit_of(clone) == (f"{clean}+changes" if _GIT else UNKNOWN)


def test_a_download_tells_no_commit_of_another_repository(tmp_path: Path) -> None:
    """Sources without a history have no commit, also where they lie inside a repository; nor has a broken history."""
    download = _clone(tmp_path / "outer") / "download"
    download.mkdir()
    broken = tmp_path / "broken"
    (broken / ".git").mkdir(parents=True)

    assert [commit_of(download), commit_of(broken)] == [UNKNOWN, UNKNOWN]


def test_what_was_built_in_speaks_first(tmp_path: Path) -> None:
    """The file that the build puts into a wheel tells the commit, wherever the wheel is installed."""
    folder = _clone(tmp_path)
    (folder / BUILT_IN).parent.mkdir()
    (folder / BUILT_IN).write_text("0123456789ab\n")

    assert commit_of(folder) == "0123456789ab"


def test_the_version_is_the_same_everywhere(tmp_path: Path) -> None:
    """The package's version, the code's, and the one that a batch remembers, which is plain, are the same."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\n")
    assert ledger.run("import", "a.csv", "--provider", "prov").code == 0
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

    assert packaged == VERSION
    assert [row["software_version"] for row in ledger.rows("FROM batches")] == [VERSION]
