"""A provider's plain inventory: site, chip, count and date, of chips that are all one party's.

It shows how small an adapter is.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from ledger.adapters.adapter import Adapted, Adapter, Known, Reason, Row, day, folded, reference_base, whole_count
from ledger.core.dates import day_text
from ledger.core.text import shown


def adapt(rows: Sequence[Row], known: Known) -> list[Adapted]:
    """Say of every line of the inventory what is to be recorded, or why nothing is."""
    adapted = [_adapted(row, known) for row in rows]
    times = Counter(reference for line in adapted for reference in line.references)
    return [_alone(line, max((times[reference] for reference in line.references), default=1)) for line in adapted]


def _alone(line: Adapted, times: int) -> Adapted:
    """Report a line that others share site, chip and date with: next month, nobody could tell which is which."""
    if times == 1:
        return line
    shared = Reason("shared-line", f"{times} lines have this site, chip and date; write one, with the whole count")
    return Adapted(line.name, reported=(shared,), country=line.country)


def _adapted(row: Row, known: Known) -> Adapted:
    site, chip = row["site"], known.chip_names.get(folded(row["chip"]), ("", ""))[0]
    country = known.regions.get(site) or known.country(site) or ""
    since, count = day(row["date"]), whole_count(row["count"])
    reasons = [reason for reason in (since, count) if isinstance(reason, Reason)]
    if not chip:
        reasons.append(Reason("unknown-chip", f"found {shown(row['chip'])}, which is no chip of the register"))
    if not country:
        sentence = f"found {shown(site)}, which is neither a country nor a known cloud:region"
        reasons.insert(0, Reason("unknown-site", sentence))
    if reasons or isinstance(since, Reason):
        return Adapted(site, reported=tuple(reasons), country=country)
    reference = reference_base(f"{known.consignee} {site} {chip} {day_text(since)}")
    record = {
        "reference": reference,
        "kind": "opening" if since < known.counting_start else "delivery",
        "date": day_text(since),
        "destination": site if site in known.regions else country,
        "consignee": known.consignee,
        "chip": chip,
        "quantity": str(count),
    }
    return Adapted(site, (record,), references=(reference,), country=country)


INVENTORY: Final = Adapter(
    name="plain-inventory",
    title="a provider's plain inventory: what stands where since when, all of one consignee",
    required=("site", "chip", "count", "date"),
    label="site",
    adapt=adapt,
    names_owner=False,
)
