"""Register files through the command: what is turned away, with file, row and column, leaving nothing behind."""

from pathlib import Path

import pytest

from tests.cli.command import PARTIES, fresh, untouched

_PARTIES = "party,name,headquarters,parent\n"
_HELD = "party,basis,destination,valid_from,valid_to\n"
_CHIPS = "chip,name,tpp,class\n"
_UPLIFTS = "destination,uplift_percent,valid_from\n"


@pytest.mark.parametrize(
    ("register", "content", "place", "words"),
    [
        ("parties", _PARTIES + "B,B,AE,\nUSCO,Us,US,SUB\n", "row 2, parent", ("lead back", '"USCO"')),
        ("parties", _PARTIES + "B,B,AE,B\n", "row 1, parent", ("lead back", '"B"')),
        ("parties", _PARTIES + "B,B,AE,ALHPA\n", "row 1, parent", ('"ALHPA"', 'did you mean "ALPHA"?')),
        ("parties", _PARTIES + "B,B,AE,C\nC,C,AE,\n", "row 1, parent", ('"C"', "no row before this one")),
        ("parties", _PARTIES + "A/B,B,AE,\n", "row 1, party", ("no slash",)),
        ("parties", _PARTIES + "B,B,UK,\n", "row 1, headquarters", ('did you mean "GB"?',)),
        ("parties", _PARTIES + "B,,AE,\n", "row 1, name", ("found nothing",)),
        ("parties", _PARTIES + "B,B\n", "row 1", ("found 2 fields, expected 4",)),
        ("parties", _PARTIES + "B\x1b,B,AE,\n", "row 1, party", ("U+001B",)),
        ("parties", _PARTIES + "B" * 129 + ",B,AE,\n", "row 1, party", ("129", "at most 128")),
        ("parties", "", "", ("empty",)),
        ("parties", "party,name\nB,B\n", "headquarters", ("lacks the column",)),
        ("parties", _PARTIES.replace("parent", "parnt"), "parnt", ('did you mean "parent"?',)),
        ("authorizations", _HELD + "ALPHA,UVEU,,2025-06-01,\n", "row 1, party", ("tier 2", "UVEU is for tier 1")),
        ("authorizations", _HELD + "USCO,UVEU,,2025-06-01,2025-05-31\n", "row 1, valid_to", ("before valid_from",)),
        ("authorizations", _HELD + "USCO,LPP,,2025-06-01,\n", "row 1, basis", ("expected UVEU or NVEU",)),
        ("authorizations", _HELD + "USCO,NVEU,,2025-06-01,\n", "row 1, destination", ("one destination",)),
        ("authorizations", _HELD + "USCO,UVEU,AE,2025-06-01,\n", "row 1, destination", ("leave it blank",)),
        ("authorizations", _HELD + "UCSO,UVEU,,2025-06-01,\n", "row 1, party", ('did you mean "USCO"?',)),
        ("authorizations", _HELD + "USCO,UVEU,,01/06/2025,\n", "row 1, valid_from", ("YYYY-MM-DD",)),
        ("assurances", _UPLIFTS + "AE,101,2025-06-01\n", "row 1, uplift_percent", ("0 to 100",)),
        ("assurances", _UPLIFTS + "AE,-1,2025-06-01\n", "row 1, uplift_percent", ("0 to 100",)),
        ("assurances", _UPLIFTS + "AE,10.5,2025-06-01\n", "row 1, uplift_percent", ("digits only",)),
        ("chips", _CHIPS + "H100,H100,15833,3A090.a\n", "row 1, tpp", ("15,832 TPP", "another id")),
        ("chips", _CHIPS + "H100,H100,15832,3A090.b\n", "row 1, class", ("another id",)),
        ("chips", _CHIPS + "X,X,0,3A090.a\n", "row 1, tpp", ("1 to 10,000,000",)),
        ("chips", _CHIPS + "X,X,10000001,3A090.a\n", "row 1, tpp", ("1 to 10,000,000",)),
    ],
)
def test_a_bad_register_file_is_rejected(
    register: str, content: str, place: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    """A bad row rejects its register file with row, column and reason; no row of it is registered."""
    ledger = fresh(tmp_path)
    ledger.write("r.csv", content)
    ran = ledger.run("register", register, "r.csv")
    first = ran.err.splitlines()[0]

    assert (ran.code, ran.out) == (1, "")
    assert first.startswith("rejected: r.csv" + (f", {place}: " if place else ": "))
    assert not [word for word in words if word not in first]
    assert ran.sentence.startswith("quotaledger: nothing was registered")
    assert ledger.counted() == untouched()


def test_the_same_register_file_again_changes_nothing(tmp_path: Path) -> None:
    """Rows that already stand so are counted as such, and no batch is made of them."""
    ledger = fresh(tmp_path)
    ledger.write("r.csv", PARTIES)
    ran = ledger.run("register", "parties", "r.csv")

    assert ran.code == 0
    assert "0 rows recorded, 3 stood so already" in ran.out
    assert ledger.counted() == untouched()


def test_many_bad_register_rows_are_a_bounded_list(tmp_path: Path) -> None:
    """Of many bad rows a hundred are shown, and the rest is counted without a hint that only import has."""
    ledger = fresh(tmp_path)
    ledger.write("r.csv", _PARTIES + "".join(f"P{n},P,ZZ,\n" for n in range(250)))
    ran = ledger.run("register", "parties", "r.csv")

    assert ran.err.count("rejected: r.csv") == 100
    assert "and 150 more faults" in ran.err
    assert "--decisions" not in ran.err
    assert "250 of 250 rows" in ran.sentence


def test_an_unknown_register_is_wrong_usage(tmp_path: Path) -> None:
    """A register that there is not is exit code 2, and those that there are stand in the sentence."""
    ran = fresh(tmp_path).run("register", "partys", "r.csv")

    assert ran.code == 2
    assert "parties" in ran.sentence


def test_a_class_that_nearly_counts_is_rejected(tmp_path: Path) -> None:
    """Capitals, blanks and dots make no other class: such chips would pass uncounted."""
    ledger = fresh(tmp_path)
    for written in ("3a090.a", "3A090 .a", "3A090a"):
        ledger.write("r.csv", _CHIPS + f"X,X,1000,{written}\n")
        ran = ledger.run("register", "chips", "r.csv")

        assert ran.code == 1
        assert 'did you mean "3A090.a"?' in ran.err
    assert ledger.counted() == untouched()


def test_what_a_later_row_changes_is_said(tmp_path: Path) -> None:
    """A file that lacks the column of parents cuts parties off from theirs, and says so; new rows change nothing."""
    ledger = fresh(tmp_path)
    ledger.write("r.csv", "party,name,headquarters\nSUB,Sub,SA\nNEW,New,SA\nUSCO,Us Company,US\n")
    ran = ledger.run("register", "parties", "r.csv")

    assert ran.code == 0
    assert ran.err.splitlines() == [
        "changed: SUB: name Sub of Us -> Sub",
        "changed: SUB: headquarters AE -> SA",
        "changed: SUB: parent USCO -> none",
    ]


def test_many_changes_are_a_bounded_list(tmp_path: Path) -> None:
    """Twenty changes are shown and the others counted."""
    ledger = fresh(tmp_path)
    for name in ("old", "new"):
        ledger.write("r.csv", _PARTIES + "".join(f"P{n},{name},AE,\n" for n in range(25)))
        ran = ledger.run("register", "parties", "r.csv")

    assert len(ran.err.splitlines()) == 21
    assert ran.sentence == "changed: and 5 more"
