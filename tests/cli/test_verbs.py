"""The verbs that ask, wrong usage, and a ledger that is not there, not free or no ledger: exit codes and sentences."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.command import FILES, GOOD, HEADER, Ledger, environment, fresh, untouched

_HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""
_STATUS = {"as_of", "sequence", "rulebook", "checkpoint", "countries", "lpp", "nveu", "uveu"}
_STATUS_MORE = {"rulebook_digest", "figures", "uveu_country_shares"}


def _with_records(folder: Path) -> Ledger:
    ledger = fresh(folder)
    refused = "a2,allocation,2026-05-01,KP,ALPHA,H100,1"
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\n{refused}\n")
    assert ledger.run("import", "a.csv", "--provider", "prov").code == 0
    return ledger


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["status", "--famly", "X"], "--family"),
        (["status", "--format", "xml"], "'xml' is not one of 'table', 'json', 'csv'"),
        (["status", "--as-of", "2025-02-30"], "2025-02-30"),
        (["status", "--as-of", "01/02/2025"], "01/02/2025"),
        (["status", "--country", "XX"], "there is no country XX"),
        (["status", "--country", "uk"], 'did you mean "GB"?'),
        (["status", "--family", "ALHPA"], 'did you mean "ALPHA"?'),
        (["explain", "7"], "there is no record 7; the ledger has records 1 to 0"),
        (["explain", "0"], "there is no record 0"),
        (["explain", "99999999999999999999"], "there is no record 99999999999999999999"),
        (["explain", "one"], "valid integer"),
        (["import", "a.csv"], "--provider"),
        (["import", "-", "-", "--provider", "p"], "only once"),
        (["init"], "there is a file at"),
        (["--ledger", "nowhere/quota.duckdb", "init"], "there is no folder nowhere"),
        (["sql", ""], "there is no query"),
        (["sql", "--", "-- nothing"], "there is no query"),
        (["sql", "SELECT 1; SELECT 2"], "2 statements"),
        (["sql", "SELEC 1"], 'syntax error at or near "SELEC"'),
        (["sql", "SELECT familly FROM decisions"], '"family"'),
        (["sql", "FROM nowhere"], "nowhere"),
        (["sql", "DELETE FROM entry"], "read-only"),
        (["sql", "INSERT INTO entry FROM entry"], "read-only"),
        (["sql", "UPDATE entry SET quantity = 1"], "read-only"),
        (["sql", "DROP TABLE entry"], "read-only"),
        (["sql", "CREATE TABLE t (i INT)"], "read-only"),
        (["sql", "FROM read_csv('/etc/passwd')"], "disabled"),
        (["sql", "FROM '/etc/passwd'"], "/etc/passwd"),
        (["sql", "ATTACH 'other.duckdb'"], "disabled"),
        (["sql", "COPY decisions TO 'out.csv'"], "disabled"),
        (["sql", "EXPORT DATABASE 'out'"], "disabled"),
        (["sql", "LOAD httpfs"], "disabled"),
        (["sql", "SET enable_external_access = true"], "locked"),
        (["sql", "SELECT 1", "--out", "out.xlsx"], "no known suffix"),
        (["sql", "SELECT 1", "--out", "nowhere/out.parquet"], "there is no folder"),
    ],
)
def test_wrong_usage_is_one_sentence(words: list[str], said: str, tmp_path: Path) -> None:
    """What cannot be asked for is exit code 2 and one sentence that says what, with nothing written anywhere."""
    ledger = fresh(tmp_path)
    ran = ledger.run(*words)

    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("quotaledger: ")
    assert said in ran.err
    assert ledger.counted() == untouched()
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


@pytest.mark.parametrize(
    ("changes", "column", "said"),
    [
        ({"--chip": "h100"}, "chip", '"H100"?'),
        ({"--quantity": "1,000"}, "quantity", "thousands separators"),
        ({"--quantity": "0"}, "quantity", "1 to 1,000,000,000"),
        ({"--destination": "aws:me-centrall-1"}, "destination", '"aws:me-central-1"?'),
        ({"--consignee": "alpha"}, "consignee", '"ALPHA"?'),
        ({"--date": "2024-12-31"}, "date", "2025-01-01 or later"),
        ({"--date": "01/02/2025"}, "date", "YYYY-MM-DD"),
        ({"--basis": "LPPP"}, "basis", '"LPP"?'),
    ],
)
def test_a_request_that_is_not_understood_is_rejected(
    changes: dict[str, str], column: str, said: str, tmp_path: Path
) -> None:
    """A bad request for an assessment is exit code 1, with column, reason and hint as for a row of a file."""
    asked = {
        "--destination": "AE",
        "--consignee": "ALPHA",
        "--chip": "H100",
        "--quantity": "10",
        "--date": "2026-03-01",
    }
    ran = fresh(tmp_path).run("assess", *(word for pair in (asked | changes).items() for word in pair))

    assert (ran.code, ran.out) == (1, "")
    assert f", {column}: " in ran.err
    assert said in ran.err


def test_assess_and_explain_say_what_import_says(tmp_path: Path) -> None:
    """An assessment records nothing and is what the import then decides; explain repeats it."""
    ledger = fresh(tmp_path)
    words = [
        "--destination",
        "AE",
        "--consignee",
        "ALPHA",
        "--chip",
        "H100",
        "--quantity",
        "10",
        "--date",
        "2026-03-01",
    ]
    assessed = json.loads(ledger.run("assess", *words, "--format", "json").out)

    assert ledger.counted() == untouched()

    ledger.write("a.csv", f"{HEADER}\n{GOOD}\n")
    ledger.run("import", "a.csv", "--provider", "prov")
    explained = json.loads(ledger.run("explain", "1", "--format", "json").out)

    assert {name: explained[name] for name in assessed if name != "limits"} == {
        name: value for name, value in assessed.items() if name != "limits"
    }
    assert [limit["limit_id"] for limit in assessed["limits"]][-1] == "lpp-annual"
    assert ledger.run("explain", "1", "--format", "csv").out.startswith("limit_id,account,observed_tpp")


def test_status_has_the_documented_keys(tmp_path: Path) -> None:
    """`status --format json` has the documented keys and no country but the one asked for; --as-of looks back."""
    ledger = _with_records(tmp_path)
    now = json.loads(ledger.run("status", "--country", "AE", "--format", "json").out)
    whole = json.loads(ledger.run("status", "--format", "json").out)
    before = json.loads(ledger.run("status", "--as-of", "2026-02-28", "--format", "json").out)

    assert set(now) == _STATUS | _STATUS_MORE
    assert [row["destination"] for row in now["countries"]] == ["AE"]
    assert (now["as_of"], now["sequence"]) == ("2026-05-01", 2)
    (checkpoint,) = ledger.rows("SELECT sequence, leaves, root FROM checkpoints ORDER BY batch DESC LIMIT 1")
    assert checkpoint.items() < now["checkpoint"].items()
    assert [row["used_tpp"] for row in whole["lpp"]] == [158_320]
    assert before["as_of"] == "2026-02-28"
    assert before["lpp"] == []


def test_sql_writes_what_it_prints(tmp_path: Path) -> None:
    """JSON, CSV and Parquet of one query agree, with columns of the same name kept apart and bytes as hex."""
    ledger = _with_records(tmp_path)
    query = (
        "SELECT sequence, reference, sequence AS sequence, '\\xAB'::BLOB AS raw, 'nan'::DOUBLE AS no, date"
        " FROM decisions ORDER BY sequence"
    )
    rows = ledger.rows(query)
    table = ledger.run("sql", query, "--format", "csv").out.splitlines()
    written = ledger.run("sql", query, "--out", "out.parquet")

    assert rows[0] == {
        "sequence": 1,
        "reference": "a1",
        "sequence_1": 1,
        "raw": "ab",
        "no": None,
        "date": "2026-03-01",
    }
    assert table == ["sequence,reference,sequence_1,raw,no,date", "1,a1,1,ab,,2026-03-01", "2,a2,2,ab,,2026-05-01"]
    assert (written.code, written.out) == (0, "")
    assert pq.read_table(tmp_path / "out.parquet").column_names == list(rows[0])
    assert pq.read_table(tmp_path / "out.parquet")["sequence_1"].to_pylist() == [1, 2]
    assert ledger.run("sql", stdin=b"SELECT 1 AS one", env={}).code == 0


@pytest.mark.parametrize("words", [["status"], ["sql", "FROM decisions"], ["explain", "1"], ["rulebook", "show"]])
def test_nothing_is_coloured_when_nobody_looks(words: list[str], tmp_path: Path) -> None:
    """Where output is no terminal there are no escapes in it, on standard output or standard error."""
    ran = _with_records(tmp_path).run(*words)

    assert ran.code == 0
    assert "\x1b" not in ran.out + ran.err


def test_a_ledger_that_is_not_there_is_exit_code_4(tmp_path: Path) -> None:
    """Without a ledger every verb says so, names `init`, and makes no file."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\n")
    for words in (["status"], ["sql", "SELECT 1"], ["import", "a.csv", "--provider", "p"], ["explain", "1"]):
        ran = ledger.run(*words, ledger="none.duckdb")

        assert (ran.code, ran.out) == (4, "")
        assert "init" in ran.sentence
        assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "none.duckdb").exists()


def test_a_ledger_that_is_held_is_exit_code_4(tmp_path: Path) -> None:
    """While another process holds the ledger the sentence names its PID; once it ends, the same command works."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\n")
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(ledger.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    try:
        for words in (["status"], ["sql", "SELECT 1"], ["import", "a.csv", "--provider", "p"]):
            ran = ledger.run(*words)

            assert (ran.code, ran.out) == (4, "")
            assert f"process {holder.pid} " in ran.sentence
            assert len(ran.err.splitlines()) == 1
    finally:
        holder.communicate()

    assert ledger.run("import", "a.csv", "--provider", "p").code == 0


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\0" * 20_000])
def test_a_file_that_is_no_ledger_is_exit_code_5(content: bytes, tmp_path: Path) -> None:
    """An empty file, a text and zeros as the ledger are named as no ledger, and left as they are."""
    ledger = fresh(tmp_path)
    ledger.write("odd.duckdb", content)
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\n")
    for words in (["status"], ["sql", "SELECT 1"], ["import", "a.csv", "--provider", "p"]):
        ran = ledger.run(*words, ledger="odd.duckdb")

        assert (ran.code, ran.out) == (5, "")
        assert "odd.duckdb" in ran.sentence
        assert len(ran.err.splitlines()) == 1
    assert (tmp_path / "odd.duckdb").read_bytes() == content


def test_standard_input_and_output_may_be_closed(tmp_path: Path) -> None:
    """Without standard input, `-` is wrong usage; without standard output, a verb still ends well."""
    ledger = fresh(tmp_path)
    shell = (
        '"$@" --ledger quota.duckdb import - --provider p <&-; echo $?; "$@" --ledger quota.duckdb status >&-; echo $?'
    )
    done = subprocess.run(
        ["/bin/sh", "-c", shell, "sh", sys.executable, "-m", "ledger"],
        cwd=ledger.folder,
        env=environment(),
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.stdout.split() == ["2", "0"]
    assert done.stderr == "quotaledger: there is no standard input to read; give a file\n"


def test_a_date_far_ahead_is_warned_of(tmp_path: Path) -> None:
    """A mistyped year is named with its row when it is imported, and positions say that their day is not come yet."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\na2,allocation,2062-01-05,AE,ALPHA,H100,1\n")
    imported = ledger.run("import", "a.csv", "--provider", "prov")
    asked, told = ledger.run("status", "--format", "json"), ledger.run("status", "--as-of", "2026-03-01")

    assert imported.code == 0
    assert [line for line in imported.err.splitlines() if "a.csv, row 2 is dated 2062-01-05" in line]
    assert "row 1" not in imported.err
    assert json.loads(asked.out)["as_of"] == "2062-01-05"
    assert "as of 2062-01-05, the latest date recorded, which is after today" in asked.err
    assert told.err == ""
