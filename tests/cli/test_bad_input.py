"""Hostile and broken files: each is turned away with file, row, column and reason, and nothing is recorded."""

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from tests.cli.command import GOOD, HEADER, Ledger, Ran, fresh, untouched

_GOOD: dict[str, object] = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | {"quantity": 10}
_CSV = f"{HEADER}\n{GOOD}\n".encode()


def _csv(**changes: str) -> bytes:
    """Give a good file and in its second row, one with changes; a change to a column that is not there adds it."""
    names = [*HEADER.split(","), *(name for name in changes if name not in HEADER.split(","))]
    good = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
    rows = [good, good | {"reference": "a2"} | changes]
    lines = [",".join(names), *(",".join(_field(row.get(name, "")) for name in names) for row in rows)]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def _field(text: str) -> str:
    return f'"{text}"' if "," in text else text


def _ndjson(**changes: str) -> bytes:
    """Give two lines of JSON, in the second of which columns have the given JSON."""
    pairs = {name: json.dumps(value) for name, value in (_GOOD | {"reference": "a2"}).items()} | changes
    second = "{" + ", ".join(f'"{name}": {value}' for name, value in pairs.items()) + "}"
    return f"{json.dumps(_GOOD)}\n{second}\n".encode()


def _table(**columns: pa.Array) -> pa.Table:
    return pa.table({name: pa.array([value]) for name, value in _GOOD.items()} | columns)


def _parquet(table: pa.Table | None = None) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table or _table(), sink)
    return sink.getvalue()


def _arrow(table: pa.Table | None = None) -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(table or _table(), sink, compression="uncompressed")
    return sink.getvalue()


_LATIN_1 = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xe9t")])
_MANY = HEADER + "\n" + "".join(f"b{n},allocation,2026-03-01,AE,ALPHA,H100,1.5\n" for n in range(300))
_DEEP = "[" * 10_000 + "]" * 10_000


@dataclass(frozen=True)
class Bad:
    """A bad file: its name, what is in it, the row and column at fault, the code, and words of the sentence."""

    file: str
    content: bytes
    row: int | None
    column: str
    code: str
    words: tuple[str, ...]


_BROKEN = {
    "empty": Bad("a.csv", b"", None, "", "empty", ("the file is empty", "line of column names")),
    "blank": Bad("a.csv", b" \r\n\n", None, "", "empty", ("empty",)),
    "mark alone": Bad("a.csv", b"\xef\xbb\xbf", None, "", "empty", ("empty",)),
    "mark alone, NDJSON": Bad("a.ndjson", b"\xef\xbb\xbf\n", None, "", "empty", ("empty",)),
    "missing column": Bad("a.csv", b"reference,kind\na,allocation\n", None, "date", "missing-column", ('"date"',)),
    "unknown column": Bad(
        "a.csv",
        _csv(quantitty="1"),
        None,
        "quantitty",
        "unknown-column",
        ('"quantitty", did you mean "quantity"?', "known are reference, kind"),
    ),
    "duplicated column": Bad("a.csv", b"reference,kind,kind\n", None, "kind", "malformed", ("is there twice",)),
    "nameless column": Bad("a.csv", f"{HEADER},,\n".encode(), None, "", "malformed", ("column 8 has no name",)),
    "semicolons": Bad("a.csv", _CSV.replace(b",", b";"), None, "", "malformed", ("separated by semicolons",)),
    "10,000 columns": Bad(
        "a.csv", ",".join(f"c{n}" for n in range(10_000)).encode(), None, "c0", "unknown-column", ("and 9,995 more",)
    ),
    "one column 30,000 times": Bad("a.csv", b"kind," * 30_000 + b"kind", None, "kind", "malformed", ("twice",)),
    "unclosed quote": Bad(
        "a.csv", _CSV + b'a2,allocation,"2026\n', None, "", "malformed", ("line 3", "double quote", "not closed")
    ),
    "text after a quote": Bad("a.csv", _CSV + b'"a"b,\n', None, "", "malformed", ("line 3", "not CSV")),
    "a field of a megabyte": Bad("a.csv", _CSV + b"a" * 1_000_000, None, "", "malformed", ("line 3", "too long")),
    "Latin-1": Bad(
        "a.csv", _csv(note="é").decode().encode("latin-1"), None, "", "encoding", ("UTF-8", "line 3", "0xe9")
    ),
    "UTF-16": Bad("a.csv", _CSV.decode().encode("utf-16"), None, "", "encoding", ("UTF-16", "save it as UTF-8")),
    "truncated Parquet": Bad("a.parquet", _parquet()[:-20], None, "", "malformed", ("not whole or not Parquet",)),
    "truncated Arrow": Bad("a.arrow", _arrow()[:-20], None, "", "malformed", ("not whole or not Arrow",)),
    "half an Arrow": Bad("a.arrow", _arrow()[: len(_arrow()) // 2], None, "", "malformed", ("not Arrow",)),
    "random bytes": Bad("a.bin", b"\xfe\x07\x80\n\x99PAR1", None, "", "encoding", ("not UTF-8", "0xfe")),
    "random bytes as Parquet": Bad("a.parquet", b"\xfe\x07\x80\n", None, "", "malformed", ("not Parquet",)),
    "Latin-1 in Parquet": Bad("a.parquet", _parquet(_table(note=_LATIN_1)), None, "", "malformed", ("UTF8",)),
    "Latin-1 in Arrow": Bad("a.arrow", _arrow(_table(note=_LATIN_1)), None, "", "malformed", ("UTF8",)),
    "a day after 9999": Bad(
        "a.parquet",
        _parquet(_table(date=pa.array([10**7], pa.date32()))),
        None,
        "date",
        "malformed",
        ('"date"', "cannot be read"),
    ),
    "an instant after 9999": Bad(
        "a.arrow", _arrow(_table(date=pa.array([2**62], pa.timestamp("s")))), None, "date", "malformed", ('"date"',)
    ),
    "a time zone that is none": Bad(
        "a.arrow",
        _arrow(_table(date=pa.array([0], pa.timestamp("us", tz="Foo/Bar")))),
        None,
        "date",
        "malformed",
        ("Foo/Bar",),
    ),
}

_ROWS = {
    "too few fields": Bad("a.csv", _CSV + b"a2,allocation\n", 2, "", "malformed", ("found 2 fields, expected 7",)),
    "too many fields": Bad("a.csv", _CSV + GOOD.encode() + b",x,y", 2, "", "malformed", ("found 9", "double quotes")),
    "thousands": Bad("a.csv", _csv(quantity="1,000"), 2, "quantity", "malformed", ('"1,000"', "thousands separators")),
    "10.0": Bad("a.csv", _csv(quantity="10.0"), 2, "quantity", "malformed", ('"10.0"', "spreadsheet", "pandas")),
    "10.00": Bad("a.csv", _csv(quantity="10.00"), 2, "quantity", "malformed", ("pandas",)),
    "10.5": Bad("a.csv", _csv(quantity="10.5"), 2, "quantity", "malformed", ('"10.5"', "digits only")),
    "2^63": Bad("a.csv", _csv(quantity=str(2**63)), 2, "quantity", "out-of-range", ("1 to 1,000,000,000",)),
    "5,000 digits": Bad("a.csv", _csv(quantity="9" * 5_000), 2, "quantity", "out-of-range", ("999…",)),
    "0": Bad("a.csv", _csv(quantity="0"), 2, "quantity", "out-of-range", ('"0"', "1 to")),
    "-1": Bad("a.csv", _csv(quantity="-1"), 2, "quantity", "malformed", ('"-1"', "digits only")),
    "a billion and one": Bad("a.csv", _csv(quantity="1000000001"), 2, "quantity", "out-of-range", ("1000000001",)),
    "+5": Bad("a.csv", _csv(quantity="+5"), 2, "quantity", "malformed", ('"+5"',)),
    "Arabic-Indic digits": Bad("a.csv", _csv(quantity="\u0661\u0660"), 2, "quantity", "malformed", ("digits 0 to 9",)),
    "slashed date": Bad("a.csv", _csv(date="01/02/2025"), 2, "date", "malformed", ("YYYY-MM-DD", "which the month")),
    "30 February": Bad("a.csv", _csv(date="2025-02-30"), 2, "date", "malformed", ("2025-02-30", "a day that exists")),
    "NUL": Bad("a.csv", _csv(reference="a\0"), 2, "reference", "control-character", (r"a\x00", "a NUL byte")),
    "escape": Bad("a.csv", _csv(note="\x1b[31m"), 2, "note", "control-character", (r"\x1b[31m", "U+001B")),
    "129 characters": Bad("a.csv", _csv(reference="a" * 129), 2, "reference", "too-long", ("129", "at most 128")),
    "blank reference": Bad("a.csv", _csv(reference=" "), 2, "reference", "missing", ("found nothing",)),
    "kind": Bad("a.csv", _csv(kind="alocation"), 2, "kind", "unknown-kind", ('did you mean "allocation"?',)),
    "party": Bad("a.csv", _csv(consignee="ALHPA"), 2, "consignee", "unknown-party", ('did you mean "ALPHA"?',)),
    "chip": Bad("a.csv", _csv(chip="h100"), 2, "chip", "unknown-chip", ('did you mean "H100"?',)),
    "AEE": Bad("a.csv", _csv(destination="AEE"), 2, "destination", "unknown-country", ('"AEE"', "alpha-2")),
    "country in words": Bad(
        "a.csv", _csv(destination="United Arab Emirates"), 2, "destination", "unknown-country", ('mean "AE"?',)
    ),
    "UK": Bad("a.csv", _csv(destination="UK"), 2, "destination", "unknown-country", ('did you mean "GB"?',)),
    "region": Bad(
        "a.csv", _csv(destination="aws:me-centrall-1"), 2, "destination", "unknown-region", ('"aws:me-central-1"?',)
    ),
    "under on an allocation": Bad("a.csv", _csv(under="a1"), 2, "under", "superfluous", ("an allocation",)),
    "no chip": Bad("a.csv", _csv(chip=""), 2, "chip", "missing", ("an allocation must give it",)),
    "bare delivery": Bad(
        "a.csv", _csv(kind="delivery", consignee=""), 2, "consignee", "missing", ("a delivery without `under`",)
    ),
    "lapse of nothing": Bad("a.csv", _csv(kind="lapse"), 2, "under", "missing", ("a lapse must give it",)),
    "attrition of nothing": Bad("a.csv", _csv(kind="attrition"), 2, "under", "missing", ("an attrition",)),
    "reversal with a quantity": Bad(
        "a.csv", _csv(kind="reversal", under="a1", note="x"), 2, "destination", "superfluous", ("a reversal",)
    ),
    "expires on a delivery": Bad(
        "a.csv", _csv(kind="delivery", expires="2027-01-01"), 2, "expires", "superfluous", ("a delivery",)
    ),
    "late opening": Bad(
        "a.csv", _csv(kind="opening", date="2025-01-01"), 2, "date", "wrong-side", ("dated before 2025-01-01",)
    ),
    "early allocation": Bad("a.csv", _csv(date="2024-12-31"), 2, "date", "wrong-side", ("2025-01-01 or later",)),
    "under nothing": Bad(
        "a.csv", _csv(kind="lapse", under="zz", destination="", consignee="", chip=""), 2, "under", "", ("zz",)
    ),
    "NaN": Bad("a.ndjson", _ndjson(quantity="NaN"), 2, "", "malformed", ("NaN is no value of JSON",)),
    "not JSON": Bad("a.ndjson", _ndjson(quantity="10,"), 2, "", "malformed", ("not JSON", "at character")),
    "a key twice": Bad("a.ndjson", _ndjson(quantity='1, "quantity": 2'), 2, "", "malformed", ('"quantity" is there',)),
    "an array": Bad("a.ndjson", b'[{"reference": "a"}]', 1, "", "malformed", ("one JSON object a line",)),
    "lone surrogate": Bad(
        "a.ndjson", _ndjson(reference=r'"a\ud800"'), 2, "reference", "control-character", (r"a\ud800", "half of")
    ),
    "nested": Bad("a.ndjson", _ndjson(quantity='{"a": [1]}'), 2, "quantity", "malformed", ("a list or an object",)),
    "bool": Bad("a.ndjson", _ndjson(quantity="true"), 2, "quantity", "malformed", ("a true or false",)),
    "10.5 as a number": Bad("a.ndjson", _ndjson(quantity="10.5"), 2, "quantity", "malformed", ("not whole",)),
    "infinite": Bad("a.ndjson", _ndjson(quantity="1e400"), 2, "quantity", "malformed", ("not whole",)),
    "5,000 digits of JSON": Bad("a.ndjson", _ndjson(quantity="9" * 5_000), 2, "quantity", "out-of-range", ("999…",)),
    "deep": Bad("a.ndjson", _ndjson(quantity=_DEEP), 2, "", "malformed", ("nested too deep",)),
    "deep alone": Bad("a.ndjson", _DEEP.encode(), 1, "", "malformed", ("nested too deep",)),
    "bool in Parquet": Bad(
        "a.parquet", _parquet(_table(quantity=pa.array([True]))), 1, "quantity", "malformed", ("a true or false",)
    ),
    "10.5 in Parquet": Bad(
        "a.parquet", _parquet(_table(quantity=pa.array([10.5]))), 1, "quantity", "malformed", ("10.5", "not whole")
    ),
    "bytes in Parquet": Bad(
        "a.parquet", _parquet(_table(note=pa.array([b"\xff"]))), 1, "note", "malformed", ("binary data",)
    ),
    "a time of day": Bad(
        "a.parquet", _parquet(_table(date=pa.array([1], pa.timestamp("us")))), 1, "date", "malformed", ("a day with a",)
    ),
    "a struct with a date": Bad(
        "a.parquet",
        _parquet(_table(note=pa.array([{"a": 0}], pa.struct({"a": pa.date32()})))),
        1,
        "note",
        "malformed",
        ("a list or an object",),
    ),
}


def _rejected(ledger: Ledger, *words: str | bytes | Path) -> Ran:
    """Import, as a dry run too: exit code 1, one closing sentence, and nothing in the ledger."""
    trial = ledger.run("import", *words, "--provider", "prov", "--dry-run")
    ran = ledger.run("import", *words, "--provider", "prov")

    assert (trial.code, trial.err) == (ran.code, ran.err)
    assert ran.code == 1
    assert ran.out == ""
    assert ran.sentence.startswith("quotaledger: nothing was recorded")
    assert all(line.startswith(("rejected: ", "quotaledger: ")) for line in ran.err.splitlines())
    assert ledger.counted() == untouched()
    return ran


@pytest.mark.parametrize("name", [*_BROKEN, *_ROWS])
def test_a_bad_file_is_rejected_with_place_and_reason(name: str, tmp_path: Path) -> None:
    """A bad file is rejected, in a dry run too, naming file, row, column and code; the ledger stays as it was."""
    bad = (_BROKEN | _ROWS)[name]
    ledger = fresh(tmp_path)
    ledger.write(bad.file, bad.content)
    first = _rejected(ledger, bad.file).err.splitlines()[0]
    row = f", row {bad.row}" if bad.row else ""
    column = f", {bad.column}" if bad.column else ""

    assert first.startswith(f"rejected: {bad.file}{row}{column}: ")
    assert first.endswith(f"{bad.code}]")
    assert not [word for word in bad.words if word not in first]
    assert len(first) < 1_000


def test_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    """A file that is not there, a folder and a path through a file are named, and the exit code is 2."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", _CSV)
    for path, reason in ((".", "directory"), ("no.csv", "No such file"), ("a.csv/b", "Not a directory")):
        ran = ledger.run("import", path, "--provider", "prov")

        assert (ran.code, ran.out) == (2, "")
        assert ran.sentence == ran.err.strip()
        assert path in ran.sentence
        assert reason in ran.sentence
    assert ledger.counted() == untouched()


def test_one_bad_file_of_two_rejects_both(tmp_path: Path) -> None:
    """Several files are one batch: a bad one is named, and with it the other is not recorded."""
    ledger = fresh(tmp_path)
    ledger.write("good.csv", _CSV)
    ledger.write("bad.csv", _csv(reference="a9", quantity="x"))
    ledger.write("worse.csv", b"\xff")

    assert "rejected: bad.csv, row 2, quantity:" in _rejected(ledger, "good.csv", "bad.csv").err
    assert "rejected: worse.csv: " in _rejected(ledger, "good.csv", "worse.csv").err


def test_the_terminal_shows_a_bounded_list_and_the_decisions_all(tmp_path: Path) -> None:
    """Of 300 bad rows a hundred are shown, the rest is counted with where to find it, and --decisions has all."""
    ledger = fresh(tmp_path)
    ledger.write("many.csv", _MANY)
    shown = _rejected(ledger, "many.csv").err
    ran = ledger.run("import", "many.csv", "--provider", "prov", "--decisions", "out.ndjson")
    answers = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]

    assert shown.count("rejected: many.csv") == 100
    assert "and 200 more faults; `--decisions OUT.csv`" in shown
    assert "300 of 300 rows were rejected" in shown
    assert "and 200 more faults: out.ndjson has all" in ran.err
    assert [answer["row"] for answer in answers] == list(range(1, 301))
    assert {(answer["outcome"], answer["field"]) for answer in answers} == {("rejected", "quantity")}


def test_every_fault_of_a_row_is_reported(tmp_path: Path) -> None:
    """All faults of one row are named, in order of columns; as a decision it is one row with the first one's code."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", _csv(kind="gift", date="2025-13-01", destination="ZZ", quantity="x"))
    ran = ledger.run("import", "a.csv", "--provider", "prov", "--decisions", "out.ndjson")
    (answer,) = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]
    columns = ["kind", "date", "destination", "quantity"]

    assert [line.split(":")[1].split(", ")[-1] for line in ran.err.splitlines()[:-1]] == columns
    assert (answer["row"], answer["field"], answer["code"]) == (2, "kind", "unknown-kind")
    assert not [column for column in columns if f"{column}: found" not in answer["message"]]


def test_names_of_files_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    """A newline, an escape or markup in a file's name is shown, not obeyed; a name that is no text works too."""
    ledger = fresh(tmp_path)
    for name in ("a\nb[red].csv", "\x1b[31m.csv"):
        ledger.write(name, HEADER + "\nx\n")
        ran = _rejected(ledger, name)
        gone = ledger.run("import", name + "x", "--provider", "prov")

        assert name.replace("\n", "\\n").replace("\x1b", "\\x1b") in ran.err
        assert "\x1b" not in ran.err + gone.err
        assert len(gone.err.splitlines()) == 1
    odd = b"\xff.csv"
    ledger.write(os.fsdecode(odd), _CSV)

    assert ledger.run("import", odd, "--provider", "prov").code == 0
    assert ledger.rows("SELECT file FROM batches") == [{"file": "\ufffd.csv"}]


@pytest.mark.parametrize("name", ["", "  ", "a" * 129, "a\x07", b"\xff"])
def test_a_provider_has_a_name(name: str | bytes, tmp_path: Path) -> None:
    """A provider's name that is blank, too long or has control characters is turned away, and nothing is recorded."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", _CSV)
    for more in ((), ("--dry-run",)):
        ran = ledger.run("import", "a.csv", "--provider", name, *more)

        assert (ran.code, ran.out) == (1, "")
        assert "the provider's name" in ran.sentence
        assert len(ran.err.splitlines()) == 1
    assert ledger.counted() == untouched()


def test_hints_do_not_make_a_bad_file_slow(tmp_path: Path) -> None:
    """A file of many different unknown parties is rejected whole; only the first of them get a hint."""
    ledger = fresh(tmp_path)
    rows = "".join(f"r{n},allocation,2026-03-01,AE,ALPHA{n},H100,1\n" for n in range(5_000))
    ledger.write("a.csv", f"{HEADER}\n{rows}")
    ran = ledger.run("import", "a.csv", "--provider", "prov", "--decisions", "out.csv")
    said = (tmp_path / "out.csv").read_text()

    assert ran.code == 1
    assert said.count("rejected") == 5_000
    assert 0 < said.count("did you mean") <= 100


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("out.txt", "no known suffix"),
        ("out", "no known suffix"),
        ("nowhere/out.csv", "there is no folder"),
        ("folder.csv", "is a folder"),
        ("a.csv", "is an input"),
    ],
)
def test_a_place_that_decisions_cannot_go_to_is_said_before_recording(out: str, reason: str, tmp_path: Path) -> None:
    """An unknown suffix, a missing folder, a folder or an input as --decisions is exit code 2 before any recording."""
    ledger = fresh(tmp_path)
    ledger.write("a.csv", _CSV)
    (tmp_path / "folder.csv").mkdir()
    ran = ledger.run("import", "a.csv", "--provider", "prov", "--decisions", out)

    assert (ran.code, ran.out) == (2, "")
    assert reason in ran.sentence
    assert ledger.counted() == untouched()
    assert (tmp_path / "a.csv").read_bytes() == _CSV
