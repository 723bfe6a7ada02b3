"""What a forger does to an export of the rotated log before it is written."""

from collections.abc import Callable
from typing import Any

from ledger.tlog.checkpoint import Checkpoint
from tests.standalone.exports import ORIGIN, Export, rotated_log


def change(leaf: int, /, **fields: Any) -> Callable[[Export], None]:
    """Change fields of a leaf."""

    def planted(export: Export) -> None:
        export.lines[leaf]["fields"] = export.lines[leaf]["fields"] | fields

    return planted


def swap(one: int, other: int, *, numbered: bool) -> Callable[[Export], None]:
    def planted(export: Export) -> None:
        export.lines[one], export.lines[other] = export.lines[other], export.lines[one]
        if numbered:
            export.numbered()

    return planted


def drop(leaf: int, *, numbered: bool) -> Callable[[Export], None]:
    def planted(export: Export) -> None:
        del export.lines[leaf]
        if numbered:
            export.numbered()

    return planted


def add(leaf: int, line: dict[str, Any]) -> Callable[[Export], None]:
    def planted(export: Export) -> None:
        export.lines.insert(leaf, line)
        export.numbered()

    return planted


def put(leaf: int, /, **line: Any) -> Callable[[Export], None]:
    """Change a line; None takes a part of it away."""

    def planted(export: Export) -> None:
        new = {**export.lines[leaf], **line}
        export.lines[leaf] = {name: value for name, value in new.items() if value is not None}

    return planted


def redact(leaf: int, /, **line: Any) -> Callable[[Export], None]:
    """Leave the hash alone of a leaf of the rotated log, and change what else stands there."""
    return put(leaf, **{"fields": None, "hash": rotated_log().leaves[leaf][2].hex(), **line})


def note(place: int, to: Callable[[str], str]) -> Callable[[Export], None]:
    def planted(export: Export) -> None:
        export.notes[place] = to(export.notes[place])

    return planted


def signed(size: int, *privates: Any, origin: str = ORIGIN, root: bytes | None = None) -> Callable[[str], str]:
    """Sign a checkpoint anew, over another root or with other keys."""
    found = rotated_log().frontiers[size].root() if root is None else root
    return lambda _: Checkpoint(origin, size, found).signed(*privates)


def raw(to: Callable[[bytes], bytes]) -> Callable[[Export], None]:
    """Change the bytes of the leaves."""

    def planted(export: Export) -> None:
        export.files["leaves.ndjson"] = to(export.leaves_file())

    return planted


def says(**manifest: Any) -> Callable[[Export], None]:
    return lambda export: export.manifest.update(manifest)


def letter(text: str) -> str:
    """Change a letter within the last signature."""
    return text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:]
