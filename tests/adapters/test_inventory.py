"""A provider's plain inventory: what stands where since when."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger.adapters.inventory import INVENTORY
from ledger.core.errors import InputRejected, WrongUsage
from ledger.sequencer.adapting import adapt_file
from ledger.sequencer.foreign import ForeignImport, import_adaptation
from tests.adapters.layouts import fates
from tests.harness import Bench, bench

HEADER = "site,chip,count,date"


def take_stock(made: Bench, lines: Sequence[str], consignee: str = "ALPHA", header: str = HEADER) -> ForeignImport:
    """Import an inventory as the provider `alpha`."""
    desk = made.desk()
    if "ALPHA" not in desk.registers.parties:
        made.register("parties", {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"})
        desk = made.desk()
    adaptation = adapt_file(desk, INVENTORY, "inventory.csv", "\n".join([header, *lines]).encode(), consignee)
    return import_adaptation(desk, "alpha", adaptation)


def test_a_site_is_a_country_or_a_region_of_a_cloud(tmp_path: Path) -> None:
    """The region gives the country, and shows as site; a chip goes by id or by name."""
    lines = ["aws:me-central-1,H100,80,2025-06-01", "India,hgx h100 (8 gpus),3,2024-06-01", "SG,h200,5,2025-01-01"]
    with bench(tmp_path) as made:
        done = take_stock(made, lines)
        found = made.ledger.rows(
            "SELECT kind, destination, site, consignee, chip, quantity FROM decisions ORDER BY 1, 2"
        )

    assert fates(done) == ["recorded"] * 3
    assert found == [
        ("delivery", "AE", "aws:me-central-1", "ALPHA", "H100", 80),
        ("delivery", "SG", None, "ALPHA", "H200", 5),
        ("opening", "IN", None, "ALPHA", "HGX-H100", 3),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("mars:north-1,H100,80,2025-06-01", "unknown-site"),
        ("basement,H100,80,2025-06-01", "unknown-site"),
        (",H100,80,2025-06-01", "unknown-site"),
        ("SG,H9000,80,2025-06-01", "unknown-chip"),
        ("SG,H100,eighty,2025-06-01", "bad-count"),
        ("SG,H100,80,June 2025", "partial-date"),
        ("SG,H100", "malformed"),
    ],
)
def test_a_line_that_cannot_be_mapped_is_reported(tmp_path: Path, line: str, code: str) -> None:
    """The other lines are recorded all the same."""
    with bench(tmp_path) as made:
        done = take_stock(made, [line, "SG,H100,8,2025-06-01"])

    assert fates(done) == [f"reported: {code}", "recorded"]


def test_the_next_stocktaking_adds_what_is_new(tmp_path: Path) -> None:
    """Lines in another order are known again, whatever other columns stand there; a changed count is reported."""
    lines = ["SG,H100,16,2025-06-01", "SG,H100,8,2025-07-01", "IN,H100,8,2025-06-01", "SG,H200,8,2025-06-01"]
    with bench(tmp_path) as made:
        first = take_stock(made, lines)
        again = take_stock(made, [f"rack {n},{line}" for n, line in enumerate(lines[::-1])], header=f"rack,{HEADER}")
        changed = take_stock(made, [*lines[:3], "SG,H200,9,2025-06-01", "SG,H200,1,2026-06-01"])

    assert fates(first) == ["recorded"] * 4
    assert fates(again) == ["already there"] * 4
    assert fates(changed) == [*["already there"] * 3, "reported: changed", "recorded"]


def test_lines_that_nobody_could_tell_apart_are_reported(tmp_path: Path) -> None:
    """A second line of a site, chip and date is never counted beside the first, in this file or in the next month's."""
    with bench(tmp_path) as made:
        assert fates(take_stock(made, ["AE,H100,10,2025-06-01"])) == ["recorded"]
        done = take_stock(made, ["AE,H100,5,2025-06-01", "AE,H100,10,2025-06-01"])
        found = made.ledger.rows("SELECT sum(quantity) FROM decisions")

    assert fates(done) == ["reported: shared-line"] * 2
    assert found == [(10,)]


def test_the_same_line_of_another_party_is_another_record(tmp_path: Path) -> None:
    """A provider that files for two parties has their chips recorded apart."""
    with bench(tmp_path) as made:
        made.register("parties", {"party": "BETA", "name": "Beta", "headquarters": "AE"})
        first, second = (take_stock(made, ["AE,H100,10,2025-06-01"], party) for party in ("ALPHA", "BETA"))
        found = made.ledger.rows("SELECT consignee, quantity FROM decisions ORDER BY sequence")

    assert fates(first) == fates(second) == ["recorded"]
    assert found == [("ALPHA", 10), ("BETA", 10)]


def test_somebody_must_say_whose_chips_they_are(tmp_path: Path) -> None:
    """Without a registered consignee there is no record."""
    with bench(tmp_path) as made:
        with pytest.raises(WrongUsage, match="give --consignee P"):
            take_stock(made, [], consignee="")
        with pytest.raises(WrongUsage, match='no party "BETA" is registered'):
            take_stock(made, [], consignee="BETA")
        with pytest.raises(InputRejected, match="cannot be read as plain-inventory") as caught:
            take_stock(made, [], header="site,chips,number,date")

    assert caught.value.rows[0].message.endswith("it lacks the columns chip, count")
