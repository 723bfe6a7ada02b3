"""A runner with all that the environment says of it."""

from collections.abc import Callable
from datetime import datetime

from ledger.schedule.ledgers import Ledger
from ledger.schedule.runner import Runner
from ledger.schedule.settings import ScheduleSettings, settings_of


def runner_of(ledger: Ledger, clock: Callable[[], datetime]) -> Runner:
    """Give the runner of a ledger. Raises WrongUsage for a setting that cannot be."""
    return Runner(ledger, settings_of(ScheduleSettings), clock)
