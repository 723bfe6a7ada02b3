"""`kill -9` at random moments: whatever was acknowledged is there, nothing is by half, and the next command works."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.archive_kills import ARCHIVE
from tests.faults.key_kills import KEYS
from tests.faults.kills import RECORDING, moment
from tests.faults.tally import Tally

SCENARIOS = (*RECORDING, *ARCHIVE, *KEYS)
_TOGETHER = 10
"""So many kills make one test, which measures an undisturbed run first."""
_HALVINGS = 20
"""So often is a kill that came too late tried again after half the time; none comes too late at once."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Share the kills among the scenarios."""
    kills = metafunc.config.getoption("kills")
    numbers = [list(range(place, kills, len(SCENARIOS))) for place in range(len(SCENARIOS))]
    parts = [
        (place, own[start : start + _TOGETHER])
        for place, own in enumerate(numbers)
        for start in range(0, len(own), _TOGETHER)
    ]
    names = [f"{SCENARIOS[place].name.replace(' ', '-')}-{own[0]}" for place, own in parts]
    metafunc.parametrize(("place", "numbers"), parts, ids=names)


def test_a_kill_loses_nothing_that_was_acknowledged(
    place: int, numbers: list[int], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """After a kill at any moment the next command finds all that was acknowledged, and nothing by half."""
    scenario, tally = SCENARIOS[place], Tally(record_property)
    (tmp_path / "undisturbed").mkdir()
    lasted = scenario.undisturbed(tmp_path / "undisturbed")
    reached = []
    for number in numbers:
        delay = moment(number, lasted)
        for again in range(_HALVINGS):
            folder = tmp_path / f"{number}-{again}"
            folder.mkdir()
            ledger = scenario.prepare(folder)
            killed = scenario.run(ledger, delay / 2**again)
            scenario.check(ledger, killed)
            tally.add(scenario.name, "survived" if killed.reached else "harmless")
            if killed.reached:
                reached.append(number)
                break

    assert reached == numbers
    assert numbers
