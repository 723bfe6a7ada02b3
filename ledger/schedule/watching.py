"""What there is to be warned of: how each limit stands, breaches, imports refused in large part, checkpoints, reports.

A new thing to watch is a function here that gives what it has seen, and a line in `docs/schedule.md`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from ledger.core.text import visible
from ledger.schedule.settings import AlertSettings
from ledger.store.alerts import OPEN, Seen
from ledger.store.claims import FAILED, Standing
from ledger.store.file import LedgerFile

_CAP, _LPP, _NVEU, _SHARE, _SHARES = "country-cap", "lpp-annual", "nveu-installed-base", "uveu-single-country", "uveu"
KINDS: Final = (_CAP, _LPP, _NVEU, _SHARE, _SHARES, "breach", "import", "checkpoint", "report", "threshold")
"""What stands before the colon of a subject."""
_CHECKPOINT: Final = "checkpoint:newest"
_REPORT: Final = "report"
SCOPE: Final = tuple(f"{kind}:" for kind in (_CAP, _LPP, _NVEU, _SHARE, _SHARES, "checkpoint", _REPORT))
"""Of these, everything is seen at each look; what is not is gone."""
_SAID: Final = {
    _CAP: "The country cap of {}",
    _LPP: "The LPP year {}",
    _NVEU: "The NVEU installed base {}",
    _SHARE: "The UVEU share {}",
    _SHARES: "The worst of the UVEU shares of {}",
}
_LIMITS: Final = f"""
    SELECT '{_CAP}', destination, status, used_tpp, cap_tpp FROM country_positions
    UNION ALL SELECT '{_LPP}', concat(family, '/', year), status, used_tpp, cap_tpp FROM lpp_positions WHERE year >= $1
    UNION ALL SELECT '{_NVEU}', concat_ws('/', family, destination, quarter), status, used_tpp, cap_tpp
        FROM nveu_positions WHERE quarter = $2
    UNION ALL SELECT '{_SHARE}', concat(family, '/', destination), status, tpp, NULL FROM uveu_country_shares
    UNION ALL SELECT '{_SHARES}', family, status, NULL, NULL FROM uveu_positions
"""
# Which subject a decision is of: what its limit is called there.
_LAST: Final = f"""
    WITH told AS (
        SELECT sequence, concat(CASE WHEN limit_id IN ('uveu-outside-tier-1', 'uveu-outside-us') THEN '{_SHARES}'
            ELSE limit_id END, ':', account) AS subject
        FROM decisions WHERE outcome <> 'refused' AND account IS NOT NULL
    ),
    newest AS (
        SELECT subject, max(sequence) AS sequence FROM told WHERE subject IN (SELECT unnest($1)) GROUP BY subject
    )
    SELECT newest.subject, decisions.message FROM newest JOIN decisions ON decisions.sequence = newest.sequence
"""
_BREACHES: Final = """
    SELECT count(*), max(sequence), (SELECT concat('number ', sequence, ' by ', provider, ': ', message)
        FROM breaches WHERE batch > $1 ORDER BY sequence DESC LIMIT 1)
    FROM breaches WHERE batch > $1
"""
_REFUSED: Final = """
    SELECT batch, provider, file, records, refused + rejected FROM batches
    WHERE batch > $1 AND records >= $2 AND (refused + rejected) * 100 >= records * $3 ORDER BY batch DESC
"""
_NEWEST: Final = "SELECT leaves, recorded_at FROM checkpoints ORDER BY leaves DESC LIMIT 1"


def limits(ledger: LedgerFile, today: date) -> list[Seen]:
    """Give how each limit stands: of those by year or quarter, the one of a day (and LPP years after it)."""
    quarter = f"{today.year}Q{(today.month + 2) // 3}"
    return [_limit(*row) for row in ledger.rows(_LIMITS, [today.year, quarter])]


def _limit(kind: str, account: str, status: str, used: int | None, most: int | None) -> Seen:
    what = _SAID[kind].format(visible(account))
    of = f" of {most:,}" if most is not None else ""
    figures = f": {used:,}{of} TPP are used" if used is not None else ""
    return Seen(f"{kind}:{account}", status, f"{what} is {status}{figures}.")


def explained(ledger: LedgerFile, risen: Sequence[Seen]) -> list[Seen]:
    """Add the sentence of the last decision that counted on each limit: what `explain` says of it."""
    if not risen:
        return []
    told = dict(ledger.rows(_LAST, [[one.subject for one in risen]]))
    return [
        replace(one, sentence=f"{one.sentence} {visible(told[one.subject])}") if one.subject in told else one
        for one in risen
    ]


def events(ledger: LedgerFile, after: int, settings: AlertSettings) -> list[Seen]:
    """Give what has happened in the batches after one: breaches, and imports of which much was refused or rejected."""
    ((breached, _, last),) = ledger.rows(_BREACHES, [after])
    refused = ledger.rows(_REFUSED, [after, settings.refused_rows, settings.refused_percent])
    found = []
    if breached:
        found.append(
            Seen("breach:recorded", "breached", f"{_counted(breached, 'breach')}; the last is {visible(last)}")
        )
    if refused:
        batch, provider, file, records, lost = refused[0]
        name = f" ({visible(file)})" if file else ""
        last = f"batch {batch} of {visible(provider)}{name}: {lost:,} of {records:,} records"
        what = _counted(len(refused), "import")
        found.append(Seen("import:refused", "refused", f"{what} refused in large part; the last is {last}."))
    return found


def checkpoint(ledger: LedgerFile, now: datetime, settings: AlertSettings) -> Seen:
    """Give whether the newest checkpoint is stale."""
    ((leaves, recorded_at),) = ledger.rows(_NEWEST)
    is_stale = now - recorded_at > timedelta(days=settings.stale_days)
    sentence = f"The newest checkpoint, of {leaves:,} leaves, is from {recorded_at:%Y-%m-%d %H:%M} UTC."
    return Seen(_CHECKPOINT, "stale" if is_stale else OPEN, sentence)


def reports(
    standings: Mapping[tuple[str, str], Standing], broken: Mapping[str, str], known: Mapping[str, str]
) -> Iterable[Seen]:
    """Give which reports have failed for which period, and which cannot be used."""
    for name, what in broken.items():
        yield Seen(f"{_REPORT}:{name}", "broken", f"The report {visible(name)} cannot be used: {visible(what)}")
    for (name, period), standing in standings.items():
        subject, run = f"{_REPORT}:{name}/{period}", standing.run
        if run is None:  # being tried again, or for the first time
            yield Seen(subject, known.get(subject, OPEN))
        elif run.outcome == FAILED:
            why = f"failed at attempt {standing.claim.attempt}: {visible(run.reason or '')}"
            yield Seen(subject, "failed", f"The report {visible(name)} for {period} {why}; it is tried again.")


def _counted(number: int, what: str) -> str:
    many = "" if number == 1 else "es" if what.endswith("ch") else "s"
    return f"{number:,} {what}{many}"
