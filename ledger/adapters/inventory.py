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
    seen: Counter[str] = Counter()
    # Lines that differ in their count alone are numbered by it: their order in the file makes no difference.
    in_order = sorted(range(len(rows)), key=lambda place: (len(rows[place]["count"]), rows[place]["count"]))
    adapted = {place: _adapted(rows[place], known, seen) for place in in_order}
    return [adapted[place] for place in range(len(rows))]


def _adapted(row: Row, known: Known, seen: Counter[str]) -> Adapted:
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
    line = reference_base(f"{site} {chip} {day_text(since)}")
    seen[line] += 1
    reference = line if seen[line] == 1 else f"{line} [{seen[line]}]"
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
