"""Why a recorded decision was what it was: the record decided again, as of its place in the ledger."""

from dataclasses import replace
from typing import Any

from ledger.core.columns import ABSENT
from ledger.core.errors import QuotaledgerError, WrongUsage
from ledger.rulebook.codebook import Codebook
from ledger.rulebook.columns import Record
from ledger.rulebook.fold import Fold
from ledger.rulebook.limit import Reading
from ledger.rulebook.limits import LIMITS
from ledger.sequencer.assessing import DECIDED, Assessment, tested_limits
from ledger.sequencer.desk import Desk
from ledger.store import answers, read
from ledger.store.contributions import heaviest
from ledger.store.seeds import country_names, parse_rulebook
from schemas.words import LIMIT_IDS, Basis, Kind, Outcome, word

SHOWN = (
    "sequence",
    "provider",
    "reference",
    "kind",
    "date",
    "recorded_at",
    *DECIDED,
    "message",
    "rulebook_digest",
)


def explain(desk: Desk, sequence: int) -> Assessment:
    """Decide a recorded record again, with all that weighed on it then.

    Raises WrongUsage if there is no such record, QuotaledgerError if its own history gives another decision than the
    one stored.
    """
    connection = desk.ledger.connection
    entry = read.entry(connection, sequence)
    if entry is None:
        raise WrongUsage(f"there is no record {sequence}; the ledger has records 1 to {desk.head().sequence}")
    rulebook = parse_rulebook(read.rulebook_texts(connection, entry["leaf"]))
    codebook = Codebook(rulebook, read.registers(connection, entry["leaf"]), tuple(country_names()))
    fold = _decide_again(desk, codebook, entry)
    limits = [
        replace(tested, heaviest=tuple(_heaviest(desk, codebook, fold, reading, sequence)))
        for tested, reading in zip(tested_limits(codebook, fold), fold.readings, strict=True)
    ]
    return Assessment(answers.recorded_answers(connection, [sequence], SHOWN)[sequence], tuple(limits))


def _decide_again(desk: Desk, codebook: Codebook, entry: dict[str, Any]) -> Fold:
    """Run the fold on the one record with the balances and standings before it."""
    connection, sequence, under = desk.ledger.connection, entry["sequence"], entry["under_sequence"]
    named = {} if under is None else {1: read.standings(connection, codebook, [under], sequence)[under]}
    kind = Kind[entry["kind"].upper()]
    record = Record(
        reference=0,
        content=0,
        kind=kind,
        day=entry["date"].toordinal(),
        place=codebook.place_of[entry["destination"]],
        consignee=codebook.party_of[entry["consignee"]],
        chip=codebook.chip_of[entry["chip"]],
        quantity=ABSENT if kind is Kind.REVERSAL else entry["quantity"],
        basis=Basis[entry["stated_basis"]] if entry["stated_basis"] else Basis.NONE,
        under=1 if named else ABSENT,
    )
    fold = Fold(codebook, read.balances(connection, codebook, sequence), named, (), sequence)
    decided = fold.one(record).columns
    again = {
        "outcome": [word(Outcome(n)) for n in decided["outcome"]],
        "limit_id": [None if n == ABSENT else LIMIT_IDS[n] for n in decided["limit"]],
        "remaining_tpp": [None if n == ABSENT else n for n in decided["remaining_tpp"].tolist()],
    }
    if any(values != [entry[name]] for name, values in again.items()):
        raise QuotaledgerError(
            f"record {sequence} is stored with another decision than its own history gives: either the file was"
            " changed, or another version of quotaledger decided it"
        )
    return fold


def _heaviest(desk: Desk, codebook: Codebook, fold: Fold, reading: Reading, sequence: int) -> list[dict[str, Any]]:
    """Give the ten records that weighed most on the account that spoke."""
    limit = LIMITS[reading.limit]
    if not limit.has_account:
        return []
    members = None
    if limit.of_family:
        members = [p for p, f in zip(codebook.parties, codebook.families, strict=True) if f == fold.claim.family]
    destinations = limit.destinations(fold.claim, reading.account, codebook)
    codes = None if destinations is None else [codebook.places[place] for place in destinations]
    last, first = reading.account.period, 0 if limit.cumulative else reading.account.period
    return heaviest(desk.ledger.connection, limit.weighs, members, codes, (first, last), sequence)
