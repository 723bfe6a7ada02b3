"""`quotaledger import --server`: the same verb through a server."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.access import Scope
from tests.api.served import Served, record, rows_csv, served
from tests.cli.command import environment
from tests.harness import bench
from tests.sequencer.sealed import PARTIES


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A server of a ledger in which 4,000 H100 fill a country."""
    with bench(tmp_path, country_cap_tpp="63_328_000", lpp_annual_tpp="0") as made:
        made.register("parties", *PARTIES)
        path = made.ledger.path
    with served(path) as running:
        yield running


@pytest.fixture
def key(server: Served, tmp_path: Path) -> Path:
    """The file of a key."""
    file = tmp_path / "key.txt"
    file.write_text(str(server.caller("acme", Scope.IMPORT).headers["authorization"]).removeprefix("Bearer ") + "\n")
    return file


def _go(server: Served, *words: object, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ledger", "import", *map(str, words), "--server", server.address]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment(**more))


def test_a_file_is_filed_with_a_server(server: Served, key: Path, tmp_path: Path) -> None:
    """The counts are told as ever, the decisions written, and the same file again is a file of duplicates."""
    file, out = tmp_path / "r.csv", tmp_path / "out.csv"
    file.write_bytes(rows_csv(record("a", 5), record("b", 4_000)))
    first = _go(server, file, "--key", f"@{key}", "--decisions", out)
    again = _go(server, file, QUOTALEDGER_API_KEY=key.read_text().strip())
    with out.open(newline="") as written:
        outcomes = [row["outcome"] for row in csv.DictReader(written)]

    assert (first.returncode, again.returncode) == (0, 0)
    assert "2 rows: 1 admitted, 1 refused, 0 breached, 0 rejected, 0 duplicates" in first.stdout
    assert "0 admitted, 0 refused, 0 breached, 0 rejected, 2 duplicates" in again.stdout
    assert outcomes == ["admitted", "refused"]


def test_rejected_rows_are_named_and_nothing_is_recorded(server: Served, key: Path, tmp_path: Path) -> None:
    """With exit code 1; with --skip-invalid the others are recorded."""
    file = tmp_path / "r.csv"
    file.write_bytes(rows_csv(record("a"), record("b", chip="none")))
    rejected = _go(server, file, "--key", f"@{key}")
    skipped = _go(server, file, "--key", f"@{key}", "--skip-invalid")

    assert (rejected.returncode, skipped.returncode) == (1, 0)
    assert "row 2, chip" in rejected.stderr
    assert "1 admitted" in skipped.stdout


@pytest.mark.parametrize(
    ("words", "more", "code", "says"),
    [
        ([], {}, 2, "give a key"),
        ([], {"QUOTALEDGER_API_KEY": "wrong"}, 4, "unauthenticated"),
        (["--from", "plain-inventory"], {"QUOTALEDGER_API_KEY": "k"}, 2, "goes with a ledger's own file"),
        (["--key", "@nowhere"], {}, 2, "cannot be read"),
        (["other.csv"], {"QUOTALEDGER_API_KEY": "k"}, 2, "one file"),
    ],
)
def test_what_cannot_be_filed_is_told(
    server: Served,
    tmp_path: Path,
    words: list[str],
    more: dict[str, str],
    code: int,
    says: str,
) -> None:
    """A sentence and an exit code; the key is in none of them."""
    file = tmp_path / "r.csv"
    file.write_bytes(rows_csv(record("a")))
    told = _go(server, file, *words, **more)

    assert told.returncode == code
    assert says in told.stderr
    assert "Traceback" not in told.stderr
    assert json.dumps(more.get("QUOTALEDGER_API_KEY", "none")) not in told.stderr


def test_who_submits_may_be_said_if_it_is_whose_key_it_is(server: Served, key: Path, tmp_path: Path) -> None:
    """Another one is refused before anything is sent, and so is the ledger of the command line."""
    file = tmp_path / "r.csv"
    file.write_bytes(rows_csv(record("a")))
    other = _go(server, file, "--key", f"@{key}", "--provider", "other")
    command = [sys.executable, "-m", "ledger", "--ledger", "x.duckdb", "import", str(file), "--server", server.address]
    both = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    own = _go(server, file, "--key", f"@{key}", "--provider", "acme")

    assert (other.returncode, both.returncode, own.returncode) == (2, 2, 0)
    assert "the key files for acme" in other.stderr
    assert "are two ledgers" in both.stderr
    assert "1 admitted" in own.stdout
