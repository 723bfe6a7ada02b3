"""A runner with all that the environment says of it."""

from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from ledger.core.errors import WrongUsage
from ledger.schedule.ledgers import Ledger
from ledger.schedule.runner import Runner
from ledger.schedule.settings import ScheduleSettings


def runner_of(ledger: Ledger, clock: Callable[[], datetime]) -> Runner:
    """Give the runner of a ledger. Raises WrongUsage for a setting that cannot be."""
    try:
        settings = ScheduleSettings()
    except ValidationError as error:
        fault = error.errors()[0]
        raise WrongUsage(f"the setting {'.'.join(map(str, fault['loc']))} cannot be: {fault['msg']}") from None
    return Runner(ledger, settings, clock)
