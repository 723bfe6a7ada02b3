"""Restoring a ledger from its export, and copying one: the same record for record, with the same root, or nothing."""

import filecmp
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ledger.core.errors import QuotaledgerError, VerificationFailed, WrongUsage
from ledger.sequencer.verifying import verify
from ledger.store import leftovers, log
from ledger.store.expected import check_balances
from ledger.store.export_lines import export_lines
from ledger.store.file import KEY_SUFFIX, OUTSIDE_SUFFIX, LedgerFile, beside
from ledger.store.frozen import count_rows, frozen, note_batches, pieces
from ledger.store.guard import key_in_use
from ledger.store.outside import OutsideCheckpoints
from ledger.store.packing import CHECKPOINTS, LEAVES
from ledger.store.rebuild import rebuild
from ledger.store.unpacking import open_export
from ledger.tlog.checkpoint import unchecked
from ledger.tlog.note import VerifierKey

Advanced = Callable[[int, int], None]


def _nobody(done: int, total: int) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True)
class Made:
    """A ledger that was made of another; `key` is what its checkpoints are verified with."""

    leaves: int
    records: int
    root: str
    key: str
    private: Path
    """Where its private key is to be, for recording."""
    missing: int = 0
    """How many checkpoints the outside file that was there has beyond it: batches that are lost."""


def restore_ledger(
    folder: Path, path: Path, keys: Sequence[VerifierKey] = (), advanced: Advanced | None = None
) -> Made:
    """Rebuild a ledger of an export at a path, with its outside checkpoints, and verify it before it has its name.

    `keys` are those that whoever restores has been given. Outside checkpoints that are there, of the ledger that was
    lost, stay if the export's are their beginning. Raises WrongUsage if there is a ledger at the path or the export
    leaves records out, VerificationFailed if anything in it is not what was signed or contradicts the outside
    checkpoints, QuotaledgerError if the ledger cannot be written; then there is none.
    """
    with _new_ledger(path, keeps_outside=True) as unfinished:
        export = open_export(folder)
        with rebuild(unfinished, export.table) as ledger:
            _finish(ledger, unfinished)
        try:
            verify(unfinished, keys, advanced=advanced)
        except VerificationFailed as error:
            raise VerificationFailed(f"the export's tables do not hold: {error}") from None
        with LedgerFile.open(unfinished) as ledger, export.path(LEAVES).open("rb") as lines:
            made = _made(ledger, path)
            same = all(lines.read(len(found.text)) == found.text for found in export_lines(ledger.connection))
            said = (export.leaves, export.records, export.root, export.origin)
            if not same or lines.read(1) or said != (made.leaves, made.records, made.root, made.key.partition("+")[0]):
                raise VerificationFailed("the manifest or leaves.ndjson says something else than the tables")
        if not filecmp.cmp(export.path(CHECKPOINTS), _outside(unfinished), shallow=False):
            raise VerificationFailed("checkpoints.txt does not have the checkpoints of the tables")
        missing = _continued(_outside(unfinished), OutsideCheckpoints(beside(path, OUTSIDE_SUFFIX)))
    return replace(made, missing=missing)


def _continued(restored: Path, outside: OutsideCheckpoints) -> int:
    """Give how many checkpoints an outside file has beyond those restored, 0 if there is none.

    Raises VerificationFailed if they are not its beginning.
    """
    if not outside.path.exists():
        return 0
    notes = outside.notes()
    for note in OutsideCheckpoints(restored).notes():
        if next(notes, None) != note:
            raise VerificationFailed(
                f"the checkpoint of {unchecked(note).size:,} leaves is in the export and not in {outside.path}: the two"
                " are of different histories, or that file was cut; keep both, and ask which of them others have"
                " copies of"
            )
    return sum(1 for _ in notes)


def back_up_ledger(ledger: LedgerFile, path: Path, advanced: Advanced = _nobody) -> Made:
    """Copy a ledger as it is now to a path, with its outside checkpoints, and verify the copy before it has its name.

    This process may go on recording meanwhile. Raises WrongUsage if there is something at the path, VerificationFailed
    if the copy does not hold, because the ledger does not, or if the ledger's balances are wrong, which would be right
    in the copy, QuotaledgerError if it cannot be read or written; then there is no copy.
    """
    with _new_ledger(path) as unfinished, frozen(ledger) as connection:
        # Records may have been decided on wrong balances: a copy that has right ones would hide why.
        check_balances(connection)
        done, total = 0, sum(count_rows(connection).values())

        def source(table: str, _: object) -> Iterator[object]:
            nonlocal done
            for piece in pieces(connection, table):
                yield piece
                done += len(piece)
                advanced(done, total)

        with rebuild(unfinished, source) as copy:
            _finish(copy, unfinished)
            made = _made(copy, path)
            root = log.last_checkpoint(connection)["root"]
        try:
            verify(unfinished, [key_in_use(connection)])
        except VerificationFailed as error:
            raise VerificationFailed(
                f"nothing was copied, because the copy of {ledger.path} does not hold ({error}); `quotaledger verify`"
                " tells more"
            ) from None
        if made.root != root:
            raise VerificationFailed(f"the copy of {ledger.path} has another root; nothing was copied")
    return made


def _finish(ledger: LedgerFile, unfinished: Path) -> None:
    """Write the outside checkpoints of a rebuilt ledger, and all of it to disk."""
    outside = OutsideCheckpoints(_outside(unfinished))
    try:
        for notes in note_batches(ledger.connection):
            outside.append(notes)
    finally:
        outside.close()
    ledger.flush()


def _made(ledger: LedgerFile, path: Path) -> Made:
    """Give what was made, to be put at a path."""
    last = log.last_checkpoint(ledger.connection)
    key = str(key_in_use(ledger.connection))
    return Made(last["leaves"], last["sequence"], last["root"], key, beside(path, KEY_SUFFIX))


def _outside(unfinished: Path) -> Path:
    return unfinished.with_name(unfinished.name + OUTSIDE_SUFFIX)


@contextmanager
def _new_ledger(path: Path, *, keeps_outside: bool = False) -> Iterator[Path]:
    """Give where to make a ledger's file and its outside checkpoints, which get their names when the block has ended.

    With `keeps_outside`, outside checkpoints that are there stay as they are. Raises WrongUsage if anything else has
    these names, QuotaledgerError if nothing can be made there.
    """
    if not path.name:
        raise WrongUsage(f"{path} is a folder; name a file in it")
    leftovers.clear(path)
    outside = beside(path, OUTSIDE_SUFFIX)
    has_outside = keeps_outside and outside.exists()  # and is no leftover
    for taken in (path, path.with_name(path.name + ".wal"), *(() if has_outside else (outside,))):
        if taken.exists() or taken.is_symlink():
            raise WrongUsage(f"there is a file at {taken} already; move it away, or choose another path")
    if not path.absolute().parent.is_dir():
        raise WrongUsage(f"there is no folder {path.parent} to make a ledger in; make it first")
    unfinished = leftovers.unfinished(path)
    try:
        yield unfinished
        if has_outside:
            leftovers.give_name(unfinished, path)
        else:
            _give_names(unfinished, path, outside)
    except OSError as error:
        raise QuotaledgerError(f"no ledger can be made at {path}: {error.strerror or error}") from None
    finally:
        for leftover in (unfinished, unfinished.with_name(unfinished.name + ".wal"), _outside(unfinished)):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)


def _give_names(unfinished: Path, path: Path, outside: Path) -> None:
    """Name the outside checkpoints first: a ledger without them would count as one that lost them."""
    leftovers.give_name(_outside(unfinished), outside)
    try:
        leftovers.give_name(unfinished, path)
    except BaseException:
        outside.unlink()
        raise
