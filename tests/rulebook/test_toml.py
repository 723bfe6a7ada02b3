"""What people write that is no TOML, and what they are told about it."""

import pytest

from ledger.rulebook.toml import TomlFault, read_toml


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("value = 790,000,000", "an amount is written 790_000_000"),
        ("value = 790 000 000", "an amount is written 790_000_000"),
        ("value = 790.000.000", "an amount is written 790_000_000"),
        ("value = 01.01.2025", "a date is written 2025-01-31"),
        ("value = 2025-1-1", "a date is written 2025-01-31"),
        ("value = 50%", "a percentage is a whole number"),
        ("value = False", "a switch is true or false"),
        ("rest = yes", "a switch is true or false"),
        ("countries = [MO]", 'a text stands in double quotes, "AE"'),
        ('title = "Cap "per" country"', "a double quote within a text is written"),
        ("title = \u201cCap\u201d", "texts stand in straight double quotes"),
        ('title = "Cap', "a text ends with a double quote"),
        ("[country-cap", "a table begins with [name]"),
        ("[first]", "a table stands once"),
    ],
)
def test_a_line_that_is_no_toml_is_shown_with_how_it_is_written(line: str, written: str) -> None:
    """The line stands in the sentence with its number, and a hint at what was probably meant."""
    with pytest.raises(TomlFault) as raised:
        read_toml(f"# first\n[first]\nmuch = 790_000_000\n{line}\n")

    assert str(raised.value).startswith('line 4, "')
    assert f"is not TOML; {written}" in str(raised.value)


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = 1" + "0" * 10_000, 'a = "', "\x00"])
def test_what_is_past_all_measure_is_told_too(text: str) -> None:
    """Nesting, numbers and ends that a parser gives up on are a fault as well, in one short line."""
    with pytest.raises(TomlFault, match="is not TOML") as raised:
        read_toml(text)

    assert len(str(raised.value)) < 400
    assert "\n" not in str(raised.value)
