"""Epoch AI's table of GPU clusters: a row is a cluster, existing, planned or decommissioned.

The file holds what was found in public, so most rows lack something. It says itself which rows must not be added up.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    day,
    folded,
    joined_note,
    number,
    reference_base,
    whole_count,
)
from ledger.core.dates import day_text
from ledger.core.text import shown
from schemas.record import LENGTH_MAX

_NAMELESS: Final = "anonymized"
"""How the names begin that many rows share; such a row is known by its facts."""

_FALSE: Final = ("", "false", "no", "0")
_STATUSES: Final = ("Existing", "Planned", "Decommissioned")
_CHIP_TYPES_MAX: Final = 2
_OWNER_REASONS: Final = ("no-headquarters", "several-owners")


@dataclass(frozen=True)
class _Cluster:
    """What a row says, understood; `reasons` are all that it lacks."""

    row: Row
    kind: str
    first: int
    gone: int
    destination: str
    consignee: str
    chips: tuple[tuple[str, int], ...]
    reasons: tuple[Reason, ...]


def adapt(rows: Sequence[Row], known: Known) -> list[Adapted]:
    """Say of every row of the table what is to be recorded, or why nothing is."""
    left_out = [_left_out(row) for row in rows]
    shared = _shared_names([(number, row) for number, row in enumerate(rows) if not left_out[number]])
    seen: Counter[str] = Counter()
    adapted = []
    for place, row in enumerate(rows):
        cluster, again = _understood(row, known), shared.get(place)
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


def _understood(row: Row, known: Known) -> _Cluster:
    reasons: list[Reason] = []
    if not row["Name"]:
        reasons.append(Reason("no-name", "it has no name, by which it could be known again"))
    first, gone = _days(row, known.counting_start, reasons)
    destination = _destination(row, known, reasons)
    chips = _chips(row, known, reasons)
    consignee = _consignee(row, known, reasons)
    kind = "opening" if first < known.counting_start else "delivery"
    kind = "allocation" if row["Status"] == "Planned" else kind
    return _Cluster(row, kind, first, gone, destination, consignee, chips, tuple(reasons))


def _days(row: Row, counting_start: int, reasons: list[Reason]) -> tuple[int, int]:
    """Give the days on which a cluster was there first and was gone, 0 where there is none."""
    status, given, gone_given = row["Status"], row["First Operational Date"], row["Decommissioned Date (if applicable)"]
    first: int | Reason = day(given) if given else Reason("no-date", "it has no first operational date")
    gone: int | Reason = day(gone_given) if gone_given else 0
    if status not in _STATUSES:
        gone = Reason("unknown-status", f"found the status {shown(status)}, expected one of {', '.join(_STATUSES)}")
    elif status == "Decommissioned" and not gone:
        gone = Reason("no-decommissioning-date", "it is decommissioned, and the file does not say since when")
    elif status != "Decommissioned" and gone:
        gone = Reason("dates-disagree", f"it is {status.lower()}, and has a day on which it was decommissioned")
    elif status == "Planned" and isinstance(first, int) and first < counting_start:
        first = Reason("planned-in-the-past", f"it is planned for {given}, before the count begins")
    elif isinstance(first, int) and isinstance(gone, int) and gone and gone < first:
        gone = Reason("dates-disagree", f"it was decommissioned on {gone_given}, before it was there on {given}")
    reasons += [reason for reason in (first, gone) if isinstance(reason, Reason)]
    return (first if isinstance(first, int) else 0), (gone if isinstance(gone, int) else 0)


def _destination(row: Row, known: Known, reasons: list[Reason]) -> str:
    if not row["Country"]:
        reasons.append(Reason("no-country", "the file does not say in which country it is"))
        return ""
    found = known.country(row["Country"])
    if not found:
        reasons.append(Reason("unknown-country", f"found {shown(row['Country'])}, which is no country known by name"))
    return found or ""


def _chips(row: Row, known: Known, reasons: list[Reason]) -> tuple[tuple[str, int], ...]:
    """Give chips and how many, of each type that a cluster has; nothing if one of them is not known."""
    names = [row["Chip type (primary)"], row["Chip type (secondary)"]]
    given = [row["Chip quantity (primary)"], row["Chip quantity (secondary)"]]
    total = row["Total number of AI chips"]
    several = bool(names[1] or given[1])
    if not names[0]:
        reasons.append(Reason("no-chip", "the file does not say which chips it has"))
    ids = [_chip(name, known, reasons) for name in names if name]
    if not several and not given[0]:
        given[0] = total
    if several and not (all(names) and all(given)):
        reasons.append(Reason("no-split", "it has chips of several types, and the file does not say how many of each"))
        return ()
    if not given[0]:
        reasons.append(Reason("no-count", "the file does not say how many chips it has"))
        return ()
    counts = [whole_count(text) for text in given if text]
    wrong = [count for count in counts if isinstance(count, Reason)]
    whole = whole_count(total) if total else sum(count for count in counts if isinstance(count, int))
    if not wrong and whole != sum(count for count in counts if isinstance(count, int)):
        parts = " and ".join(shown(text) for text in given if text)
        wrong = [Reason("counts-disagree", f"it has {parts} chips by type, and {shown(total)} in all")]
    reasons += wrong
    whole_ids = [chip for chip in ids if chip]
    if wrong or len(whole_ids) != len(counts):
        return ()
    return tuple((chip, count) for chip, count in zip(whole_ids, counts, strict=True) if isinstance(count, int))


def _chip(name: str, known: Known, reasons: list[Reason]) -> str:
    chip, note = known.chip_names.get(folded(name), ("", "not in the list of the file's names for chips"))
    if not chip:
        reasons.append(Reason("unknown-chip", f"found {shown(name)}, whose TPP is not known: {note}"))
    elif chip not in known.chips:
        sentence = f"found {shown(name)}, the chip {chip}, which this ledger has not registered; register it"
        reasons.append(Reason("unknown-chip", sentence))
        return ""
    return chip


def _consignee(row: Row, known: Known, reasons: list[Reason]) -> str:
    owner = row["Owner"]
    found = known.owner(owner)
    if found:
        return found
    if not owner:
        reasons.append(Reason("no-owner", "the file does not say who owns it"))
    elif "," in owner:
        sentence = f"{shown(owner)} own it together; register a party of that name if they are to count as one"
        reasons.append(Reason("several-owners", sentence))
    else:
        reasons.append(Reason("no-headquarters", f"{shown(owner)} has no headquarters in the register of parties"))
    return ""


def _adapted(cluster: _Cluster, left_out: Reason | None, seen: Counter[str]) -> Adapted:
    row = cluster.row
    wanting = [reason for reason in cluster.reasons if reason.code not in _OWNER_REASONS]
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
        owner=row["Owner"] if any(reason.code in _OWNER_REASONS for reason in cluster.reasons) else "",
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


def _records(cluster: _Cluster, base: str) -> list[Record]:
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
