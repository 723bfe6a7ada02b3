"""A cluster, as a row of Epoch AI's table has it: what it says, and all that it lacks."""

from dataclasses import dataclass
from typing import Final

from ledger.adapters.adapter import Known, Reason, Row, day, folded, whole_count
from ledger.core.text import shown

OWNER_REASONS: Final = ("no-headquarters", "several-owners")
"""What a row may lack and still be told how much it would add."""

_STATUSES: Final = ("Existing", "Planned", "Decommissioned")


@dataclass(frozen=True)
class Cluster:
    """What a row says, understood; `reasons` are all that it lacks."""

    row: Row
    kind: str
    first: int
    gone: int
    destination: str
    consignee: str
    chips: tuple[tuple[str, int], ...]
    reasons: tuple[Reason, ...]


def understood(row: Row, known: Known) -> Cluster:
    """Understand a row: whatever it lacks is among the reasons."""
    reasons: list[Reason] = []
    if not row["Name"]:
        reasons.append(Reason("no-name", "it has no name, by which it could be known again"))
    first, gone = _days(row, known.counting_start, reasons)
    destination = _destination(row, known, reasons)
    chips = _chips(row, known, reasons)
    consignee = _consignee(row, known, reasons)
    kind = "opening" if first < known.counting_start else "delivery"
    kind = "allocation" if row["Status"] == "Planned" else kind
    return Cluster(row, kind, first, gone, destination, consignee, chips, tuple(reasons))


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
