"""What holds of a ledger after every step, whatever was asked of it and wherever it was stopped."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from ledger.rulebook.balances import Balances
from ledger.sequencer.desk import Desk
from ledger.store import read
from ledger.store.contributions import balances_query
from ledger.store.log import leaf_fields, nodes
from ledger.store.outside import OutsideCheckpoints
from ledger.tlog.checkpoint import unchecked
from ledger.tlog.leaf import leaf_bytes, leaf_hash
from ledger.tlog.note import VerifierKey
from ledger.tlog.proofs import consistency_proof, includes, inclusion_proof, is_consistent
from schemas.tables import LEDGER_TABLES
from tests.sequencer.test_against_oracle import sums
from tests.signers import ill_signed, signers
from tests.simulator.model import Model

_TABLES: Final = tuple(
    str(table.__tablename__) for table in LEDGER_TABLES if table.__tablename__ not in ("migration", "leaf")
)
_LOOKED_UP: Final = 8
"""So many records of a ledger are looked up at every step."""
_LEAVES_MAX: Final = 4
"""So many new leaves of a step are written again from their rows; of a large file, some."""


class Broken(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, found: str) -> None:
        super().__init__(f"{invariant}: {found}")
        self.invariant = invariant


@dataclass(frozen=True)
class Seen:
    """What was there after the step before."""

    sequence: int = 0
    batch: int = 0
    size: int = 0
    root: bytes = b""
    fingerprint: tuple[tuple[str, int, int], ...] = ()
    over: frozenset[str] = frozenset()


@dataclass(frozen=True)
class View:
    """A ledger between two steps."""

    desk: Desk
    model: Model
    outside: OutsideCheckpoints
    before: Seen
    acknowledged: bool
    """Whether the last thing done was said to be done; else the outside checkpoints may be behind."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Give the rows of a query."""
        return self.desk.ledger.rows(query)


def hold(holds: bool, found: str) -> None:
    """Raise Broken, in the name of the invariant that asks, unless it holds."""
    if not holds:
        raise Broken("", found)


def check(view: View) -> Seen:
    """Check every invariant and give what is there now. Raises Broken."""
    for invariant in INVARIANTS:
        try:
            invariant(view)
        except Broken as broken:
            raise Broken(invariant.__name__.replace("_", " "), str(broken)[2:]) from None
    sequence, size, batch = view.rows("SELECT sequence, leaf, batch FROM head")[0]
    root = view.rows("SELECT root FROM checkpoint ORDER BY batch DESC LIMIT 1")[0][0]
    return Seen(sequence, batch, size, root, fingerprint(view, batch), _over(view))


def what_was_done_is_there_wholly_or_not_at_all(view: View) -> None:
    """The batches, records and leaves are those of the model, each numbered without a gap."""
    model = view.model
    expected = (len(model.oracle.history), model.leaves, model.batches)
    found = view.rows("SELECT sequence, leaf, batch FROM head")
    hold(found == [expected], f"records, leaves, batches should be {expected}, the head says {found}")
    for table, column, first, last in (
        ("entry", "sequence", 1, expected[0]),
        ("leaf", "leaf", 0, expected[1] - 1),
        ("batch", "batch", 1, expected[2]),
        ("checkpoint", "batch", 1, expected[2]),
    ):
        (numbers,) = view.rows(f"SELECT count(*), count(DISTINCT {column}), min({column}), max({column}) FROM {table}")
        count = last - first + 1
        whole = (count, count, first if count else None, last if count else None)
        hold(numbers == whole, f"{column} of {table} should be {whole}, is {numbers}")
    ends = view.rows("""
        SELECT b.batch FROM batch AS b
        LEFT JOIN checkpoint AS c ON c.batch = b.batch
        LEFT JOIN leaf AS l ON l.leaf = b.last_leaf
        LEFT JOIN entry AS e ON e.sequence = b.last_sequence
        WHERE c.size IS DISTINCT FROM b.last_leaf + 1 OR l.kind <> 'batch'
            OR (b.last_sequence > 0 AND e.batch IS NULL) OR e.batch > b.batch
    """)
    hold(not ends, f"batches {ends} do not end at their own leaf")


def every_decision_is_that_of_the_oracle(view: View) -> None:
    """The records since the step before are the model's, with its decisions; the ones before do not change."""
    columns = "provider, reference, outcome, coalesce(basis, ''), limit_id, tpp, remaining_tpp, account"
    found = view.rows(f"SELECT {columns} FROM entry WHERE sequence > {view.before.sequence} ORDER BY sequence")
    expected = []
    for record in view.model.oracle.history[view.before.sequence :]:
        answer = record.answer or {}
        said = [answer[name] for name in ("limit_id", "tpp", "remaining_tpp", "account")]
        expected.append((record.provider, record.given["reference"], record.outcome, answer["basis"] or "", *said))
    hold(found == expected, f"found {found[:5]}, expected {expected[:5]}")


def every_record_is_found_by_its_reference(view: View) -> None:
    """The index leads to records, also those of long before: what it does not find would be recorded again."""
    history, connection = view.model.oracle.history, view.desk.ledger.connection
    for place in range(0, len(history), max(1, len(history) // _LOOKED_UP)):
        provider, reference = history[place].provider, history[place].given["reference"]
        found = read.find_references(connection, provider, [reference])
        hold(reference in found and found[reference][0] == place + 1, f"{reference} of {provider} is not found")


def nothing_recorded_ever_changes(view: View) -> None:
    """Every row of a ledger table that was there is there as it was, to the byte."""
    now = fingerprint(view, view.before.batch)
    changed = [table for table, was in zip(now, view.before.fingerprint, strict=False) if table != was]
    hold(not changed, f"rows have changed in {changed}")


def fingerprint(view: View, batch: int) -> tuple[tuple[str, int, int], ...]:
    """Give, for each ledger table, how many rows it has up to a batch, and a hash of them all."""
    parts = [
        f"SELECT '{table}' AS name, count(*), coalesce(bit_xor(hash(t)), 0) FROM {table} AS t WHERE t.batch <= {batch}"
        for table in _TABLES
    ]
    last = f"(SELECT coalesce(max(last_leaf), -1) FROM batch WHERE batch <= {batch})"
    parts.append(f"SELECT 'leaf', count(*), coalesce(bit_xor(hash(t)), 0) FROM leaf AS t WHERE t.leaf <= {last}")
    return tuple(sorted((name, count, value) for name, count, value in view.rows(" UNION ALL ".join(parts))))


def balances_are_what_the_entries_count(view: View) -> None:
    """The derived balances, a recount of the entries and the oracle's own sums are one, and so is what a desk kept."""
    query = "SELECT account, consignee, destination, period, sum(tpp) AS tpp FROM balance GROUP BY ALL HAVING tpp <> 0"
    held, counted, known = (
        _accounts(view.rows(query)),
        _accounts(view.rows(balances_query("true"))),
        sums(view.model.oracle),
    )
    hold(held == counted, f"balances and entries differ: {_differing(held, counted)}")
    hold(held == known, f"balances and the oracle differ: {_differing(held, known)}")
    desk = view.desk
    kept, head = desk.balances(), desk.head()
    fresh = read.balances(desk.ledger.connection, desk.codebook)
    desk.keep(head, kept)
    hold(plain(kept) == plain(fresh), "what the desk has kept is not what the ledger holds")
    where = view.rows("SELECT sequence, leaf, batch, peaks FROM head")[0]
    hold(where == (head.sequence, head.leaf, head.batch, head.peaks), f"the desk is at {head}, not {where}")


def _accounts(rows: Iterable[tuple[Any, ...]]) -> dict[tuple[str, str, str, int], int]:
    return {(account, consignee, place, period): int(tpp) for account, consignee, place, period, tpp in rows}


def _differing(one: Mapping[Any, int], other: Mapping[Any, int]) -> list[Any]:
    return sorted(item for item in one.items() ^ other.items())[:6]


def plain(balances: Balances) -> dict[str, Any]:
    """Give balances without what is 0."""

    def known(values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {key: inner for key, value in values.items() if (inner := known(value))}

    return {name: known(value) for name, value in vars(balances).items()}


def the_log_only_grows(view: View) -> None:
    """Each new checkpoint is signed by the key in force, has the root of its leaves, and continues the one before."""
    keys = {leaf: VerifierKey.parse(key) for leaf, key in view.rows("SELECT leaf, key FROM key_row")}
    hashes = [value for (value,) in view.rows("SELECT hash FROM leaf ORDER BY leaf")]
    new = f"WHERE batch > {view.before.batch} ORDER BY batch"
    size, root, node = view.before.size, view.before.root, nodes(view.desk.ledger.connection)
    for batch, next_size, next_root, note in view.rows(f"SELECT batch, size, root, note FROM checkpoint {new}"):
        said = unchecked(note)
        wrong = ill_signed(note, signers(keys, size, next_size, view.model.lost))
        hold(not wrong, f"the note of batch {batch} is not signed by the key in force: {wrong}")
        hold((said.size, said.root) == (next_size, next_root), f"the note of batch {batch} says {said}")
        hold(_root(hashes[:next_size]) == next_root, f"the root of batch {batch} is not that of its leaves")
        if size:
            proof = consistency_proof(size, next_size, node)
            hold(is_consistent(size, next_size, root, next_root, proof), f"batch {batch} is no continuation")
        size, root = next_size, next_root
    fresh = range(view.before.size, size)
    for leaf in fresh[:: max(1, len(fresh) // _LEAVES_MAX)]:
        written = leaf_hash(leaf_bytes(*leaf_fields(view.desk.ledger.connection, leaf)))
        hold(written == hashes[leaf], f"leaf {leaf} is not what its row says")
    for leaf in fresh[:1]:
        proof = inclusion_proof(leaf, size, node)
        hold(includes(hashes[leaf], leaf, size, proof, root), f"leaf {leaf} is not under the root")


def _root(hashes: list[bytes]) -> bytes:
    """Give the root as RFC 6962 defines it, by its own words and not by the ledger's code."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\1" + _root(hashes[:half]) + _root(hashes[half:])).digest()


def outside_is_every_checkpoint(view: View) -> None:
    """The outside checkpoints are those of the table; after a write that failed they are its beginning."""
    outside = list(view.outside.notes())
    inside = [note for (note,) in view.rows("SELECT note FROM checkpoint ORDER BY batch")]
    expected = inside if view.acknowledged else inside[: len(outside)]
    hold(outside == expected, f"{len(outside)} checkpoints are outside, {len(inside)} inside")
    rest = view.outside.last()[1]
    hold(not rest, f"after them there is {rest[:80]!r}")


def no_admission_passes_a_cap(view: View) -> None:
    """No record is admitted past a country's cap or a family's LPP year, counted one by one from the entries."""
    if view.before.sequence == len(view.model.oracle.history):
        return
    rules, registers = view.model.oracle.rules, view.model.oracle.registers
    family = {
        party: registers.family(party) for of, row in registers.rows if of == "parties" for party in [row["party"]]
    }
    cap: Counter[str] = Counter()
    lpp: defaultdict[tuple[str, int], int] = defaultdict(int)
    for sequence, outcome, party, place, day, cap_tpp, *of_years in view.rows(
        "SELECT sequence, outcome, consignee, counted_destination, date, cap_tpp, lpp_tpp, lpp_year, -lpp_from_tpp,"
        " lpp_from_year FROM entry ORDER BY sequence"
    ):
        cap[place] += cap_tpp
        new = sequence > view.before.sequence and outcome == "admitted"
        most = rules.cap_tpp + rules.cap_tpp * registers.uplift_percent(place, day) // 100 if new else 0
        if new and cap_tpp > 0:
            hold(cap[place] <= most, f"{sequence} was admitted to {place}, which then has {cap[place]} of {most}")
            hold(
                place not in view.before.over or most > rules.cap_tpp,
                f"{sequence} was admitted to {place}, whose status was over",
            )
        years = [(of_years[0], of_years[1]), (of_years[2], of_years[3])]
        for tpp, year in years:
            lpp[family[party], year] += tpp
        for tpp, year in years:
            used = lpp[family[party], year]
            fits = not new or tpp <= 0 or used <= rules.lpp_annual_tpp
            hold(fits, f"{sequence} was admitted, and {family[party]} has {used} in {year}")


def _over(view: View) -> frozenset[str]:
    """Give the countries that positions call over their cap."""
    return frozenset(place for (place,) in view.rows("SELECT destination FROM country_positions WHERE status = 'over'"))


INVARIANTS: Final[tuple[Callable[[View], None], ...]] = (
    what_was_done_is_there_wholly_or_not_at_all,
    every_decision_is_that_of_the_oracle,
    every_record_is_found_by_its_reference,
    nothing_recorded_ever_changes,
    balances_are_what_the_entries_count,
    the_log_only_grows,
    outside_is_every_checkpoint,
    no_admission_passes_a_cap,
)
