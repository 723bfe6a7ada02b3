"""Foreign files month after month: parties registered on the way, and what was recorded before."""

from pathlib import Path

import pytest

from ledger.adapters.accounting import Fate
from ledger.adapters.epoch import EPOCH
from ledger.core.errors import InputRejected
from ledger.sequencer.adapting import adapt_file
from ledger.sequencer.foreign import import_adaptation
from tests.adapters.layouts import bring, fates, references, row, table
from tests.harness import Bench, bench

RECORD_1 = """SELECT {'kind': kind, 'date': date, 'destination': destination, 'consignee': consignee, 'chip': chip}
    FROM decisions WHERE sequence = 1"""


def _parties(made: Bench) -> dict[str, str]:
    return {party.party: party.headquarters for party in made.desk().registers.parties.values()}


def test_owners_that_the_seeds_know_are_registered_on_the_way(tmp_path: Path) -> None:
    """Only those that records need, with their parents first; a dry run registers none and decides the same."""
    with bench(tmp_path) as made:
        tried = bring(made, row(owner="Opera"), row("B", owner="Google", count=""), dry_run=True)
        assert _parties(made) == {}
        done = bring(made, row(owner="Opera"), row("B", owner="Google", count=""))
        assert _parties(made) == {"KUNLUN": "CN", "OPERA": "NO"}
        again = bring(made, row(owner="Opera"))

    assert tried.registered == done.registered == ["KUNLUN", "OPERA"]
    assert fates(tried) == fates(done) == ["recorded", "reported: no-count"]
    assert tried.result.counts == done.result.counts
    assert again.registered == []
    assert fates(again) == ["already there"]


def test_the_register_comes_before_the_seeds(tmp_path: Path) -> None:
    """A party registered under the owner's name is the owner; an id given to another company is left alone."""
    with bench(tmp_path) as made:
        made.register(
            "parties",
            {"party": "MINE", "name": "Meta AI", "headquarters": "IE"},
            {"party": "MSFT", "name": "Misfit Systems", "headquarters": "BR"},
            {"party": "ORACLE", "name": "Oracle of Redwood", "headquarters": "US"},
        )
        done = bring(made, row(owner="meta  ai"), row("B"), row("C", owner="Oracle"))
        found = made.ledger.rows("SELECT consignee FROM decisions ORDER BY sequence")
        standing = made.desk().registers.parties["ORACLE"].name

    assert fates(done) == ["recorded", "reported: no-headquarters", "recorded"]
    assert found == [("MINE",), ("ORACLE",)]
    assert standing == "Oracle of Redwood"


def test_owners_without_headquarters_come_out_by_what_hangs_on_them(tmp_path: Path) -> None:
    """First the owner whose rows would add most; once registered by name, the same file records their rows."""
    rows = [
        row("A", owner="Small", count="10"),
        row("B", owner="Large", count="10"),
        row("C", owner="large", count="20"),
        row("D", owner="Large", chip=""),
        row("E", owner="One,Two", count="15"),
        row("F", owner="Gone", superseded="G"),
    ]
    with bench(tmp_path) as made:
        first = bring(made, *rows)
        made.register(
            "parties",
            {"party": "L", "name": "Large", "headquarters": "MY"},
            {"party": "J", "name": "One, Two", "headquarters": "US", "parent": "L"},
        )
        second = bring(made, *rows)

    owners = [(owner.name, owner.rows, owner.others, owner.tpp) for owner in first.accounting.owners()]
    assert owners == [("Large", 2, 1, 30 * 15832), ("One,Two", 1, 0, 15 * 15832), ("Small", 1, 0, 10 * 15832)]
    assert [fates(second)[place] for place in (1, 2, 4)] == ["recorded"] * 3
    assert [owner.name for owner in second.accounting.owners()] == ["Small"]


def test_a_row_that_has_changed_is_reported_and_the_others_recorded(tmp_path: Path) -> None:
    """Its record stays as it is, the report says what differs, and nothing fails."""
    with bench(tmp_path) as made:
        bring(made, row(), row("B"))
        done = bring(made, row(count="2000.0"), row("B", date="2025-05-15"), row("C"))

        assert fates(done) == ["reported: changed", "reported: changed", "recorded"]
        assert references(made, done) == ["C"]
        assert 'quantity "1000" then and "2000" now' in done.accounting.rows[0].reasons[0].sentence
        assert 'kind "opening" then and "delivery" now' in done.accounting.rows[1].reasons[0].sentence


def test_a_record_put_right_is_known_under_its_new_reference(tmp_path: Path) -> None:
    """Reversed, and filed anew with `/v2` behind its reference, it agrees with the file again."""
    with bench(tmp_path) as made:
        bring(made, row())
        made.submit(
            "epoch",
            {
                "reference": "undo",
                "kind": "reversal",
                "date": "2026-04-01",
                "under": "Aurora Example 1",
                "note": "grew",
            },
            made.ledger.rows(RECORD_1)[0][0] | {"reference": "Aurora Example 1/v2", "quantity": 2000},
        )
        done = bring(made, row(count="2000.0"))
        gone = bring(made, row(count="2000.0", status="Decommissioned", gone="2026-05-01"))
        drawn_on = made.ledger.rows("SELECT under FROM decisions ORDER BY sequence DESC LIMIT 1")

    assert fates(done) == ["already there"]
    assert fates(gone) == ["recorded"]
    assert drawn_on == [("Aurora Example 1/v2",)]


def test_what_was_planned_is_delivered_under_its_allocation(tmp_path: Path) -> None:
    """The allocation of an earlier month is fulfilled, once; without one, a delivery stands alone."""
    planned = row(status="Planned", date="2026-03-01", country="Malaysia", owner="YTL Power")
    existing = row(date="2026-05-02", country="Malaysia", owner="YTL Power", count="1001.0")
    with bench(tmp_path) as made:
        assert fates(bring(made, planned)) == ["recorded"]
        assert fates(bring(made, existing, row("B", date="2026-05-02"))) == ["recorded", "recorded"]
        again = bring(made, row("B", date="2026-05-02"), existing)
        back = bring(made, planned)
        found = made.ledger.rows("SELECT reference, under, outcome, limit_id FROM decisions ORDER BY sequence")

    assert fates(again) == ["already there", "already there"]
    assert fates(back) == ["reported: recorded-before"]
    assert found[1:] == [
        ("Aurora Example 1", "Aurora Example 1 (planned)", "breached", "allocation-exceeded"),
        ("B", None, "admitted", None),
    ]


@pytest.mark.parametrize(
    "later",
    [
        row(superseded="Aurora Example 2"),
        row(duplicate="True"),
        row(country=""),
        row(status="Planned", date="2027-01-01"),
    ],
)
def test_what_was_recorded_and_is_so_no_more_is_reported(tmp_path: Path, later: dict[str, str]) -> None:
    """A recorded row that the file now leaves out, or takes back, would be counted still: somebody must see to it."""
    with bench(tmp_path) as made:
        bring(made, row())
        done = bring(made, later, row("Aurora Example 2"))
        undo = {"reference": "undo", "kind": "reversal", "date": "2026-06-01", "note": "so the file"}
        made.submit("epoch", undo | {"under": "Aurora Example 1"})
        seen_to = bring(made, later, row("Aurora Example 2"))

    assert fates(done) == ["reported: recorded-before", "recorded"]
    assert 'record 1 was filed for it as "Aurora Example 1"' in done.accounting.rows[0].reasons[0].sentence
    assert "recorded-before" not in fates(seen_to)[0]


def test_what_is_gone_by_the_next_month_is_taken_off(tmp_path: Path) -> None:
    """The opening is known again, and the attrition under it is new."""
    with bench(tmp_path) as made:
        bring(made, row())
        done = bring(made, row(status="Decommissioned", gone="2026-04-30"))
        recorded = references(made, done)

    assert fates(done) == ["recorded"]
    assert recorded == ["Aurora Example 1 (decommissioned)"]
    assert done.accounting.by_country()["JP"].tpp == 0


def test_a_rejected_row_stops_the_parties_too(tmp_path: Path) -> None:
    """If the ledger cannot hold a row, nothing is recorded or registered, unless the others are wanted without it."""
    full = {"kind": "delivery", "date": "2026-01-01", "destination": "IN", "consignee": "BETA", "chip": "X"}
    rows = [row("A", owner="Google", date="2026-02-01", country="India", count="1000000000"), row("B", owner="xAI")]
    with bench(tmp_path) as made:
        made.register("parties", {"party": "BETA", "name": "Beta", "headquarters": "IN"})
        made.register("chips", {"chip": "X", "name": "X", "vendor": "V", "tpp": "10000000", "class": "3A090.a"})
        counts = ["1000000000"] * 8 + ["999990000"]
        made.submit("beta", *[full | {"reference": f"{n}", "quantity": count} for n, count in enumerate(counts)])
        failed = bring(made, *rows)

        assert [fault.row for fault in failed.result.rejected] == [1]
        assert set(_parties(made)) == {"BETA"}
        assert made.desk().head().sequence == 9
        done = bring(made, *rows, skip_invalid=True)

        assert [(fault.row, fault.code) for fault in done.result.rejected] == [(1, "too-large")]
        assert fates(done) == ["rejected: too-large", "recorded"]
        assert _parties(made) == {"BETA": "IN", "GOOGLE": "US", "XAI": "US"}


def test_the_sums_are_of_what_the_ledger_has(tmp_path: Path) -> None:
    """The sums are by country and by chip, of what the ledger has, left out and reported each apart."""
    with bench(tmp_path) as made:
        done = bring(made, row(), row("B", country="Norway", superseded="A"), row("C", chip=""), row("D", country=""))
        sums = done.accounting.by_country()

    counted = {country: (each.rows, each.counted) for country, each in sums.items()}
    assert counted == {"JP": (2, 1), "NO": (1, 0), "": (1, 0)}
    assert [round(part) for part in (sums["JP"].given_counted, sums["NO"].given_left_out, sums[""].given)] == [1000] * 3
    assert done.accounting.by_chip()["H100"].tpp == 15_832_000
    assert list(done.accounting.by_fate())[:2] == [(Fate.RECORDED, ""), (Fate.ALREADY_THERE, "")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"reference,kind,date\n", "missing-column"),
        (table(row()).replace(b",Owner,", b",Owners,"), "missing-column"),
        (table(row()).replace(b"Japan", b'"Japan'), "malformed"),
        (table(row()).replace(b"Japan", b"Jap\xff"), "encoding"),
        (b"PAR1 but not Parquet", "malformed"),
    ],
)
def test_a_file_that_is_not_of_the_layout_is_refused_whole(tmp_path: Path, content: bytes, code: str) -> None:
    """One sentence says what is wrong; missing columns are all named."""
    with bench(tmp_path) as made, pytest.raises(InputRejected) as caught:
        adapt_file(made.desk(), EPOCH, "clusters.csv", content)

    assert [fault.code for fault in caught.value.rows] == [code]
    assert code != "missing-column" or "Owner" in caught.value.rows[0].message


def test_a_file_cut_off_loses_the_row_that_is_not_whole(tmp_path: Path) -> None:
    """The rows before it are recorded, and the one that was cut is reported."""
    with bench(tmp_path) as made:
        desk = made.desk()
        adaptation = adapt_file(desk, EPOCH, "clusters.csv", table(row(), row("B"))[:-30])
        done = import_adaptation(desk, "epoch", adaptation)

    assert fates(done) == ["recorded", "reported: malformed"]


def test_a_file_without_rows_is_understood(tmp_path: Path) -> None:
    """A line of column names alone is an empty month."""
    with bench(tmp_path) as made:
        done = bring(made)

    assert fates(done) == []
    assert sum(done.accounting.counts().values()) == 0
