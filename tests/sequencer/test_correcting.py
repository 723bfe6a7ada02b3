"""A correction in one step: what it records of each kind, what it refuses to do, and that it is all or nothing."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.core.errors import InputRejected, QuotaledgerError
from ledger.sequencer.adopting import adopt
from ledger.sequencer.correcting import Correction, Names, correct
from ledger.sequencer.positions import status
from ledger.store import contributions
from tests.harness import Bench, Row, amended, bench

ALPHA = {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"}
ASKED = {"destination": "aws:me-central-1", "consignee": "ALPHA", "chip": "H100"}
ROWS: dict[str, Row] = {
    "PO-1": {
        **ASKED,
        "kind": "allocation",
        "date": "2026-03-02",
        "quantity": "1000",
        "basis": "LICENSE",
        "license_number": "L-7",
        "expires": "2027-03-01",
        "exporter": "Ex [red]porter",
        "evidence": "scan 7",
        "note": "first",
    },
    "PO-2": {**ASKED, "kind": "allocation", "date": "2026-03-02", "quantity": "500", "basis": "LICENSE"},
    "SHIP-1": {"kind": "delivery", "date": "2026-03-20", "quantity": "400", "under": "PO-2"},
    "LAPSE-1": {"kind": "lapse", "date": "2026-03-21", "quantity": "50", "under": "PO-2", "site": 'hall "A",\n2'},
    "FACT-1": {**ASKED, "kind": "delivery", "date": "2026-03-22", "quantity": "7", "destination": "IN"},
    "OPEN-1": {**ASKED, "kind": "opening", "date": "2024-03-22", "quantity": "90"},
    "OPEN-2": {**ASKED, "kind": "opening", "date": "2024-03-22", "quantity": "80"},
    "GONE-1": {"kind": "attrition", "date": "2026-03-23", "quantity": "5", "under": "OPEN-2"},
}
SAME = (
    *("kind", "date", "stated_destination", "stated_consignee", "stated_chip", "stated_basis", "under"),
    *("license_number", "expires", "exporter", "site", "evidence"),
)


def filled(made: Bench) -> None:
    """Record a row of each kind."""
    made.register("parties", ALPHA)
    answers = made.submit("p", *({"reference": name, **row} for name, row in ROWS.items()))
    assert {answer["outcome"] for answer in answers} == {"admitted"}


def corrected(made: Bench, reference: str, quantity: str, note: str = "miscounted", **options: Any) -> Correction:
    """Correct a record at a desk of its own."""
    return correct(made.desk(), "p", reference, quantity, note, **options)


def entry(made: Bench, reference: str) -> dict[str, Any]:
    """Give what is stored of a record."""
    names = [name for (name,) in made.ledger.rows("SELECT column_name FROM (DESCRIBE entry)")]
    (row,) = made.ledger.rows("SELECT * FROM entry WHERE reference = ?", [reference])
    return dict(zip(names, row, strict=True))


def standing(made: Bench) -> tuple[Any, ...]:
    """Give all that a correction could change."""
    return made.desk().head(), status(made.desk()), made.ledger.rows("SELECT count(*) FROM leaf")


@pytest.mark.parametrize("reference", ["PO-1", "SHIP-1", "LAPSE-1", "FACT-1", "OPEN-1", "GONE-1"])
def test_a_record_of_each_kind_is_taken_back_and_filed_anew(tmp_path: Path, reference: str) -> None:
    """The new record repeats all that the old one gave but quantity and note, in one batch with the reversal."""
    with bench(tmp_path) as made:
        filled(made)
        old = entry(made, reference)
        done = corrected(made, reference, "6")
        reversal, new = entry(made, f"{reference}/undo"), entry(made, f"{reference}/v2")

        assert (done.names, done.kind, done.before) == (
            Names(f"{reference}/undo", f"{reference}/v2"),
            old["kind"],
            old["quantity"],
        )
        assert {name: new[name] for name in SAME} == {name: old[name] for name in SAME}
        assert (new["stated_quantity"], new["note"], new["destination"]) == (6, "miscounted", old["destination"])
        assert (reversal["under_sequence"], reversal["date"], reversal["note"]) == (
            old["sequence"],
            old["date"],
            "miscounted",
        )
        assert reversal["batch"] == new["batch"] == done.batch == old["batch"] + 1
        assert [answer["sequence"] for answer in done.answers] == [len(ROWS) + 1, len(ROWS) + 2]


def test_positions_have_the_corrected_record_alone_on_every_day(tmp_path: Path) -> None:
    """As of any day the ledger counts what the corrected record says, never both records nor neither."""
    with bench(tmp_path) as made:
        filled(made)
        corrected(made, "PO-1", "900")
        for day in (date(2026, 3, 2), date(2026, 12, 31)):
            (row,) = status(made.desk(), country="AE", as_of=day)["countries"]
            assert row["used_tpp"] == (900 + 500) * 15_832


def test_corrections_follow_one_another(tmp_path: Path) -> None:
    """A corrected record is corrected under its new name; the one it replaced says what it is called now."""
    with bench(tmp_path) as made:
        filled(made)
        corrected(made, "PO-1", "900")
        assert corrected(made, "PO-1/v2", "800").names == Names("PO-1/v2/undo", "PO-1/v3")
        assert corrected(made, "PO-1/v3", "950", new_reference="PO-1-final").names == Names(
            "PO-1/v3/undo", "PO-1-final"
        )

        for reference in ("PO-1", "PO-1/v2", "PO-1/v3"):
            with pytest.raises(InputRejected, match='is now "PO-1-final" with 950 chips'):
                corrected(made, reference, "1")
        assert made.ledger.rows("SELECT sum(cap_tpp) // 15832 FROM entry") == [(950 + 500,)]


def test_the_same_correction_again_is_a_duplicate(tmp_path: Path) -> None:
    """A command may be given again: nothing is recorded, and its decisions are repeated."""
    with bench(tmp_path) as made:
        filled(made)
        first = corrected(made, "SHIP-1", "450")
        before = standing(made)
        again = corrected(made, "SHIP-1", "0450", "other words")

        assert (again.duplicate, again.batch, again.names) == (True, None, first.names)
        assert [answer | {"duplicate": False} for answer in again.answers] == list(first.answers)
        assert corrected(made, "SHIP-1/v2", "450").names is None
        assert standing(made) == before


def test_a_dry_run_leaves_nothing(tmp_path: Path) -> None:
    """It decides as the correction would, and records nothing."""
    with bench(tmp_path) as made:
        filled(made)
        before = standing(made)
        tried = corrected(made, "PO-1", "900", dry_run=True)
        assert (tried.batch, standing(made)) == (None, before)

        assert corrected(made, "PO-1", "900").answers == tried.answers


@pytest.mark.parametrize(
    ("reference", "quantity", "note", "why"),
    [
        ("PO-2", "400", "n", 'delivery "SHIP-1", lapse "LAPSE-1" draw on "PO-2"; reverse what draws'),
        ("OPEN-2", "60", "n", 'attrition "GONE-1" draws on "OPEN-2"'),
        ("PO-3", "1", "n", '"p" has filed no record "PO-3"; did you mean "PO-2"'),
        ("PO-1\udc80", "1", "n", "has filed no record"),
        ("LAPSE-1", "101", "n", "101 chips to lapse, but 100 are outstanding"),
        ("GONE-1", "81", "n", "81 chips gone, but 80 are left"),
        ("PO-1", "1.5", "n", 'found "1.5", expected digits only'),
        ("PO-1", "0", "n", "1 to 1,000,000,000"),
        ("PO-1", "1000000001", "n", "1 to 1,000,000,000"),
        ("PO-1", "5", " ", "a reversal must give it"),
        ("PO-1", "5", "\x1b[2J", "control character U\\+001B"),
        ("PO-1", "5", "n" * 1001, "found 1,001 characters, expected at most 1,000"),
    ],
)
def test_what_cannot_be_corrected_stands_as_it_was(
    tmp_path: Path, reference: str, quantity: str, note: str, why: str
) -> None:
    """If either record would be rejected neither is recorded, and the sentence says what to do first."""
    with bench(tmp_path) as made:
        filled(made)
        before = standing(made)
        with pytest.raises(InputRejected) as raised:
            corrected(made, reference, quantity, note)

        said = " ".join([str(raised.value), *(row.message for row in raised.value.rows)])
        assert why.replace("\\", "") in said
        assert len({row.message for row in raised.value.rows}) == len(raised.value.rows)
        assert standing(made) == before


def test_a_correction_that_would_be_refused_is_recorded_only_if_that_is_accepted(tmp_path: Path) -> None:
    """The provider keeps what it holds; with the refusal accepted it holds nothing any more."""
    with bench(tmp_path, country_cap_tpp="40_000_000") as made:
        filled(made)
        before = standing(made)
        with pytest.raises(
            InputRejected, match="stands as it was: the new record would be refused: allocation of 5,000"
        ):
            corrected(made, "PO-1", "5000")
        assert standing(made) == before

        done = corrected(made, "PO-1", "5000", accept_refusal=True)
        assert [answer["outcome"] for answer in done.answers] == ["admitted", "refused"]
        assert made.ledger.rows("SELECT sum(cap_tpp) // 15832 FROM entry") == [(500,)]
        with pytest.raises(InputRejected, match='"PO-1/v2" was refused and counts nowhere'):
            corrected(made, "PO-1/v2", "5")


def test_a_fact_is_corrected_even_into_a_breach(tmp_path: Path) -> None:
    """A delivery that turns out larger than its allocation is a fact: the correction is recorded and marked."""
    with bench(tmp_path) as made:
        filled(made)
        done = corrected(made, "SHIP-1", "4000")

        assert [answer["outcome"] for answer in done.answers] == ["admitted", "breached"]
        assert "more chips than its allocation had outstanding" in str(done.answers[1]["message"])


def test_a_correction_is_decided_under_the_rulebook_in_force(tmp_path: Path) -> None:
    """Over a cap that was lowered, even a smaller request is refused: a lapse gives room back, a correction asks."""
    with bench(tmp_path) as made:
        filled(made)
        adopt(made.desk(), amended(country_cap_tpp="1_000_000"), "lowered")
        with pytest.raises(InputRejected, match="given back with a lapse"):
            corrected(made, "PO-1", "999")

        assert corrected(made, "GONE-1", "4").answers[1]["outcome"] == "admitted"


def test_what_was_taken_back_is_not_corrected(tmp_path: Path) -> None:
    """A reversal stands; a record that was reversed and never filed anew says so."""
    with bench(tmp_path) as made:
        filled(made)
        made.submit("p", {"reference": "u", "kind": "reversal", "date": "2026-04-01", "under": "PO-1", "note": "never"})
        with pytest.raises(InputRejected, match='"PO-1" was taken back by "u" and nothing replaced it'):
            corrected(made, "PO-1", "5")
        with pytest.raises(InputRejected, match='"u" is a reversal, which has no quantity'):
            corrected(made, "u", "5")


def test_a_correction_made_by_hand_is_recognised(tmp_path: Path) -> None:
    """A reversal and a new record of one's own import are a correction too: it is named, and not made twice."""
    undo = {"reference": "FACT-1-undo", "kind": "reversal", "date": "2026-04-03", "under": "FACT-1", "note": "8"}
    new = {**ROWS["FACT-1"], "reference": "FACT-1b", "quantity": "8"}
    with bench(tmp_path) as made:
        filled(made)
        made.submit("p", undo, new)
        with pytest.raises(InputRejected, match='is now "FACT-1b" with 8 chips'):
            corrected(made, "FACT-1", "8")
        assert corrected(made, "FACT-1b", "9").names == Names("FACT-1b/undo", "FACT-1b/v2")


def test_derived_references_are_free_and_fit(tmp_path: Path) -> None:
    """Names that are taken are passed over, long ones need a short one to be given, and none is used twice."""
    long = "x" * 126
    taken = ("PO-1/v2", "PO-1/undo", long)
    with bench(tmp_path) as made:
        filled(made)
        made.submit("p", *({**ROWS["PO-2"], "reference": name} for name in taken))
        assert corrected(made, "PO-1", "900").names == Names("PO-1/v3/undo", "PO-1/v3")

        with pytest.raises(InputRejected, match="give a short one with --reference"):
            corrected(made, long, "2")
        with pytest.raises(InputRejected, match='"PO-2" has been filed already'):
            corrected(made, long, "2", new_reference="PO-2")
        with pytest.raises(InputRejected, match="control character"):
            corrected(made, long, "2", new_reference="a\x07")
        assert corrected(made, long, "2", new_reference="short").names == Names("short/undo", "short")


def test_a_correction_whose_recording_fails_leaves_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reversal and new record are one transaction: when the disk fills up between them, neither is there."""

    def fail(connection: Any, *_: Any) -> None:
        connection.execute("SELECT error('the disk is full')")

    with bench(tmp_path) as made:
        filled(made)
        before = standing(made)
        with monkeypatch.context() as broken:
            broken.setattr(contributions, "add_to_balances", fail)
            with pytest.raises(QuotaledgerError, match="nothing was recorded"):
                corrected(made, "PO-1", "900")
        assert standing(made) == before

        assert corrected(made, "PO-1", "900").batch is not None
