"""Leaves: the exact bytes of each kind, for ever, and that anyone can write them again from the ledger's tables."""

import json
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.sequencer.importing import Asked
from ledger.store.claims import FAILED, Run
from ledger.tlog.leaf import FIELDS, SALT_BYTES, Value, leaf_bytes, leaf_hash
from tests.harness import Bench, bench

GOLDEN: Final = json.loads((Path(__file__).parent / "golden.json").read_text("utf-8"))
EXTRA: Final = ("recorded_at", "rulebook_digest", "salt", "files")
"""What no table but `batch` has, the salt, which the leaf alone has, and the files, which have a table of their own."""

VALUES: Final = st.one_of(
    st.none(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text('\t\n"\\/\u2028\u2029\u007f\u0000\u001f\ufeff\U0001f600é', max_size=8),
)


def fields_of(kind: str) -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries(dict.fromkeys(FIELDS[kind], VALUES))


def said(fields: dict[str, Value]) -> dict[str, Value]:
    """Leave out what a leaf does not say: what is blank, and counts of 0."""
    return {
        name: value
        for name, value in fields.items()
        if value is not None and not (name in NOT_SAID_WHERE_0 and value in (0, "0"))
    }


NOT_SAID_WHERE_0: Final = (
    *("fulfilled", "cap_tpp", "lpp_tpp", "lpp_year", "lpp_from_tpp", "lpp_from_year", "nveu_tpp", "nveu_quarter"),
    *("committed_tpp", "installed_tpp", "pending_tpp"),
)
LEAVES: Final = st.sampled_from(sorted(FIELDS)).flatmap(lambda kind: st.tuples(st.just(kind), fields_of(kind)))


@pytest.mark.parametrize("vector", GOLDEN, ids=lambda vector: vector["name"])
def test_a_leaf_is_what_it_was_on_the_first_day(vector: dict[str, Any]) -> None:
    """The bytes and the hash of each golden leaf never change: old checkpoints rest on them."""
    leaf = leaf_bytes(vector["kind"], vector["fields"])

    assert leaf == vector["leaf"].encode()
    assert leaf_hash(leaf).hex() == vector["hash"]
    assert sha256(b"\0" + vector["leaf"].encode()).hexdigest() == vector["hash"]


def test_there_are_golden_leaves_of_every_kind() -> None:
    """Every kind has golden leaves; among them are all sorts of characters and a TPP past 2^53."""
    texts = "".join(vector["leaf"] for vector in GOLDEN)

    assert {vector["kind"] for vector in GOLDEN} == set(FIELDS)
    assert all(part in texts for part in ("é", "芯", "\u2028", "\U0001f600", '\\"', "\\\\", "\\t", "\\n"))
    assert any(int(vector["fields"].get("tpp") or 0) > 2**53 for vector in GOLDEN)


@given(LEAVES)
def test_a_leaf_is_a_line_and_canonical_json(leaf: tuple[str, dict[str, Value]]) -> None:
    """Whatever its fields hold, a leaf is its line and what the reference encoder of RFC 8785 makes of the fields."""
    kind, fields = leaf

    assert leaf_bytes(kind, fields) == f"quotaledger/1 {kind}\n".encode() + rfc8785.dumps(said(fields))


@given(LEAVES)
def test_the_order_of_fields_does_not_matter(leaf: tuple[str, dict[str, Value]]) -> None:
    """The same fields in another order are the same leaf, and its fields can be read back from it."""
    kind, fields = leaf
    written = leaf_bytes(kind, fields)
    line, _, body = written.partition(b"\n")

    assert leaf_bytes(kind, dict(reversed(fields.items()))) == written
    assert line.decode() == f"quotaledger/1 {kind}"
    assert json.loads(body) == said(fields)


@pytest.mark.parametrize("kind", FIELDS)
def test_a_leaf_with_other_fields_is_refused(kind: str) -> None:
    """A leaf has exactly the fields of its kind: none may be missing, none may be added."""
    good: dict[str, Value] = dict.fromkeys(FIELDS[kind])
    assert leaf_bytes(kind, good)
    for name in FIELDS[kind]:
        with pytest.raises(ValueError, match=name):
            leaf_bytes(kind, {key: value for key, value in good.items() if key != name})
    with pytest.raises(ValueError, match="surprise"):
        leaf_bytes(kind, good | {"surprise": 1})


def test_a_leaf_of_an_unknown_kind_is_a_mistake_of_the_program() -> None:
    """There is no leaf of a kind that is not listed."""
    with pytest.raises(KeyError):
        leaf_bytes("receipt", {})


def test_the_empty_leaf_has_the_hash_of_rfc_6962() -> None:
    """The hash of an empty leaf is the one that certificate transparency's own tests have."""
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_every_leaf_has_batch_instant_and_salt() -> None:
    """Each kind says in which batch and when it was recorded, and is salted."""
    for names in FIELDS.values():
        assert set(names) >= {"batch", "recorded_at", "salt"}
        assert len(set(names)) == len(names)


PARTIES: Final = (
    {"party": "ALPHA", "name": 'Alpha "芯片"\tof\nÉmirats\u2028\U0001f600', "headquarters": "AE"},
    {"party": "SUB", "name": "Sub", "headquarters": "HK", "parent": "ALPHA"},
    {"party": "USCO", "name": "US Company", "headquarters": "US"},
)
RECORDS: Final[tuple[dict[str, object], ...]] = (
    {
        "kind": "opening",
        "date": "2024-12-31",
        "quantity": 1_000_000_000,
        "site": "Ünter\\den \U0001f600",
        "destination": "PR",
        "consignee": "USCO",
        "chip": "BIG",
        "basis": "UVEU",
    },
    {
        "kind": "allocation",
        "date": "2025-12-31",
        "quantity": "0100",
        "license_number": "D1",
        "note": 'a "b"\tc',
        "destination": "AE",
        "consignee": "ALPHA",
        "chip": "H100",
        "expires": "2026-12-31",
        "exporter": "é\u2028",
    },
    {"kind": "delivery", "date": "2026-01-05", "quantity": 90, "under": "r1", "basis": "LPP"},
    {"kind": "lapse", "date": "2026-01-06", "quantity": 5, "under": "r1"},
    {"kind": "attrition", "date": "2026-01-07", "quantity": 3, "under": "r2"},
    {"kind": "reversal", "date": "2026-01-08", "under": "r4", "note": "found again\nafter all"},
    {
        "kind": "allocation",
        "date": "2026-01-09",
        "quantity": 1,
        "evidence": "-",
        "destination": "KP",
        "consignee": "SUB",
        "chip": "H100",
    },
    {
        "kind": "delivery",
        "date": "2026-02-09",
        "quantity": 1,
        "basis": "NVEU",
        "destination": "aws:me-central-1",
        "consignee": "ALPHA",
        "chip": "H100",
    },
)


def filled(ledger: Bench) -> None:
    """Record leaves of every kind, with blanks and with all that texts may hold."""
    ledger.register("parties", *PARTIES)
    ledger.register("chips", {"chip": "BIG", "name": "Big", "tpp": 10_000_000, "class": "3A090.a"})
    ledger.register(
        "authorizations",
        {"party": "USCO", "basis": "UVEU", "valid_from": "2025-01-01", "citation": "as invented"},
        {"party": "ALPHA", "basis": "NVEU", "destination": "AE", "valid_from": "2026-01-01", "valid_to": "2026-12-31"},
    )
    ledger.register("assurances", {"destination": "AE", "uplift_percent": 10, "valid_from": "2025-01-01"})
    answers = ledger.submit(
        "CLOUD", *({"reference": f"r{n}", **row} for n, row in enumerate(RECORDS)), asked=Asked("r1", "cd" * 32)
    )
    ledger.report("country-quota", "2026-10", Run(FAILED, 5, reason="an ünlikely one"))
    assert [answer["outcome"] for answer in answers] == ["admitted"] * 6 + ["refused", "admitted"]


def as_field(name: str, value: Any) -> Value:
    """Write a column's value as SPEC and DESIGN say that a leaf has it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if name.endswith("tpp") else int(value)


TABLES: Final = {"decision": "entry", "batch": "batch"}


def written_again(ledger: Bench, leaf: int, kind: str, salt: bytes) -> bytes:
    """Write a stored leaf from the columns of its row and of its batch."""
    columns = ", ".join(name for name in FIELDS[kind] if name not in EXTRA)
    table = TABLES.get(kind, f"{kind}_row")
    (row,) = ledger.ledger.rows(f"SELECT {columns} FROM {table} WHERE {'last_' * (kind == 'batch')}leaf = {leaf}")
    fields = {name: as_field(name, value) for name, value in zip(columns.split(", "), row, strict=True)}
    ((instant, digest),) = ledger.ledger.rows(
        "SELECT recorded_at, rulebook_digest FROM batch WHERE batch = ?", [fields["batch"]]
    )
    fields["recorded_at"] = instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields["salt"] = salt.hex()
    if "rulebook_digest" in FIELDS[kind]:
        fields["rulebook_digest"] = digest
    if kind == "batch":
        files = "SELECT file, sha256, records FROM batch_file WHERE batch = ? ORDER BY number"
        rows = ledger.ledger.rows(files, [fields["batch"]])
        fields["files"] = [{"file": file, "sha256": digest, "records": n} for file, digest, n in rows] or None
    return leaf_bytes(kind, fields)


def leaves_of(ledger: Bench) -> list[tuple[int, str, bytes, bytes]]:
    return [(*row,) for row in ledger.ledger.rows("SELECT leaf, kind, salt, hash FROM leaf ORDER BY leaf")]


def test_every_stored_hash_is_that_of_the_leaf_that_its_row_gives(tmp_path: Path) -> None:
    """Of every kind: the columns of a row and of its batch, with the salt, are a leaf that has the stored hash."""
    with bench(tmp_path) as ledger:
        filled(ledger)
        stored = leaves_of(ledger)
        for leaf, kind, salt, found in stored:
            assert leaf_hash(written_again(ledger, leaf, kind, salt)) == found

    assert [leaf for leaf, *_ in stored] == list(range(len(stored)))
    assert {kind for _, kind, _, _ in stored} == set(FIELDS)
    assert len({salt for _, _, salt, _ in stored}) == len(stored)
    assert {len(salt) for _, _, salt, _ in stored} == {SALT_BYTES}


def test_many_leaves_at_once_are_written_byte_for_byte_alike(tmp_path: Path) -> None:
    """The leaves of a large import, which SQL writes, have the hashes of those that the one writer of leaves gives."""
    with bench(tmp_path) as ledger:
        filled(ledger)
        already = len(leaves_of(ledger))
        many = [
            {**row, "under": f"s{n // 8}{row['under']}"} if "under" in row else row
            for n, row in enumerate(RECORDS * 20)
        ]
        answers = ledger.submit("CLOUD", *({"reference": f"s{n // 8}r{n % 8}", **row} for n, row in enumerate(many)))
        stored = leaves_of(ledger)[already:]
        for leaf, kind, salt, found in stored:
            assert leaf_hash(written_again(ledger, leaf, kind, salt)) == found

    outcomes = [answer["outcome"] for answer in answers]
    assert len(stored) - 1 == len(many) - outcomes.count("rejected") > 100
    assert {"admitted", "refused", "breached"} <= {*outcomes}


def test_what_is_blank_is_not_in_a_leaf(tmp_path: Path) -> None:
    """A party at the top, an authorization without an end and a chip of no vendor say nothing of it in their leaves."""
    with bench(tmp_path) as ledger:
        filled(ledger)
        written = [
            json.loads(written_again(ledger, leaf, kind, salt).partition(b"\n")[2])
            for leaf, kind, salt, _ in leaves_of(ledger)
            if kind != "decision"
        ]
    said = {leaf.get("party") or leaf.get("chip"): set(leaf) for leaf in written}

    assert said["USCO"] == {"party", "basis", "valid_from", "citation", "batch", "recorded_at", "salt"}
    assert said["BIG"] == {"chip", "name", "tpp", "chip_class", "batch", "recorded_at", "salt"}


def test_a_leaf_tells_amounts_as_digits(tmp_path: Path) -> None:
    """The TPP of the greatest record, 10^16, stands in its leaf exactly, as a text of digits."""
    with bench(tmp_path) as ledger:
        filled(ledger)
        leaf, kind, salt, _ = next(row for row in leaves_of(ledger) if row[1] == "decision")
        fields = json.loads(written_again(ledger, leaf, kind, salt).partition(b"\n")[2])

    assert (fields["tpp"], fields["committed_tpp"], fields["quantity"]) == (str(10**16), str(10**16), 10**9)
    assert (fields["site"], fields["counted_destination"]) == ("Ünter\\den \U0001f600", "US")
