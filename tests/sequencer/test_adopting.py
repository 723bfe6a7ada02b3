"""A rulebook put in force in a running ledger: what changes from then on, and what never does."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.core.errors import InputRejected, QuotaledgerError, WrongUsage
from ledger.rulebook.rulebook import Rulebook
from ledger.sequencer.adopting import Adoption, adopt, adoptions, named_rulebook
from ledger.sequencer.assessing import assess
from ledger.sequencer.explaining import explain
from ledger.sequencer.positions import status
from ledger.store import derived
from ledger.store.seeds import DEFAULT_RULEBOOK, find_rulebook, parse_rulebook
from ledger.tlog.leaf import leaf_bytes, leaf_hash
from tests.harness import NOW, Bench, amended, bench

H100_TPP = 15_832
ALPHA = {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"}
LICENSED = {
    "kind": "allocation",
    "date": "2026-03-02",
    "destination": "AE",
    "consignee": "ALPHA",
    "chip": "H100",
    "basis": "LICENSE",
}
FIRST = find_rulebook(DEFAULT_RULEBOOK)
LOWER = amended(country_cap_tpp="100_000_000")


def licensed(reference: str, chips: int) -> dict[str, str]:
    """Give an allocation of H100 to the United Arab Emirates under a licence."""
    return LICENSED | {"reference": reference, "quantity": str(chips)}


def put_in_force(made: Bench, rulebook: Rulebook, note: str = "the rule has changed") -> Adoption:
    """Adopt a rulebook at a desk of its own."""
    return adopt(made.desk(), rulebook, note)


def emirates(made: Bench) -> dict[str, Any]:
    """Give the position of the United Arab Emirates."""
    found = status(made.desk(), country="AE")
    (row,) = found["countries"]
    return {"digest": found["rulebook_digest"], "cap": found["figures"]["country_cap_tpp"], **row}


def stored(made: Bench) -> list[tuple[Any, ...]]:
    """Give what is stored and shown of every decision."""
    return made.ledger.rows("SELECT * FROM decisions JOIN entry USING (sequence) ORDER BY sequence")


def test_a_country_through_a_rule_that_changes_and_changes_back(tmp_path: Path) -> None:
    """Admitted under the first cap, over the lower one, refused there, explained under each, and admitted again."""
    with bench(tmp_path) as made:
        made.register("parties", ALPHA)
        (admitted,) = made.submit("p", licensed("a", 10_000))
        assert (admitted["outcome"], admitted["remaining_tpp"]) == ("admitted", 790_000_000 - 10_000 * H100_TPP)
        first_words = stored(made)

        adoption = put_in_force(made, LOWER, "the cap is lowered")
        assert (adoption.before.digest, adoption.over) == (FIRST.digest, ("AE",))
        assert stored(made) == first_words
        over = emirates(made)
        assert (over["status"], over["remaining_tpp"], over["cap_tpp"]) == ("over", 0, 100_000_000)
        assert (over["digest"], over["rulebook_digest"], over["cap"]) == (LOWER.digest, LOWER.digest, 100_000_000)

        refused, again = made.submit("p", licensed("b", 1), licensed("a", 10_000))
        assert (refused["outcome"], refused["limit_id"], refused["account"]) == ("refused", "country-cap", "AE")
        assert "the country cap of AE is 100,000,000 TPP and only 0 TPP" in str(refused["message"])
        assert again == admitted | {"row": 2, "duplicate": True}

        told = {n: explain(made.desk(), n) for n in (1, 2)}
        caps = {n: limit.most_tpp for n, t in told.items() for limit in t.limits if limit.limit_id == "country-cap"}
        assert caps == {1: 790_000_000, 2: 100_000_000}
        assert [told[n].decision["rulebook_digest"] for n in (1, 2)] == [FIRST.digest, LOWER.digest]
        assert "is 790,000,000 TPP" in told[1].decision["message"]

        back = put_in_force(made, named_rulebook(made.desk(), FIRST.digest[:8]), "the lower cap is withdrawn")
        assert back.over == ()
        assert (emirates(made)["status"], emirates(made)["cap_tpp"]) == ("open", 790_000_000)
        assert made.submit("p", licensed("c", 1))[0]["outcome"] == "admitted"
        assert stored(made)[:1] == first_words

        shown = [(row["digest"], row["note"], row["records"], row["in_force"]) for row in adoptions(made.desk())]
        assert shown == [
            (FIRST.digest, "the ledger's first rulebook", 1, False),
            (LOWER.digest, "the cap is lowered", 1, False),
            (FIRST.digest, "the lower cap is withdrawn", 1, True),
        ]


def test_what_is_over_takes_no_more_and_may_only_shrink(tmp_path: Path) -> None:
    """Over its cap a country is refused requests, facts are breaches, and what shrinks or needs no room goes on."""
    with bench(tmp_path) as made:
        made.register("parties", ALPHA)
        made.submit("p", licensed("a", 10_000))
        put_in_force(made, LOWER)

        fulfilling = {"reference": "d", "kind": "delivery", "date": "2026-03-03", "under": "a", "quantity": "10000"}
        unasked = licensed("e", 1) | {"kind": "delivery"}
        small = licensed("f", 10) | {"basis": "LPP"}
        undone = {"reference": "g", "kind": "reversal", "date": "2026-03-05", "under": "e", "note": "wrong"}
        answers = made.submit("p", fulfilling, unasked, small, undone, licensed("h", 1))

        assert [answer["outcome"] for answer in answers] == ["admitted", "breached", "admitted", "admitted", "refused"]
        assert emirates(made)["used_tpp"] == 10_000 * H100_TPP


def test_an_adoption_is_a_batch_with_a_leaf(tmp_path: Path) -> None:
    """It says who, when, why and which, and moves the head of the log, as everything that is recorded does."""
    with bench(tmp_path) as made:
        before = made.desk().head()
        done = put_in_force(made, LOWER, "  by decree\n(no. 7)  ")
        after = made.desk().head()

        ((kind, salt, found),) = made.ledger.rows("SELECT kind, salt, hash FROM leaf WHERE leaf = ?", [before.leaf])
        fields = {
            "rulebook": LOWER.id,
            "digest": LOWER.digest,
            "note": "by decree\n(no. 7)",
            "batch": after.batch,
            "recorded_at": NOW.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "salt": salt.hex(),
        }
        assert (after.leaf, after.batch, after.sequence) == (before.leaf + 2, before.batch + 1, before.sequence)
        assert (kind, found) == ("rulebook", leaf_hash(leaf_bytes("rulebook", fields)))
        query = "SELECT kind, records, rulebook_digest, filed_by FROM batch WHERE batch = ?"
        assert made.ledger.rows(query, [done.batch]) == [("rulebook", 1, LOWER.digest, "tests")]


def test_the_rulebook_in_force_is_not_adopted_again(tmp_path: Path) -> None:
    """Another writing of the same meaning is no change either."""
    commented = parse_rulebook({name: "# a comment\n" + text for name, text in FIRST.texts.items()})
    with bench(tmp_path) as made:
        before = made.desk().head()

        assert put_in_force(made, FIRST).batch is None
        assert put_in_force(made, commented).batch is None
        assert made.desk().head() == before


@pytest.mark.parametrize(
    ("note", "why"),
    [
        ("", "blank"),
        (" \n\t ", "blank"),
        ("x" * 1001, "1,001 characters"),
        ("red \x1b[31m", "control character U\\+001B"),
        ("half \udc80", "half of a character"),
    ],
)
def test_a_note_says_why_in_so_many_plain_characters(tmp_path: Path, note: str, why: str) -> None:
    """Without a note that can be kept and shown nothing is adopted, and 1,000 characters are."""
    with bench(tmp_path) as made:
        before = made.desk().head()
        with pytest.raises(InputRejected, match=why):
            put_in_force(made, LOWER, note)
        assert made.desk().head() == before

        put_in_force(made, LOWER, "[bold]" + "ü" * 994)
        assert adoptions(made.desk())[-1]["note"] == "[bold]" + "ü" * 994


def test_an_adoption_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rulebook, figures and head change together or not at all."""

    def fail(connection: Any, _: Rulebook) -> None:
        connection.execute("DELETE FROM parameter")
        connection.execute("SELECT error('the disk is full')")

    monkeypatch.setattr(derived, "derive_rulebook", fail)
    with bench(tmp_path) as made:
        before = (made.desk().head(), status(made.desk()))
        with pytest.raises(QuotaledgerError, match="nothing was recorded"):
            put_in_force(made, LOWER)

        assert (made.desk().head(), status(made.desk())) == before
        assert made.ledger.rows("SELECT count(*) FROM rulebook_row") == [(1,)]


def test_equivalents_in_an_old_sentence_are_those_of_its_own_rulebook(tmp_path: Path) -> None:
    """What is for reading does not change either: neither sentence nor the column of H100 equivalents."""
    with bench(tmp_path) as made:
        made.register("parties", ALPHA)
        made.submit("p", licensed("a", 1))
        before = stored(made)
        put_in_force(made, amended(h100_equivalent_tpp="1_000"))

        assert stored(made) == before
        request = {name: LICENSED[name] for name in ("destination", "consignee", "chip", "date", "basis")}
        assert "(789,968 H100e)" in str(assess(made.desk(), request | {"quantity": "1"}).decision["message"])


def test_a_later_start_of_the_count_moves_the_day_of_positions(tmp_path: Path) -> None:
    """Without records, positions are as of the start of the count: that of the rulebook in force."""
    with bench(tmp_path) as made:
        assert status(made.desk())["as_of"] == date(2025, 1, 1)
        put_in_force(made, amended(counting_start="2025-07-01"))
        assert status(made.desk())["as_of"] == date(2025, 7, 1)


def test_rulebooks_of_a_ledger_are_named_by_digest(tmp_path: Path) -> None:
    """In force, adopted once, seeded or a folder; a digest of none of them is told."""
    with bench(tmp_path) as made:
        put_in_force(made, LOWER)
        desk = made.desk()

        assert named_rulebook(desk, "in-force").digest == LOWER.digest
        assert named_rulebook(desk, FIRST.digest).digest == FIRST.digest
        assert named_rulebook(desk, DEFAULT_RULEBOOK).digest == FIRST.digest
        with pytest.raises(WrongUsage, match="there is no rulebook 0123456789"):
            named_rulebook(desk, "0123456789")


def test_sentences_are_made_anew_for_every_adopted_rulebook(tmp_path: Path) -> None:
    """What is derived can be thrown away: opening the ledger again brings it back, the last adopted in force."""
    with bench(tmp_path) as made:
        made.register("parties", ALPHA)
        made.submit("p", licensed("a", 10_000))
        put_in_force(made, LOWER)
        made.submit("p", licensed("b", 1))
        before = (stored(made), status(made.desk()))
        for table in ("limit_text", "parameter", "country", "view_digest"):
            made.ledger.connection.execute(f"DELETE FROM {table}")

        derived.derive_again(made.ledger.connection)

        assert (stored(made), status(made.desk())) == before
