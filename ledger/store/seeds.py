"""The reference data that comes with the project, read from the installed package."""

import csv
import io
import os
import shutil
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from ledger.core.errors import QuotaledgerError, WrongUsage
from ledger.core.text import did_you_mean, nearest
from ledger.rulebook.load import FILES, RulebookError, load_rulebook
from ledger.rulebook.rulebook import Rulebook

DEFAULT_RULEBOOK: Final = "bis-ai-diffusion-2025"


def _rows(*path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(seed_bytes(*path).decode())))


@cache
def country_names() -> Mapping[str, str]:
    """Give the name of every ISO 3166-1 alpha-2 code."""
    return {row["code"]: row["name"] for row in _rows("countries.csv")}


@cache
def chip_names() -> Mapping[str, str]:
    """Give the name of every chip that comes with the project."""
    return {row["chip"]: row["name"] for row in _rows("chips.csv")}


@cache
def region_countries() -> Mapping[str, str]:
    """Give the country of every known cloud region, such as `aws:me-central-1`."""
    return {row["region"]: row["country"] for row in _rows("cloud_regions.csv")}


@cache
def names_of_countries() -> Mapping[str, str]:
    """Give country codes by the names that others write: those of the seeds, and official ones that differ."""
    own = {name: code for code, name in country_names().items()}
    return own | {row["name"]: row["code"] for row in _rows("adapters", "country_names.csv")}


@cache
def names_of_chips(file: str) -> Mapping[str, tuple[str, str]]:
    """Give chip id, blank where there is none on purpose, and a note, by a layout's names for chips."""
    return {row["name"]: (row["chip"], row["note"]) for row in _rows("adapters", file)}


def owner_rows(file: str) -> list[dict[str, str]]:
    """Give a layout's owners: `owner` as the layout calls them, then the columns of the register, and the source."""
    return _rows("parties", file)


def seed_bytes(*path: str) -> bytes:
    """Give the content of a seed file."""
    return files("seeds").joinpath("/".join(path)).read_bytes()


def seeded_rulebooks() -> list[str]:
    """Give the ids of the rulebooks that come with the project."""
    folder = files("seeds") / "rulebooks"
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("_"))


def find_rulebook(name: str) -> Rulebook:
    """Load a rulebook: a seeded id, a folder, or its `rulebook.toml`.

    Raises WrongUsage if there is none, RulebookError if it is malformed.
    """
    if name in seeded_rulebooks():
        folder = files("seeds") / "rulebooks" / name
        return parse_rulebook({file: (folder / file).read_text("utf-8") for file in FILES})
    path = Path(name)
    path = path.parent if path.name in FILES else path
    if not path.is_dir():
        known = ", ".join(seeded_rulebooks())
        hint = did_you_mean(nearest(name, seeded_rulebooks()))
        raise WrongUsage(f"there is no rulebook {name}: it is neither seeded ({known}) nor a folder{hint}")
    texts: dict[str, str] = {}
    problems: list[str] = []
    for file in FILES:
        try:
            texts[file] = (path / file).read_text("utf-8-sig")
        except FileNotFoundError:
            continue
        except UnicodeDecodeError:
            problems.append(f"{file}: is not UTF-8; save it as UTF-8")
        except OSError as error:
            problems.append(f"{file}: cannot be read: {error.strerror or error}")
    if problems:
        raise RulebookError(problems)
    return parse_rulebook(texts)


def write_rulebook(rulebook: Rulebook, folder: Path) -> None:
    """Write the files of a rulebook, comments and all, to a folder that appears when it is whole.

    Raises WrongUsage if there is something of that name, QuotaledgerError if it cannot be written.
    """
    if folder.exists():
        raise WrongUsage(f"there is something at {folder} already; give the name of a new folder")
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}.unfinished")
    try:
        unfinished.mkdir(parents=True)
        for file, text in rulebook.texts.items():
            (unfinished / file).write_text(text, "utf-8", newline="")
        unfinished.rename(folder)
    except OSError as error:
        raise QuotaledgerError(f"{folder} cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def parse_rulebook(texts: Mapping[str, str]) -> Rulebook:
    """Read a rulebook out of the texts of its files. Raises RulebookError if it is malformed."""
    return _parsed(tuple(texts.items()))


@lru_cache(maxsize=16)
def _parsed(texts: tuple[tuple[str, str], ...]) -> Rulebook:
    return load_rulebook(dict(texts), country_names())
