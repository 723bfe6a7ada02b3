"""Raising alerts: once for each time that something gets worse, all of one look in one message."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog

from ledger.reporting.thresholds import Crossed
from ledger.schedule import watching
from ledger.schedule.settings import AlertSettings, settings_of
from ledger.store.alerts import OPEN, Seen, is_worse, last_look, levels, looked, raise_alerts, set_levels
from ledger.store.claims import Standing
from ledger.store.file import LedgerFile
from ledger.store.ops import Ops
from ledger.store.outbox import plan_bulletin

_LOG: Final = structlog.get_logger("quotaledger.schedule")
_BATCH: Final = "SELECT batch FROM ledger_state"


class Alerter:
    """Raises the alerts of a ledger, and plans their delivery."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger

    def look(
        self,
        ledger: LedgerFile,
        standings: Mapping[tuple[str, str], Standing],
        broken: Mapping[str, str],
        to: Sequence[str],
        now: datetime,
    ) -> None:
        """Raise what is worse than at the last look, or has happened since. Of two who look at once, one raises it."""
        settings = settings_of(AlertSettings)
        with Ops.open(self._ledger) as ops:
            before, known = last_look(ops), levels(ops)
            ((batch,),) = ledger.rows(_BATCH)
            seen = [
                *watching.limits(ledger, now.astimezone(UTC).date()),
                watching.checkpoint(ledger, now, settings),
                *watching.reports(standings, broken, known),
            ]
            stands = {one.subject: one.level for one in seen if one.level != OPEN}
            if batch == before.batch and stands == _within(known):
                return
            risen = [one for one in seen if is_worse(one.level, known.get(one.subject, OPEN))]
            told = {one.subject: one for one in watching.explained(ledger, risen)}
            happened = watching.events(ledger, before.batch, settings)
            with ops.together():
                if looked(ops, before, batch):
                    worse = set_levels(ops, [told.get(one.subject, one) for one in seen], watching.SCOPE)
                    self._raise(ops, [*worse, *happened], to, now)

    def reach(self, report: str, crossed: Sequence[Crossed], to: Sequence[str], now: datetime) -> None:
        """Raise the thresholds of a report that rows of it have come to, and had not the last time it was made."""
        with Ops.open(self._ledger) as ops, ops.together():
            scope = f"threshold:{report}/"
            seen = [Seen(f"{scope}{one.query}/{one.subject}", "reached", one.sentence) for one in crossed]
            self._raise(ops, set_levels(ops, seen, (scope,)), to, now)

    def _raise(self, ops: Ops, seen: Sequence[Seen], to: Sequence[str], now: datetime) -> None:
        bulletin = raise_alerts(ops, seen, now)
        for one in seen:
            _LOG.warning("alert", subject=one.subject, status=one.level, sentence=one.sentence)
        if bulletin is not None:
            for recipient in to:
                plan_bulletin(ops, uuid4().hex, bulletin, recipient, now)


def _within(known: Mapping[str, str]) -> dict[str, str]:
    return {name: level for name, level in known.items() if name.startswith(watching.SCOPE)}
