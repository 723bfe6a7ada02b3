"""The pages of a report, made from its templates: a mistake in one is named with its file and line."""

import traceback
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import TemplateError, TemplateSyntaxError

from ledger.core.errors import InputRejected
from ledger.core.text import visible
from ledger.reporting.environment import page_environment
from ledger.reporting.folder import SUMMARY, TEMPLATE, Report

_TABLES_TEMPLATE: Final = "tables.html.j2"
"""The page of a report that has no template of its own: a table for each query."""

_TEMPLATE_ERRORS: Final = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""What a mistake in a template, or in how it takes its rows, can raise."""


def summary(report: Report, context: Mapping[str, Any]) -> list[str]:
    """Give a report's first sentences, one a line. Raises InputRejected for a mistake in the template."""
    lines = rendered(report, SUMMARY, context).splitlines() if SUMMARY in report.texts else []
    return [" ".join(line.split()) for line in lines if line.strip()]


def page(report: Report, context: Mapping[str, Any]) -> str:
    """Give a report's page as HTML. Raises InputRejected for a mistake in the template."""
    return rendered(report, TEMPLATE if TEMPLATE in report.texts else _TABLES_TEMPLATE, context)


def rendered(report: Report, template: str, context: Mapping[str, Any]) -> str:
    """Give what a template comes to. Raises InputRejected for a mistake in it."""
    environment = page_environment(context["rulebook"].figure("h100_equivalent_tpp"), report.texts)
    try:
        return environment.get_template(template).render(context)
    except TemplateSyntaxError as error:
        place, reason = f"{error.name}, line {error.lineno}", error.message
    except _TEMPLATE_ERRORS as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
        place = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else template
        reason = str(error) or type(error).__name__
    raise InputRejected(f"the report {report.name} has a mistake in {place}: {visible(reason or '')}")
