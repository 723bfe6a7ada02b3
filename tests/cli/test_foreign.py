"""`import --from` as a user runs it, and on the real table where it is at hand."""

import csv
import io
from pathlib import Path

import pytest

from tests.adapters.layouts import GOOD, row, table
from tests.cli.command import ROOT, fresh, untouched

FROM = ("--from", "epoch-gpu-clusters", "--provider", "epoch")
REAL = ROOT.parent / "shared" / "data" / "epoch_gpu_clusters_2026-03.csv"


def _written(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def _numbers(out: str) -> dict[str, int]:
    """Give how many rows have each fate and reason, from the table that the command prints."""
    lines = out[out.index("in the file") :].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    found: dict[str, int] = {}
    for line in lines:
        rows, *words = line.split()
        found[" ".join(word for word in words if not word[0].isdigit())] = int(rows.replace(",", ""))
    return found


def test_a_table_is_recorded_completed_and_recorded_again(tmp_path: Path) -> None:
    """The owners' file is filled in and registered, and the same table then records their rows, and them alone."""
    ledger = fresh(tmp_path)
    rows = [
        row(),
        row("B", owner="Nørd & Søn, A/S"),
        row("C", owner='"; DROP'),
        row("D", date=""),
        row("E", duplicate="1"),
    ]
    ledger.write("clusters.csv", table(*rows))
    first = ledger.run("import", "clusters.csv", *FROM, "--owners", "owners.csv", "--accounting", "all.csv")
    assert first.code == 0
    assert _numbers(first.out) == {
        "recorded": 1,
        "already there": 0,
        "left out possible-duplicate": 1,
        "reported no-date": 1,
        "reported no-headquarters": 1,
        "reported several-owners": 1,
    }
    assert "wrote owners.csv" in first.err
    assert [each["fate"] for each in _written(tmp_path / "all.csv")] == [
        *("recorded", "reported", "reported", "reported", "left out")
    ]
    owners = _written(tmp_path / "owners.csv")
    assert [each["name"] for each in owners] == ['"; DROP', "Nørd & Søn, A/S"]
    assert [each["headquarters"] for each in owners] == ["", ""]
    unfinished = ledger.run("register", "parties", "owners.csv")
    assert unfinished.code == 1

    text = (tmp_path / "owners.csv").read_text("utf-8").replace(",,", ",DK,")
    ledger.write("owners.csv", text)
    assert ledger.run("register", "parties", "owners.csv").code == 0
    second = ledger.run("import", "clusters.csv", *FROM, "--decisions", "decisions.csv")

    assert second.code == 0
    assert _numbers(second.out)["recorded"] == 2
    assert _numbers(second.out)["already there"] == 1
    assert [each["row"] for each in _written(tmp_path / "decisions.csv")] == ["1", "2", "3"]


def test_a_dry_run_shows_all_and_records_nothing(tmp_path: Path) -> None:
    """The accounting and the tables are those of the import; the ledger is as it was."""
    ledger = fresh(tmp_path)
    ledger.write("clusters.csv", table(row(), row("B", chip="NVIDIA GB300 (Blackwell Ultra)")))
    before = ledger.path.read_bytes()
    ran = ledger.run("import", "clusters.csv", *FROM, "--dry-run")

    assert ran.code == 0
    assert _numbers(ran.out) == {"would be recorded": 2, "already there": 0}
    assert "parties that would be registered first" in ran.err
    assert "JP" in ran.out
    assert "Where the difference comes from" in ran.out
    assert ledger.path.read_bytes() == before
    assert ledger.counted() == untouched()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--from", "epoch-gpu-cluster"), 2, 'did you mean "epoch-gpu-clusters"?'),
        (("--from", "nothing"), 2, "known are epoch-gpu-clusters"),
        (("--from", "plain-inventory"), 2, "give --consignee P"),
        (("--from", "epoch-gpu-clusters", "--consignee", "ALPHA"), 2, "leave --consignee away"),
        (("--from", "epoch-gpu-clusters", "clusters.csv"), 2, "one file at a time"),
        (("--from", "epoch-gpu-clusters", "--owners", "clusters.csv"), 2, "is an input"),
        (("--from", "epoch-gpu-clusters", "--accounting", "nowhere/all.csv"), 2, "there is no folder"),
        (("--from", "plain-inventory", "--consignee", "ALPHA"), 1, "cannot be read as plain-inventory"),
        (("--owners", "owners.csv"), 2, "go with --from LAYOUT"),
    ],
)
def test_what_cannot_be_done_is_told(tmp_path: Path, words: tuple[str, ...], code: int, sentence: str) -> None:
    """Wrong usage ends with one sentence and its exit code, and records nothing."""
    ledger = fresh(tmp_path)
    ledger.write("clusters.csv", table(row()))
    ran = ledger.run("import", "clusters.csv", "--provider", "epoch", *words)

    assert ran.code == code
    assert sentence in ran.sentence
    assert ledger.counted() == untouched()


def test_a_wrong_layout_names_every_missing_column(tmp_path: Path) -> None:
    """The ordinary columns are not the layout's."""
    ledger = fresh(tmp_path)
    ledger.write("records.csv", "reference,kind,date\n")
    ran = ledger.run("import", "records.csv", "--from", "plain-inventory", "--consignee", "ALPHA", "--provider", "a")

    assert ran.code == 1
    assert "it lacks the columns site, chip, count [missing-column]" in ran.err


def test_an_inventory_is_recorded_from_the_command(tmp_path: Path) -> None:
    """Site, chip, count and date are enough, with the consignee told."""
    ledger = fresh(tmp_path)
    words = ("import", "-", "--from", "plain-inventory", "--consignee", "ALPHA", "--provider", "alpha")
    ran = ledger.run(*words, stdin=b"site,chip,count,date\naws:me-central-1,H100,8,2025-06-01\n")

    assert ran.code == 0
    assert _numbers(ran.out) == {"recorded": 1, "already there": 0}
    assert ledger.rows("SELECT destination, site, quantity FROM decisions") == [
        {"destination": "AE", "site": "aws:me-central-1", "quantity": 8}
    ]


def test_hostile_values_are_shown_harmlessly(tmp_path: Path) -> None:
    """Markup and control characters of a file neither reach the terminal nor stop the other rows."""
    ledger = fresh(tmp_path)
    rows = [
        row("[red]\x1b[31mX", country="[/bold]\x1b]0;t\x07"),
        row("B" * 5000, owner="[blink]" * 400),
        row("C", country="[link=x]{0}"),
        row("D", note="\x00"),
    ]
    ledger.write("clusters.csv", table(*rows))
    ran = ledger.run("import", "clusters.csv", *FROM, "--owners", "owners.csv", "--accounting", "all.ndjson")

    assert ran.code == 0
    assert _numbers(ran.out)["recorded"] == 1
    assert "\x1b" not in ran.out + ran.err
    assert "[blink]" in ran.out
    assert "\\x1b" in (tmp_path / "all.ndjson").read_text("utf-8").replace("\\\\", "\\")


def test_the_real_table_is_accounted_for(tmp_path: Path) -> None:
    """Every row of it has one fate; again, shuffled and with two more columns, it records nothing.

    Where it is not at hand, the same is held of a made-up table.
    """
    ledger = fresh(tmp_path)
    made_up = [row(f"Cluster {n}", country=GOOD["Country"] if n % 3 else "", count=f"{n}.0") for n in range(40)]
    content = REAL.read_bytes() if REAL.exists() else table(*made_up)
    ledger.write("march.csv", content)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    first = ledger.run("import", "march.csv", *FROM)
    counted = ledger.counted()
    shuffled = [{"Extra": "1", **each, "More": "[x]"} for each in sorted(rows, key=lambda each: each["Name"][::-1])]
    ledger.write("april.csv", table(*shuffled))
    second = ledger.run("import", "april.csv", *FROM)

    assert first.code == second.code == 0
    before, after = _numbers(first.out), _numbers(second.out)
    assert sum(before.values()) == sum(after.values()) == len(rows)
    assert before["recorded"] > 0
    assert after == before | {"recorded": 0, "already there": before["recorded"]}
    assert ledger.counted()[0] == counted[0]
    ledger.run("import", "april.csv", *FROM, "--accounting", "all.csv")
    tpp = {"already there": 0, "reported": 0, "left out": 0}
    for each in _written(tmp_path / "all.csv"):
        tpp[each["fate"]] += int(each["tpp"] or 0)
    # The seeds know the headquarters of owners of 80 percent, at least, of the TPP that lacks nothing else.
    assert tpp["already there"] >= 4 * tpp["reported"]
