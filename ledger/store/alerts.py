"""The alerts in the operational store: what each watched subject stood at, what was raised when, what is muted.

A subject is a kind, a colon and what it is of: `country-cap:AE`, `report:country-quota/2026-10`. Its level is kept, and
an alert is raised when that rises: once, however often and by however many schedulers it is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger.store.instants import instant_of, text_of
from ledger.store.ops import Ops, damaged

OPEN: Final = "open"
_RANKS: Final = {OPEN: 0, "watch": 1, "critical": 2, "exhausted": 3, "over": 4}
_ALERT: Final = "number, bulletin, subject, level, sentence, raised_at, acknowledged_at, acknowledged_by"
_MUTE: Final = "subject, muted_at, muted_by, until"


@dataclass(frozen=True, slots=True)
class Seen:
    """How a subject stands, or what has happened to it."""

    subject: str
    level: str
    """`open`, `watch`, `critical`, `exhausted` or `over` of a limit; otherwise a word such as `failed`."""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """What was raised of a subject. Instants are UTC."""

    number: int
    bulletin: int | None
    """The number of the first alert that goes out in the same message; None if it was muted, and does not go out."""
    subject: str
    level: str
    sentence: str
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True)
class Mute:
    """That alerts of a subject, or of all of a kind, are kept but go out to nobody."""

    subject: str
    muted_at: datetime
    muted_by: str
    until: datetime | None

    def holds(self, subject: str, now: datetime) -> bool:
        """Say if alerts of a subject are muted now."""
        return (self.until is None or now < self.until) and (
            subject == self.subject or subject.startswith((f"{self.subject}:", f"{self.subject}/"))
        )


@dataclass(frozen=True, slots=True)
class Look:
    """How far it was looked: nobody raises twice what two have seen at once."""

    number: int = 0
    batch: int = 0
    """The last batch whose records were looked at."""


def is_worse(level: str, before: str) -> bool:
    """Say if a level is above another. A word that is none of a limit's is above `open` alone."""
    return _RANKS.get(level, 1) > _RANKS.get(before, 1)


def levels(ops: Ops) -> Mapping[str, str]:
    """Give the level at which each subject was seen last, where that is not `open`."""
    return {str(subject): str(level) for subject, level in ops.rows("SELECT subject, level FROM alert_level")}


def last_look(ops: Ops) -> Look:
    """Give how far it was looked."""
    return next((Look(*row) for row in ops.rows("SELECT number, batch FROM alert_look")), Look())


def looked(ops: Ops, before: Look, batch: int) -> bool:
    """Keep how far it was looked now; False if somebody else has looked since `before`."""
    if last_look(ops) != before:
        return False
    statement = "INSERT OR REPLACE INTO alert_look VALUES (1, ?, ?)"
    ops.write(statement, [before.number + 1, batch])
    return True


def set_levels(ops: Ops, seen: Iterable[Seen], scope: Sequence[str]) -> list[Seen]:
    """Keep how subjects stand, and give those that have risen. What begins with `scope` and is not seen is gone."""
    before, now = levels(ops), {one.subject: one for one in seen}
    gone = [name for name in before if name not in now and name.startswith(tuple(scope))]
    for name in [*gone, *(name for name, one in now.items() if one.level == OPEN and name in before)]:
        ops.write("DELETE FROM alert_level WHERE subject = ?", [name])
    for name, one in now.items():
        if one.level not in (OPEN, before.get(name)):
            statement = "INSERT OR REPLACE INTO alert_level VALUES (?, ?)"
            ops.write(statement, [name, one.level])
    return [one for name, one in now.items() if is_worse(one.level, before.get(name, OPEN))]


def raise_alerts(ops: Ops, seen: Iterable[Seen], now: datetime) -> int | None:
    """Raise alerts, and give the number of the bulletin in which they go out; None if there is nothing to go out."""
    muted, bulletin = mutes(ops, now), None
    for one in seen:
        statement = "INSERT INTO alert (subject, level, sentence, raised_at) VALUES (?, ?, ?, ?) RETURNING number"
        ((number,),) = ops.rows(statement, [one.subject, one.level, one.sentence, text_of(now)])
        if not any(mute.holds(one.subject, now) for mute in muted):
            bulletin = bulletin or int(number)
            ops.write("UPDATE alert SET bulletin = ? WHERE number = ?", [bulletin, number])
    return bulletin


def all_alerts(ops: Ops) -> list[Alert]:
    """Give every alert that was ever raised, the oldest first."""
    return _alerts(ops, "")


def bulletin_of(ops: Ops, bulletin: int) -> list[Alert]:
    """Give the alerts that go out in a message."""
    return _alerts(ops, "WHERE bulletin = ?", [bulletin])


def acknowledge(ops: Ops, number: int, by: str, now: datetime) -> Alert | None:
    """Keep that somebody has seen to an alert, the first who said so; None if there is none of that number."""
    statement = "UPDATE alert SET acknowledged_at = ?, acknowledged_by = ? WHERE number = ? AND acknowledged_at IS NULL"
    ops.write(statement, [text_of(now), by, number])
    return next(iter(_alerts(ops, "WHERE number = ?", [number])), None)


def mutes(ops: Ops, now: datetime) -> list[Mute]:
    """Give what is muted now."""
    try:
        found = [
            Mute(subject, instant_of(muted_at), muted_by, instant_of(until) if until else None)
            for subject, muted_at, muted_by, until in ops.rows(f"SELECT {_MUTE} FROM alert_mute ORDER BY subject")
        ]
    except (ValueError, TypeError):
        raise damaged(ops.path) from None
    return [mute for mute in found if mute.until is None or now < mute.until]


def mute(ops: Ops, mute: Mute) -> None:
    """Mute a subject or kind from now on, in the place of how it was muted before."""
    until = text_of(mute.until) if mute.until else None
    statement = f"INSERT OR REPLACE INTO alert_mute ({_MUTE}) VALUES (?, ?, ?, ?)"
    ops.write(statement, [mute.subject, text_of(mute.muted_at), mute.muted_by, until])


def unmute(ops: Ops, subject: str) -> bool:
    """Let alerts of a subject or kind go out again; False if it was not muted."""
    return bool(ops.write("DELETE FROM alert_mute WHERE subject = ?", [subject]))


def _alerts(ops: Ops, where: str, values: Sequence[Any] = ()) -> list[Alert]:
    try:
        return [_alert(*row) for row in ops.rows(f"SELECT {_ALERT} FROM alert {where} ORDER BY number", values)]
    except (ValueError, TypeError):
        raise damaged(ops.path) from None


def _alert(number: int, bulletin: int | None, subject: str, level: str, sentence: str, *rest: Any) -> Alert:
    raised_at, acknowledged_at, acknowledged_by = rest
    seen_to = instant_of(acknowledged_at) if acknowledged_at else None
    return Alert(number, bulletin, subject, level, sentence, instant_of(raised_at), seen_to, acknowledged_by)
