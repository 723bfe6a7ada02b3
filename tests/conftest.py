"""How much the random tests try: `pytest --hypothesis-profile soak` for a long night, `--kills 200` for the faults."""

import pytest
from hypothesis import Phase, settings

from tests.faults.tally import PROPERTY, table

settings.register_profile("default", max_examples=60)
settings.register_profile("soak", max_examples=3000, phases=[Phase.explicit, Phase.reuse, Phase.generate])
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let whoever has time kill more processes."""
    parser.addoption("--kills", type=int, default=20, help="how many processes the fault tests kill (default 20)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what became of the faults that were injected; only this process hears of those of all workers."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    properties = [pair for report in reports if report.when == "call" for pair in report.user_properties]
    for line in table(pair for pair in properties if pair[0] == PROPERTY):
        terminalreporter.write_line(line)
