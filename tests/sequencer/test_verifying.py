"""Whatever is changed behind the ledger's back is found, and named."""

import re
import shutil
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.errors import LedgerUnavailable, VerificationFailed
from ledger.sequencer import verifying
from ledger.sequencer.adopting import adopt
from ledger.sequencer.desk import Desk
from ledger.sequencer.importing import import_sheets
from ledger.sequencer.verifying import Verified, helpers, verify
from ledger.store.append import append_rows, key_row
from ledger.store.file import OUTSIDE_SUFFIX, LedgerFile
from ledger.store.signing import Signer
from ledger.tlog.note import VerifierKey
from schemas.tables import LEDGER_TABLES
from tests.harness import NOW, Bench, Row, amended, bench, copy_ledger, sheet
from tests.sealing import change, own_key, rows_of, seal_again
from tests.sequencer.test_adopting_against_oracle import OTHERS
from tests.sequencer.test_against_oracle import (
    DRAFTS,
    LATER,
    MOVED_TO_ANOTHER_YEAR,
    PROVIDERS,
    ROWS_A_FILE,
    SLOW,
    VARIANTS,
    Variant,
    play,
)

PARTIES = (
    {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"},
    {"party": "USCO", "name": 'The "US" Co', "headquarters": "US"},
    {"party": "SUB", "name": "Sub", "headquarters": "AE", "parent": "ALPHA"},
)
ALLOCATION = {"kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "ALPHA", "chip": "H100"}
ODD = 'say "ä\\" \U0001f600\ttab'
UNSEALED = {("migration", "applied_at"), ("entry", "row")}
"""What is in no leaf and follows from nothing: when tables were made, and in which row of its file a record stood."""


def _fill(made: Bench) -> None:
    """Record something in every table, with an adoption and register rows between records."""
    made.register("parties", *PARTIES)
    made.register("authorizations", {"party": "USCO", "basis": "UVEU", "valid_from": "2025-02-01", "citation": "x"})
    made.register("assurances", {"destination": "AE", "uplift_percent": "10", "valid_from": "2025-01-01"})
    made.register(
        "chips", {"chip": "OWN", "name": "Own", "vendor": "V", "tpp": "100", "class": "3A090.a", "source": "s"}
    )
    many = [ALLOCATION | {"reference": f"m{n}", "quantity": 1 + n % 7, "note": ODD} for n in range(300)]
    made.submit("many", *many)
    adopt(made.desk(), amended(country_cap_tpp="1_500_000", lpp_annual_tpp="320_000"), "smaller")
    desk = made.desk()
    first: list[Row] = [
        ALLOCATION | {"reference": "a", "quantity": 9, "license_number": "L", "expires": "2027-01-01", "exporter": "E"},
        ALLOCATION | {"reference": "b", "quantity": 10**6, "evidence": "e", "site": "s", "basis": "LICENSE"},
    ]
    second: list[Row] = [
        {"reference": "d", "kind": "delivery", "date": "2026-03-05", "quantity": 4, "under": "a"},
        ALLOCATION | {"reference": "f", "kind": "delivery", "quantity": 900, "consignee": "USCO", "destination": "SA"},
        {"reference": "l", "kind": "lapse", "date": "2026-03-06", "quantity": 2, "under": "a"},
        {"reference": "t", "kind": "attrition", "date": "2026-04-06", "quantity": 2, "under": "d"},
        {"reference": "u", "kind": "reversal", "date": "2026-04-07", "under": "t", "note": "wrong"},
        ALLOCATION | {"reference": "x", "quantity": 1, "chip": "unknown"},
    ]
    import_sheets(desk, "p", [sheet(first, "first"), sheet(second, "second")], skip_invalid=True)
    made.register("parties", PARTIES[2] | {"parent": "USCO"})
    made.submit("q", ALLOCATION | {"reference": "a", "quantity": 3, "consignee": "SUB"})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with something in every table, closed."""
    folder = tmp_path_factory.mktemp("made")
    with bench(folder) as filled:
        _fill(filled)
    return folder / "ledger.duckdb"


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A copy of it to be changed."""
    return copy_ledger(made, tmp_path / "ledger.duckdb")


def fails(path: Path, *keys: VerifierKey, deep: bool = False) -> str:
    """Verify a ledger that is not what was sealed, and give what is said of it."""
    with pytest.raises(VerificationFailed) as raised:
        verify(path, keys, deep=deep)
    return str(raised.value)


@pytest.mark.parametrize("deep", [False, True])
def test_a_ledger_that_nobody_changed_is_verified(made: Path, deep: bool) -> None:
    """Every row is what was sealed, and with `deep` every decision what its history gives; the summary counts them."""
    found = verify(made, deep=deep)

    assert found.records == {"admitted": 305, "breached": 1, "refused": 2}
    assert found.leaves["decision"] == 308
    assert found.leaves["batch"] == found.checkpoints == 11
    assert (found.is_key_given, found.remarks) == (False, [])
    assert found.derived_again == (308 if deep else None)
    assert [(found.root.hex(),)] == rows_of(made, "SELECT lower(hex(root)) FROM checkpoint ORDER BY size DESC LIMIT 1")


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


FORGERY = "UPDATE entry SET quantity = quantity + 1, stated_quantity = stated_quantity + 1 WHERE sequence = 4"


def test_a_forged_leaf_is_not_under_the_root(path: Path) -> None:
    """Whoever rewrites a record's leaf hash, too, has changed the root that was signed."""
    change(path, FORGERY)
    seal_again(path, own_key(path), leaves_only=True)

    assert re.search(r"tile 0 of level 8|checkpoint of batch 7 states another root", fails(path))


def test_a_forged_tree_is_not_signed_by_the_ledgers_key(path: Path) -> None:
    """Whoever rewrites leaves, tiles, peaks, checkpoints and the file outside still lacks the key."""
    change(path, FORGERY)
    seal_again(path, Ed25519PrivateKey.generate())

    assert re.search(r"checkpoint of batch 1 is not signed as it should be", fails(path))


def test_a_ledger_forged_with_a_key_of_its_own_needs_the_key_to_be_known(path: Path) -> None:
    """Whoever forges the first key as well has a ledger that is consistent: only who knows the key notices."""
    (origin,) = {VerifierKey.parse(str(key)).name for (key,) in rows_of(path, "SELECT key FROM key_row")}
    real, private = VerifierKey.of(origin, own_key(path)), Ed25519PrivateKey.generate()
    change(path, FORGERY, f"UPDATE key_row SET key = '{VerifierKey.of(origin, private)}'")
    seal_again(path, private)

    assert not verify(path).is_key_given
    assert "never signed with the key" in fails(path, real)


def test_a_signature_of_something_else_is_none(path: Path) -> None:
    """A note that the key did sign, but for an earlier checkpoint, does not stand for a later one."""
    change(path, "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE batch = 1) WHERE batch = 11")

    assert re.search(r"checkpoint of batch 11 is not signed .*another number of leaves", fails(path))


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


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE entry SET remaining_tpp = remaining_tpp + 1 WHERE sequence = 301",
        "UPDATE entry SET limit_tpp = limit_tpp + 1 WHERE sequence = 304",
        "UPDATE entry SET family = 'USCO' WHERE sequence = 5",
        "UPDATE entry SET account = 'IN' WHERE sequence = 301",
        "UPDATE entry SET counted_destination = 'IN' WHERE sequence = 302",
        "UPDATE entry SET fulfilled = 3 WHERE sequence = 303",
        "UPDATE entry SET basis = 'AIA' WHERE sequence = 308",
    ],
)
def test_a_decision_sealed_again_with_the_own_key_is_found_by_deriving_it(path: Path, forged: str) -> None:
    """Whoever owns the key can seal anything: only the rule itself, applied again, tells."""
    column, sequence = re.findall(r"SET (\w+) .* = (\d+)$", forged)[0]
    change(path, forged)
    seal_again(path, own_key(path))
    if column == "counted_destination":
        assert verify(path).records

    said = fails(path, deep=True)

    assert re.search(rf"record {sequence} \(.*another decision than its own history gives: .*{column} ", said)


def test_an_outcome_sealed_again_with_all_that_follows_is_found_by_deriving_it(path: Path) -> None:
    """A refusal turned into an admission, with its batch's counts and its balances: `deep` says what was right."""
    tpp = 10**6 * 15_832
    change(
        path,
        f"UPDATE entry SET outcome = 'admitted', cap_tpp = {tpp}, committed_tpp = {tpp}, pending_tpp = {tpp}"
        " WHERE sequence = 302",
        "UPDATE batch SET admitted = admitted + 1, refused = 0 WHERE batch = 9",
        *(
            f"INSERT INTO balance VALUES ('{account}', 'ALPHA', 'AE', 0, {tpp})"
            for account in ("cap", "committed", "pending")
        ),
    )
    seal_again(path, own_key(path))

    assert verify(path).records["admitted"] == 306
    assert re.search(r"record 302 \(.*outcome admitted \(again: refused\)", fails(path, deep=True))


SECOND = "(SELECT reference_hash FROM entry WHERE sequence = 2)"


def test_what_could_not_have_been_recorded_is_found_by_deriving_it(path: Path) -> None:
    """A reference there twice, a record that draws on another than it names, and one that no import would take."""
    copies = [path.with_name(f"{name}.duckdb") for name in ("twice", "other", "never")]
    forged = (
        (f"UPDATE entry SET reference = 'm1', reference_hash = {SECOND} WHERE sequence = 5", "record 5 has the prov"),
        ("UPDATE entry SET under_sequence = 302 WHERE sequence = 303", "record 303 is recorded as drawing on another"),
        ("UPDATE entry SET quantity = 500, stated_quantity = 500 WHERE sequence = 305", "record 305 .*could not have"),
    )
    for copy, (statement, said) in zip(copies, forged, strict=True):
        copy_ledger(path, copy)
        change(copy, statement)
        seal_again(copy, own_key(copy))

        assert re.search(said, fails(copy, deep=True))


def _outside(path: Path) -> Path:
    return path.with_name(path.name + OUTSIDE_SUFFIX)


def test_outside_checkpoints_are_held_against_the_ledger(path: Path) -> None:
    """Gone, edited, cut, or followed by what is none: the file outside must be what the ledger has."""
    outside, content = _outside(path), _outside(path).read_bytes()
    notes = content.split(b"\n\n\xe2\x80\x94")
    found = {}
    for name, changed in {
        "edited": content.replace(b"\n2\n", b"\n3\n", 1).replace(notes[0][:20], notes[0][:20]),
        "swapped": content[len(content) // 2 :] + content,
        "cut": content[: content.index(b"\n\n", len(content) // 3)],
        "followed": content + b"something else\n",
    }.items():
        outside.write_bytes(changed)
        found[name] = fails(path) if changed != content else "same"
    outside.unlink()

    assert "bring the file back" in fails(path)
    assert "was cut" in found["cut"] or "lacks" in found["cut"] or "ends with something" in found["cut"]
    assert "edited or damaged" in found["followed"] or "no checkpoint" in found["followed"]
    assert found["swapped"]


def test_a_crash_before_the_outside_checkpoint_is_a_remark(path: Path) -> None:
    """What a crash has kept from the file outside, a whole note or the beginning of one, is no difference."""
    outside = _outside(path)
    content = outside.read_bytes()
    last = content.rindex(b"\n\nquotaledger/") + 2
    for kept in (content[:last], content[: last + 20]):
        outside.write_bytes(kept)

        assert "lacks the last 1" in verify(path).remarks[0]


def test_an_older_copy_is_behind_its_outside_checkpoints(path: Path, tmp_path: Path) -> None:
    """A ledger that was put back to an older copy is consistent in itself: the file outside is not."""
    older = shutil.copy(path, tmp_path / "older.duckdb")
    with LedgerFile.open(path, NOW) as ledger:
        Bench(ledger).submit("p", ALLOCATION | {"reference": "new", "quantity": 1})
    shutil.copy(older, path)

    assert "the ledger is an older copy" in fails(path)


def _rotate(path: Path, *, lost: bool) -> VerifierKey:
    """Put another signing key in use, and record something with it."""
    private = Ed25519PrivateKey.generate()
    with LedgerFile.open(path, NOW) as ledger:
        assert ledger.signer
        origin, new = ledger.signer.origin, Signer(ledger.signer.origin, (private,))
        ledger.signer = new if lost else ledger.signer.handing_over(private)
        desk = Desk(ledger, "tests", NOW)
        with ledger.transaction():
            append_rows(ledger, desk.batch("key", 1), [key_row(new.key, "rotated")])
        ledger.signer = new
        Bench(ledger).submit("p", ALLOCATION | {"reference": "after", "quantity": 1})
    return VerifierKey.of(origin, private)


def test_a_key_that_was_handed_over_is_believed(path: Path) -> None:
    """A checkpoint signed by the old and the new key leads from one to the other, whichever of them is known."""
    first = verify(path).key
    second = _rotate(path, lost=False)

    assert verify(path).key == second
    assert verify(path, [first]).is_key_given
    assert verify(path, [second]).is_key_given


def test_a_key_that_nobody_vouches_for_must_be_named(path: Path) -> None:
    """Where the old key was lost, anybody could have written on: the new key is believed only if it is named."""
    first = verify(path).key
    second = _rotate(path, lost=True)

    assert f"--key '{second}'" in fails(path)
    assert f"--key '{second}'" in fails(path, first)
    assert verify(path, [second]).key == second


def test_a_checkpoint_after_a_rotation_is_not_signed_with_the_old_key(path: Path) -> None:
    """The old key has no say any more once another is in use."""
    old = own_key(path)
    _rotate(path, lost=False)
    seal_again(path, old)

    assert "is not signed as it should be" in fails(path)


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


def _steps() -> Any:
    files = st.tuples(st.sampled_from(PROVIDERS), st.lists(DRAFTS, min_size=2, max_size=12))
    adoption = st.tuples(st.just("adopt"), st.sampled_from((*VARIANTS, *OTHERS)))
    return st.lists(st.one_of(files, files, adoption, st.sampled_from(LATER)), min_size=2, max_size=8)


@settings(deadline=None, suppress_health_check=SLOW, max_examples=settings().max_examples // 10)
@given(st.sampled_from(VARIANTS), _steps(), ROWS_A_FILE)
def test_whatever_was_recorded_is_derived_again(variant: Variant, steps: Any, rows_a_file: int) -> None:
    """Rulebooks and registers that change between files, corrections, fulfilments: `deep` gives the same decisions."""
    with tempfile.TemporaryDirectory() as folder:
        with bench(Path(folder), **dict(variant.amendments)) as made:
            play(made, variant, [*MOVED_TO_ANOTHER_YEAR, *steps], rows_a_file)
        found: Verified = verify(Path(folder) / "ledger.duckdb", deep=True)

        assert found.derived_again == sum(found.records.values())
