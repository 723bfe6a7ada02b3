"""The map of the world: what is used is drawn, and told in words."""

import re
from decimal import Decimal
from typing import Any

import pytest

from ledger.reporting import world
from ledger.reporting.world import world_figure


def row(code: str, name: str, percent: str, status: str) -> dict[str, Any]:
    used = int(Decimal(percent) * 7_900_000)
    return {"destination": code, "name": name, "used_tpp": used, "used_percent": Decimal(percent), "status": status}


ROWS = [
    row("MY", "Malaysia", "133.2455", "over"),
    row("SG", "Singapore", "91.0", "critical"),
    row("FR", "Île & <b>", "0.1", "open"),
    row("BR", "Brazil", "0", "open"),
]


def test_what_is_used_is_drawn_in_its_status_with_a_title() -> None:
    """A used country has a path of its own; one that is too small at this scale is named instead."""
    found = world_figure(ROWS)
    drawing = str(found["drawing"])

    assert re.findall(r'<path class="used (\w+)"', drawing) == ["open", "over"]
    assert "<title>Malaysia: 133.2%, over</title>" in drawing
    assert "<title>Île &amp; &lt;b&gt;: 0.1%, open</title>" in drawing
    assert found["shown"] == ["open", "over"]
    assert found["missing"] == ["Singapore"]
    assert found["words"].endswith("has used. Malaysia 133.2% (over) and Île & <b> 0.1% (open).")


def test_all_points_are_within_the_drawing() -> None:
    """Nothing is drawn beyond the edges, and land with a cap is told from land without."""
    drawing = str(world_figure(ROWS)["drawing"])
    width, height = map(float, re.findall(r'viewBox="0 0 (\d+) (\d+)"', drawing)[0])
    points = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", drawing)]

    assert len(points) > 5_000
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
    assert {'class="unused"', 'class="uncapped"'} <= set(re.findall(r'class="\w+"', drawing))


def test_the_projection_is_equal_earth() -> None:
    """Its published values: the equator is 2.7066 long each way, the pole is 1.3173 high (Savric et al., 2018)."""
    assert world.projected(180, 0)[0] == pytest.approx(2.70663, abs=1e-5)
    assert world.projected(0, 90)[1] == pytest.approx(1.31731, abs=1e-4)
    assert world.projected(0, 0) == (0, 0)


def test_nothing_used_is_no_map() -> None:
    """There is nothing to show where nothing is used."""
    assert world_figure([ROWS[-1]]) == {}
