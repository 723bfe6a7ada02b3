"""Bugs to plant in the ledger: the simulator must find each of them, or it proves nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from unittest.mock import patch
from weakref import WeakSet

from ledger.rulebook.balances import Balances
from ledger.sequencer.desk import Desk
from ledger.store import append, contributions, derived, guard, leaves, seal
from ledger.store.file import LedgerFile
from ledger.store.gathered import Gathered
from ledger.store.outside import OutsideCheckpoints
from ledger.store.read import balances as read_balances
from ledger.store.signing import Signer

Planted = Callable[[], AbstractContextManager[Any]]


def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing."""


def _outside_is_forgotten() -> AbstractContextManager[Any]:
    return patch.object(LedgerFile, "_say_outside", _nothing)


def _outside_before_commit() -> AbstractContextManager[Any]:
    sign = LedgerFile.sign

    def signed(ledger: LedgerFile, size: int, root: bytes) -> str:
        note = sign(ledger, size, root)
        if ledger.outside:
            ledger.outside.append([note])
        return note

    return patch.object(LedgerFile, "sign", signed)


def _the_opening_looks_away() -> AbstractContextManager[Any]:
    catch_up, known = guard.catch_up, WeakSet[OutsideCheckpoints]()

    def caught(connection: Any, outside: OutsideCheckpoints) -> None:
        if outside in known:
            catch_up(connection, outside)
        known.add(outside)  # the first time is the opening's

    return patch.object(guard, "catch_up", caught)


def _a_balance_is_lost() -> AbstractContextManager[Any]:
    query = contributions.balances_query

    def lossy(condition: str) -> str:
        lost = " AND account <> 'pending'" if condition.startswith("sequence >") else ""
        return query(condition) + lost

    return patch.object(contributions, "balances_query", lossy)


def _the_head_moves_twice() -> AbstractContextManager[Any]:
    insert = Gathered.insert

    def inserted(gathered: Gathered, connection: Any) -> None:
        moves = gathered._move is not None  # noqa: SLF001
        insert(gathered, connection)
        if moves:
            connection.execute("UPDATE head SET sequence = sequence + 1")

    return patch.object(Gathered, "insert", inserted)


def _a_batch_is_two_transactions() -> AbstractContextManager[Any]:
    close = seal.close_batch

    def closed(ledger: LedgerFile, *arguments: Any, **named: Any) -> Any:
        ledger.connection.execute("COMMIT")
        ledger.connection.execute("BEGIN")
        return close(ledger, *arguments, **named)

    return patch.object(append, "close_batch", closed)


def _leaves_say_something_else() -> AbstractContextManager[Any]:
    hashes = leaves.decision_hashes
    return patch.object(
        append,
        "decision_hashes",
        lambda columns, constants, salts: hashes(columns, dict(constants) | {"rulebook_digest": ""}, salts),
    )


def _gathering_loses() -> AbstractContextManager[Any]:
    gather = contributions.gather_balances

    def gathered(connection: Any) -> None:
        gather(connection)
        connection.execute("DELETE FROM balance WHERE account = 'pending'")

    return patch.object(contributions, "gather_balances", gathered)


@contextmanager
def _balances_of_dry_runs_are_kept() -> Iterator[None]:
    def balances(desk: Desk) -> Balances:
        if desk._balances is None:  # noqa: SLF001
            desk._balances = read_balances(desk.ledger.connection, desk.codebook)  # noqa: SLF001
        return desk._balances  # noqa: SLF001

    with patch.object(Desk, "balances", balances):
        yield


def _keys_are_not_handed_over() -> AbstractContextManager[Any]:
    return patch.object(Signer, "handing_over", lambda signer, private: Signer(signer.origin, (private,)))


PLANTED: Final[Mapping[str, Planted]] = {
    "the outside append is skipped": _outside_is_forgotten,
    "outside is written before COMMIT": _outside_before_commit,
    "a balance row is lost": _a_balance_is_lost,
    "the head moves twice": _the_head_moves_twice,
    "a batch is two transactions": _a_batch_is_two_transactions,
    "leaves say something else than rows": _leaves_say_something_else,
    "balances of dry runs are kept": _balances_of_dry_runs_are_kept,
    "chips fulfil twice": lambda: patch("ledger.rulebook.fold.draw", _nothing),
    "gathering loses what is pending": _gathering_loses,
    "an opening does not look outside": _the_opening_looks_away,
    "half a note outside is not cut off": lambda: patch("ledger.store.outside.OutsideCheckpoints.cut", _nothing),
    "an adoption does not renew the desk": lambda: patch.object(Desk, "renew", _nothing),
    "a log is left as a crash left it": lambda: patch.object(LedgerFile, "_settle_log", _nothing),
    "a COMMIT past the log comes first": lambda: patch.object(
        LedgerFile, "_settle_log", lambda ledger: derived.write_again(ledger.connection)
    ),
    "a new key is not signed for by the old one": _keys_are_not_handed_over,
    "a change of the key is not finished": lambda: patch("ledger.store.guard.finish_rotation", _nothing),
    "a torn log is left": lambda: patch("ledger.store.derived.write_again", _nothing),
}
"""What each is called, and what plants it for a while."""
