"""The simulator in short: seeds that once found something, fixed ones and fresh ones; and that it does find bugs."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.simulator.planted import PLANTED
from tests.simulator.simulation import Run, run

STEPS = 20
FIXED = (101, 102)
FRESH = range(2)
ONCE = tomllib.loads((Path(__file__).parent / "seeds.toml").read_text("utf-8"))["seed"]
QUICK = {
    "the outside append is skipped": "outside is every checkpoint",
    "outside is written before COMMIT": "",
    "a balance row is lost": "balances are what the entries count",
    "the head moves twice": "no fault of the ledger's own",
    "a batch is two transactions": "",
    "leaves say something else than rows": "the log only grows",
    "a new key is not signed for by the old one": "the log only grows",
}
"""Bugs that few steps find, and the invariant that does; blank where it depends on where the machine stops."""


def _told(done: Run) -> Run:
    """Print what a run was, for whoever reads of its failure."""
    print(done.failure or f"seed {done.seed}: {done.steps} steps, {done.crashes} crashes")
    return done


@pytest.mark.parametrize("once", ONCE, ids=lambda once: f"seed {once['seed']}")
def test_seeds_that_once_found_something_find_nothing(once: dict[str, int]) -> None:
    """What a seed once found does not come back."""
    done = _told(run(once["seed"], once["steps"]))

    assert (done.failure, done.steps) == ("", once["steps"])
    assert done.crashes


@pytest.mark.parametrize("seed", FIXED)
def test_every_invariant_holds_after_every_step(seed: int) -> None:
    """Requests, corrections, registers, rulebooks and crashes in any order leave the ledger what it must be."""
    done = _told(run(seed, STEPS))

    assert (done.failure, done.steps) == ("", STEPS)
    assert done.crashes


@pytest.mark.parametrize("number", FRESH)
def test_every_invariant_holds_on_seeds_that_are_new_every_day(number: int) -> None:
    """The date is in the seed, and the seed in what is printed."""
    done = _told(run(int(f"{datetime.now(UTC):%Y%m%d}{number}"), STEPS))

    assert (done.failure, done.steps) == ("", STEPS)
    assert done.checks > STEPS


def test_a_seed_is_a_run() -> None:
    """The same seed asks, answers, stops and records the same, but for what chance alone makes."""
    one, other = run(7, 15), run(7, 15)

    assert (one.failure, one.steps) == ("", 15)
    assert one == other


@pytest.mark.parametrize("bug", QUICK)
def test_a_planted_bug_is_found(bug: str) -> None:
    """A ledger with a bug does not pass: a few seeds find it, by the invariant that it breaks."""
    with PLANTED[bug]():
        found = next((done for done in (run(seed, STEPS) for seed in range(1, 5)) if done.failure), None)

    assert found is not None
    assert QUICK[bug] in found.invariant
    assert f"--seed {found.seed} --steps {found.steps}" in found.failure
