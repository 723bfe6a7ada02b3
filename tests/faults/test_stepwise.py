"""`kill -9` between any two steps that change names or commit, one after the other, none left out."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from tests.faults import stepwise
from tests.faults.key_kills import KEYS
from tests.faults.kills import RECORDING, Scenario
from tests.faults.tally import Tally

_STEPS_AT_LEAST = 4
_FOUNDING = [scenario for scenario in RECORDING if scenario.name == "kill while making a ledger"]


def _up_to(scenario: Scenario, step: int) -> Scenario:
    """Give a scenario whose process is killed at a step."""
    return replace(scenario, words=lambda ledger: [str(step), *scenario.words(ledger)], work=stepwise.main)


@pytest.mark.parametrize("scenario", [*KEYS, *_FOUNDING], ids=lambda scenario: scenario.name)
def test_a_kill_at_any_step_leaves_a_ledger_that_goes_on(
    scenario: Scenario, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Before each of its steps the command is killed once, and each time the next command finds what it needs."""
    reached = 0
    for step in count(1):
        folder = tmp_path / str(step)
        folder.mkdir()
        ledger = scenario.prepare(folder)
        killed = _up_to(scenario, step).run(ledger)
        scenario.check(ledger, killed)
        if not killed.reached:
            break
        reached = step

    assert reached >= _STEPS_AT_LEAST
    Tally(record_property).add(scenario.name, "survived", reached)
