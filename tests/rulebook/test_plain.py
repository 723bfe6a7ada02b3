"""Plain records, decided all at once, are decided as the limits decide them one by one."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.columns import ABSENT
from ledger.rulebook.balances import Balances
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.columns import COUNTS, DECIDED, Decisions, Record, Records
from ledger.rulebook.fold import Fold
from ledger.rulebook.registers import Assurance, Authorization, Chip, Party, Registers
from ledger.store.seeds import country_names
from schemas.words import Basis, Kind, Outcome
from tests.harness import amended, bench


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


ROWS: Final = (
    Party("INDUS", "Indian Company", "IN"),
    Party("GULF", "Its subsidiary", "AE", "INDUS"),
    Party("USCO", "US Company", "US"),
    Party("DESERT", "A US company's subsidiary", "SA", "USCO"),
    Party("KHMER", "Cambodian Company", "KH"),
    Party("HOLDER", "Holds UVEU", "FR"),
    Authorization("HOLDER", "UVEU", "", day("2025-01-01")),
    Assurance("AE", 50, day("2026-01-01")),
    Assurance("AE", 0, day("2027-01-01")),
    Chip("BIG", "Big", "", 1000, "3A090.a", ""),
    Chip("SMALL", "Not counted", "", 1000, "", ""),
)
RULEBOOK: Final = amended(country_cap_tpp="20_000", lpp_annual_tpp="6_000")
BOOK: Final = Codebook(RULEBOOK, Registers().with_rows(list(ROWS)), tuple(country_names()))
PLACES: Final = ("AE", "IN", "KH", "US", "PR", "HK", "FR")
DAYS: Final = ("2025-01-12", "2025-01-13", "2025-12-31", "2026-02-02", "2026-02-03", "2027-06-01", "2028-01-01")
BASES: Final = (Basis.NONE, Basis.NONE, Basis.LICENSE, Basis.LPP, Basis.AIA, Basis.NVEU, Basis.UVEU)
ASKED: Final = st.tuples(
    st.sampled_from((Kind.ALLOCATION, Kind.ALLOCATION, Kind.DELIVERY, Kind.OPENING)),
    st.sampled_from(DAYS),
    st.sampled_from(PLACES),
    st.sampled_from(BOOK.parties),
    st.sampled_from(("BIG", "BIG", "BIG", "SMALL")),
    st.integers(1, 12),
    st.sampled_from(BASES),
)


def record(number: int, asked: tuple[Any, ...]) -> Record:
    kind, on, place, party, chip, quantity, basis = asked
    return Record(
        reference=number,
        content=number,
        kind=int(kind),
        day=day("2024-06-01" if kind is Kind.OPENING else on),
        place=BOOK.place_of[place],
        consignee=BOOK.party_of[party],
        chip=BOOK.chip_of[chip],
        quantity=quantity,
        basis=int(basis),
    )


def columns_of(records: list[Record]) -> Records:
    table = np.array(records, np.int64).T
    numbers = dict(zip(Record._fields, table, strict=True))
    return Records(malformed=np.zeros(len(records), np.bool_), **numbers)


def one_by_one(records: list[Record], balances: Balances) -> list[Decisions]:
    return [Fold(BOOK, balances, {}, (), 1 + number).one(one) for number, one in enumerate(records)]


def accounts(balances: Balances) -> dict[str, Any]:
    """Give what accounts hold, without those that hold nothing."""
    found = {name: getattr(balances, name) for name in ("cap", "lpp", "installed", "committed_total", "pending_total")}
    flat = {name: {key: tpp for key, tpp in sums.items() if tpp} for name, sums in found.items()}
    nested = {name: getattr(balances, name) for name in ("nveu", "committed", "pending")}
    return flat | {
        f"{name} by place": {(key, at): tpp for key, sums in accounts.items() for at, tpp in sums.items() if tpp}
        for name, accounts in nested.items()
    }


@settings(max_examples=200)
@given(st.lists(ASKED, min_size=2, max_size=40))
def test_many_records_are_decided_as_one_by_one(stream: list[tuple[Any, ...]]) -> None:
    """Every column of every decision, and what the accounts hold afterwards, is the same for a file and its rows."""
    records = [record(number, asked) for number, asked in enumerate(stream)]
    together, apart = Balances(), Balances()
    decisions = Fold(BOOK, together, {}, (), 1).run(columns_of(records))
    alone = one_by_one(records, apart)

    for name in DECIDED:
        assert decisions.columns[name].tolist() == [int(one.columns[name][0]) for one in alone], name
    assert accounts(together) == accounts(apart)


def test_what_only_caps_can_bind_is_all_three_outcomes() -> None:
    """A stream of plain records meets both caps: some fit, some are refused, some breach, and what counts adds up."""
    asked = (Kind.ALLOCATION, "2026-03-01", "IN", "INDUS", "BIG", 4, Basis.NONE)
    delivered = (Kind.DELIVERY, *asked[1:])
    records = [record(number, row) for number, row in enumerate([asked] * 8 + [delivered])]
    decisions = Fold(BOOK, Balances(), {}, (), 1).run(columns_of(records))
    columns = decisions.columns

    assert columns["outcome"].tolist() == [Outcome.ADMITTED] * 6 + [Outcome.REFUSED] * 2 + [Outcome.BREACHED]
    assert columns["basis"].tolist() == [Basis.LPP] + [Basis.LICENSE] * 8
    assert columns["remaining_tpp"].tolist() == [2000, 16000, 12000, 8000, 4000, 0, 0, 0, 0]
    assert columns["cap"].tolist() == [0, *[4000] * 5, 0, 0, 4000]
    assert all(columns[name][7] == 0 for name in COUNTS)
    assert columns["account_period"].tolist() == [2026, *[ABSENT] * 8]


def sold(folder: Path, *, together: bool) -> list[Any]:
    """Let a family lose its NVEU, then file openings that fill the base which a reversal of an old lapse meets."""
    chips = {"destination": "AE", "consignee": "ROOT", "chip": "H100"}
    rows: list[dict[str, Any]] = [
        {"reference": f"o{n}", "kind": "opening", "date": "2024-06-01", "quantity": 4_000, **chips} for n in range(10)
    ]
    undo = {"reference": "undo", "kind": "reversal", "date": "2025-03-01", "under": "lapse", "note": "it did not lapse"}
    with bench(folder) as made:
        made.register("parties", {"party": "ROOT", "name": "Root", "headquarters": "IN"})
        made.register("parties", {"party": "SUB", "name": "Sub", "headquarters": "IN", "parent": "ROOT"})
        made.register(
            "authorizations", {"party": "SUB", "basis": "NVEU", "destination": "AE", "valid_from": "2025-01-01"}
        )
        asked = {"reference": "a", "kind": "allocation", "date": "2025-02-01", "quantity": 10_000, **chips}
        lapsed = {"reference": "lapse", "kind": "lapse", "date": "2025-02-02", "under": "a", "quantity": 10_000}
        assert [answer["basis"] for answer in made.submit("p", asked, lapsed)] == ["NVEU", "NVEU"]
        made.register("parties", {"party": "SUB", "name": "Sub", "headquarters": "IN"})
        batches = [[*rows, undo]] if together else [[row] for row in [*rows, undo]]
        return [
            tuple(answer[name] for name in ("outcome", "limit_id", "remaining_tpp"))
            for batch in batches
            for answer in made.submit("p", *batch)
        ]


def test_openings_fill_the_base_that_a_later_row_meets(tmp_path: Path) -> None:
    """Among plain records, one that is none sees what those before it counted on its family's NVEU base."""
    together, apart = sold(tmp_path, together=True), sold(tmp_path, together=False)

    assert together == apart
    assert together[-1] == ("breached", "nveu-installed-base", 0)
