"""Rulebooks on the command line: the page's example, lists, differences, copies, and adoptions that go wrong."""

import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import GOOD, HEADER, ROOT, Ledger, environment, fresh, untouched

SEEDED = "bis-ai-diffusion-2025"
PAGE = (ROOT / "docs/rulebooks.md").read_text("utf-8")


def _lowered(ledger: Ledger, cap: str = "100_000_000") -> Path:
    """Put a rulebook of one's own into the folder `lower`: the seeded one with another id and another figure."""
    folder = ledger.folder / "lower"
    shutil.copytree(ROOT / "seeds/rulebooks" / SEEDED, folder)
    for file, old, new in (
        ("rulebook.toml", f'id = "{SEEDED}"', 'id = "lower"'),
        ("parameters.toml", "value = 790_000_000", f"value = {cap}"),
    ):
        text = (folder / file).read_text("utf-8")
        assert text.count(old) == 1
        (folder / file).write_text(text.replace(old, new), "utf-8")
    return folder


def _example() -> list[tuple[str, list[str]]]:
    """Give the commands of the page's example, each with the lines that the page shows below it."""
    section = PAGE.partition("## Making one's own, from end to end\n")[2].partition("\n## ")[0]
    commands: list[tuple[str, list[str]]] = []
    for line in re.findall(r"^    (.*)$", section, re.MULTILINE):
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    return commands


def test_the_page_s_example_does_what_it_says(tmp_path: Path) -> None:
    """Every command of `docs/rulebooks.md`, run in a shell, gives the lines that stand below it, in their order."""
    command = tmp_path / "bin" / "quotaledger"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ledger "$@"\n', "utf-8")
    command.chmod(0o755)
    path = os.pathsep.join((str(command.parent), os.environ["PATH"]))
    commands = _example()
    assert len(commands) > 12
    for words, shown in commands:
        if words.startswith("cat "):
            (tmp_path / words[4:]).write_text("\n".join(shown) + "\n", "utf-8")
        ran = subprocess.run(
            ["/bin/sh", "-c", words],
            cwd=tmp_path,
            env=environment(PATH=path),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = [line.rstrip() for line in ran.stdout.splitlines()]
        found = [line for line in said if line in shown]

        assert found == shown, (words, ran.stdout)
        assert ran.returncode == (1 if "cannot be used" in ran.stdout else 0)


def test_the_list_has_what_comes_along_and_the_history(tmp_path: Path) -> None:
    """Without a ledger, what comes along; in one, every adoption with who, when and why, the last in force."""
    ledger = fresh(tmp_path)
    _lowered(ledger)
    hostile = "[bold]\x41 \N{LATIN SMALL LETTER U WITH DIAERESIS}, =1+1"
    adopted = ledger.run("rulebook", "adopt", "lower", "--note", hostile, env={"QUOTALEDGER_FILED_BY": "minister"})
    alone = json.loads(ledger.run("rulebook", "list", "--format", "json", ledger="none.duckdb").out)
    listed = json.loads(ledger.run("rulebook", "list", "--format", "json").out)
    table = ledger.run("rulebook", "list")

    assert adopted.code == 0
    assert [(row["rulebook"], row["seeded"], row["in_force"]) for row in alone] == [(SEEDED, True, False)]
    assert [(row["rulebook"], row["seeded"], row["in_force"]) for row in listed] == [
        (SEEDED, True, False),
        ("lower", False, True),
    ]
    assert (listed[1]["filed_by"], listed[1]["note"]) == ("minister", hostile)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", listed[1]["adopted_at"])
    assert hostile in table.out
    assert not (tmp_path / "none.duckdb").exists()


def test_positions_name_the_rulebook_whose_figures_they_are(tmp_path: Path) -> None:
    """In a table, in JSON and in the views: its id, digest and caps; figures asked for are those in force."""
    ledger = fresh(tmp_path)
    folder = _lowered(ledger)
    digest = ledger.run("rulebook", "check", "lower").out.split()[-1]
    assert ledger.run("rulebook", "adopt", folder / "rulebook.toml", "--note", "why").code == 0
    table = ledger.run("status").out
    found = json.loads(ledger.run("status", "--format", "json").out)
    rows = ledger.rows("SELECT DISTINCT rulebook, rulebook_digest, cap_tpp FROM country_positions")

    assert f"under lower (digest {digest[:12]}): country cap 100,000,000 TPP, LPP 26,900,000 TPP a year" in table
    assert (found["rulebook"], found["rulebook_digest"]) == ("lower", digest)
    assert found["figures"]["country_cap_tpp"] == found["countries"][0]["cap_tpp"] == 100_000_000
    assert rows == [{"rulebook": "lower", "rulebook_digest": digest, "cap_tpp": 100_000_000}]
    assert f"digest {digest}" in ledger.run("rulebook", "show", "in-force").out
    assert ledger.run("rulebook", "show", digest[:8], "--format", "json").code == 0


def test_what_is_in_force_is_adopted_without_effect(tmp_path: Path) -> None:
    """Adopting it again is exit code 0, says so, and records nothing."""
    ledger = fresh(tmp_path)
    ran = ledger.run("rulebook", "adopt", SEEDED, "--note", "again")

    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(r"bis-ai-diffusion-2025 \(digest \w{12}\) is in force already; nothing was recorded\n", ran.out)
    assert ledger.counted() == untouched()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["adopt", "lower"], 2, "--note"),
        (["adopt", "lower", "--note", " "], 1, "the note is blank; say with --note"),
        (["adopt", "lower", "--note", "x" * 1001], 1, "1,001 characters"),
        (["adopt", "lower", "--note", "\x1b]0;owned\x07"], 1, "control character"),
        (["adopt", "lower", "--note", b"\xff"], 1, "half of a character"),
        (["adopt", "nowhere", "--note", "w"], 2, "there is no rulebook nowhere"),
        (["adopt", "deadbeef", "--note", "w"], 2, "there is no rulebook deadbeef"),
        (["adopt", "broken", "--note", "w"], 1, "is not TOML"),
        (["adopt", "\x1b[31m", "--note", "w"], 2, "\\x1b[31m"),
        (["diff", "in-force"], 2, "Missing argument"),
        (["diff", "in-force", "nowhere"], 2, "there is no rulebook nowhere"),
        (["copy", SEEDED, "lower"], 2, "there is something at lower already"),
        (["copy", SEEDED, "broken/rulebook.toml/x"], 5, "cannot be written"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_changes_nothing(
    words: list[str | bytes], code: int, said: str, tmp_path: Path
) -> None:
    """A note that cannot be kept, a rulebook that is none, a folder that is there: nothing is recorded or written."""
    ledger = fresh(tmp_path)
    _lowered(ledger)
    shutil.copytree(tmp_path / "lower", tmp_path / "broken")
    (tmp_path / "broken/parameters.toml").write_text("value = 790,000,000\n")
    files = sorted(tmp_path.rglob("*"))
    ran = ledger.run("rulebook", *words)

    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert ledger.counted() == untouched()
    assert sorted(tmp_path.rglob("*")) == files


def test_without_a_ledger_there_is_none_to_adopt_in(tmp_path: Path) -> None:
    """Adopting, and naming what is in force, need a ledger; comparing two folders does not."""
    ledger = fresh(tmp_path)
    _lowered(ledger)
    for words in (["adopt", SEEDED, "--note", "w"], ["diff", "in-force", "lower"], ["show", "in-force"]):
        ran = ledger.run("rulebook", *words, ledger="none.duckdb")
        assert (ran.code, ran.out) == (4, "")
        assert "init" in ran.sentence

    assert ledger.run("rulebook", "diff", SEEDED, "lower", ledger="none.duckdb").code == 0
    assert not (tmp_path / "none.duckdb").exists()


def test_differences_come_as_table_json_and_csv(tmp_path: Path) -> None:
    """The same differences in every format; rulebooks that mean the same are said to."""
    ledger = fresh(tmp_path)
    _lowered(ledger)
    table = ledger.run("rulebook", "diff", "in-force", "lower").out
    found = json.loads(ledger.run("rulebook", "diff", "in-force", "lower", "--format", "json").out)
    rows = list(csv.DictReader(io.StringIO(ledger.run("rulebook", "diff", SEEDED, "lower", "--format", "csv").out)))
    same = ledger.run("rulebook", "diff", "in-force", SEEDED)
    none = json.loads(ledger.run("rulebook", "diff", "in-force", SEEDED, "--format", "json").out)

    assert "790,000,000" in table
    assert rows == found["differences"]
    assert [(row["name"], row["old"], row["new"]) for row in rows] == [
        ("id", SEEDED, "lower"),
        ("country_cap_tpp", "790000000", "100000000"),
    ]
    assert (found["same_meaning"], found["new"]["rulebook"]) == (False, "lower")
    assert "mean the same" in same.out
    assert (none["same_meaning"], none["differences"]) == (True, [])


def test_an_id_that_stands_for_two_rulebooks_is_noted(tmp_path: Path) -> None:
    """A rulebook of one's own with the id of another is good, and the user is told to give it another one."""
    ledger = fresh(tmp_path)
    _lowered(ledger)
    text = (tmp_path / "lower/rulebook.toml").read_text("utf-8")
    (tmp_path / "lower/rulebook.toml").write_text(text.replace('id = "lower"', f'id = "{SEEDED}"'), "utf-8")

    for words in (["check", "lower"], ["adopt", "lower", "--note", "why"]):
        ran = ledger.run("rulebook", *words)
        assert ran.code == 0
        assert f"another rulebook has the id {SEEDED} and means something else" in ran.err


def test_a_copy_is_the_rulebook_to_the_letter(tmp_path: Path) -> None:
    """Comments and all; of what a ledger adopted too, when the folder it came from is long gone."""
    ledger = fresh(tmp_path)
    folder = _lowered(ledger)
    assert ledger.run("rulebook", "adopt", "lower", "--note", "why").code == 0
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)

    assert ledger.run("rulebook", "copy", "in-force", "again").code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == kept


def test_what_was_decided_before_reads_the_same_afterwards(tmp_path: Path) -> None:
    """Decisions and explanations before and after an adoption are the same, byte for byte."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\na2,allocation,2026-05-01,KP,ALPHA,H100,1\n")
    assert ledger.run("import", "a.csv", "--provider", "p").code == 0
    asked = (["sql", "FROM decisions", "--format", "csv"], ["explain", "1"], ["explain", "2", "--format", "json"])
    before = [ledger.run(*words).out for words in asked]
    _lowered(ledger, cap="0")
    assert ledger.run("rulebook", "adopt", "lower", "--note", "why").code == 0

    assert [ledger.run(*words).out for words in asked] == before
