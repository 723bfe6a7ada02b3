"""The files of a report: every format says the same, with types kept, and the same bytes again."""

import csv
import hashlib
import json
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.reporting import workbook
from ledger.reporting.folder import FORMATS, find_report
from ledger.reporting.running import Wanted, run_report
from ledger.reporting.writing import _FORMATS
from tests.harness import bench

TODAY = date(2026, 11, 22)
TOML = """
title = "Mine"
question = "What is there?"
audience = "Me"
formats = ["html", "xlsx", "csv", "parquet", "json", "md"]
[parameters]
least = 3
word = "it's"
[tables.found]
file = "found.csv"
"""
SQL = """
-- table: numbers
SELECT range AS n FROM range(5)
-- query: found
SELECT n AS sequence, n * 1000000 AS tpp, CAST(n / 4 AS DECIMAL(9, 4)) AS percent,
    DATE '2026-01-01' + n::INTEGER AS day, TIMESTAMPTZ '2026-01-01 12:00:00+00' AS at, n > 3 AS is_last,
    CASE WHEN n = 4 THEN '=1+1 | <b>' END AS note, word, 90000000000000000 + n AS large
FROM numbers, report_parameters WHERE n >= least ORDER BY n
"""


def made(place: Path, out: Path, wanted: Wanted) -> dict[str, Path]:
    """Make the report above of a ledger with nothing in it, and give its files by name."""
    folder = place / "mine"
    folder.mkdir(exist_ok=True)
    (folder / "report.toml").write_text(TOML, "utf-8")
    (folder / "query.sql").write_text(SQL, "utf-8")
    (place / "ledger").mkdir(exist_ok=True)
    with bench(place / "ledger") as at:
        return {path.name: path for path in run_report(at.ledger, find_report(str(folder)), wanted, out).files}


def test_every_format_that_can_be_named_is_made() -> None:
    """What `report.toml` may name is what there is, in that order."""
    assert tuple(_FORMATS) == FORMATS


def test_a_workbook_has_numbers_days_and_texts_as_they_are(tmp_path: Path) -> None:
    """Cells have real types and formats; what passes fifteen digits, or looks like a formula, is a text."""
    book = openpyxl.load_workbook(made(tmp_path, tmp_path / "out", Wanted(TODAY))["mine.xlsx"])
    sheet = book["found"]
    last = [cell.value for cell in sheet[3]]

    assert book.sheetnames == ["About", "found"]
    assert [cell.value for cell in sheet[1]][:4] == ["sequence", "tpp", "percent", "day"]
    assert last[:6] == [
        4,
        4_000_000,
        1,
        datetime.fromisoformat("2026-01-05"),
        datetime.fromisoformat("2026-01-01T12:00"),
        True,
    ]
    assert last[6:] == ["=1+1 | <b>", "it's", "90000000000000004"]
    assert [cell.number_format for cell in sheet[3]][:4] == ["0", "#,##0", "#,##0.0###", "yyyy-mm-dd"]
    assert sheet["G3"].data_type == "s"
    assert sheet.freeze_panes == "B2"
    assert "--today 2026-11-22" in {row[0].value: row[1].value for row in book["About"]}["Make it again"]


def test_a_long_table_is_cut_in_the_workbook_alone_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sheet has the first rows, and names the file that has all of them."""
    monkeypatch.setattr(workbook, "ROWS_SHOWN", 1)
    files = made(tmp_path, tmp_path / "out", Wanted(TODAY))
    sheet = openpyxl.load_workbook(files["mine.xlsx"])["found"]

    assert [row[0].value for row in sheet] == ["sequence", 3, "These are the first 1 rows; all are in found.csv."]
    assert sheet.auto_filter.ref.endswith("2")
    assert len(files["found.csv"].read_text("utf-8").splitlines()) == 3


def test_a_workbook_alone_has_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no other file has them, a sheet has as many as there is room for."""
    monkeypatch.setattr(workbook, "ROWS_SHOWN", 1)
    monkeypatch.setitem(globals(), "TOML", TOML.replace('"html", "xlsx", "csv", "parquet", "json", "md"', '"xlsx"'))
    sheet = openpyxl.load_workbook(made(tmp_path, tmp_path / "out", Wanted(TODAY))["mine.xlsx"])["found"]

    assert [row[0].value for row in sheet] == ["sequence", 3, 4]


def test_parquet_keeps_types_and_the_others_say_the_same(tmp_path: Path) -> None:
    """Parquet has the types of the query; CSV and JSON have the same rows."""
    files = made(tmp_path, tmp_path / "out", Wanted(TODAY))
    table = pq.read_table(files["found.parquet"])
    types = {name: table.schema.field(name).type for name in table.column_names}
    lines = list(csv.DictReader(files["found.csv"].read_text("utf-8").splitlines()))
    document = json.loads(files["mine.json"].read_text("utf-8"))

    assert types["tpp"] == pa.int64()
    assert types["percent"] == pa.decimal128(9, 4)
    assert types["day"] == pa.date32()
    assert table.column("sequence").to_pylist() == [3, 4]
    assert [int(line["large"]) for line in lines] == table.column("large").to_pylist()
    assert [row["large"] for row in document["tables"]["found"]] == table.column("large").to_pylist()
    assert document["parameters"] == {"least": 3, "word": "it's"}


def test_markdown_reads_nothing_into_what_is_given(tmp_path: Path) -> None:
    """A bar or a tag in a text is shown, and does not end the cell."""
    text = made(tmp_path, tmp_path / "out", Wanted(TODAY))["mine.md"].read_text("utf-8")
    heading, _, first, last = (line for line in text.splitlines() if line.startswith("|"))

    assert heading.split(" | ")[0] == "| sequence"
    assert first.startswith("| 3 | 3000000 | 0.75 | 2026-01-04 |")
    assert "=1+1 \\| &lt;b>".replace(">", "\\>") in last


def test_the_same_checkpoint_and_day_give_the_same_bytes(tmp_path: Path) -> None:
    """Every file of every format is the same when it is made again, and other with another parameter."""
    digests = []
    for number, wanted in enumerate((Wanted(TODAY), Wanted(TODAY), Wanted(TODAY, parameters={"least": 4}))):
        files = made(tmp_path, tmp_path / str(number), wanted)
        digests.append({name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()})

    assert digests[0] == digests[1]
    assert all(digests[0][name] != digests[2][name] for name in digests[0])
