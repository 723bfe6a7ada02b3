"""A log that its own owner kept wrongly, or well but in an unusual way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.standalone.exports import (
    FIRST,
    ORIGIN,
    SECOND,
    STRANGER,
    THIRD,
    Export,
    Log,
    decision,
    key,
    key_text,
    plain_log,
)
from tests.standalone.running import verdict

MISRECORDED: Final[dict[str, tuple[Callable[[], Log], str]]] = {
    "a gap in the sequence": (
        lambda: plain_log().batch("import", decision(5, "admitted")),
        "leaf 10 (decision 5 'ACME' 'PO-5') should be decision 4",
    ),
    "a reference twice": (
        lambda: plain_log().batch("import", decision(4, "admitted", reference="PO-1")),
        "leaf 10 (decision 4 'ACME' 'PO-1') has a reference that its provider has used before",
    ),
    "counts that are wrong": (
        lambda: plain_log().batch("import", decision(4, "admitted"), stated={"admitted": 0, "refused": 1}),
        "leaf 11 (batch 'ACME') says 0 admitted, 1 refused, 0 breached, but its decisions are 1 admitted",
    ),
    "a number of a batch that is wrong": (
        lambda: plain_log().batch("import", stated={"batch": 5}),
        "leaf 10 (batch) stands among the leaves of batch 4",
    ),
    "a count that is no number": (
        lambda: plain_log().batch("import", stated={"admitted": "0"}),
        "leaf 10 (batch) does not say 'admitted'",
    ),
    "a key that is none": (
        lambda: plain_log().batch("key", ("key", {"key": ORIGIN})),
        "'quota.example/ledger' is no Ed25519 key",
    ),
    "two keys at once, one of a stranger": (
        lambda: plain_log().batch("key", key(STRANGER), key(SECOND), by=[FIRST, SECOND]),
        f"the key {key_text(SECOND)} was not handed over by the one before",
    ),
    "a fork of the log": (
        lambda: Log(plain_log().leaves[:4], [*plain_log().notes], plain_log().frontiers[:5]).batch("register"),
        "checkpoint 2 is of 6 leaves of 'quota.example/ledger', not of leaves 4 to 4 (batch 2)",
    ),
}


@pytest.mark.parametrize("name", MISRECORDED)
def test_a_log_that_was_kept_wrongly_is_found_though_signed(program: Path, tmp_path: Path, name: str) -> None:
    """Its own owner cannot sign away a gap, a reference used twice, wrong counts or a key that nobody handed over."""
    made, named = MISRECORDED[name]
    code, said = verdict(program, tmp_path, Export.of(made()))

    assert code == 3
    assert named in said


def test_equal_references_of_two_providers_are_fine(program: Path, tmp_path: Path) -> None:
    """A reference is the provider's own, and neither can be taken for a part of the other."""
    log = plain_log().batch(
        "import",
        decision(4, "admitted", provider="OTHER", reference="PO-1"),
        decision(5, "admitted", provider="ACMEP", reference="O-1"),
    )

    assert verdict(program, tmp_path, Export.of(log))[0] == 0


def test_two_keys_at_once_are_handed_over_one_by_one(program: Path, tmp_path: Path) -> None:
    """Where a key was replaced before it signed anything, both it and the one before must have signed."""
    log = plain_log().batch("key", key(SECOND), key(THIRD), by=[FIRST, SECOND, THIRD])

    assert verdict(program, tmp_path, Export.of(log), key_text(FIRST))[0] == 0


@pytest.mark.parametrize(("given", "named"), [([SECOND], ""), ([FIRST], ""), ([THIRD], "3"), ([SECOND, THIRD], "3")])
def test_a_key_that_never_signed_is_not_one_that_was_given(
    program: Path, tmp_path: Path, given: list[Any], named: str
) -> None:
    """A key that was put in use and replaced in one batch, and signed nothing, vouches for nothing when it is given."""
    log = plain_log().batch("key", key(SECOND), key(THIRD), by=[FIRST, THIRD])
    code, said = verdict(program, tmp_path, Export.of(log), *map(key_text, given))

    assert code == (0 if named else 3)
    assert not named or f"\nkey: {key_text(THIRD)}, as given\n" in said


@pytest.mark.parametrize(("given", "code"), [([], 3), ([FIRST], 3), ([SECOND], 0), ([THIRD], 0), ([FIRST, THIRD], 0)])
def test_a_key_vouches_for_the_lost_one_before_it(program: Path, tmp_path: Path, given: list[Any], code: int) -> None:
    """The second key came when the first was lost, and handed over to the third, which has signed all before it."""
    log = plain_log().batch("key", key(SECOND), by=[SECOND]).batch("key", key(THIRD), by=[SECOND, THIRD])

    assert verdict(program, tmp_path, Export.of(log), *map(key_text, given))[0] == code
