"""The overview: one page, made from the views, that says what the ledger holds and what it cannot say.

Apart from the facts and the findings, because here they only meet the template in `reports/overview/`.
"""

from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from ledger.reporting import facts as asked
from ledger.reporting import findings, wording
from ledger.reporting.chart import COUNTRIES_MAX, used_chart
from ledger.reporting.facts import Facts, Row, gather_facts
from ledger.store.file import LedgerFile
from ledger.store.seeds import country_names

DEFAULT_COMMAND: Final = "make demo"
_TEMPLATE: Final = "overview.html.j2"
_BAR_PERCENT_MAX: Final = 150
_REFERENCES_MAX: Final = 40


def render_overview(ledger: LedgerFile, title: str | None = None, command: str = DEFAULT_COMMAND) -> str:
    """Give the page as HTML. The same ledger gives the same bytes; `command` is what makes it again."""
    facts = gather_facts(ledger)
    rulebook = facts.rulebook
    refused, breached = findings.forbidden(facts)
    page = _environment(rulebook.figure("h100_equivalent_tpp")).get_template(_TEMPLATE)
    return page.render(
        facts=facts,
        rulebook=rulebook,
        title=title or f"AI chips against the {rulebook.instrument['title']}",
        command=command,
        headline=findings.headline(facts),
        enforcement=findings.enforcement(rulebook),
        refused=refused,
        breached=breached,
        totals=findings.totals(facts),
        doubts=_doubts(facts),
        charts=_charts(facts),
        chart_words=_chart_words(facts),
        figures=_figures(facts.parameters),
    )


def _environment(one_h100e: int) -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: files("reports").joinpath(f"overview/{name}").read_text("utf-8")),
        autoescape=True,
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
        "country": lambda code: wording.named(code, names),
        "h100e": lambda tpp: wording.thousands(tpp // one_h100e),
        "first_few": _first_few,
    }
    environment.globals |= {"counted": wording.counted, "bar_width": _bar_width}
    return environment


def _bar_width(percent: Any) -> str:
    """Give how wide a bar is, in percent of its field, in which the cap stands at two thirds."""
    return f"{min(float(percent or 0), _BAR_PERCENT_MAX) / _BAR_PERCENT_MAX * 100:.2f}"


def _first_few(references: list[str]) -> dict[str, Any]:
    """Give the first references of many, and how many more there are."""
    return {"shown": references[:_REFERENCES_MAX], "more": max(0, len(references) - _REFERENCES_MAX)}


def _doubts(facts: Facts) -> dict[str, Any]:
    """Give what the notes own up to, and whether there were too many notes to read them all."""
    return {**asked.assumptions(facts.notes), "more": len(facts.notes) == asked.NOTES_MAX}


def _charts(facts: Facts) -> dict[str, Markup]:
    """Draw the chart for wide and for narrow pages; vega escapes its words, and is given no party's."""
    used = [row for row in facts.positions if row["used_tpp"]]
    if not used:
        return {}
    return {
        name: Markup(used_chart(used, narrow=name == "narrow"))  # noqa: S704 - drawn here, from seeded names and numbers
        for name in ("wide", "narrow")
    }


def _chart_words(facts: Facts) -> str:
    """Say in words what the chart shows, for who cannot see it."""
    used = [row for row in facts.positions if row["used_tpp"]][:COUNTRIES_MAX]
    shown = [f"{row['name']} {wording.percent_text(row['used_percent'])} ({row['status']})" for row in used]
    return f"Bar chart: percent of its cap that each country has used. {wording.listed(shown)}."


def _figures(parameters: list[Row]) -> list[dict[str, Any]]:
    """Give the rulebook's figures with the periods of a schedule gathered in one row."""
    figures: dict[str, dict[str, Any]] = {}
    for row in parameters:
        name, _, period = row["parameter"].partition(".")
        entry = figures.setdefault(name, {**row, "parameter": name, "values": []})
        entry["values"].append((period, row["value"]))
    return list(figures.values())
