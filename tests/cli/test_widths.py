"""Tables on terminals of every width: numbers are whole, whatever has to give way."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import HEADER, Ledger, arguments, environment, fresh

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def _shown(ledger: Ledger, width: int, *words: str) -> str:
    """Run the command on a terminal of a width and give what it shows."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        arguments(ledger.path, words),
        env=environment(COLUMNS=str(width), TERM="xterm"),
        stdout=follower,
        stderr=subprocess.DEVNULL,
    )
    os.close(follower)
    parts = []
    try:
        while part := os.read(leader, 65536):
            parts.append(part)
    except OSError:  # the other end is closed
        pass
    os.close(leader)
    assert process.wait() == 0
    return _STYLE.sub("", b"".join(parts).decode().replace("\r\n", "\n"))


def _used(folder: Path) -> Ledger:
    ledger = fresh(folder)
    ledger.write("a.csv", f"{HEADER}\na1,allocation,2026-03-01,AE,ALPHA,H100,49888\n")
    assert ledger.run("import", "a.csv", "--provider", "prov").code == 0
    return ledger


@pytest.mark.parametrize("width", [40, 80, 100, 120, 140, 200])
def test_no_width_cuts_a_number(width: int, tmp_path: Path) -> None:
    """Positions and explanations have every number in whole on one line, and no line is wider than the terminal."""
    ledger = _used(tmp_path)
    status, explained = (_shown(ledger, width, *words) for words in (["status"], ["explain", "1"]))

    assert "…" not in status + explained
    assert "99.9%" in status
    assert ("789,826,816" in status) == (width not in (80, 100))  # in blocks, or where there is room
    assert "789,826,816" in explained.partition("limit_id")[2]
    assert max(map(len, (status + explained).splitlines())) <= width


def test_percentages_are_rounded_down(tmp_path: Path) -> None:
    """A cap that is not quite exhausted does not show as 100 percent."""
    said = _used(tmp_path).run("status").out

    assert "99.9%" in said
    assert "100.0%" not in said


def test_a_row_too_wide_for_any_table_is_a_block(tmp_path: Path) -> None:
    """What SQL gives in thirty columns is a line for each column, in a pipe too."""
    ran = _used(tmp_path).run("sql", "FROM decisions LIMIT 1")
    lines = ran.out.splitlines()

    assert len(lines) >= 28
    assert lines[0].split() == ["sequence", "1"]
    assert ["reference", "a1"] in [line.split() for line in lines]
