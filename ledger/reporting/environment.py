"""What every page's template may use: filters that word numbers and days, charts, and the shared style and macros.

A template is never trusted: it runs in a sandbox, everything that it shows is escaped, and a name that is not there
is an error.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import FunctionLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ledger.reporting import wording
from ledger.reporting.assumptions import assumptions, by_parameter
from ledger.reporting.drawings import bands_figure, months_figure
from ledger.store.seeds import country_names

_BAR_PERCENT_MAX: Final = 150
_REFERENCES_MAX: Final = 40
_SHARED: Final = "_page"


def page_environment(one_h100e: int, texts: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    """Give an environment for a page's own texts, and those that pages share; TPP divides by `one_h100e` for H100e."""

    def load(name: str) -> tuple[str, str, None] | None:
        text = texts.get(name) or shared_texts().get(name)
        return None if text is None else (text, name, None)

    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(load),
        autoescape=select_autoescape(disabled_extensions=("txt.j2", "md.j2"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = country_names()
    environment.filters |= {
        "thousands": wording.thousands,
        "short": wording.short_number,
        "percent": wording.percent_text,
        "day": wording.day_words,
        "instant": wording.instant_text,
        "host": wording.link_host,
        "figure": wording.figure_text,
        "words": wording.number_words,
        "listed": wording.listed,
        "brief": wording.brief,
        "named": wording.harmless,
        "country": lambda code: wording.named(code, names),
        "placed": lambda value, column, row: wording.placed(value, column, row, names),
        "h100e": lambda tpp: wording.thousands(tpp // one_h100e),
        "first_few": _first_few,
        "assumptions": assumptions,
        "by_parameter": by_parameter,
        "cell": wording.markdown_cell,
    }
    environment.globals |= {
        "counted": wording.counted,
        "bar_width": _bar_width,
        "months_chart": months_figure,
        "bands_chart": bands_figure,
    }
    return environment


@cache
def shared_texts() -> Mapping[str, str]:
    """Give the style sheet, macros and frames that pages share, by file name."""
    return {path.name: path.read_text("utf-8") for path in (files("reports") / _SHARED).iterdir() if path.is_file()}


def _bar_width(percent: Any) -> str:
    """Give how wide a bar is, in percent of its field, in which the cap stands at two thirds."""
    return f"{min(float(percent or 0), _BAR_PERCENT_MAX) / _BAR_PERCENT_MAX * 100:.2f}"


def _first_few(references: list[str]) -> dict[str, Any]:
    """Give the first references of many, and how many more there are."""
    return {"shown": references[:_REFERENCES_MAX], "more": max(0, len(references) - _REFERENCES_MAX)}
