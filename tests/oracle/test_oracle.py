"""The cases of SPEC 9 and others that the oracle must get right before anything is compared with it."""

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.oracle import Oracle, Rules

CHIPS = {
    "h100": (15_832, "3A090.a"),
    "gb300": (60_000, "3A090.a"),
    "l40": (2_896, "3A090.b"),
    "one": (1, "3A090.a"),
}
PARTIES = [
    ("ALPHA", "AE", ""),
    ("BETA", "IN", ""),
    ("USCO", "US", ""),
    ("USSUB", "AE", "USCO"),
    ("FRCO", "FR", ""),
    ("NVCO", "IN", ""),
    ("CNSUB", "SG", "CNCO"),
    ("CNCO", "HK", ""),
]
H100 = 15_832


def ledger(rules: Rules | None = None, parties: Mapping[str, tuple[str, str]] | None = None) -> Oracle:
    """An oracle with the parties of these tests; USCO holds UVEU, NVCO holds NVEU for AE."""
    oracle = Oracle(rules or Rules(), CHIPS)
    rows = [(p, *values) for p, values in parties.items()] if parties else PARTIES
    for party, headquarters, parent in rows:
        oracle.register("parties", {"party": party, "headquarters": headquarters, "parent": parent})
    if not parties:
        authorize(oracle, "USCO", "UVEU")
        authorize(oracle, "NVCO", "NVEU", "AE")
    return oracle


def authorize(oracle: Oracle, party: str, basis: str, destination: str = "", *, last: str = "") -> None:
    """Register an authorization."""
    row = {
        "party": party,
        "basis": basis,
        "destination": destination,
        "valid_from": "2025-01-01",
        "valid_to": last,
    }
    oracle.register("authorizations", row)


class Caller:
    """A provider that writes records tersely and gives them their references."""

    def __init__(self, oracle: Oracle, name: str = "cloud") -> None:
        """Remember the oracle."""
        self.oracle, self.name, self.count = oracle, name, 0

    def say(self, kind: str, day: str, quantity: int | None = None, **columns: str) -> dict[str, object]:
        """Submit one record; a destination, consignee and chip are H100 to AE for ALPHA unless given."""
        self.count += 1
        row = {"reference": f"r{self.count}", "kind": kind, "date": day}
        if quantity is not None:
            row["quantity"] = str(quantity)
        if "under" not in columns:
            row |= {"destination": "AE", "consignee": "ALPHA", "chip": "h100"}
        if kind == "reversal":
            row["note"] = "wrong"
        return self.oracle.submit(self.name, [row | columns])[0]


def brief(answer: Mapping[str, object]) -> tuple[object, ...]:
    """What is asserted of most answers."""
    return tuple(answer[column] for column in ("outcome", "basis", "limit_id", "remaining_tpp", "account"))


def code(answer: Mapping[str, object]) -> object:
    """The code of a rejected row."""
    assert answer["outcome"] == "rejected"
    return answer["code"]


@pytest.fixture
def alpha() -> Caller:
    """A provider at an empty ledger."""
    return Caller(ledger())


@pytest.fixture
def usco() -> Caller:
    """A provider at a ledger where USCO has 1,000,000 H100 in the United States."""
    caller = Caller(ledger())
    caller.say("opening", "2024-06-01", 1_000_000, destination="US", consignee="USCO")
    return caller


# --- SPEC 9 -----------------------------------------------------------------------------------------------


def test_cases_1_to_3(alpha: Caller) -> None:
    """A small order is LPP, the next LICENSE; the country cap refuses what is over and admits what fits."""
    first = alpha.say("allocation", "2026-03-01", 1_000)
    second = alpha.say("allocation", "2026-03-01", 700)
    third = alpha.say("allocation", "2026-03-01", 49_199)
    fourth = alpha.say("allocation", "2026-03-01", 49_198)

    assert brief(first) == ("admitted", "LPP", "lpp-annual", 11_068_000, "ALPHA/2026")
    assert brief(second) == ("admitted", "LICENSE", "country-cap", 778_917_600, "AE")
    assert brief(third) == ("refused", "LICENSE", "country-cap", 778_917_600, "AE")
    assert brief(fourth) == ("admitted", "LICENSE", "country-cap", 14_864, "AE")
    assert [first["tpp"], third["tpp"], fourth["sequence"]] == [15_832_000, 778_918_568, 4]
    assert alpha.oracle.cap_used("AE") == 790_000_000 - 14_864


def test_case_4(usco: Caller) -> None:
    """The 7 percent limit admits the last chip that fits, the whole growing along, and refuses one more."""
    fits = usco.say("allocation", "2026-03-01", 75_268, destination="SA", consignee="USCO")
    more = usco.say("allocation", "2026-03-01", 1, destination="SA", consignee="USCO")

    assert brief(fits) == ("admitted", "UVEU", "uveu-single-country", 12_937, "USCO/SA")
    assert brief(more) == ("refused", "UVEU", "uveu-single-country", 12_937, "USCO/SA")


def test_case_5(usco: Caller) -> None:
    """Attrition where nothing is restricted breaches the limit of the place that stood at 7 percent."""
    usco.say("allocation", "2026-03-01", 75_268, destination="SA", consignee="USCO")
    gone = usco.say("attrition", "2026-03-02", 100, under="r1")

    assert brief(gone) == ("breached", None, "uveu-single-country", 0, "USCO/SA")
    assert usco.oracle.installed("USCO") == 999_900 * H100


def test_case_6(alpha: Caller) -> None:
    """A delivery to tier 3 is recorded as a breach, an allocation there is refused."""
    fact = alpha.say("delivery", "2026-03-01", 10, destination="KP")
    request = alpha.say("allocation", "2026-03-01", 10, destination="KP")

    assert brief(fact) == ("breached", "PROHIBITED", "prohibited", None, None)
    assert brief(request) == ("refused", "PROHIBITED", "prohibited", None, None)
    assert alpha.oracle.committed("ALPHA", "KP") == 10 * H100
    assert alpha.oracle.installed("ALPHA") == 0


def test_case_7(usco: Caller) -> None:
    """A promise at home buys no room abroad, its delivery does."""
    usco.say("allocation", "2026-03-01", 75_268, destination="SA", consignee="USCO")
    promise = usco.say("allocation", "2026-03-02", 1_000_000, destination="US", consignee="USCO")
    still = usco.say("allocation", "2026-03-03", 1, destination="SA", consignee="USCO")
    delivered = usco.say("delivery", "2026-03-04", 1_000_000, under="r3")
    now = usco.say("allocation", "2026-03-05", 1, destination="SA", consignee="USCO")

    assert brief(promise) == ("admitted", "AIA", None, None, None)
    assert brief(still)[0] == "refused"
    assert brief(delivered) == ("admitted", "AIA", None, None, None)
    assert brief(now)[0] == "admitted"


def test_case_8(alpha: Caller) -> None:
    """LPP chips that arrive in the next year move to it, and their reversal moves them back."""
    asked = alpha.say("allocation", "2025-12-31", 1_699, destination="IN", consignee="BETA")
    came = alpha.say("delivery", "2026-01-05", 1_699, under="r1")

    assert brief(asked) == ("admitted", "LPP", "lpp-annual", 1_432, "BETA/2025")
    assert brief(came) == ("admitted", "LPP", "lpp-annual", 1_432, "BETA/2026")
    assert [alpha.oracle.lpp_used("BETA", year) for year in (2025, 2026)] == [0, 1_699 * H100]

    back = alpha.say("reversal", "2026-02-01", under="r2")

    assert brief(back) == ("admitted", "LPP", "lpp-annual", 1_432, "BETA/2025")
    assert [alpha.oracle.lpp_used("BETA", year) for year in (2025, 2026)] == [1_699 * H100, 0]


def test_case_9(alpha: Caller) -> None:
    """A delivery that states what is not open counts under what is; the limit first in the table speaks."""
    fact = alpha.say("delivery", "2026-02-01", 50_000, destination="IN", consignee="BETA", basis="AIA")

    assert brief(fact) == ("breached", "LICENSE", "authorization-unavailable", None, None)
    assert alpha.oracle.cap_used("IN") == 791_600_000


def test_case_10(alpha: Caller) -> None:
    """Chips beyond breach, attrition stops at what arrived, and what is drawn on cannot be reversed."""
    alpha.say("allocation", "2026-03-01", 10)
    assert brief(alpha.say("delivery", "2026-03-02", 12, under="r1")) == (
        *("breached", "LPP", "allocation-exceeded", None, None),
    )
    assert alpha.oracle.lpp_used("ALPHA", 2026) == 12 * H100
    assert code(alpha.say("attrition", "2026-03-03", 13, under="r2")) == "attrition-exceeds-left"
    assert code(alpha.say("reversal", "2026-03-03", under="r1")) == "reversal-drawn-on"


# --- SPEC 3: rejections -----------------------------------------------------------------------------------


def test_duplicates(alpha: Caller) -> None:
    """The same content, evidence and note apart, repeats the first decision; other is rejected."""
    row = {
        "reference": "x",
        "kind": "allocation",
        "date": "2026-03-01",
        "destination": "PR",
        "consignee": "ALPHA",
    }
    row |= {"chip": "h100", "quantity": "5"}
    first, again = alpha.oracle.submit("cloud", [row, row | {"note": "n", "evidence": "e", "site": " "}])
    [other] = alpha.oracle.submit("cloud", [row | {"destination": "US"}])
    [elsewhere] = alpha.oracle.submit("other", [row])

    assert again == {**first, "row": 2, "duplicate": True}
    assert other == {
        "row": 1,
        "reference": "x",
        "outcome": "rejected",
        "duplicate": False,
        "code": "reference-reused",
        "field": "reference",
    }
    assert elsewhere["sequence"] == 2


def test_rejection_leaves_nothing_unless_skipped(alpha: Caller) -> None:
    """Without skip_invalid one bad row takes the import with it, and only that row is reported."""
    good = {
        "reference": "a",
        "kind": "allocation",
        "date": "2026-03-01",
        "destination": "AE",
        "consignee": "ALPHA",
    }
    good |= {"chip": "h100", "quantity": "5"}
    bad = {"reference": "b", "kind": "lapse", "date": "2026-03-01", "quantity": "6", "under": "a"}

    assert [a["row"] for a in alpha.oracle.submit("cloud", [good, bad], skip_invalid=False)] == [2]
    assert alpha.oracle.history == []
    assert [a["outcome"] for a in alpha.oracle.submit("cloud", [good, bad])] == ["admitted", "rejected"]
    assert alpha.oracle.cap_used("AE") + alpha.oracle.lpp_used("ALPHA", 2026) == 5 * H100


def test_under_ladder(alpha: Caller) -> None:
    """Each way in which `under` can contradict the record has its code."""
    say = alpha.say
    say("allocation", "2026-03-01", 10, basis="LICENSE")  # r1
    say("allocation", "2026-03-01", 10, destination="KP")  # r2, refused
    say("delivery", "2026-03-05", 4, under="r1", destination="AE", basis="LICENSE")  # r3
    say("lapse", "2026-03-05", 1, under="r1")  # r4
    say("reversal", "2026-03-06", under="r4")  # r5

    assert code(say("lapse", "2026-03-05", 1, under="r99")) == "under-not-found"
    assert code(say("lapse", "2026-03-05", 1, under="r1", consignee="BETA")) == "under-disagrees"
    assert code(say("lapse", "2026-03-05", 1, under="r1", basis="LPP")) == "under-disagrees"
    assert code(say("lapse", "2026-03-05", 1, under="r3")) == "under-kind"
    assert code(say("reversal", "2026-03-06", under="r5")) == "under-kind"
    assert code(say("reversal", "2026-03-06", under="r4")) == "under-reversed"
    assert code(say("lapse", "2026-03-05", 1, under="r2")) == "under-refused"
    assert code(say("reversal", "2026-03-05", under="r2")) == "under-refused"
    assert code(say("lapse", "2026-02-28", 1, under="r1")) == "under-later"
    assert code(say("lapse", "2026-03-05", 7, under="r1")) == "lapse-exceeds-outstanding"
    assert say("lapse", "2026-03-05", 6, under="r1")["outcome"] == "admitted"
    assert code(say("reversal", "2026-03-07", under="r1")) == "reversal-drawn-on"
    assert code(Caller(alpha.oracle, "other").say("lapse", "2026-03-05", 1, under="r1")) == "under-not-found"


def test_repeated_basis_may_be_stated_or_determined(alpha: Caller) -> None:
    """Under a delivery that stated AIA and counts as LPP, either agrees; so do FR and GP."""
    alpha.say("delivery", "2026-03-01", 9, destination="IN", basis="AIA")

    for basis in ("AIA", "LPP"):
        assert alpha.say("attrition", "2026-03-02", 1, under="r1", basis=basis)["basis"] == "LPP"
    assert code(alpha.say("attrition", "2026-03-02", 1, under="r1", basis="LICENSE")) == "under-disagrees"
    alpha.say("delivery", "2026-03-01", 9, destination="GP")
    assert alpha.say("attrition", "2026-03-02", 1, under="r5", destination="FR")["outcome"] == "admitted"


def test_too_large() -> None:
    """What would pass the bound were it to count is rejected, refused though it would be."""
    caller = Caller(ledger(Rules(most_tpp=100)))

    assert caller.say("opening", "2024-01-01", 100, chip="one")["outcome"] == "admitted"
    assert code(caller.say("opening", "2024-01-01", 1, chip="one")) == "too-large"
    assert code(caller.say("allocation", "2026-01-01", 1, chip="one", destination="KP")) == "too-large"
    assert caller.say("allocation", "2026-01-01", 1_000, chip="l40")["basis"] == "UNCOUNTED"
    assert caller.say("attrition", "2026-01-01", 50, under="r1")["outcome"] == "admitted"
    assert caller.say("allocation", "2026-01-01", 50, chip="one")["outcome"] == "admitted"
    assert code(caller.say("reversal", "2026-01-01", under="r5")) == "too-large"


# --- SPEC 4: determination --------------------------------------------------------------------------------


def test_tiers_decide_first(alpha: Caller) -> None:
    """A tier-3 parent prohibits all; Cambodia leaves tier 3 on 2026-02-03; aliases count as countries."""
    assert alpha.say("allocation", "2026-03-01", 1, consignee="CNSUB", basis="LICENSE")["basis"] == "PROHIBITED"
    assert alpha.say("allocation", "2026-02-02", 1, destination="KH")["basis"] == "PROHIBITED"
    assert alpha.say("allocation", "2026-02-03", 1, destination="KH")["basis"] == "LPP"
    assert alpha.say("allocation", "2026-03-01", 1, destination="GP", consignee="FRCO")["basis"] == "AIA"
    assert alpha.say("allocation", "2026-03-01", 1, destination="HK")["basis"] == "PROHIBITED"


def test_what_is_open(alpha: Caller) -> None:
    """An allocation keeps what it stated and is refused; LPP opens on its day; a licence is always open."""
    assert brief(alpha.say("allocation", "2025-01-12", 1, basis="LPP"))[1:3] == (
        "LPP",
        "authorization-unavailable",
    )
    assert brief(alpha.say("allocation", "2025-01-12", 1))[1:3] == ("LICENSE", "country-cap")
    assert brief(alpha.say("allocation", "2025-01-13", 1, basis="LPP"))[:2] == ("admitted", "LPP")
    assert brief(alpha.say("allocation", "2026-03-01", 1, basis="NVEU"))[:2] == ("refused", "NVEU")
    assert brief(alpha.say("allocation", "2026-03-01", 1_700, basis="LPP")) == (
        *("refused", "LPP", "lpp-annual", 26_900_000, "ALPHA/2026"),
    )
    assert alpha.say("allocation", "2026-03-01", 1, consignee="USSUB")["basis"] == "UVEU"
    assert alpha.say("allocation", "2026-03-01", 1, consignee="NVCO")["basis"] == "NVEU"
    assert alpha.say("allocation", "2026-03-01", 1, consignee="NVCO", destination="SA")["basis"] == "LPP"
    closed = Caller(ledger(Rules(lpp_closed_to=frozenset({"AE"}))))
    assert closed.say("allocation", "2026-03-01", 1)["basis"] == "LICENSE"


def test_holding_ends_and_is_superseded(usco: Caller) -> None:
    """A later row for the same key ends an authorization, and what arrives after that breaches limit 2."""
    usco.say("allocation", "2026-03-01", 10, destination="SA", consignee="USCO")
    authorize(usco.oracle, "USCO", "UVEU", last="2026-03-31")

    assert usco.say("delivery", "2026-03-31", 1, under="r2")["outcome"] == "admitted"
    assert brief(usco.say("delivery", "2026-04-01", 1, under="r2"))[:3] == (
        *("breached", "UVEU", "authorization-unavailable"),
    )
    assert brief(usco.say("allocation", "2026-04-01", 1, destination="SA", consignee="USCO"))[1:3] == (
        *("LPP", "lpp-annual"),
    )


def test_delivery_under_refused_allocation(alpha: Caller) -> None:
    """It has a basis of its own, every chip is beyond, and it counts."""
    alpha.say("allocation", "2026-03-01", 50_000)
    fact = alpha.say("delivery", "2026-03-02", 1_000, under="r1")
    stated = alpha.say("delivery", "2026-03-02", 1, under="r1", basis="LICENSE")

    assert brief(fact) == ("breached", "LPP", "allocation-exceeded", None, None)
    assert brief(stated)[:2] == ("breached", "LICENSE")
    assert alpha.oracle.committed("ALPHA", "AE") == alpha.oracle.installed("ALPHA") == 1_001 * H100
    assert alpha.oracle.pending("ALPHA", "AE") == 0
    assert alpha.say("reversal", "2026-03-03", under="r2")["outcome"] == "admitted"


def test_uncounted(alpha: Caller) -> None:
    """A chip of another class is tested against nothing, in tier 3 and beyond its allocation too."""
    assert brief(alpha.say("allocation", "2026-03-01", 5, destination="KP", chip="l40", basis="AIA")) == (
        *("admitted", "UNCOUNTED", None, None, None),
    )
    assert brief(alpha.say("delivery", "2026-03-01", 6, under="r1"))[:2] == ("admitted", "UNCOUNTED")
    assert code(alpha.say("lapse", "2026-03-01", 1, under="r1")) == "lapse-exceeds-outstanding"
    assert alpha.oracle.committed("ALPHA", "KP") == 0


# --- SPEC 5 and 6 -----------------------------------------------------------------------------------------


def test_delivery_partly_beyond(alpha: Caller) -> None:
    """What is outstanding is fulfilled, the rest is beyond; a reversal makes it outstanding again."""
    alpha.say("allocation", "2026-03-01", 10, basis="LICENSE")
    alpha.say("lapse", "2026-03-02", 3, under="r1")
    alpha.say("delivery", "2026-03-03", 9, under="r1")

    oracle = alpha.oracle
    assert [oracle.cap_used("AE"), oracle.committed("ALPHA", "AE")] == [12 * H100, 9 * H100]
    assert [oracle.pending("ALPHA", "AE"), oracle.installed("ALPHA")] == [0, 9 * H100]
    assert alpha.say("delivery", "2026-03-03", 1, under="r1")["limit_id"] == "allocation-exceeded"

    alpha.say("reversal", "2026-03-04", under="r3")

    assert [oracle.cap_used("AE"), oracle.committed("ALPHA", "AE")] == [11 * H100, 8 * H100]
    assert oracle.pending("ALPHA", "AE") == 7 * H100
    assert brief(alpha.say("delivery", "2026-03-05", 7, under="r1")) == (
        "admitted",
        "LICENSE",
        None,
        None,
        None,
    )


def test_lapse_and_the_cap() -> None:
    """A lapse restores a country's cap only where the switch is on, and its reversal is then tested."""
    for restores in (False, True):
        caller = Caller(ledger(Rules(lapse_restores_cap=restores, cap_tpp=20), None))
        caller.say("allocation", "2026-03-01", 15, chip="one", basis="LICENSE")
        caller.say("lapse", "2026-03-02", 10, under="r1")
        second = caller.say("allocation", "2026-03-03", 12, chip="one", basis="LICENSE")
        back = caller.say("reversal", "2026-03-04", under="r2")

        assert brief(second)[0::3] == (("admitted", 3) if restores else ("refused", 5))
        expected = (
            ("breached", "LICENSE", "country-cap", 0, "AE") if restores else ("admitted", "LICENSE", None, None, None)
        )
        assert brief(back) == expected


def test_uplift_follows_the_date_and_rounds_down() -> None:
    """The latest assurance not after the record's date is in force."""
    caller = Caller(ledger(Rules(cap_tpp=99), None))
    for percent, first in (("50", "2026-01-01"), ("10", "2026-06-01"), ("51", "2026-01-01")):
        caller.oracle.register("assurances", {"destination": "AE", "uplift_percent": percent, "valid_from": first})

    def left(day: str) -> object:
        return caller.say("allocation", day, 1, chip="one", basis="LICENSE")["remaining_tpp"]

    assert [left("2025-12-31"), left("2026-01-01"), left("2026-06-01")] == [98, 149 - 2, 108 - 3]


def test_horizon(alpha: Caller) -> None:
    """After 2027 no figure is published for NVEU or tier-2 licences; LPP goes on, facts still count."""
    assert brief(alpha.say("allocation", "2028-01-01", 1, basis="LICENSE"))[:3] == (
        "refused",
        "LICENSE",
        "beyond-horizon",
    )
    assert brief(alpha.say("delivery", "2028-01-01", 1, consignee="NVCO"))[:3] == (
        "breached",
        "NVEU",
        "beyond-horizon",
    )
    assert brief(alpha.say("allocation", "2028-01-01", 1))[:2] == ("admitted", "LPP")
    assert brief(alpha.say("allocation", "2028-01-01", 1, destination="FR", basis="LICENSE"))[0] == "admitted"
    assert alpha.oracle.nveu_base("NVCO", "AE", "2027Q4") == 0
    assert alpha.oracle.committed("NVCO", "AE") == H100


def test_nveu_quarters() -> None:
    """Openings of any basis fill the base; the quarter of the record and every later one is tested."""
    rules = Rules(nveu_schedule={"2026Q1": 100, "2026Q2": 120, "2026Q3": 110})
    caller = Caller(ledger(rules))

    def say(kind: str, day: str, quantity: int | None = None, **columns: str) -> tuple[object, ...]:
        place = {} if "under" in columns else {"consignee": "NVCO", "chip": "one"}
        return brief(caller.say(kind, day, quantity, **place, **columns))

    assert say("opening", "2024-01-01", 60, basis="LICENSE") == (
        "admitted",
        "LICENSE",
        None,
        None,
        None,
    )  # r1
    assert say("allocation", "2026-04-01", 50)[2:] == ("nveu-installed-base", 0, "NVCO/AE/2026Q3")  # r2
    # in 2026 Q1 there is room, in Q3 there is none
    assert say("allocation", "2026-01-01", 1) == (*("refused", "NVEU", "nveu-installed-base", 0, "NVCO/AE/2026Q3"),)
    assert say("attrition", "2026-07-01", 5, under="r1") == ("admitted", "LICENSE", None, None, None)  # r4
    # now Q3 has 5 left, and Q2, where that attrition had not happened yet, 10
    assert say("allocation", "2026-05-01", 4)[2:] == ("nveu-installed-base", 1, "NVCO/AE/2026Q3")
    assert say("lapse", "2026-09-30", 50, under="r2") == ("admitted", "NVEU", None, None, None)  # r6
    assert say("reversal", "2026-10-01", under="r6")[2:] == ("nveu-installed-base", 1, "NVCO/AE/2026Q3")
    assert caller.oracle.nveu_base("NVCO", "AE", "2026Q2") == 114


def test_lpp_move_breaches_the_new_year(alpha: Caller) -> None:
    """Chips that fulfil in another year are tested there, with those beyond."""
    alpha.say("allocation", "2025-12-01", 1_000)
    alpha.say("allocation", "2026-01-01", 1_000)
    came = alpha.say("delivery", "2026-01-02", 1_000, under="r1")

    assert brief(came) == ("breached", "LPP", "lpp-annual", 0, "ALPHA/2026")
    assert alpha.oracle.lpp_used("ALPHA", 2025) == 0
    # a lapse is in its allocation's year, and worsens nothing
    assert brief(alpha.say("lapse", "2026-01-03", 1_000, under="r2")) == ("admitted", "LPP", None, None, None)
    assert alpha.oracle.lpp_used("ALPHA", 2026) == 1_000 * H100


def test_family_is_read_as_it_stands(alpha: Caller) -> None:
    """A party that is sold takes its contributions along to the family that it joins."""
    alpha.say("allocation", "2026-03-01", 1_000)
    alpha.oracle.register("parties", {"party": "ALPHA", "headquarters": "AE", "parent": "BETA"})
    joined = alpha.say("allocation", "2026-03-01", 699, consignee="BETA")

    assert brief(joined) == ("admitted", "LPP", "lpp-annual", 1_432, "BETA/2026")
    assert alpha.oracle.lpp_used("BETA", 2026) == 1_699 * H100


def test_share_wholes_count_restricted_pending_only(usco: Caller) -> None:
    """A promise to France widens the whole of limit 9 alone, and is tested against it alone."""
    asked = usco.say("allocation", "2026-03-01", 1_000_000, destination="FR", consignee="USCO", chip="h100")
    over = usco.say("allocation", "2026-03-01", 1, destination="FR", consignee="USCO")

    assert brief(asked) == ("admitted", "AIA", "uveu-outside-us", 0, "USCO")
    assert brief(over) == ("refused", "AIA", "uveu-outside-us", 0, "USCO")
    dates = Caller(ledger(Rules(outside_us_each_record=False)))
    assert brief(dates.say("delivery", "2026-03-01", 1, destination="FR", consignee="USCO"))[:3] == (
        *("admitted", "AIA", None),
    )


def test_outside_tier_1_speaks_when_it_has_least_left(usco: Caller) -> None:
    """Four countries at 7 percent are over 25 percent together."""
    for place in ("SA", "AE", "IN"):
        asked = usco.say("allocation", "2026-03-01", 70_000, destination=place, consignee="USCO")
        assert brief(asked)[0::2] == ("admitted", "uveu-single-country", "USCO/" + place)
    for place, quantity in (("BR", 70_000), ("MX", 60_000)):
        asked = usco.say("allocation", "2026-03-01", quantity, destination=place, consignee="USCO")
    # 340,000 of 1,340,000 pass 25 percent; before it: (25 x 1,280,000 - 100 x 280,000) x 15,832 / 75
    assert brief(asked) == ("refused", "UVEU", "uveu-outside-tier-1", 844_373_333, "USCO")


def test_attrition_of_what_was_left_out(usco: Caller) -> None:
    """Chips that limit 1 marks are committed and not installed, and their attrition is of committed alone."""
    usco.say("delivery", "2026-03-01", 10, destination="KP", consignee="USCO")
    assert usco.oracle.installed("USCO") == 1_000_000 * H100
    gone = usco.say("attrition", "2026-03-02", 4, under="r2")

    assert brief(gone) == ("admitted", "PROHIBITED", None, None, None)
    assert usco.oracle.installed("USCO") == 1_000_000 * H100
    assert usco.oracle.committed("USCO", "KP") == 6 * H100


def test_greatest_excess_speaks(usco: Caller) -> None:
    """Of the places over 7 percent the one furthest over speaks; of equals the first in order of code."""
    for place, quantity in (("SA", 70_000), ("IN", 71_000), ("AE", 71_000)):
        usco.say("delivery", "2026-03-01", quantity, destination=place, consignee="USCO")

    assert brief(usco.say("attrition", "2026-03-02", 900_000, under="r1"))[2:] == (
        "uveu-single-country",
        0,
        "USCO/AE",
    )
    assert brief(usco.say("reversal", "2026-03-02", under="r3"))[2:] == ("uveu-single-country", 0, "USCO/AE")


def test_limit_1_on_a_deliverys_own_date() -> None:
    """What a consignee that was sold to tier 3 receives is prohibited, fulfils, and is not installed."""
    caller = Caller(ledger())
    caller.say("allocation", "2026-03-01", 10)
    caller.oracle.register("parties", {"party": "ALPHA", "headquarters": "AE", "parent": "CNCO"})
    came = caller.say("delivery", "2026-03-02", 4, under="r1")

    assert brief(came) == ("breached", "LPP", "prohibited", None, None)
    assert [caller.oracle.installed("CNCO"), caller.oracle.pending("CNCO", "AE")] == [0, 6 * H100]
    assert caller.oracle.committed("CNCO", "AE") == 10 * H100


# --- properties -------------------------------------------------------------------------------------------

DAYS = st.dates(date(2025, 1, 1), date(2028, 3, 1)).map(str)
STEPS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["opening", "allocation", "delivery", "lapse", "attrition", "reversal"]),
        "day": DAYS,
        "destination": st.sampled_from(["AE", "IN", "US", "FR", "KH", "KP", "PR"]),
        "consignee": st.sampled_from([party for party, *_ in PARTIES]),
        "chip": st.sampled_from(["h100", "l40", "one"]),
        "quantity": st.integers(1, 60_000),
        "basis": st.sampled_from(["", "", "", "LICENSE", "LPP", "NVEU", "UVEU", "AIA"]),
        "under": st.integers(0, 12),
    }
)


def as_row(number: int, step: Mapping[str, object]) -> dict[str, str]:
    """A well-formed row from what hypothesis drew; `under` names one of the rows before."""
    kind, under = str(step["kind"]), int(str(step["under"]))
    row = {"reference": f"r{number}", "kind": kind, "date": str(step["day"])}
    if kind != "reversal":
        row["quantity"] = str(step["quantity"])
    if kind == "opening":
        row["date"] = "2024-05-01"
    if kind in ("lapse", "attrition", "reversal") or (kind == "delivery" and under):
        return row | {"under": f"r{number - under}", "note": "wrong"}
    return row | {column: str(step[column]) for column in ("destination", "consignee", "chip", "basis")}


def balances(oracle: Oracle) -> list[int]:
    """Every account that these rows can touch."""
    families, places = [party for party, *_ in PARTIES], ["AE", "IN", "US", "FR", "KH", "KP"]
    return [
        *(oracle.cap_used(place) for place in places),
        *(oracle.lpp_used(family, year) for family in families for year in range(2025, 2029)),
        *(oracle.installed(family) for family in families),
        *(oracle.committed(family, place) for family in families for place in places),
        *(oracle.pending(family, place) for family in families for place in places),
        *(oracle.nveu_base(family, place, "2027Q4") for family in families for place in places),
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_a_file_is_its_rows_one_at_a_time(steps: list[dict[str, object]]) -> None:
    """A batch gives the answers of its rows alone, and no balance is ever below 0."""
    rows = [as_row(number, step) for number, step in enumerate(steps)]
    batch, single = ledger(), ledger()
    together = batch.submit("cloud", rows)
    apart = [single.submit("cloud", [row])[0] | {"row": number} for number, row in enumerate(rows, start=1)]

    assert together == apart
    assert balances(batch) == balances(single)
    assert min(balances(batch)) >= 0


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_reversing_everything_restores_nothing(steps: list[dict[str, object]]) -> None:
    """Reversals of all that counts, newest first, bring every account back to 0."""
    oracle = ledger()
    oracle.submit("cloud", [as_row(number, step) for number, step in enumerate(steps)])
    for number, record in reversed(list(enumerate(oracle.history))):
        row = {"kind": "reversal", "date": "2029-01-01", "under": record.given["reference"], "note": "all"}
        oracle.submit("cloud", [row | {"reference": f"undo{number}"}])

    assert not any(balances(oracle))
