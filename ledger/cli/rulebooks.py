"""The verbs on rulebooks: list, show, check."""

from typing import Annotated

import typer

from ledger.cli.app import app
from ledger.cli.completion import rulebooks
from ledger.cli.output import Format, console, print_json, print_rows

rulebook = typer.Typer(help="Rulebooks: the rule as data.", no_args_is_help=True)
app.add_typer(rulebook, name="rulebook")

FormatOption = Annotated[Format, typer.Option("--format", help="How to write the answer.")]
Name = Annotated[
    str,
    typer.Argument(metavar="R", help="A seeded id, a folder, or its rulebook.toml.", autocompletion=rulebooks),
]


@rulebook.command("list")
def list_(form: FormatOption = Format.TABLE) -> None:
    """Name the rulebooks that come with quotaledger."""
    from ledger.store.seeds import find_rulebook, seeded_rulebooks

    books = [find_rulebook(name) for name in seeded_rulebooks()]
    rows = [
        {
            "rulebook": b.id,
            "title": b.instrument["title"],
            "effective": b.dates["effective"],
            "digest": b.digest,
        }
        for b in books
    ]
    print_rows(rows, ("rulebook", "title", "effective", "digest"), form)


@rulebook.command()
def show(name: Name = "bis-ai-diffusion-2025", form: FormatOption = Format.TABLE) -> None:
    """Show a rulebook: its instrument and dates, and every figure with its paragraph and how sure it is."""
    from ledger.store.derived import parameter_values
    from ledger.store.seeds import find_rulebook

    book = find_rulebook(name)
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
        console().print(f"{book.instrument['title']}\n{book.instrument['sentence']}\ndigest {book.digest}\n")
        for date_name, day in book.dates.items():
            console().print(f"{date_name.replace('_', ' ')}: {day}")
        console().print(f"\n{book.status}\n")
        print_rows(figures, ("parameter", "value", "unit", "citation", "certainty"), form)
        return
    print_rows(figures, tuple(figures[0]), form)


@rulebook.command()
def check(name: Name) -> None:
    """Check a rulebook: every fault with file, key, what was found and what is allowed. Exit code 1 if there is one."""
    from ledger.store.seeds import find_rulebook

    book = find_rulebook(name)
    counts = f"{len(book.parameters)} parameters, {len(book.limits)} limits"
    print(f"{book.id} is a good rulebook: {counts}, digest {book.digest}")
