"""A file that is read while it is imported is the same to the ledger as one that is read before."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.cli.recording import tell_decisions
from ledger.core.errors import InputRejected
from ledger.sequencer import importing
from ledger.sequencer.imported import ImportResult
from ledger.sequencer.importing import import_sheets, record_file
from ledger.sequencer.verifying import verify
from ledger.store.sheets import SheetFile
from tests.harness import Bench, bench

_ALPHA = {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"}
_COLUMNS = ("reference", "kind", "date", "destination", "consignee", "chip", "quantity", "under")
_ROWS = [
    *((f"r{number}", "allocation", "2026-03-01", "AE", "ALPHA", "H100", str(number + 1), "") for number in range(8)),
    ("d3", "delivery", "2026-03-02", "", "", "", "4", "r3"),
    ("r0", "allocation", "2026-03-01", "AE", "ALPHA", "H100", "1", ""),
]


def _csv(rows: Sequence[tuple[str, ...]]) -> bytes:
    return "\n".join([",".join(_COLUMNS), *(",".join(row) for row in rows), ""]).encode()


def _table(rows: Sequence[tuple[str, ...]]) -> Any:
    return pa.table({name: [row[place] or None for row in rows] for place, name in enumerate(_COLUMNS)})


def _parquet(rows: Sequence[tuple[str, ...]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(_table(rows), file, row_group_size=3)
    return file.getvalue()


def _ndjson(rows: Sequence[tuple[str, ...]]) -> bytes:
    lines = (",".join(f'"{n}":"{v}"' for n, v in zip(_COLUMNS, row, strict=True) if v) for row in rows)
    return "\n".join(f"{{{line}}}" for line in lines).encode()


def _stream(rows: Sequence[tuple[str, ...]]) -> bytes:
    file = io.BytesIO()
    with pa.ipc.new_stream(file, _table(rows).schema) as writer:
        writer.write_table(_table(rows), max_chunksize=3)
    return file.getvalue()


def _arrow(rows: Sequence[tuple[str, ...]]) -> bytes:
    file = io.BytesIO()
    with pa.ipc.new_file(file, _table(rows).schema) as writer:
        writer.write_table(_table(rows), max_chunksize=3)
    return file.getvalue()


_FORMATS = {".csv": _csv, ".ndjson": _ndjson, ".parquet": _parquet, ".arrows": _stream, ".arrow": _arrow}


@pytest.fixture(name="made")
def _made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(importing, "_AT_ONCE", 4)
    with bench(tmp_path) as made:
        made.register("parties", _ALPHA)
        yield made


def _import(made: Bench, *contents: bytes, **how: Any) -> ImportResult:
    files = [record_file(f"{number}", io.BytesIO(content)) for number, content in enumerate(contents)]
    return import_sheets(made.desk(), "p", files, **how)


@pytest.mark.parametrize("suffix", _FORMATS)
def test_every_format_is_read_some_rows_at_a_time(suffix: str, made: Bench, tmp_path: Path) -> None:
    """Rows name and repeat rows of parts before them; every row is told by its place in the file."""
    path = tmp_path / f"records{suffix}"
    path.write_bytes(_FORMATS[suffix](_ROWS))
    with path.open("rb") as content:
        result = import_sheets(made.desk(), "p", [record_file(path.name, content)])

    assert len(result.parts) == 3
    assert result.duplicates == [(9, 1)]
    assert result.counts["admitted"] == 9
    assert made.ledger.rows("SELECT under_sequence, fulfilled, row FROM entry WHERE reference = 'd3'") == [(4, 4, 9)]
    assert made.ledger.rows("SELECT records FROM batch_file") == [(10,)]
    assert made.ledger.rows("SELECT records, duplicates FROM batch ORDER BY batch DESC LIMIT 1") == [(10, 1)]
    made.ledger.close()
    assert verify(tmp_path / "ledger.duckdb", deep=True).derived_again == 9


def test_small_files_share_a_part_and_keep_their_rows(made: Bench) -> None:
    """Several files are one batch: a row is found by its file and its place there."""
    result = _import(made, _csv(_ROWS[:3]), _csv([]), _csv(_ROWS[3:9]))

    assert [part.end for part in result.parts] == [3, 7, 9]
    assert made.ledger.rows("SELECT file_number, row, reference FROM entry WHERE reference IN ('r2', 'r3', 'd3')") == [
        (1, 3, "r2"),
        (3, 1, "r3"),
        (3, 6, "d3"),
    ]


@pytest.mark.parametrize(
    ("spoil", "code", "says"),
    [
        (lambda content: content + b'"open', "malformed", "line 12 is not CSV"),
        (lambda content: content + b"\xff,b", "encoding", "line 12 has the byte 0xff"),
        (lambda _: _parquet(_ROWS)[:-9], "malformed", "not whole or not Parquet"),
        (lambda _: _ndjson(_ROWS).replace(b'"under":"r3"', b'"over":"r3"'), "unknown-column", "over"),
    ],
)
def test_a_file_that_turns_out_unreadable_takes_all_back(
    spoil: Callable[[bytes], bytes], code: str, says: str, made: Bench
) -> None:
    """What is wrong shows after rows were appended; the other files are read for their own faults."""
    before = made.ledger.rows("FROM head")
    content = spoil(_csv(_ROWS))
    files = [record_file("f", io.BytesIO(content)), record_file("g", io.BytesIO(b" "))]
    with pytest.raises(InputRejected) as error:
        import_sheets(made.desk(), "p", files)

    assert [(fault.file, fault.code) for fault in error.value.rows] == [("f", code), ("g", "empty")]
    assert says in error.value.rows[0].message
    assert made.ledger.rows("FROM head") == before
    assert made.ledger.rows("SELECT count(*) FROM entry") == [(0,)]
    assert _import(made, _csv(_ROWS)).counts["admitted"] == 9


def test_what_is_rejected_late_is_told_although_earlier_rows_were_refused(made: Bench, tmp_path: Path) -> None:
    """The refusals of an import that failed are no answers: all that is told is what was rejected."""
    refused = ("big", "allocation", "2026-03-01", "AE", "ALPHA", "H100", "900000", "")
    reused = ("r0", "allocation", "2026-03-01", "AE", "ALPHA", "H100", "7", "")
    result = _import(made, _csv([refused, *_ROWS[:8], reused]))
    spoken = tell_decisions(made.desk(), result, tmp_path / "out.csv", skip_invalid=False)

    assert (result.batch, result.counts["refused"]) == (None, 1)
    assert spoken == ([], 0)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["row"], row["outcome"], row["code"]) for row in csv.DictReader(file)] == [
            ("10", "rejected", "reference-reused")
        ]


def test_a_file_that_is_written_to_meanwhile_is_not_recorded(made: Bench, tmp_path: Path) -> None:
    """What the batch says of the file, its hash, must be true of the rows that were decided."""
    path = tmp_path / "f.csv"
    path.write_bytes(_csv(_ROWS))
    with path.open("rb") as content:
        file = record_file(path.name, content)
        path.write_bytes(re.sub(rb",8,\n", b",9,\n", _csv(_ROWS)))
        with pytest.raises(InputRejected) as error:
            import_sheets(made.desk(), "p", [file])

    assert [fault.code for fault in error.value.rows] == ["changed"]
    assert made.ledger.rows("SELECT count(*) FROM entry") == [(0,)]


def test_a_part_of_ndjson_may_lack_a_column_that_the_file_has(made: Bench) -> None:
    """Only what no line of the file has is a column that it lacks."""
    blank = [row for row in _ROWS[:8] if row[0] > "r3"]
    content = _ndjson([_ROWS[0], *[(*row[:2], "", *row[3:]) for row in blank]])
    result = _import(made, content)
    assert {fault.code for fault in result.rejected} == {"missing"}
    with pytest.raises(InputRejected) as error:
        _import(made, re.sub(rb'"date":"[^"]*",', b"", _ndjson(_ROWS)))
    assert [fault.code for fault in error.value.rows] == ["missing-column"]


def test_what_is_told_of_a_large_file_is_told_of_all_of_it(made: Bench) -> None:
    """Progress counts to the end, however little is known of it before."""
    told: list[tuple[int, int]] = []
    _import(made, _csv(_ROWS), advanced=lambda done, of: told.append((done, of)))

    assert [done for done, _ in told] == [0, 4, 8]
    assert all(done <= of for done, of in told)
    assert told[-1][1] == 10


def test_an_import_that_is_taken_back_gives_its_room_back(tmp_path: Path) -> None:
    """A large file that is rejected late leaves the ledger's file hardly larger than it was."""
    rows = [("r" + str(number), *_ROWS[0][1:]) for number in range(300_000)]
    with bench(tmp_path) as made:
        made.register("parties", _ALPHA)
        before = made.ledger.path.stat().st_size
        late = io.BytesIO(_csv([*rows, ("bad", "", "", "", "", "", "", "")]))
        result = import_sheets(made.desk(), "p", [record_file("late.csv", late)])
        after = made.ledger.path.stat().st_size

    assert (result.batch, result.counts["rejected"]) == (None, 1)
    assert after - before < 1 << 22


@pytest.mark.parametrize(("name", "begin"), [("gunzip", b"\x1f\x8b"), ("zstdcat", b"\x28\xb5\x2f\xfd")])
def test_a_compressed_file_is_told_with_what_makes_it_plain(tmp_path: Path, name: str, begin: bytes) -> None:
    """It is no faulty text."""
    with bench(tmp_path) as made, pytest.raises(InputRejected) as caught:
        import_sheets(made.desk(), "p", [record_file("records.csv.gz", io.BytesIO(begin + b"\x08\x00"))])

    assert [fault.code for fault in caught.value.rows] == ["encoding"]
    assert name in caught.value.rows[0].message


def test_an_import_of_which_too_much_is_rejected_is_given_up(made: Bench) -> None:
    """At the lot in which that shows; the faults of so many rows are kept, and the bad ones are all counted."""
    content = "reference,kind,date\n" + "".join(f"r{number},allocation,2026-03-01\n" for number in range(20))
    hows: list[dict[str, Any]] = [{}, {"skip_invalid": True}, {"dry_run": True}]
    for how in hows:
        file = record_file("f.csv", io.BytesIO(content.encode()))
        result = import_sheets(made.desk(), "p", [file], rejected_max=2, **how)
        assert (result.is_given_up, result.batch) == (True, None)
        assert result.counts["rejected"] == result.rows == (20 if how.get("dry_run") else 4)
        assert {fault.row for fault in result.rejected} == {1, 2}

    assert made.ledger.rows("SELECT count(*) FROM entry") == [(0,)]


@pytest.mark.parametrize("values", [1, 128])
def test_an_arrow_dictionary_may_be_full(values: int) -> None:
    """Of 8-bit numbers, none is left for a blank then."""
    parties = pa.array([f"P{number}" for number in range(values)])
    names = pa.DictionaryArray.from_arrays(pa.array([*range(values), None], pa.int8()), parties)
    written = io.BytesIO()
    with pa.ipc.new_stream(written, pa.schema([("site", names.type)])) as stream:
        stream.write_table(pa.table({"site": names}))
    (part,) = SheetFile("f.arrow", written, None, ()).parts(1_000)

    assert part.columns["site"].items() == [*parties.to_pylist(), None]
