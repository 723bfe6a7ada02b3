"""The overview: one page, made from the views, that says what the ledger holds and what it cannot say.

Apart from the facts and the findings, because here they only meet the template in `reports/overview/`.
"""

from importlib.resources import files
from typing import Any, Final

from ledger.reporting import facts as asked
from ledger.reporting import findings
from ledger.reporting.assumptions import assumptions, by_parameter
from ledger.reporting.drawings import used_figure
from ledger.reporting.environment import page_environment
from ledger.reporting.facts import Facts, gather_facts
from ledger.store.file import LedgerFile

DEFAULT_COMMAND: Final = "make demo"
_TEMPLATE: Final = "overview.html.j2"


def render_overview(ledger: LedgerFile, title: str | None = None, command: str = DEFAULT_COMMAND) -> str:
    """Give the page as HTML. The same ledger gives the same bytes; `command` is what makes it again."""
    facts = gather_facts(ledger)
    rulebook = facts.rulebook
    refused, breached = findings.forbidden(facts)
    page = page_environment(rulebook.figure("h100_equivalent_tpp"), _texts()).get_template(_TEMPLATE)
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
        charts=used_figure(facts.positions),
        figures=by_parameter(facts.parameters),
    )


def _texts() -> dict[str, str]:
    return {_TEMPLATE: (files("reports") / "overview" / _TEMPLATE).read_text("utf-8")}


def _doubts(facts: Facts) -> dict[str, Any]:
    """Give what the notes own up to, and whether there were too many notes to read them all."""
    return {**assumptions(facts.notes), "more": len(facts.notes) == asked.NOTES_MAX}
