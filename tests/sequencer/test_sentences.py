"""A decision that is at hand reads as it does when it is read from the ledger."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rulebook.sentences import TEMPLATES, decision_sentence, h100e
from ledger.store.file import LedgerFile
from ledger.store.query import table
from ledger.store.seeds import parse_rulebook
from tests.harness import bench
from tests.sequencer.sealed import sealed_ledger

_AMOUNTS = st.integers(0, 90_000_000_000_000_000)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerFile]:
    """An empty ledger."""
    with bench(tmp_path_factory.mktemp("sentences")) as made:
        yield made.ledger


def test_the_sentence_of_python_is_that_of_sql() -> None:
    """Of every decision of a ledger under two rulebooks: admitted, refused and breached, by limits of all sorts."""
    query = """
        SELECT e.*, d.message, d.h100e, d.rulebook_digest FROM entry AS e JOIN decisions AS d USING (sequence)
    """
    with LedgerFile.open(sealed_ledger()) as sealed:
        texts = dict(sealed.rows("SELECT digest, texts FROM rulebook_row"))
        recorded = table(sealed.connection, query)
    books = {digest: parse_rulebook(json.loads(text)) for digest, text in texts.items()}
    for values in recorded:
        book = books[values["rulebook_digest"]]
        assert decision_sentence(book, values) == values["message"]
        assert h100e(values["tpp"], book) == values["h100e"]

    assert {values["outcome"] for values in recorded} == {"admitted", "refused", "breached"}


@given(_AMOUNTS, st.one_of(st.none(), _AMOUNTS), st.one_of(st.none(), _AMOUNTS), st.sampled_from(sorted(TEMPLATES)))
def test_amounts_of_all_sizes_are_written_alike(
    ledger: LedgerFile, tpp: int, left: int | None, most: int | None, kind: tuple[str, str]
) -> None:
    """Whatever the amounts: thousands are grouped, equivalents are whole, and what is blank is left out."""
    ((template, citation, one, texts),) = ledger.rows(
        "SELECT template, citation, h100_equivalent_tpp, texts FROM limit_text, rulebook_row"
        " WHERE limit_id = ? AND outcome = ?",
        list(kind),
    )
    book = parse_rulebook(json.loads(texts))
    values = {
        "kind": "allocation",
        "quantity": 7_000,
        "chip": "H100",
        "tpp": tpp,
        "destination": "AE",
        "consignee": "P",
    }
    values |= {"basis": None, "account": "AE", "remaining_tpp": left, "limit_tpp": most}
    query = f"SELECT decision_message({', '.join('?' * 13)}), h100e(?::BIGINT, ?::BIGINT)"
    ((said, equivalents),) = ledger.rows(query, [template, *values.values(), citation, one, tpp, one])

    assert decision_sentence(book, values | {"limit_id": kind[0] or None, "outcome": kind[1]}) == said
    assert h100e(tpp, book) == equivalents
