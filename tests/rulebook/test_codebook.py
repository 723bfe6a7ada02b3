"""The registers as they stand, and the codebook's answers: caps, authorizations, families, tiers."""

from datetime import date
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.dates import FOREVER
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.registers import Assurance, Authorization, Chip, Party, Registers, Row
from ledger.rulebook.rulebook import Rulebook
from ledger.store.seeds import DEFAULT_RULEBOOK, country_names, find_rulebook, parse_rulebook
from tests.harness import amended

RULEBOOK: Final = find_rulebook(DEFAULT_RULEBOOK)
CAP: Final = 790_000_000
COUNTRIES: Final = tuple(country_names())


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def codebook(*rows: Row, rulebook: Rulebook = RULEBOOK) -> Codebook:
    return Codebook(rulebook, Registers().with_rows(list(rows)), COUNTRIES)


def cap(book: Codebook, country: str, on: str) -> int:
    return book.cap(book.counted[book.place_of[country]], day(on))


def uplift(country: str, percent: int, valid_from: str) -> Assurance:
    return Assurance(country, percent, day(valid_from))


USCO: Final = Party("USCO", "US Company", "US")
GULF: Final = Party("GULF", "Its subsidiary", "AE", "USCO")
DESERT: Final = Party("DESERT", "Its subsidiary's subsidiary", "SA", "GULF")
INDUS: Final = Party("INDUS", "Indian Company", "IN")


def holds_uveu(book: Codebook, party: str, on: str) -> bool:
    return book.holds_uveu(book.families[book.party_of[party]], day(on))


def holds_nveu(book: Codebook, party: str, country: str, on: str) -> bool:
    place = book.counted[book.place_of[country]]
    return book.holds_nveu(book.families[book.party_of[party]], place, day(on))


def test_a_country_without_assurances_has_the_plain_cap() -> None:
    """Without a row of assurances a cap is the rulebook's figure."""
    book = codebook(uplift("SA", 50, "2025-01-01"))

    assert cap(book, "AE", "2027-12-31") == CAP


def test_the_latest_uplift_not_after_the_date_is_in_force() -> None:
    """An uplift holds from its first day to the day before the next, even where the next is lower."""
    book = codebook(uplift("AE", 20, "2026-01-01"), uplift("AE", 50, "2025-06-01"), uplift("AE", 0, "2027-01-01"))
    days = ("2025-05-31", "2025-06-01", "2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01")
    percents = (0, 50, 50, 20, 20, 0)

    assert [cap(book, "AE", on) for on in days] == [CAP + CAP * percent // 100 for percent in percents]


def test_a_superseding_row_replaces_the_uplift_of_its_day() -> None:
    """Of two rows of one country and day, the later recorded one counts."""
    book = codebook(uplift("AE", 50, "2025-06-01"), uplift("AE", 30, "2025-06-01"))

    assert cap(book, "AE", "2025-06-01") == CAP + CAP * 30 // 100


@pytest.mark.parametrize("codes", [("US", "PR"), ("PR", "US")])
def test_rows_of_a_territory_and_its_country_are_rows_of_one_account(codes: tuple[str, str]) -> None:
    """PR counts as US: of two rows for one day under the two codes, the later recorded one counts for both."""
    book = codebook(uplift(codes[0], 10, "2025-06-01"), uplift(codes[1], 20, "2025-06-01"))

    assert {cap(book, code, "2025-06-01") for code in ("US", "PR", "GU")} == {CAP + CAP * 20 // 100}


def test_recording_a_row_again_makes_it_the_later_one() -> None:
    """A row that is recorded again under PR after one under US is the one that counts."""
    first, second = uplift("PR", 10, "2025-06-01"), uplift("US", 20, "2025-06-01")
    book = codebook(first, second, uplift("PR", 30, "2025-06-01"))

    assert cap(book, "US", "2025-06-01") == CAP + CAP * 30 // 100


@pytest.mark.parametrize(("figure", "percent", "expected"), [(999, 33, 1328), (999, 0, 999), (1, 99, 1), (0, 100, 0)])
def test_an_uplift_is_rounded_down(figure: int, percent: int, expected: int) -> None:
    """What an uplift adds is rounded down to whole TPP."""
    book = codebook(uplift("AE", percent, "2025-01-01"), rulebook=amended(country_cap_tpp=str(figure)))

    assert cap(book, "AE", "2025-01-01") == expected


@pytest.mark.parametrize(("most", "percent"), [(100, 80), (80, 80), (50, 50), (0, 0)])
def test_an_uplift_is_at_most_what_the_rulebook_allows(most: int, percent: int) -> None:
    """An uplift beyond the rulebook's greatest counts as the greatest."""
    book = codebook(uplift("AE", 80, "2025-01-01"), rulebook=amended(uplift_percent_max=str(most)))

    assert cap(book, "AE", "2025-01-01") == CAP + CAP * percent // 100


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 100)), max_size=6), st.integers(-1, 10))
def test_the_uplift_in_force_is_that_of_a_plain_search(rows: list[tuple[int, int]], on: int) -> None:
    """In whatever order rows were recorded, the last recorded row of the latest day not after the date counts."""
    start = day("2025-01-01")
    book = codebook(*(Assurance("AE", percent, start + offset) for offset, percent in rows))
    best = max((offset for offset, _ in rows if offset <= on), default=None)
    percent = 0 if best is None else [percent for offset, percent in rows if offset == best][-1]

    assert book.cap(book.place_of["AE"], start + on) == CAP + CAP * percent // 100


def test_an_authorization_holds_on_its_first_and_last_day() -> None:
    """Both valid_from and valid_to are included; without valid_to an authorization does not end."""
    book = codebook(
        *(USCO, INDUS, GULF),
        Authorization("USCO", "UVEU", "", day("2025-02-01"), day("2027-06-30")),
        Authorization("INDUS", "NVEU", "IN", day("2025-04-01"), day("2025-04-01")),
        Authorization("INDUS", "NVEU", "SA", day("2025-04-01")),
    )
    days = ("2025-01-31", "2025-02-01", "2027-06-30", "2027-07-01")

    assert [holds_uveu(book, "USCO", on) for on in days] == [False, True, True, False]
    assert [holds_nveu(book, "INDUS", "IN", on) for on in ("2025-03-31", "2025-04-01", "2025-04-02")] == [
        *(False, True, False)
    ]
    assert [holds_nveu(book, "INDUS", "SA", on) for on in ("2025-03-31", "2025-04-01", "9999-12-31")] == [
        *(False, True, True)
    ]


def test_an_authorization_of_any_party_is_the_familys() -> None:
    """What a subsidiary's subsidiary holds, the ultimate parent and all others of the family hold."""
    book = codebook(USCO, GULF, DESERT, INDUS, Authorization("DESERT", "UVEU", "", day("2025-01-01")))

    assert [holds_uveu(book, party, "2025-01-01") for party in ("USCO", "GULF", "DESERT", "INDUS")] == [
        *(True, True, True, False)
    ]


@pytest.mark.parametrize(
    ("headquarters", "on", "holds"),
    [
        ("US", "2025-01-01", True),
        ("PR", "2025-01-01", True),
        ("AE", "2025-01-01", False),
        ("CN", "2025-01-01", False),
        ("KH", "2026-02-02", False),
        ("KH", "2026-02-03", False),
    ],
)
def test_uveu_is_held_only_while_the_ultimate_parent_is_in_tier_1(headquarters: str, on: str, *, holds: bool) -> None:
    """UVEU of a family whose ultimate parent is headquartered outside tier 1 is not held, whoever was granted it."""
    rows = Party("TOP", "Top", headquarters), Party("SUB", "Sub", "US", "TOP")
    book = codebook(*rows, Authorization("SUB", "UVEU", "", day("2025-01-01")))

    assert holds_uveu(book, "SUB", on) is holds


def test_uveu_follows_the_tier_of_the_day() -> None:
    """A headquarters that leaves tier 1 on a day takes UVEU with it from that day on."""
    texts = dict(RULEBOOK.texts)
    leaves = '\n[[tier]]\ntier = 1\ncountries = ["SG"]\nto = 2026-06-30\ncitation = "15 CFR"\n'
    texts["tiers.toml"] += leaves + 'certainty = "chosen"\nsentence = "An invented case."\n'
    rows = Party("TOP", "Top", "SG"), Authorization("TOP", "UVEU", "", day("2025-01-01"))
    book = codebook(*rows, rulebook=parse_rulebook(texts))

    assert [holds_uveu(book, "TOP", on) for on in ("2026-06-30", "2026-07-01")] == [True, False]


def test_nveu_is_held_for_one_destination() -> None:
    """NVEU for a country holds for that country alone, and for territories that count as it."""
    book = codebook(
        *(USCO, INDUS),
        Authorization("INDUS", "NVEU", "IN", day("2025-01-01")),
        Authorization("USCO", "NVEU", "RE", day("2025-01-01")),
    )

    assert [holds_nveu(book, "INDUS", code, "2025-01-01") for code in ("IN", "AE", "SA")] == [True, False, False]
    assert [holds_nveu(book, "USCO", code, "2025-01-01") for code in ("FR", "GP", "RE", "IN")] == [
        *(True, True, True, False)
    ]
    assert not holds_uveu(book, "INDUS", "2025-01-01")


def test_a_superseding_row_ends_an_authorization() -> None:
    """A later row with the same party, basis, destination and first day replaces the earlier, others stay."""
    book = codebook(
        USCO,
        Authorization("USCO", "UVEU", "", day("2025-01-01")),
        Authorization("USCO", "UVEU", "", day("2027-01-01")),
        Authorization("USCO", "UVEU", "", day("2025-01-01"), day("2025-12-31")),
    )
    days = ("2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01")

    assert [holds_uveu(book, "USCO", on) for on in days] == [True, False, False, True]


@pytest.mark.parametrize(("codes", "ends"), [(("FR", "RE"), True), (("RE", "FR"), False)])
def test_authorizations_of_a_territory_and_its_country_supersede_one_another(
    codes: tuple[str, str], *, ends: bool
) -> None:
    """Of rows for RE and FR with one first day, the later recorded one stands."""
    last = {"FR": FOREVER, "RE": day("2025-12-31")}
    rows = [Authorization("USCO", "NVEU", code, day("2025-01-01"), last[code]) for code in codes]
    book = codebook(USCO, *rows)

    assert holds_nveu(book, "USCO", "FR", "2026-01-01") is not ends


def test_recording_an_authorization_again_makes_it_the_later_one() -> None:
    """A row that is recorded again under RE after one under FR is the one that stands."""
    ended = Authorization("USCO", "NVEU", "RE", day("2025-01-01"), day("2025-12-31"))
    going_on = Authorization("USCO", "NVEU", "FR", day("2025-01-01"))

    assert holds_nveu(codebook(USCO, ended, going_on), "USCO", "FR", "2026-01-01")
    assert not holds_nveu(codebook(USCO, ended, going_on, ended), "USCO", "FR", "2026-01-01")


def test_families_follow_the_last_recorded_parent() -> None:
    """A party whose parent is changed takes its own subsidiaries along."""
    sold = Party("GULF", "Sold", "AE", "INDUS")
    registers = Registers().with_rows([USCO, GULF, DESERT, INDUS])
    after = registers.with_rows([sold])

    assert [registers.family(party) for party in registers.parties] == ["USCO", "USCO", "USCO", "INDUS"]
    assert [after.family(party) for party in after.parties] == ["USCO", "INDUS", "INDUS", "INDUS"]
    assert [codebook(USCO, GULF, DESERT, INDUS, sold).families[n] for n in range(4)] == [0, 3, 3, 3]


def test_places_are_numbered_in_the_order_of_their_codes() -> None:
    """Ties in order of code are ties in order of number."""
    book = Codebook(RULEBOOK, Registers(), tuple(reversed(COUNTRIES)))

    assert list(book.places) == sorted(COUNTRIES)
    assert book.places[book.counted[book.place_of["HK"]]] == "CN"


def test_the_codebook_has_the_tiers_of_the_rulebook_on_every_side_of_a_change() -> None:
    """Tiers by number agree with the rulebook's on the days around each change."""
    book = codebook()
    days = {n for change in RULEBOOK.tier_changes for n in (change - 1, change)} | {1, FOREVER}

    for on in sorted(days):
        assert book.tiers(on) == [RULEBOOK.tier(code, on) for code in book.places]


def test_lpp_opens_on_its_day_and_is_closed_where_the_switch_says() -> None:
    """LPP is open everywhere from its first day, or, with the switch, everywhere but in the listed countries."""
    listed = amended(lpp_destinations='"except-listed"', lpp_excluded_destinations='["AE", "RE"]')
    plain, closed = codebook(), codebook(rulebook=listed)

    def is_open(book: Codebook, code: str, on: str) -> bool:
        return book.lpp_is_open(book.counted[book.place_of[code]], day(on))

    assert [is_open(plain, "AE", on) for on in ("2025-01-12", "2025-01-13")] == [False, True]
    assert [is_open(closed, code, "2025-01-13") for code in ("AE", "IN", "FR")] == [False, True, False]


def test_only_chips_of_the_counted_class_count() -> None:
    """A chip counts if its class is exactly the rulebook's."""
    rows = [Chip(f"C{n}", "Chip", "", 100 + n, kind, "") for n, kind in enumerate(("3A090.a", "3A090.b", "3a090.a"))]
    book = codebook(*rows)

    assert book.chip_counts == [True, False, False]
    assert book.chip_tpp == [100, 101, 102]


ROWS: Final = st.one_of(
    st.builds(Party, st.sampled_from("AB"), st.sampled_from("xyz"), st.just("US")),
    st.builds(
        Authorization,
        *(st.sampled_from("AB"), st.sampled_from(("UVEU", "NVEU")), st.sampled_from(("AE", "SA"))),
        *(st.integers(1, 2), st.integers(3, 9)),
    ),
    st.builds(Assurance, st.sampled_from(("AE", "SA")), st.integers(0, 100), st.integers(1, 2)),
    st.builds(Chip, st.sampled_from("AB"), *(st.sampled_from("xyz"),) * 2, *(st.just(1), st.just("a"), st.just(""))),
)


def key(row: Row) -> tuple[object, ...]:
    match row:
        case Party():
            return "party", row.party
        case Authorization():
            return "authorization", row.party, row.basis, row.destination, row.valid_from
        case Assurance():
            return "assurance", row.destination, row.valid_from
        case Chip():
            return "chip", row.chip


@given(st.lists(ROWS, max_size=12), st.integers(0, 12))
def test_the_last_row_of_a_key_is_in_force(rows: list[Row], cut: int) -> None:
    """However rows are split into files, the last of a key stands, and nothing is left of those before."""
    registers = Registers().with_rows(rows[:cut]).with_rows(rows[cut:])
    last = {key(row): row for row in rows}
    tables = registers.parties, registers.authorizations, registers.assurances, registers.chips
    standing = [row for table in tables for row in table.values()]

    assert registers == Registers().with_rows(rows)
    assert all(registers.in_force(row) == last[key(row)] for row in rows)
    assert {key(row): row for row in standing} == last
    assert len(standing) == len(last)


def test_making_new_registers_leaves_the_old_ones_as_they_were() -> None:
    """Registers are values: an old one still says what stood then."""
    before = Registers().with_rows([USCO])
    after = before.with_rows([Party("USCO", "Renamed", "GB"), INDUS])

    assert (before.parties, before.in_force(INDUS)) == ({"USCO": USCO}, None)
    assert after.parties["USCO"].headquarters == "GB"
    assert list(after.parties) == ["USCO", "INDUS"]
