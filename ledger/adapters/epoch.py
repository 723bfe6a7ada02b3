"""Epoch AI's table of GPU clusters: a row is a cluster, existing, planned or decommissioned.

The file holds what was found in public, so most rows lack something. It says itself which rows must not be added up.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from ledger.adapters.adapter import (
    Adapted,
    Adapter,
    Known,
    Reason,
    Record,
    Row,
    content_base,
    folded,
    joined_note,
    number,
    reference_base,
)
from ledger.adapters.cluster import OWNER_REASONS, Cluster, understood
from ledger.core.dates import day_text
from ledger.core.text import shown
from schemas.record import LENGTH_MAX

_NAMELESS: Final = "anonymized"
"""How the names begin that many rows share; such a row is known by its facts."""

_FALSE: Final = ("", "false", "no", "0")
_CHIP_TYPES_MAX: Final = 2


def adapt(rows: Sequence[Row], known: Known) -> list[Adapted]:
    """Say of every row of the table what is to be recorded, or why nothing is."""
    left_out = [_left_out(row) for row in rows]
    shared = _shared_names([(number, row) for number, row in enumerate(rows) if not left_out[number]])
    seen: Counter[str] = Counter()
    adapted = []
    for place, row in enumerate(rows):
        cluster, again = understood(row, known), shared.get(place)
        if again and again.code == "repeated-row":
            left_out[place] = again
        elif again:
            cluster = replace(cluster, reasons=(again, *cluster.reasons))
        adapted.append(_adapted(cluster, left_out[place], seen))
    return adapted


def _shared_names(rows: Sequence[tuple[int, Row]]) -> dict[int, Reason]:
    """Find rows that have a name in common: they cannot be told apart, unless they are the same all over."""
    by_name: dict[str, list[tuple[int, Row]]] = {}
    for place, row in rows:
        by_name.setdefault(folded(row["Name"]), []).append((place, row))
    reasons: dict[int, Reason] = {}
    for name, sharing in by_name.items():
        if len(sharing) == 1 or not name or name.startswith(_NAMELESS):
            continue
        if all(row == sharing[0][1] for _, row in sharing):
            again = Reason("repeated-row", "the same row stands in the file once already")
            reasons |= dict.fromkeys([place for place, _ in sharing[1:]], again)
        else:
            several = Reason(
                "shared-name", f"{len(sharing)} rows that differ are called {shown(sharing[0][1]['Name'])}"
            )
            reasons |= dict.fromkeys([place for place, _ in sharing], several)
    return reasons


def _left_out(row: Row) -> Reason | None:
    """Say why the file itself wants a row left out of sums, or is not sure that there is such a cluster."""
    if row["Superseded by"]:
        return Reason("superseded", f"superseded by {shown(row['Superseded by'])}, which has these chips too")
    if row["Possible Duplicate Of"]:
        return Reason("possible-duplicate", f"possibly a duplicate of {shown(row['Possible Duplicate Of'])}")
    if row["Possible Duplicate"].casefold() not in _FALSE:
        return Reason("possible-duplicate", "possibly a duplicate of another row; the file does not say of which")
    if row["Exclude"].casefold() not in _FALSE:
        return Reason("excluded", "the file marks it as excluded")
    if row["Certainty"] == "Unlikely":
        return Reason("unlikely", "the file holds it for unlikely that there is such a cluster")
    return None


def _adapted(cluster: Cluster, left_out: Reason | None, seen: Counter[str]) -> Adapted:
    row = cluster.row
    wanting = [reason for reason in cluster.reasons if reason.code not in OWNER_REASONS]
    nameless = folded(row["Name"]).startswith(_NAMELESS)
    base = reference_base(row["Name"])
    if nameless:
        whose = cluster.consignee or row["Owner"]
        facts = [cluster.kind, cluster.first, cluster.gone, cluster.destination, whose, cluster.chips]
        base = content_base(row["Name"], facts)
        # Only rows that are recorded are numbered, so that the order of the others makes no difference.
        seen[base] += not left_out and not cluster.reasons
        base = f"{base}-{seen[base]}"
    return Adapted(
        name=row["Name"],
        records=() if wanting else tuple(_records(cluster, base)),
        left_out=left_out,
        reported=() if left_out else cluster.reasons,
        owner=row["Owner"] if any(reason.code in OWNER_REASONS for reason in cluster.reasons) else "",
        references=() if nameless else _references(base),
        country=cluster.destination,
        given_h100e=number(row["H100 equivalents"]) or Decimal(0),
    )


def _numbered(base: str) -> list[str]:
    """Give the references of a cluster's chips, by type."""
    return [base, *(f"{base} [{place}]" for place in range(2, _CHIP_TYPES_MAX + 1))]


def _planned(reference: str) -> str:
    return f"{reference} (planned)"


def _decommissioned(reference: str) -> str:
    return f"{reference} (decommissioned)"


def _references(base: str) -> tuple[str, ...]:
    return tuple(name for one in _numbered(base) for name in (one, _planned(one), _decommissioned(one)))


def _records(cluster: Cluster, base: str) -> list[Record]:
    """Write the records of a cluster.

    A delivery names the allocation that an earlier file may have planned it with; whoever files it leaves that away
    where there is none.
    """
    row = cluster.row
    records: list[Record] = []
    said = {
        "destination": cluster.destination,
        "consignee": cluster.consignee,
        "evidence": row["Source 1"] if len(row["Source 1"]) <= LENGTH_MAX["evidence"] else "",
        "note": joined_note("Epoch AI, Data on GPU Clusters (CC BY 4.0)", *_remarks(row)),
    }
    for reference, (chip, count) in zip(_numbered(base), cluster.chips, strict=False):
        event = {"kind": cluster.kind, "date": day_text(cluster.first), "chip": chip, "quantity": str(count)} | said
        match cluster.kind:
            case "allocation":
                records.append(event | {"reference": _planned(reference)})
            case "delivery":
                records.append(event | {"reference": reference, "under": _planned(reference)})
            case _:
                records.append(event | {"reference": reference})
        if cluster.gone:
            gone = {"reference": _decommissioned(reference), "kind": "attrition", "date": day_text(cluster.gone)}
            records.append(gone | {"under": reference, "chip": chip, "quantity": str(count), "note": said["note"]})
    return records


def _remarks(row: Row) -> list[str]:
    """Say what the file doubts of a row."""
    noted, given = row["First Operational Date Note"], row["First Operational Date"]
    return [
        f"certainty: {row['Certainty']}" if row["Certainty"] else "",
        f"single cluster: {row['Single cluster?']}" if row["Single cluster?"] not in ("", "Yes") else "",
        f"day noted as {shown(noted)}" if noted and noted != given else "",
    ]


EPOCH: Final = Adapter(
    name="epoch-gpu-clusters",
    title="Epoch AI's table of GPU clusters, any month of it",
    required=(
        *("Name", "Status", "Certainty", "Chip type (primary)", "Chip quantity (primary)", "Chip type (secondary)"),
        *("Chip quantity (secondary)", "Total number of AI chips", "Country", "Owner", "First Operational Date"),
        *("Decommissioned Date (if applicable)", "Superseded by", "Possible Duplicate", "Possible Duplicate Of"),
    ),
    optional=("Exclude", "Single cluster?", "First Operational Date Note", "H100 equivalents", "Source 1"),
    label="Name",
    adapt=adapt,
    chip_names="epoch_chips.csv",
    owners="epoch_owners.csv",
    explained=(
        "The file's H100 equivalents are operations a second at 8 bits over those of an H100. TPP takes the rate times"
        " the bits, whichever makes most: a chip that is no faster at 8 bits than at 16 counts twice as much, and one"
        " that is made for 4 bits more. Where a chip differs by much more, the file's figure is at fault."
    ),
)
