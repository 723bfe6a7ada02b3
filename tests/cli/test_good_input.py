"""The same records in any clothes: what is accepted of formats and types, and what an import answers."""

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from tests.cli.command import GOOD, HEADER, Ledger, fresh, untouched

_ROWS: list[dict[str, Any]] = [
    {
        "reference": "o1",
        "kind": "opening",
        "date": "2024-06-01",
        "destination": "US",
        "consignee": "USCO",
        "quantity": 9,
    },
    {"reference": "a1", "kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "ALPHA"},
    {"reference": "a2", "kind": "allocation", "date": "2026-03-01", "destination": "KP", "consignee": "ALPHA"},
    {"reference": "d1", "kind": "delivery", "date": "2026-04-01", "quantity": 10, "under": "a1"},
    {"reference": "a1", "kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "ALPHA"},
]
_NAMES = ("reference", "kind", "date", "destination", "consignee", "chip", "quantity", "under", "note")


def _full() -> list[dict[str, Any]]:
    return [
        dict.fromkeys(_NAMES)
        | ({"chip": "H100", "quantity": 1_000} if row["kind"] != "delivery" else {})
        | {"note": 'two\nlines, "quoted"'}
        | row
        for row in _ROWS
    ]


def _csv(bom: bytes = b"", newline: str = "\n") -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, _NAMES, lineterminator=newline)
    writer.writeheader()
    writer.writerows(_full())
    return bom + file.getvalue().encode()


def _ndjson() -> bytes:
    return "\n".join(json.dumps({k: v for k, v in row.items() if v is not None}) for row in _full()).encode()


def _table(**types: pa.DataType) -> pa.Table:
    columns = {name: [row[name] for row in _full()] for name in _NAMES}
    return pa.table(
        {name: pa.array(values).cast(types.get(name, pa.array(values).type)) for name, values in columns.items()}
    )


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _feather(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(table, sink)
    return sink.getvalue()


def _stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return sink.getvalue()


_DAYS = [dt.date.fromisoformat(row["date"]) for row in _ROWS]


def _nan() -> pa.Table:
    table = _table(quantity=pa.float64())
    return table.set_column(6, "quantity", pa.array(table["quantity"].to_pylist(), pa.float64(), from_pandas=False))


_CLOTHES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "byte order mark": ("a.csv", lambda: _csv(b"\xef\xbb\xbf")),
    "CRLF": ("a.csv", lambda: _csv(newline="\r\n")),
    "no suffix": ("a", _csv),
    "NDJSON": ("a.ndjson", _ndjson),
    "NDJSON without a suffix": ("a", _ndjson),
    "Parquet": ("a.parquet", lambda: _parquet(_table())),
    "Parquet without a suffix": ("a", lambda: _parquet(_table())),
    "date32": ("a.parquet", lambda: _parquet(_table().set_column(2, "date", pa.array(_DAYS, pa.date32())))),
    "timestamps": (
        "a.parquet",
        lambda: _parquet(_table().set_column(2, "date", pa.array(_DAYS).cast(pa.timestamp("ns")))),
    ),
    "seconds": ("a.arrow", lambda: _feather(_table().set_column(2, "date", pa.array(_DAYS).cast(pa.timestamp("s"))))),
    "floats with gaps": ("a.parquet", lambda: _parquet(_table(quantity=pa.float64()))),
    "NaN for gaps": ("a.parquet", lambda: _parquet(_nan())),
    "dictionaries": ("a.arrow", lambda: _feather(_table(chip=pa.dictionary(pa.int8(), pa.string())))),
    "large strings": ("a.arrow", lambda: _feather(_table(**dict.fromkeys(("reference", "note"), pa.large_string())))),
    "string views": ("a.arrow", lambda: _stream(_table(reference=pa.string_view()))),
    "Arrow file": ("a.arrow", lambda: _feather(_table())),
    "Arrow stream": ("a.arrows", lambda: _stream(_table())),
    "decimals": ("a.parquet", lambda: _parquet(_table(quantity=pa.decimal128(38, 2)))),
}


def _answers(ledger: Ledger, name: str, stdin: bytes = b"") -> list[dict[str, Any]]:
    ran = ledger.run("import", name, "--provider", "prov", "--decisions", "out.ndjson", stdin=stdin)
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in (ledger.folder / "out.ndjson").read_text().splitlines()]


def test_every_format_and_type_gives_the_same_decisions(tmp_path: Path) -> None:
    """The same rows as CSV, NDJSON, Parquet and Arrow, typed or text, from a file or standard input, decide alike."""
    expected: list[dict[str, Any]] = []
    for name, (file, content) in ({"plain": ("a.csv", _csv)} | _CLOTHES).items():
        folder = tmp_path / name
        folder.mkdir()
        ledger = fresh(folder)
        ledger.write(file, content())
        answers = _answers(ledger, file)
        expected = expected or answers

        assert answers == expected, name

    for content in (_csv, _ndjson, lambda: _parquet(_table())):
        folder.joinpath("quota.duckdb").unlink()

        assert _answers(fresh(folder), "-", content()) == expected

    assert [answer["outcome"] for answer in expected] == ["admitted", "admitted", "refused", "admitted", "admitted"]
    assert [answer["duplicate"] for answer in expected] == [False, False, False, False, True]
    assert [answer["row"] for answer in expected] == [1, 2, 3, 4, 5]


def test_a_header_without_rows_is_an_import_of_nothing(tmp_path: Path) -> None:
    """A file with column names alone is done with 0 rows, and no batch is made of it."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", HEADER + "\n")
    ran = ledger.run("import", "a.csv", "--provider", "prov")

    assert ran.code == 0
    assert "0 rows" in ran.out
    assert ledger.counted() == untouched()


def test_skip_invalid_records_the_good_rows(tmp_path: Path) -> None:
    """With --skip-invalid the good rows are recorded, the counts printed, and the bad ones named; a dry run agrees."""
    ledger = fresh(tmp_path)
    ledger.write(
        "a.csv", f"{HEADER}\n{GOOD}\nb,allocation,2026-03-01,ZZ,ALPHA,H100,1\n{GOOD.replace('a1', 'c')}\n{GOOD}\n"
    )
    words = ("import", "a.csv", "--provider", "prov", "--skip-invalid")
    trial = ledger.run(*words, "--dry-run")

    assert ledger.counted() == untouched()

    ran = ledger.run(*words, "--decisions", "out.ndjson")
    answers = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]

    assert (trial.code, ran.code) == (0, 0)
    assert "4 rows: 2 admitted, 0 refused, 0 breached, 1 rejected, 1 duplicates" in ran.out
    assert ran.out.split(":", 1)[1] == trial.out.split(":", 1)[1]
    assert "rejected: a.csv, row 2, destination" in ran.err
    assert [answer["outcome"] for answer in answers] == ["admitted", "rejected", "admitted", "admitted"]
    assert ledger.rows("SELECT reference, sequence FROM decisions ORDER BY sequence") == [
        {"reference": "a1", "sequence": 1},
        {"reference": "c", "sequence": 2},
    ]
    assert ledger.rows("SELECT records, admitted, rejected FROM batches") == [
        {"records": 4, "admitted": 2, "rejected": 1}
    ]


def _read(path: Path) -> list[dict[str, Any]]:
    """Read decisions of any format as what NDJSON has."""
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    if path.suffix == ".ndjson":
        return [json.loads(line) for line in path.read_text().splitlines()]
    numbers = ("row", "tpp", "remaining_tpp", "sequence")
    words = {"true": True, "false": False, "": None}
    with path.open(newline="") as file:
        return [
            {name: int(text) if text and name in numbers else words.get(text, text) for name, text in row.items()}
            for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize("skip_invalid", [True, False])
def test_decisions_agree_in_every_format(skip_invalid: bool, tmp_path: Path) -> None:
    """CSV, NDJSON and Parquet say the same, with `file` first: every row, or if the import fails the rejected ones."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", _csv())
    ledger.write("b.csv", f"{HEADER}\nb,allocation,2026-03-01,ZZ,ALPHA,H100,1,\n".replace(",\n", "\n"))
    flags = ["--skip-invalid"] if skip_invalid else []
    found = []
    for suffix in ("csv", "ndjson", "parquet"):
        words = ["import", "a.csv", "b.csv", "--provider", "prov", "--dry-run", "--decisions", f"out.{suffix}"]

        assert ledger.run(*words, *flags).code == (0 if skip_invalid else 1)
        found.append(_read(tmp_path / f"out.{suffix}"))
    places = [(row["file"], row["row"]) for row in found[0]]

    assert found[0] == found[1] == found[2]
    assert all(list(row) == list(found[0][0]) for rows in found for row in rows)
    assert next(iter(found[0][0])) == "file"
    assert places == ([("a.csv", n) for n in range(1, 6)] if skip_invalid else []) + [("b.csv", 1)]


def test_a_file_that_cannot_be_read_is_a_rejected_row_of_the_decisions(tmp_path: Path) -> None:
    """Decisions of an earlier import are not left standing where this one failed as a whole."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", b"\xff")
    ledger.write("out.ndjson", "of an earlier import")
    ran = ledger.run("import", "a.csv", "--provider", "prov", "--decisions", "out.ndjson")
    (answer,) = _read(tmp_path / "out.ndjson")

    assert ran.code == 1
    assert (answer["row"], answer["outcome"], answer["code"]) == (None, "rejected", "encoding")


def test_the_same_file_twice_in_one_import_is_duplicates(tmp_path: Path) -> None:
    """Rows of a file given twice are recorded once; the second time they are duplicates with the first's sequences."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\n{GOOD.replace('a1', 'a2')}\n")
    ran = ledger.run("import", "a.csv", "a.csv", "--provider", "prov", "--decisions", "out.ndjson")
    answers = _read(tmp_path / "out.ndjson")

    assert ran.code == 0
    assert "4 rows: 2 admitted" in ran.out
    assert "2 duplicates" in ran.out
    assert [(row["row"], row["sequence"], row["duplicate"]) for row in answers] == [
        (1, 1, False),
        (2, 2, False),
        (1, 1, True),
        (2, 2, True),
    ]


def test_a_bad_file_given_twice_has_its_rows_rejected_twice(tmp_path: Path) -> None:
    """The decisions have every rejected row of each file, also where two files have the same name."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", f"{HEADER}\n{GOOD}\nb,allocation,2026-03-01,ZZ,ALPHA,H100,1\n")
    ledger.run("import", "a.csv", "a.csv", "--provider", "prov", "--decisions", "out.ndjson")

    assert [(row["row"], row["field"]) for row in _read(tmp_path / "out.ndjson")] == [
        (2, "destination"),
        (2, "destination"),
    ]
