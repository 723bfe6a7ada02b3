"""The verbs on reports as a user runs them: files, sentences and exit codes."""

import json
import re
import resource
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import FILES as LEDGER_FILES
from tests.cli.command import GOOD, HEADER, Ledger, arguments, environment, fresh

FILES = [
    *("country-quota-records.csv", "country-quota-records.parquet", "country-quota.csv", "country-quota.html"),
    *("country-quota.json", "country-quota.md", "country-quota.parquet", "country-quota.xlsx"),
]
RUN = ("report", "run", "country-quota", "--today", "2026-11-22")


def _with_records(folder: Path) -> Ledger:
    ledger = fresh(folder)
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\na2,allocation,2026-05-01,AE,ALPHA,GB300,35000\n")
    assert ledger.run("import", "a.csv", "--provider", "prov").code == 0
    return ledger


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_report_is_run_into_a_folder(tmp_path: Path) -> None:
    """`report run` makes the folder and its files, says which, records nothing, and does it again over them."""
    ledger = _with_records(tmp_path)
    before = ledger.counted()
    ran = ledger.run(*RUN, "--period", "2026", "--out", "new/out")
    made = json.loads((tmp_path / "new/out/country-quota.json").read_text("utf-8"))
    again = ledger.run(*RUN, "--period", "2026-Q1", "--out", "new/out")

    assert (ran.code, ran.out, again.code) == (0, "", 0)
    assert _names(tmp_path / "new/out") == FILES
    assert all(f"wrote new/out/{name}" in ran.err for name in FILES)
    assert made["tables"]["totals"][0]["refused"] == 1
    assert (
        json.loads((tmp_path / "new/out/country-quota.json").read_text("utf-8"))["tables"]["totals"][0]["refused"] == 0
    )
    assert ledger.counted() == before


def test_reports_are_listed(tmp_path: Path) -> None:
    """`report list` names each report and what it is for; no ledger is needed."""
    ran = Ledger(tmp_path).run("report", "list", "--format", "json")

    assert ran.code == 0
    rows = {row["report"]: row for row in json.loads(ran.out)}
    assert len(rows) == 9
    assert rows["country-quota"]["question"].startswith("How much of each country's cap is used")
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}", rows["country-quota"]["period"])
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-01 06:00 UTC", rows["country-quota"]["due"])


def test_a_preview_says_the_first_sentences(tmp_path: Path) -> None:
    """`report preview` prints the sentences, says where the page is, and writes only there."""
    ledger = _with_records(tmp_path)
    ran = ledger.run("report", "preview", "country-quota", env={"TMPDIR": str(tmp_path)})
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]

    assert ran.code == 0
    assert "Of two requests, one was refused: 35,000 GB300 (132,701 H100e) for Alpha in United Arab Emirates" in ran.out
    assert f"look at {folder / 'country-quota.html'}" in ran.err
    assert _names(folder) == FILES


def test_a_preview_writes_over_nothing(tmp_path: Path) -> None:
    """`report preview --out` takes a new or empty folder, and no other; where it fails it leaves no folder."""
    ledger = fresh(tmp_path)
    refused = ledger.run("report", "preview", "country-quota", "--out", ".")
    made = ledger.run("report", "preview", "country-quota", "--out", "new")
    failed = ledger.run("report", "preview", "country-quota", "--period", "x", env={"TMPDIR": str(tmp_path)})

    assert (refused.code, made.code, failed.code) == (2, 0, 2)
    assert "a preview writes over nothing" in refused.sentence
    assert _names(tmp_path) == sorted(["new", *LEDGER_FILES])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["country-quotas"], 2, 'did you mean "country-quota"?'),
        (["./nowhere"], 2, "there is no report ./nowhere"),
        (["country-quota", "--period", "2026-Q5"], 2, 'found the period "2026-Q5"'),
        (["country-quota", "--today", "tomorrow"], 2, "tomorrow"),
        (["country-quota", "--out", "quota.duckdb"], 2, "quota.duckdb cannot be a folder to write into"),
        (["."], 1, "there is no report.toml"),
        ([], 2, "NAME"),
    ],
)
def test_wrong_usage_is_one_sentence(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    """What cannot be made is one sentence that says why, and nothing is written."""
    ran = fresh(tmp_path).run("report", "run", *words)

    assert (ran.code, ran.out) == (code, "")
    assert len(ran.err.splitlines()) == 1
    assert said in ran.err
    assert _names(tmp_path) == LEDGER_FILES


def test_a_folder_of_ones_own_is_a_report(tmp_path: Path) -> None:
    """A folder, its report.toml, or its name in the folder of own reports is run like a report that comes along."""
    ledger = _with_records(tmp_path)
    (tmp_path / "mine").mkdir()
    ledger.write("mine/report.toml", 'title = "T"\nquestion = "P"\naudience = "A"\nformats = ["json"]\n')
    ledger.write("mine/query.sql", "-- query: found\nSELECT reference, tpp FROM decisions ORDER BY sequence\n")
    codes = [ledger.run("report", "run", name, "--out", "out").code for name in ("./mine", "mine/report.toml")]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine").rename(tmp_path / "elsewhere/mine")
    codes += [ledger.run("report", "run", "mine", "--out", "out").code]
    own = {"QUOTALEDGER_SCHEDULE_REPORTS": str(tmp_path / "elsewhere")}
    codes += [ledger.run("report", "run", "mine", "--out", "out", env=own).code]
    made = json.loads((tmp_path / "out/mine.json").read_text("utf-8"))

    assert codes == [0, 0, 2, 0]
    assert made["tables"] == {"found": [{"reference": "a1", "tpp": 158_320}, {"reference": "a2", "tpp": 2_100_000_000}]}


def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(tmp_path: Path) -> None:
    """Where a file cannot be written to its end, none of the files changes and no part of one is left."""
    ledger = _with_records(tmp_path)
    assert ledger.run(*RUN, "--out", "out").code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    done = subprocess.run(
        arguments(ledger.path, [*RUN, "--period", "2026", "--out", "out"]),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )

    assert (done.returncode, done.stdout) == (5, "")
    assert len(done.stderr.splitlines()) == 1
    assert "country-quota.html cannot be written: File too large" in done.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
