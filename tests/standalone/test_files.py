"""The files of an export: those that the manifest lists, and no others."""

import json
import os
from pathlib import Path

import pytest

from tests.standalone.exports import Export, plain_log
from tests.standalone.running import run


def tamper(folder: Path, name: str) -> str:
    """Change a written folder without making the manifest fit, and give what should be said."""
    manifest, table = folder / "manifest.json", folder / "tables/entry.parquet"
    listed = json.loads(manifest.read_text("utf-8"))
    match name:
        case "a table is changed":
            table.write_bytes(b"PAR2")
            return "'tables/entry.parquet' is not the file that manifest.json says"
        case "a table is gone":
            table.unlink()
            return "'tables/entry.parquet' is missing in the folder"
        case "a file is added":
            (folder / "tables/.hidden").write_bytes(b"")
            return "'tables/.hidden' is no plain file of an export"
        case "a file is a link":
            table.unlink()
            table.symlink_to(folder / "README.txt")
            return "'tables/entry.parquet' is no plain file of an export"
        case "a folder is a link":
            (folder / "more").symlink_to(folder / "tables", target_is_directory=True)
            return "'more' is no plain file of an export"
        case "a pipe is added":
            os.mkfifo(folder / "pipe")
            return "'pipe' is no plain file of an export"
        case "leaves are gone":
            (folder / "leaves.ndjson").unlink()
            return "'leaves.ndjson' is missing in the folder"
        case "the manifest is gone":
            manifest.unlink()
            return "manifest.json"
        case "the manifest is garbage":
            manifest.write_bytes(b"\xff" * 99)
            return "manifest.json is no JSON to rely on"
        case "the manifest is a list":
            manifest.write_text("[]", "utf-8")
            return "manifest.json is no JSON object"
        case "the manifest names a file twice":
            manifest.write_text(
                manifest.read_text("utf-8").replace('"README.txt"', '"README.txt": 1, "README.txt"'), "utf-8"
            )
            return "manifest.json says a name twice"
    path, stated = listed["files"].popitem() if "/" not in name else (name, listed["files"]["README.txt"])
    listed["files"][path] = stated | {"sha256": stated["sha256"].upper()} if "hash" in name else stated
    listed["files"][path] = 1 if "no object" in name else listed["files"][path]
    manifest.write_text(json.dumps(listed), "utf-8")
    return f"{path!r} is missing in the folder" if "/" in name else f"{path!r} is not the file that manifest.json says"


@pytest.mark.parametrize(
    "name",
    [
        *("a table is changed", "a table is gone", "a file is added", "a file is a link", "a folder is a link"),
        *("a pipe is added", "leaves are gone", "the manifest is gone", "the manifest is garbage"),
        *("the manifest is a list", "the manifest names a file twice", "a hash is in capitals", "a file is no object"),
        *("../README.txt", "/etc/passwd", "tables/../README.txt", "./README.txt", "tables/", "a\\b/c"),
    ],
)
def test_other_files_than_the_manifest_lists_are_found(program: Path, tmp_path: Path, name: str) -> None:
    """A file that is changed, gone, added or no plain one is named; so is a path that leads out of the folder."""
    folder = tmp_path / "export"
    folder.mkdir()
    (tmp_path / "README.txt").write_bytes(b"")
    (export := Export.of(plain_log())).write(folder, export.root())
    named = tamper(folder, name)
    code, said = run(program, folder)

    assert code == 3
    assert named in said
