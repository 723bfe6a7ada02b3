"""Exports, restores and backups: all that was recorded and nothing else, provable, and not to be forged."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.core.errors import QuotaledgerError, VerificationFailed, WrongUsage
from ledger.sequencer.exporting import export_ledger
from ledger.sequencer.importing import Asked
from ledger.sequencer.restoring import back_up_ledger, restore_ledger
from ledger.store.claims import MADE, Run
from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX, LedgerFile, beside
from ledger.store.frozen import TABLES
from ledger.store.log import leaf_fields
from ledger.store.stored_leaves import stored_leaves
from ledger.tlog.leaf import FIELDS, leaf_bytes
from schemas.tables import DERIVED_TABLES
from tests.harness import NOW, Bench, bench

ROOT = Path(__file__).parent.parent.parent
_ODD = "".join(map(chr, (9, 10, 34, 39, 92, 0xE9, 0x2028, 0x1F600))) + "\\u000B {x}"
_ORDER = {"kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "P", "chip": "H100"}


def _filled(made: Bench) -> None:
    """Record something of every kind, for three providers, with texts that are hard to write."""
    made.register("parties", {"party": "P", "name": f"Party {_ODD[2:]}", "headquarters": "AE"})
    made.register("authorizations", {"party": "P", "basis": "NVEU", "destination": "AE", "valid_from": "2025-01-01"})
    made.register("assurances", {"destination": "AE", "uplift_percent": "50", "valid_from": "2026-01-01"})
    made.submit("mine", _ORDER | {"reference": "a", "quantity": "10", "note": f"n{_ODD}", "expires": "2027-01-01"})
    made.submit("other-one", *(_ORDER | {"reference": f"secret-{n}", "quantity": "5"} for n in range(70)))
    lapse = {"reference": "b", "kind": "lapse", "date": "2026-04-01", "under": "a", "quantity": "4"}
    made.submit("mine", lapse, lapse, asked=Asked("r1", "0" * 64, f"key {_ODD}"))
    made.report("country-quota", "2026-03", Run(MADE, 5, "ab" * 32), holder=f"ana {_ODD}")
    made.submit("other two", {"reference": "x", "kind": "reversal", "date": "2026-04-01", "under": "none", "note": "w"})
    made.submit(
        "other two", _ORDER | {"reference": f"y{_ODD[2:5]}", "quantity": "9", "destination": "aws:me-central-1"}
    )


@pytest.fixture(name="made")
def _made(tmp_path: Path) -> Bench:
    with bench(tmp_path) as made:
        _filled(made)
        path = made.ledger.path
    return Bench(LedgerFile.open(path, NOW))


def _tables(ledger: LedgerFile, *, derived: bool = True) -> dict[str, list[tuple[object, ...]]]:
    names = [*TABLES, *(str(table.__tablename__) for table in DERIVED_TABLES if derived)]
    found = {name: sorted(ledger.rows(f"FROM {name}"), key=repr) for name in names}
    if derived:
        found["balance"] = sorted(
            ledger.rows("SELECT * EXCLUDE tpp, sum(tpp) FROM balance GROUP BY ALL HAVING sum(tpp) <> 0"),
            key=repr,
        )
    return found


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def _run_verifier(folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    """Run the export's own verifier, where nothing of this project can be imported."""
    words = [sys.executable, "-I", str(folder / "verify.py"), str(folder), "--key", key]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder.parent, timeout=100)


def test_leaves_written_by_sql_are_those_of_python(made: Bench) -> None:
    """Every leaf of every kind, written from its row in SQL, is byte for byte what Python writes of it."""
    connection = made.ledger.connection
    written = stored_leaves(connection, 0, made.desk().head().leaf)

    assert {kind for kind, _, _ in written.values()} == set(FIELDS)
    assert sorted(written) == list(range(len(written)))
    for leaf, (kind, provider, said) in written.items():
        expected, fields = leaf_fields(connection, leaf)
        assert (kind, provider, said) == (expected, fields.get("provider"), b"\0" + leaf_bytes(kind, fields))


def test_an_export_is_verified_and_restored_record_for_record(made: Bench, tmp_path: Path) -> None:
    """The verifier in an export accepts it; restored, every table is the same, and an export of that is the same."""
    done = export_ledger(made.ledger, tmp_path / "out", NOW)
    restored = restore_ledger(tmp_path / "out", tmp_path / "new.duckdb")
    with LedgerFile.open(tmp_path / "new.duckdb") as ledger:
        again = export_ledger(ledger, tmp_path / "again", NOW + timedelta(days=1))
        tables = _tables(ledger)
    first, second = _files(tmp_path / "out"), _files(tmp_path / "again")
    manifests = [json.loads(found.pop("manifest.json")) for found in (first, second)]
    verified = _run_verifier(tmp_path / "out", done.key)

    assert verified.returncode == 0, verified.stderr
    assert (restored.root, restored.records, restored.key) == (done.root, 73, done.key)
    assert tables == _tables(made.ledger)
    assert first == second
    assert again == done
    assert manifests[0] | {"made_at": ""} == manifests[1] | {"made_at": ""}
    assert manifests[0]["files"] == {
        name: {"sha256": sha256(content).hexdigest(), "bytes": len(content)} for name, content in first.items()
    }
    assert first["checkpoints.txt"] == beside(made.ledger.path, OUTSIDE_SUFFIX).read_bytes()
    assert beside(tmp_path / "new.duckdb", OUTSIDE_SUFFIX).read_bytes() == first["checkpoints.txt"]


def test_a_restored_ledger_goes_on_with_its_key(made: Bench, tmp_path: Path) -> None:
    """Without the private key a restored ledger can be read, with it recorded in; the log goes on where it was."""
    done = export_ledger(made.ledger, tmp_path / "out", NOW)
    path = tmp_path / "new.duckdb"
    restored = restore_ledger(tmp_path / "out", path)
    with pytest.raises(QuotaledgerError, match="signing key is not at"):
        LedgerFile.open(path, NOW)
    shutil.copy(beside(made.ledger.path, KEY_SUFFIX), restored.private)
    with LedgerFile.open(path, NOW) as ledger:
        (answer,) = Bench(ledger).submit("mine", _ORDER | {"reference": "c", "quantity": "1"})

    assert answer["sequence"] == done.records + 1
    assert made.submit("mine", _ORDER | {"reference": "c", "quantity": "1"})[0] == answer


def test_an_export_is_of_one_moment_while_others_record(made: Bench, tmp_path: Path) -> None:
    """What a thread records meanwhile through the same handle is in the export whole or not at all."""
    stop, counts, number = Event(), list[int](), 0
    exported = list[int]()

    def export() -> None:
        try:
            for turn in range(3):
                exported.append(export_ledger(made.ledger, tmp_path / f"out{turn}", NOW).records)
        finally:
            stop.set()

    other = Thread(target=export)
    other.start()
    while not stop.is_set() or not number:
        number += 1
        made.submit("mine", *(_ORDER | {"reference": f"{number}-{n}", "quantity": "1"} for n in range(3)))
        counts.append(made.ledger.rows("SELECT sequence FROM head")[0][0])
    other.join()
    restored = [restore_ledger(tmp_path / f"out{turn}", tmp_path / f"n{turn}.duckdb").records for turn in range(3)]

    assert len(exported) == 3
    assert restored == exported
    assert set(exported) <= {73, *counts}
    assert counts[-1] > exported[0]


@pytest.mark.parametrize(("only", "without"), [(["mine"], []), ([], ["other-one", "other two"])])
def test_an_export_for_one_provider_says_nothing_of_others(
    only: list[str], without: list[str], made: Bench, tmp_path: Path
) -> None:
    """No byte of it names another provider or its references; it is still verified, and cannot be restored."""
    done = export_ledger(made.ledger, tmp_path / "out", NOW, only=only, without=without)
    content = b"".join([*_files(tmp_path / "out").values(), *map(str.encode, _files(tmp_path / "out"))])
    lines = [json.loads(line) for line in (tmp_path / "out" / "leaves.ndjson").read_text("utf-8").split("\n")[:-1]]
    verified = _run_verifier(tmp_path / "out", done.key)

    assert not [word for word in (b"other-one", b"other two", b"secret", b"aws:me-central-1") if word in content]
    assert b'"mine"' in content
    assert done.redacted == sum("hash" in line for line in lines) == 74
    assert {line["kind"] for line in lines if "hash" in line} == {"decision", "batch"}
    assert [line["leaf"] for line in lines] == list(range(done.leaves))
    assert done.mentions == 0
    assert verified.returncode == 0, verified.stderr
    with pytest.raises(WrongUsage, match="get a full export"):
        restore_ledger(tmp_path / "out", tmp_path / "new.duckdb")
    assert not list(tmp_path.glob("new*"))


def test_registers_that_name_who_is_left_out_are_told(made: Bench, tmp_path: Path) -> None:
    """Registers are exported in full; how many leaves of them name a provider that is left out is told."""
    made.register("parties", {"party": "Q", "name": "the house of other two", "headquarters": "US"})

    assert export_ledger(made.ledger, tmp_path / "out", NOW, only=["mine"]).mentions == 1


def test_a_provider_that_filed_nothing_is_no_provider(made: Bench, tmp_path: Path) -> None:
    """A typing error leaves nothing out unnoticed: there is no export, and the likely name is told."""
    with pytest.raises(WrongUsage, match='did you mean "other-one"'):
        export_ledger(made.ledger, tmp_path / "out", NOW, without=["other-on"])
    assert not list(tmp_path.glob("out*"))


def _forge(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: _replace(folder, name, content)


def _put(name: str, content: bytes) -> Callable[[Path], None]:
    """Put a file in an export, and leave the manifest as it is."""

    def put(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return put


def _other_end(folder: Path) -> None:
    content = (folder / "verify.py").read_bytes()
    (folder / "verify.py").write_bytes(content[:-1] + b"#")


def _replace(folder: Path, name: str, content: bytes | None) -> None:
    """Put a file in an export and say so in its manifest, as a forger would."""
    manifest = json.loads((folder / "manifest.json").read_text())
    if content is not None:
        (folder / name).write_bytes(content)
        manifest["files"][name] = {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _declare(**says: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(manifest | says))

    return change


def _declare_file(name: str, said: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"][name] = said
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return change


def _alter(table: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    """Forge a table and its digest."""

    def forge(folder: Path) -> None:
        name = f"tables/{table}.parquet"
        pq.write_table(change(pq.read_table(folder / name)), folder / name)
        _replace(folder, name, (folder / name).read_bytes())

    return forge


def _with(column: str, value: object, row: int = 0) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        values = table[column].to_pylist()
        values[row] = value
        at = table.column_names.index(column)
        return table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))

    return change


def _edit(name: str, before: bytes, after: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        assert before in content
        _replace(folder, name, content.replace(before, after, 1))

    return change


def _link(folder: Path) -> None:
    (folder / "leaves.ndjson").rename(folder.parent / "elsewhere")
    (folder / "leaves.ndjson").symlink_to(folder.parent / "elsewhere")


_HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "changed": (_put("README.txt", b"x" * 10), "bytes"),
    "changed of one size": (_other_end, "verify.py was changed"),
    "missing": (lambda folder: (folder / "tables" / "entry.parquet").unlink(), "missing"),
    "extra": (_put("tables/x.txt", b""), "no file of an export"),
    "extra folder": (lambda folder: (folder / "more").mkdir(), "no file of an export"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "no manifest"),
    "link": (_link, "link"),
    "outside": (_declare_file("../x", {"sha256": "0" * 64, "bytes": 1}), "too much or too little"),
    "trigger": (_declare_file("tables/entry_no_update.parquet", {"sha256": "", "bytes": 1}), "too much or too little"),
    "huge": (_declare_file("leaves.ndjson", {"sha256": "0" * 64, "bytes": 1 << 62}), "not what the manifest says"),
    "other format": (_declare(format="quotaledger export 2"), "not of the format"),
    "no number": (_declare(leaves="many"), "too much or too little"),
    "deep": (_put("manifest.json", b"[" * 90_000), "manifest"),
    "long manifest": (_put("manifest.json", b" " * 200_000), "manifest"),
    "other counts": (_declare(records=7), "says something else"),
    "other root": (_declare(root="0" * 64), "says something else"),
    "other origin": (_declare(origin="quotaledger/x"), "says something else"),
    "no Parquet": (_forge("tables/entry.parquet", b"PAR1" + b"\0" * 50 + b"PAR1"), "cannot be read"),
    "other types": (
        _alter("entry", lambda table: table.set_column(0, "sequence", table["sequence"].cast(pa.float64()))),
        "other columns",
    ),
    "more columns": (_alter("leaf", lambda table: table.append_column("x", table["leaf"])), "other columns"),
    "blank": (_alter("leaf", _with("salt", None)), "no ledger has"),
    "other quantity": (_alter("entry", _with("tpp", 1)), "when it was sealed"),
    "other party": (_alter("party_row", _with("name", "Else")), "not what was sealed"),
    "row missing": (_alter("party_row", lambda table: table.slice(1)), "row that is not there"),
    "row twice": (_alter("party_row", lambda table: pa.concat_tables([table, table])), "never sealed"),
    "row of no leaf": (_alter("assurance_row", _with("leaf", 1 << 40)), "row that is not there"),
    "reference": (_alter("entry", _with("reference_hash", 1)), "reference"),
    "row of no file": (_alter("entry", _with("file_number", 9)), "come from file 9"),
    "last sequence": (_alter("batch", _with("last_sequence", 1)), "was the last when it was closed"),
    "row of no batch": (_alter("rulebook_row", _with("batch", 999)), "no ledger has"),
    "short hash": (_alter("leaf", _with("hash", bytes(31))), "no ledger has"),
    "rulebook": (_alter("rulebook_row", _with("texts", "{}")), "rulebook"),
    "migration": (_alter("migration", _with("name", "else")), "table migration"),
    "no checkpoint": (
        _alter("checkpoint", lambda table: table.slice(0, len(table) - 1)),
        "checkpoint of batch .* is missing|no checkpoint",
    ),
    "other root in a row": (_alter("checkpoint", _with("root", b"\0" * 32)), "root"),
    "other note": (
        _alter("checkpoint", _with("note", "quotaledger/x\n1\nAAAA\n\n— x AAAAAAAA\n")),
        "not signed as it should be",
    ),
    "no table": (_alter("rulebook_row", lambda table: table.slice(0, 0)), "no rulebook"),
    "line": (_edit("leaves.ndjson", b'"party":"P"', b'"party":"Q"'), "leaves.ndjson"),
    "more lines": (_edit("leaves.ndjson", b"}\n", b"}\n\n"), "leaves.ndjson"),
    "outside checkpoint": (_edit("checkpoints.txt", b"quotaledger/", b"quotaledger/x"), "checkpoints.txt"),
}


@pytest.fixture(name="exported", scope="module")
def _exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    with bench(folder) as made:
        _filled(made)
        export_ledger(made.ledger, folder / "out", NOW)
    return folder / "out"


@pytest.mark.parametrize("what", _HOSTILE)
def test_an_export_that_was_tampered_with_is_refused(what: str, exported: Path, tmp_path: Path) -> None:
    """Whatever was changed in an export, with its digests made to fit, it gives no ledger and leaves nothing behind."""
    folder = shutil.copytree(exported, tmp_path / "out")
    change, reason = _HOSTILE[what]
    change(folder)
    there = {path.name for path in tmp_path.iterdir()}

    with pytest.raises(VerificationFailed, match=reason):
        restore_ledger(folder, tmp_path / "new.duckdb")
    assert {path.name for path in tmp_path.iterdir()} == there


def test_a_backup_is_the_ledger(made: Bench, tmp_path: Path) -> None:
    """A copy has every row, derived ones too, the same checkpoints outside, and no key; nothing is written over."""
    path = tmp_path / "copy.duckdb"
    back_up_ledger(made.ledger, path)
    with LedgerFile.open(path) as copy:
        tables = _tables(copy)

    assert tables == _tables(made.ledger)
    assert {found.name for found in tmp_path.glob("copy*")} == {path.name, path.name + OUTSIDE_SUFFIX}
    assert beside(path, OUTSIDE_SUFFIX).read_bytes() == beside(made.ledger.path, OUTSIDE_SUFFIX).read_bytes()
    with pytest.raises(WrongUsage, match="there is a file at"):
        back_up_ledger(made.ledger, path)


@pytest.mark.parametrize(
    ("table", "change"),
    [("leaf", "SET hash = salt || salt WHERE leaf = 5"), ("entry", "SET quantity = 11 WHERE sequence = 1")],
)
def test_a_backup_of_a_changed_log_is_none(table: str, change: str, made: Bench, tmp_path: Path) -> None:
    """If the ledger would not be verified, its copy is not either: there is none, and no part of one."""
    connection = made.ledger.connection
    connection.execute(f"DROP TRIGGER {table}_no_update ON {table}")
    connection.execute(f"UPDATE {table} {change}")

    with pytest.raises(VerificationFailed, match="does not hold"):
        back_up_ledger(made.ledger, tmp_path / "copy.duckdb")
    assert not list(tmp_path.glob("copy*"))
