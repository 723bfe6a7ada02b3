"""Who must have signed a checkpoint: the key in force, and where keys change hands, the one before; nobody else."""

from collections.abc import Collection, Mapping
from itertools import pairwise

from ledger.tlog.note import NoteError, VerifierKey, parts, signed_text


def signers(keys: Mapping[int, VerifierKey], start: int, size: int, lost: Collection[int] = ()) -> list[VerifierKey]:
    """Give who must have signed the checkpoint over so many leaves, the one before it being over `start`.

    `keys` are those that the log puts in use, by their leaves; `lost` are leaves whose key no earlier one vouches for.
    """
    leaves = sorted(leaf for leaf in keys if leaf < size)
    handing = [before for before, leaf in pairwise(leaves) if leaf >= start and leaf not in lost]
    return [keys[leaf] for leaf in dict.fromkeys((*handing, leaves[-1]))]


def ill_signed(note: str, expected: Collection[VerifierKey]) -> str:
    """Say what is wrong with the signatures of a note, nothing if they are those of the keys expected and no other."""
    try:
        for key in expected:
            signed_text(note, [key])
    except NoteError as error:
        return str(error)
    others = {(name, of) for name, of, _ in parts(note)[1]} - {(key.name, key.id) for key in expected}
    return f"it is signed by others, too: {others}" if others else ""
