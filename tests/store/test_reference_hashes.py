"""Many hashes of references at once are those that are stored one by one."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.store.read import reference_hash
from ledger.store.reference_hashes import reference_hashes


@settings(deadline=None)  # the first one loads libraries
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=80))))
def test_hashes_are_those_of_each_reference(names: list[tuple[str, str]]) -> None:
    """Whatever the characters, and however long: numpy gives what `hashlib` does."""
    keys = pa.array(["\0".join(name) for name in names], pa.string())

    assert reference_hashes(keys).tolist() == [reference_hash(*name) for name in names]


@pytest.mark.parametrize("count", [8_191, 8_192, 8_193])
def test_lots_are_put_together_in_order(count: int) -> None:
    """Texts of every length up to two blocks, before and after the end of a lot."""
    references = ["r" * (number % 129) for number in range(count)]
    keys = pa.array(["", *(f"p\0{reference}" for reference in references)])[1:]

    assert reference_hashes(keys).tolist() == [reference_hash("p", reference) for reference in references]
