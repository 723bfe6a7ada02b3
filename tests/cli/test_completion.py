"""Tab in a shell: what is offered, in bash as it is, and in the words that zsh and fish expect."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import environment

_SCRIPT = f"#!{sys.executable}\nfrom ledger.cli import main\n\nmain()\n"
"""What an installation puts on the PATH; a shell knows the command by this name."""

_TABS = r"""
quotaledger --install-completion
[ -e "$HOME/.bashrc" ] && . "$HOME/.bashrc"
while IFS= read -r line; do
    read -ra COMP_WORDS <<< "$line"
    [[ "$line" == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    _quotaledger_completion quotaledger
    echo "$line => ${COMPREPLY[*]}"
done
complete -p quotaledger
"""
"""What bash does at Tab, for each line typed: it fills in COMP_WORDS, calls the function and shows COMPREPLY."""

_OFFERED = {
    "quotaledger im": "import",
    "quotaledger rulebook sh": "show",
    "quotaledger rulebook show bis-ai": "bis-ai-diffusion-2025",
    "quotaledger init --rulebook bis": "bis-ai-diffusion-2025",
    "quotaledger register ": "parties authorizations assurances chips",
    "quotaledger status --format ": "table json csv",
    "quotaledger status --country Z": "ZA ZM ZW",
    "quotaledger assess --destination AE": "AE",
    "quotaledger assess --chip H80": "H800",
    "quotaledger assess --basis L": "LICENSE LPP",
    "quotaledger status --fam": "--family",
    "quotaledger import ": "",
    "quotaledger assess --chip $(touch": "",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the command on the PATH."""
    command = tmp_path / "bin" / "quotaledger"
    command.parent.mkdir()
    command.write_text(_SCRIPT)
    command.chmod(0o755)
    (tmp_path / "empty").mkdir()
    return tmp_path


def _run(home: Path, *words: str, stdin: str = "", **more: str) -> str:
    """Run a program in an empty folder and give what it prints; it may say nothing else and leave nothing behind."""
    path = f"{home / 'bin'}:{environment()['PATH']}"
    ran = subprocess.run(
        words,
        cwd=home / "empty",
        input=stdin,
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
        env=environment(HOME=str(home), PATH=path, **more),
    )
    assert ran.stderr == ""
    assert list((home / "empty").iterdir()) == []
    return ran.stdout


def test_bash_completes(home: Path) -> None:
    """Once installed, bash offers verbs, options and values that come with the software, and else files."""
    bash = shutil.which("bash")
    assert bash
    installed, _, *offered, wiring = _run(
        home, bash, "--norc", "-c", _TABS, stdin="".join(f"{line}\n" for line in _OFFERED)
    ).splitlines()

    assert installed == f"bash completion installed in {home}/.bash_completions/quotaledger.sh"
    assert offered == [f"{line} => {words}" for line, words in _OFFERED.items()]
    assert "-o default" in wiring


def test_zsh_and_fish_are_told_in_their_own_words(home: Path) -> None:
    """For zsh and fish the offers come with what they mean, quoted as those shells want it."""
    typed = "quotaledger status --country C"
    command = str(home / "bin" / "quotaledger")
    zsh = _run(home, command, _QUOTALEDGER_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS=typed)
    fish = _run(
        home,
        command,
        _QUOTALEDGER_COMPLETE="complete_fish",
        _TYPER_COMPLETE_ARGS=typed,
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )

    assert """"CI":"Côte d''Ivoire\"""" in zsh
    assert "CI\tCôte d'Ivoire\n" in fish
    assert {line.split("\t")[0][0] for line in fish.splitlines()} == {"C"}
