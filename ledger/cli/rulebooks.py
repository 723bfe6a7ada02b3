"""The verbs on rulebooks: list, show, check, copy, diff, adopt."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.app import Settings, app, opened
from ledger.cli.completion import rulebooks
from ledger.cli.output import Format, cell, console, print_json, print_rows, say
from ledger.core.text import visible

if TYPE_CHECKING:  # a verb loads only what it uses
    from ledger.rulebook.rulebook import Rulebook

rulebook = typer.Typer(help="Rulebooks: the rule as data.", no_args_is_help=True)
app.add_typer(rulebook, name="rulebook")

_DIGEST_SHOWN = 12
_LISTED = ("rulebook", "title", "effective", "digest", "seeded", "adopted_at", "filed_by", "note", "in_force")
_DIFFERENT = ("part", "name", "key", "old", "new", "unit", "citation")

FormatOption = Annotated[Format, typer.Option("--format", help="How to write the answer.")]
Name = Annotated[
    str, typer.Argument(metavar="R", help="A seeded id, a folder, or its rulebook.toml.", autocompletion=rulebooks)
]
AnyName = Annotated[
    str,
    typer.Argument(
        metavar="R",
        help="As for check; or in-force, or a digest (8 digits or more) that was adopted.",
        autocompletion=rulebooks,
    ),
]


@contextmanager
def _found(context: typer.Context, *names: str) -> "Iterator[list[Rulebook]]":
    """Give the rulebooks of some names; the ledger is opened only if one of them is the ledger's."""
    from ledger.sequencer.adopting import is_of_ledger, named_rulebook
    from ledger.store.seeds import find_rulebook

    if not any(map(is_of_ledger, names)):
        yield [find_rulebook(name) for name in names]
        return
    with opened(context, writing=False) as desk:
        found = [named_rulebook(desk, name) for name in names]
    yield found


def _short(book: "Rulebook") -> str:
    return f"{book.id} (digest {book.digest[:_DIGEST_SHOWN]})"


@rulebook.command("list")
def list_(context: typer.Context, form: FormatOption = Format.TABLE) -> None:
    """Name the rulebooks that come with quotaledger, and those that the ledger has adopted: when, by whom and why."""
    from ledger.sequencer.adopting import adoptions, named_rulebook
    from ledger.store.seeds import find_rulebook, seeded_rulebooks

    at: Settings = context.obj
    seeded = {book.digest: book for book in map(find_rulebook, seeded_rulebooks())}
    rows: list[dict[str, Any]] = []
    if at.path.exists():
        with opened(context, writing=False) as desk:
            rows = [_listed(named_rulebook(desk, row["digest"]), row) for row in adoptions(desk)]
    digests = {row["digest"] for row in rows}
    rows += [_listed(book, {}) for digest, book in seeded.items() if digest not in digests]
    rows = [row | {"seeded": row["digest"] in seeded} for row in rows]
    shown = [row | {"digest": row["digest"][:_DIGEST_SHOWN]} for row in rows] if form is Format.TABLE else rows
    print_rows(shown, _LISTED, form)


def _listed(book: "Rulebook", adoption: dict[str, Any]) -> dict[str, Any]:
    said = {"rulebook": book.id, "title": book.instrument["title"], "effective": book.dates["effective"]}
    adopted = {name: adoption.get(name) for name in ("adopted_at", "filed_by", "note")}
    return said | {"digest": book.digest, **adopted, "in_force": adoption.get("in_force", False)}


@rulebook.command()
def show(context: typer.Context, name: AnyName = "bis-ai-diffusion-2025", form: FormatOption = Format.TABLE) -> None:
    """Show a rulebook: its instrument and dates, and every figure with its paragraph and how sure it is."""
    from ledger.rulebook.figures import parameter_values

    with _found(context, name) as (book,):
        figures = [
            {
                "parameter": parameter,
                "value": value,
                "unit": figure.unit,
                "valid_from": figure.valid_from,
                "citation": figure.citation,
                "certainty": figure.certainty,
                "sentence": figure.sentence,
            }
            for figure in book.parameters.values()
            for parameter, value in parameter_values(figure.name, figure.value)
        ]
    if form is Format.JSON:
        limits = {name: vars(text) for name, text in book.limits.items()}
        print_json(
            dict(book.instrument)
            | {
                "digest": book.digest,
                "dates": dict(book.dates),
                "status": book.status,
                "events": list(book.events),
            }
            | {"limits": limits, "parameters": figures}
        )
        return
    if form is Format.TABLE:
        said = (book.instrument["title"], book.instrument["sentence"], f"digest {book.digest}", "")
        dates = [f"{date_name.replace('_', ' ')}: {day}" for date_name, day in book.dates.items()]
        for line in (*said, *dates, "", book.status, ""):
            console().print(cell(line))
        print_rows(figures, ("parameter", "value", "unit", "citation", "certainty"), form)
        return
    print_rows(figures, tuple(figures[0]), form)


@rulebook.command()
def check(name: Name) -> None:
    """Check a rulebook: every fault with file, key, what was found and what is allowed. Exit code 1 if there is one."""
    from ledger.store.seeds import find_rulebook, seeded_rulebooks

    book = find_rulebook(name)
    counts = f"{len(book.parameters)} parameters, {len(book.limits)} limits"
    print(f"{book.id} is a good rulebook: {counts}, digest {book.digest}")
    _say_same_id(book, [find_rulebook(seeded) for seeded in seeded_rulebooks()])


def _say_same_id(book: "Rulebook", others: "list[Rulebook]") -> None:
    from ledger.sequencer.adopting import same_id

    if same_id(book, others):
        say(
            f"note: another rulebook has the id {book.id} and means something else; give this one an id of its own,"
            " rulebook.id in rulebook.toml, so that people can tell them apart"
        )


@rulebook.command()
def copy(
    context: typer.Context,
    name: AnyName,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet.")],
) -> None:
    """Write the files of a rulebook to a new folder, to make another of them."""
    from ledger.store.seeds import write_rulebook

    with _found(context, name) as (book,):
        write_rulebook(book, folder)
    say(
        f"wrote {visible(str(folder))}; next: give it an id of its own in rulebook.toml, change what differs, and"
        f" quotaledger rulebook check {visible(str(folder))}"
    )


@rulebook.command()
def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="A", help="A rulebook, named as for show.")],
    new: Annotated[str, typer.Argument(metavar="B", help="The rulebook to compare it with.")],
    form: FormatOption = Format.TABLE,
) -> None:
    """Say what differs between two rulebooks: every figure, text, tier, alias and date, old and new."""
    from ledger.rulebook.differences import differences

    with _found(context, old, new) as (a, b):
        rows = [vars(difference) for difference in differences(a, b)]
    if form is Format.JSON:
        named = {side: {"rulebook": book.id, "digest": book.digest} for side, book in (("old", a), ("new", b))}
        print_json(named | {"same_meaning": a.digest == b.digest, "differences": rows})
    elif form is Format.CSV:
        print_rows(rows, _DIFFERENT, form)
    elif rows:
        print_rows([_readable(row) for row in rows], _DIFFERENT, form, f"{_short(a)} -> {_short(b)}")
    elif a.digest == b.digest:
        print(f"{_short(a)} and {_short(b)} mean the same")
    else:
        print(f"{_short(a)} and {_short(b)} say the same; only the order of what they list differs")


def _readable(row: dict[str, str]) -> dict[str, str]:
    """Put separators into amounts, for people."""
    amounts = {side: f"{int(row[side]):,}" for side in ("old", "new") if row["unit"] == "TPP" and row[side].isdigit()}
    return row | amounts


@rulebook.command()
def adopt(
    context: typer.Context,
    name: AnyName,
    note: Annotated[str, typer.Option(metavar="WHY", help="Why it is adopted, at most 1,000 characters.")],
) -> None:
    """Put another rulebook, or an amended one, in force for later decisions; earlier decisions keep theirs.

    Going back is adopting the earlier one again, by its id, its folder or its digest.
    """
    from ledger.sequencer.adopting import adopt as adopt_rulebook
    from ledger.sequencer.adopting import adoptions, named_rulebook
    from ledger.store.seeds import find_rulebook, seeded_rulebooks

    with opened(context, writing=True) as desk:
        book = named_rulebook(desk, name)
        known = [named_rulebook(desk, row["digest"]) for row in adoptions(desk)]
        done = adopt_rulebook(desk, book, note)
    if done.batch is None:
        print(f"{_short(book)} is in force already; nothing was recorded")
        return
    print(f"batch {done.batch}: {_short(book)} is in force, after {_short(done.before)}; earlier decisions keep theirs")
    if done.over:
        some = ", ".join(done.over[:_DIGEST_SHOWN]) + (" and others" if len(done.over) > _DIGEST_SHOWN else "")
        print(f"over its caps now: {some}; nothing more is admitted there under LICENSE")
    _say_same_id(book, [*known, *map(find_rulebook, seeded_rulebooks())])
    say(f"what differs: quotaledger rulebook diff {done.before.digest[:_DIGEST_SHOWN]} in-force")
