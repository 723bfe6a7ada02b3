"""Who vouches for a ledger: the keys that signed its checkpoints, and the checkpoints that were kept outside.

Apart from `verifying`, which finds out what the checkpoints should say.
"""

from collections.abc import Iterator, Sequence

from ledger.core.errors import QuotaledgerError, VerificationFailed
from ledger.store.blame import KEEP
from ledger.store.guard import missing_outside
from ledger.store.log import Connection, checkpoints_after
from ledger.store.outside import OutsideCheckpoints
from ledger.store.query import rows
from ledger.tlog.checkpoint import Checkpoint, unchecked
from ledger.tlog.note import NoteError, VerifierKey, has_signed, parts, signed_text


class KeyChain:
    """The signing keys of a ledger, each in force from its leaf on, and those that whoever verifies was given."""

    def __init__(self, connection: Connection, given: Sequence[VerifierKey]) -> None:
        """Read the keys. Raises VerificationFailed if one cannot be read, or goes by another name than the first."""
        self._leaves: list[int] = []
        self.keys: list[VerifierKey] = []
        self._given: Sequence[VerifierKey] = ()
        for leaf, text in rows(connection, "SELECT leaf, key FROM key_row ORDER BY leaf"):
            try:
                key = VerifierKey.parse(text)
            except NoteError as error:
                raise VerificationFailed(f"leaf {leaf:,} puts no signing key in use: {error}; {KEEP}") from None
            if key.name != (self.keys or [key])[0].name:
                raise VerificationFailed(f"leaf {leaf:,} puts a signing key of another ledger in use; {KEEP}")
            self._leaves.append(leaf)
            self.keys.append(key)
        if not self._leaves or self._leaves[0]:
            raise VerificationFailed(f"leaf 0 puts no signing key in use, as it does in every ledger; {KEEP}")
        # A key signs for the log of its own name.
        self._given = [key for key in given if key.name == self.last.name]
        self._check_given(given)
        self._at = -1
        self.lost: list[int] = []
        """Which keys were put in use without the signature of the key before."""

    @property
    def last(self) -> VerifierKey:
        """The key in use."""
        return self.keys[-1]

    def check(self, note: str, checkpoint: Checkpoint) -> None:
        """See that the key in force has signed a checkpoint; they come in order. Raises NoteError."""
        at = self._at
        while at + 1 < len(self._leaves) and self._leaves[at + 1] < checkpoint.size:
            at += 1
        text = signed_text(note, [self.keys[at]])
        if text != checkpoint.text:
            raise NoteError("it signs another number of leaves, or another root")
        if len(parts(note)[1]) > 1:  # of every key that is known by then each signature must be right
            signed_text(note, [*self.keys[: at + 1], *self._given])
        for place in range(max(self._at, 0) + 1, at + 1):  # each key, were there several in one batch
            if not has_signed(note, self.keys[place - 1]):
                self._lose(place)
        self._at = at

    def _lose(self, at: int) -> None:
        """Note that no key before vouches for one; a key that was given does, if it is that one or one after it.

        The last of those given signs, or the one after it counts as lost: so none counts unless its signature was seen.
        """
        self.lost.append(at)
        if not any(key in self._given for key in self.keys[at:]):
            raise VerificationFailed(
                f"the signing key that leaf {self._leaves[at]:,} put in use is not signed for by the one before it,"
                " as happens when that one was lost, or when somebody else wrote on: ask who runs the ledger for"
                f" its key, and name it: --key '{self.keys[at]}' if it is that"
            )

    def _check_given(self, given: Sequence[VerifierKey]) -> None:
        if given and not any(key in self.keys for key in self._given):
            raise VerificationFailed(
                "the ledger was never signed with the key that was named with --key: it is another ledger, or a forged"
                f" one; the key that it names itself is {self.last}"
            )


def check_checkpoint(chain: KeyChain, batch: int, expected: Checkpoint, stored: tuple[int, bytes, str] | None) -> None:
    """Hold a batch's checkpoint (size, root, note) against the tree over the leaves. Raises VerificationFailed."""
    which = f"the checkpoint of batch {batch:,}"
    if stored is None:
        raise VerificationFailed(f"{which} is missing; {KEEP}")
    size, root, note = stored
    if size != expected.size:
        raise VerificationFailed(f"{which} is over {size:,} leaves, but the batch ends with {expected.size:,}; {KEEP}")
    if root != expected.root:
        raise VerificationFailed(
            f"{which} states another root than its {size:,} leaves have: the leaves up to there are not those that were"
            f" signed for, or the checkpoint was changed; {KEEP}"
        )
    try:
        chain.check(note, expected)
    except NoteError as error:
        raise VerificationFailed(
            f"{which} is not signed as it should be ({error}): whoever wrote it does not have the ledger's key; {KEEP}"
        ) from None


def check_outside(connection: Connection, outside: OutsideCheckpoints) -> list[str]:
    """Hold the outside checkpoints against those of the ledger. Gives what is to be remarked.

    Raises VerificationFailed if they are gone, disagree, or are ahead of the ledger.
    """
    inside = notes_inside(connection)
    try:
        for number, note in enumerate(outside.notes(), 1):
            _check_note(outside, number, note, next(inside, None))
        missing, _ = missing_outside(connection, outside)
    except VerificationFailed:
        raise
    except QuotaledgerError as error:
        raise VerificationFailed(str(error)) from None
    remark = (
        f"{outside.path.name} lacks the last {len(missing):,} of the ledger's checkpoints, as after a crash; they are"
        " written when something is recorded next"
    )
    return [remark] if missing else []


def notes_inside(connection: Connection) -> Iterator[str]:
    """Give the notes of the ledger's checkpoints, in order, some at a time."""
    batch = 0
    while found := checkpoints_after(connection, batch):
        yield from (note for *_, note in found)
        batch = found[-1][0]


def _check_note(outside: OutsideCheckpoints, number: int, note: str, stored: str | None) -> None:
    if note == stored:
        return
    try:
        size = f"{unchecked(note).size:,} leaves"
    except NoteError:
        size = "an unknown number of leaves"
    if stored is None:
        raise VerificationFailed(
            f"{outside.path.name} has a checkpoint over {size} that this ledger does not have: the ledger is an older"
            " copy, and what was recorded since is not in it; put the newest copy in its place"
        )
    raise VerificationFailed(
        f"checkpoint {number:,} in {outside.path.name}, over {size}, is not the ledger's: one of the two was edited, or"
        f" the ledger is a fork that was written on from an older copy; {KEEP}"
    )
