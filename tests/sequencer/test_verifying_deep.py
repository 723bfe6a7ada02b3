"""Decisions derived again: what its owner has sealed, and no rule gives."""

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.sequencer.verifying import Verified, verify
from tests.harness import bench, copy_ledger
from tests.sealing import change, own_key, seal_again
from tests.sequencer.sealed import fails
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
