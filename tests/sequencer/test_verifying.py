"""Whatever is changed behind the ledger's back is found, and named."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ledger.core.errors import LedgerUnavailable, VerificationFailed
from ledger.sequencer import verifying
from ledger.sequencer.verifying import helpers, verify
from schemas.tables import LEDGER_TABLES
from tests.sealing import change, own_key, rows_of, seal_again
from tests.sequencer.sealed import fails

UNSEALED = {("migration", "applied_at"), ("entry", "row")}
"""What is in no leaf and follows from nothing: when tables were made, and in which row of its file a record stood."""


@pytest.mark.parametrize("deep", [False, True])
def test_a_ledger_that_nobody_changed_is_verified(sealed: Path, deep: bool) -> None:
    """Every row is what was sealed, and with `deep` every decision what its history gives; the summary counts them."""
    found = verify(sealed, deep=deep)

    assert found.records == {"admitted": 305, "breached": 1, "refused": 2}
    assert found.leaves["decision"] == 308
    assert found.leaves["batch"] == found.checkpoints == 15
    assert (found.is_key_given, found.remarks) == (False, [])
    assert found.derived_again == (308 if deep else None)
    assert [(found.root.hex(),)] == rows_of(
        sealed, "SELECT lower(hex(root)) FROM checkpoint ORDER BY size DESC LIMIT 1"
    )


def _other(value: Any, name: str) -> str:
    """Give SQL of another value for a column."""
    match value:
        case None if name in ("expires", "valid_to"):
            return "DATE '2030-01-01'"
        case None:
            return "1" if name in ("stated_quantity", "remaining_tpp", "limit_tpp", "under_sequence") else "'x'"
        case int():
            return f"{name} + 1"
        case datetime():
            return f"{name} + INTERVAL 1 SECOND"
        case date():
            return f"{name} + 1"
        case bytes():
            return f"unhex('{bytes([value[0] ^ 1]).hex()}{value[1:].hex()}')"
    said = str(value).replace("'", "''")
    return f"'{said}x'"


COLUMNS = [
    (str(table.__tablename__), name)
    for table in LEDGER_TABLES
    for name in table.model_fields
    if (str(table.__tablename__), name) not in UNSEALED
]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_one_changed_value_is_found_whatever_the_column(path: Path, table: str, column: str) -> None:
    """Of every column of every ledger table, one changed value: no other check may be needed to notice it."""
    value, row = rows_of(
        path, f"SELECT {column}, rowid FROM {table} ORDER BY rowid LIMIT 1 OFFSET (SELECT count(*) // 3 FROM {table})"
    )[0]
    change(path, f"UPDATE {table} SET {column} = {_other(value, column)} WHERE rowid = {row}")

    said = fails(path)

    names = {"entry": "record|leaf", "batch": "batch", "batch_file": "batch", "checkpoint": "checkpoint"}
    assert re.search(names.get(table, "leaf|migration"), said)
    if table == "entry" and column not in ("leaf", "sequence", "file_number"):
        assert re.search(r"record 103 \(provider ", said)
        # What only this record had cannot be tried out.
        assert column in said or column == "remaining_tpp"


@pytest.mark.parametrize(("table", "column"), sorted(UNSEALED))
def test_what_is_in_no_leaf_cannot_be_noticed(path: Path, table: str, column: str) -> None:
    """When the tables were made, and in which row of its file a record stood, is sealed by nothing."""
    (value,) = rows_of(path, f"SELECT {column} FROM {table} LIMIT 1")[0]
    change(path, f"UPDATE {table} SET {column} = {_other(value, column)}")

    assert verify(path).records


CHANGES = {
    "a record deleted": ("DELETE FROM entry WHERE sequence = 5", "stands for a row that is not there"),
    "a record with its leaf deleted": (
        "DELETE FROM leaf WHERE leaf = 80; DELETE FROM entry WHERE leaf = 80",
        r"leaf \d+ of the log is missing",
    ),
    "the last record deleted": ("DELETE FROM entry WHERE sequence = 308", "stands for a row that is not there"),
    "a record there twice": ("INSERT INTO entry FROM entry WHERE sequence = 5", r"record 5 .*never sealed"),
    "a record added": (
        "INSERT INTO entry SELECT * REPLACE (309 AS sequence, 999 AS leaf) FROM entry WHERE sequence = 5",
        "the table entry has 309 rows",
    ),
    "a party deleted": ("DELETE FROM party_row WHERE party = 'USCO'", "a party, stands for a row that is not there"),
    "a party added": ("INSERT INTO party_row SELECT * REPLACE ('X' AS party) FROM party_row LIMIT 1", "never sealed"),
    "a register emptied": ("DELETE FROM assurance_row", "an? assurance, stands for a row that is not there"),
    "a leaf there twice": ("INSERT INTO leaf FROM leaf WHERE leaf = 70", "there twice"),
    "a batch deleted": ("DELETE FROM batch WHERE batch = 4", "batch 4 is missing"),
    "a batch there twice": ("INSERT INTO batch FROM batch WHERE batch = 4", "there twice"),
    "a checkpoint deleted": ("DELETE FROM checkpoint WHERE batch = 4", "checkpoint of batch 4 is missing"),
    "a checkpoint added": ("INSERT INTO checkpoint SELECT 99, 1, root, note FROM checkpoint LIMIT 1", "to no batch"),
    "a file added": ("INSERT INTO batch_file SELECT 7, 2, 'f', 'x', 1", r"batch 7 .*is not what was sealed"),
    "two records swapped": (
        "UPDATE entry SET leaf = CASE leaf WHEN 100 THEN 101 ELSE 100 END WHERE leaf IN (100, 101)",
        "is not what was sealed",
    ),
    "two leaves swapped": (
        "UPDATE leaf SET leaf = CASE leaf WHEN 100 THEN 101 ELSE 100 END WHERE leaf IN (100, 101)",
        "is not what was sealed",
    ),
    "a kind that there is not": ("UPDATE leaf SET kind = 'odd' WHERE leaf = 100", "of a kind that there is not"),
    "a short hash": ("UPDATE leaf SET hash = unhex('00') WHERE leaf = 100", "has not 32 bytes"),
    "a value made blank": ("UPDATE entry SET note = NULL WHERE sequence = 7", r"record 7 .*its note is blank and was"),
    "a quantity": (
        "UPDATE entry SET quantity = 7 WHERE sequence = 1",
        "its quantity is 7 and was 1 when it was sealed",
    ),
    "a text that has another one within": (
        """UPDATE entry SET kind = kind || '","license_number":"' || license_number, license_number = NULL
        WHERE sequence = 301""",
        r"record 301 .*is not what was sealed",
    ),
    "texts as they are escaped": (
        "UPDATE entry SET note = to_json(note)[2:-2] WHERE sequence <= 300",
        r"record 1 .*is not what was sealed",
    ),
    "two columns": ("UPDATE entry SET quantity = 9, tpp = 9 WHERE sequence = 1", r"record 1 .*the hash does not tell"),
    "a balance": (
        "UPDATE balance SET tpp = tpp - 1 WHERE account = 'cap'",
        r"balance cap of ALPHA in AE is kept as 142,487 TPP, .*142,488",
    ),
    "an account deleted": (
        "DELETE FROM balance WHERE account = 'lpp'",
        r"balance lpp of ALPHA, period 2026 is kept as 0",
    ),
    "a tier": ("UPDATE country SET tier = 1 WHERE country = 'AE'", r"table country .*country AE"),
    "a country deleted": ("DELETE FROM country WHERE country = 'AE'", r"table country .*country AE"),
    "a parameter": ("UPDATE parameter SET value = '9' WHERE parameter = 'country_cap_tpp'", "table parameter"),
    "a sentence": ("UPDATE limit_text SET template = 'fine'", "table limit_text"),
    "the views' digest": ("UPDATE view_digest SET digest = 'x'", "table view_digest"),
    "the latest date": ("UPDATE head SET latest_date = DATE '2026-01-01'", "positions would be told as of a wrong day"),
    "the head": ("UPDATE head SET sequence = 4", "table head"),
    "the peaks": ("UPDATE head SET peaks = unhex('00')", "peaks"),
    "a tile": ("UPDATE tile SET hash = unhex(repeat('00', 32))", "tile 0 of level 8"),
    "a tile too many": ("INSERT INTO tile SELECT 16, 0, hash FROM tile", "no leaves stand under"),
    "a view": ("CREATE OR REPLACE VIEW refusals AS FROM decisions WHERE false", "the view refusals"),
    "a view added": ("CREATE VIEW extra AS SELECT 1 AS one", "the view extra"),
    "a macro": ("CREATE OR REPLACE MACRO h100e(tpp, one) AS 0", "the macro"),
    "a table added": ("CREATE TABLE extra (a INTEGER)", "table extra is there, but"),
    "an index dropped": (
        "DROP INDEX entry_under_sequence",
        "the index entry_under_sequence of the table entry is missing",
    ),
    "a migration": (
        "INSERT INTO migration SELECT 2, 'other', applied_at FROM migration",
        "newer quotaledger|migration",
    ),
    "a rulebook's text": ("UPDATE rulebook_row SET texts = replace(texts, '1500000', '1600000')", "put a rulebook"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_named(path: Path, what: str) -> None:
    """Rows deleted, added and swapped, derived tables and views: each is found, and the message says where."""
    statements, said = CHANGES[what]
    change(path, *statements.split("; "))

    assert re.search(said, fails(path))


def test_a_dropped_trigger_is_the_finding(path: Path) -> None:
    """A ledger that would not be opened for its tables is verified all the same, and told of."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TRIGGER entry_no_update ON entry")

    assert "the trigger entry_no_update of the table entry is missing" in fails(path)


def test_a_damaged_file_is_the_finding(path: Path) -> None:
    """What DuckDB cannot read any more is no internal error: it is told that the file is damaged, and what to do."""
    content = bytearray(path.read_bytes())
    content[8192:-1:4096] = bytes(255 - byte for byte in content[8192:-1:4096])
    path.write_bytes(content)

    assert "damaged" in fails(path)


def test_a_ledger_that_is_not_there_is_no_finding(tmp_path: Path) -> None:
    """Where there is no ledger there is nothing to be verified, and so nothing that failed."""
    with pytest.raises(LedgerUnavailable, match="there is no ledger"):
        verify(tmp_path / "none.duckdb")


INCONSISTENT = {
    "UPDATE batch SET rulebook_digest = 'x' WHERE batch = 9": "batch 9 cites another rulebook",
    "UPDATE batch SET admitted = admitted + 1, refused = 0 WHERE batch = 9": "batch 9 counts 6 admitted",
    "UPDATE batch SET kind = 'rulebook' WHERE batch = 3": "batch 3 says another kind",
    "UPDATE batch SET provider = 'z' WHERE batch = 9": "record 301 has another provider than its batch 9",
    "UPDATE entry SET batch = 7 WHERE sequence = 301": r"leaf \d+, a decision, says that batch 7",
    "UPDATE batch_file SET records = 3 WHERE batch = 9": "files of batch 9 .* another number of rows",
    "UPDATE entry SET sequence = 999 WHERE sequence = 301": "sequences have no gaps",
    "UPDATE entry SET file_number = 2 WHERE sequence = 301": "record 301 is said to come|records of the file before",
}


@pytest.mark.parametrize("statement", INCONSISTENT)
def test_rows_that_contradict_one_another_are_found_whoever_sealed_them(path: Path, statement: str) -> None:
    """Counts, numbers, kinds and batches must agree even where the owner of the key has sealed that they do not."""
    change(path, statement)
    seal_again(path, own_key(path))

    assert re.search(INCONSISTENT[statement], fails(path))


def test_processes_that_share_the_work_find_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With helpers the findings are those without, good or bad."""
    monkeypatch.setattr(verifying, "_MANY_BYTES", 1)
    alone = verify(path)
    with helpers(path) as pool:
        assert pool
        together = verify(path, deep=True, pool=pool)
    change(path, "UPDATE entry SET quantity = 7 WHERE sequence = 1")
    with helpers(path) as pool, pytest.raises(VerificationFailed, match="its quantity is 7"):
        verify(path, deep=True, pool=pool)

    assert (together.root, together.leaves) == (alone.root, alone.leaves)
