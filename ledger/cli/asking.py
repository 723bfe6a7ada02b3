"""The verbs that ask what the rule says and record nothing: assess, explain, status."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from ledger.cli.app import Settings, app, opened
from ledger.cli.completion import bases, chips, countries
from ledger.cli.output import Format, bar, cell, console, print_json, print_rows, print_table, say

FormatOption = Annotated[Format, typer.Option("--format", help="How to write the answer.")]

_LIMIT_COLUMNS = ("limit_id", "account", "observed_tpp", "most_tpp", "left_tpp", "exceeded", "citation")
_DISPENSABLE = ("delivered TPP", "left TPP", "used TPP", "cap H100e", "used H100e")
"""What the positions of countries can do without on a narrow terminal, first what goes first."""


@app.command()
def assess(
    context: typer.Context,
    destination: Annotated[str, typer.Option(metavar="CC", help="Country, or cloud:region.", autocompletion=countries)],
    consignee: Annotated[str, typer.Option(metavar="P", help="The party that would own the chips.")],
    chip: Annotated[
        str,
        typer.Option(metavar="C", help="Chip id; `quotaledger sql 'FROM chips'` lists them.", autocompletion=chips),
    ],
    quantity: Annotated[str, typer.Option(metavar="N", help="How many.")],
    day: Annotated[str, typer.Option("--date", metavar="D", help="Legal date, YYYY-MM-DD; today if not given.")] = "",
    basis: Annotated[
        str,
        typer.Option(metavar="B", help="LICENSE, LPP, AIA, NVEU or UVEU, if one is stated.", autocompletion=bases),
    ] = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Say what would be decided of an allocation, and why, recording nothing."""
    from ledger.sequencer.assessing import assess as assess_request

    request = {
        "destination": destination,
        "consignee": consignee,
        "chip": chip,
        "quantity": quantity,
        "date": day or datetime.now(UTC).date().isoformat(),
        "basis": basis,
    }
    with opened(context, writing=False) as desk:
        _print_assessment(assess_request(desk, request), form)


@app.command()
def explain(
    context: typer.Context,
    sequence: Annotated[int, typer.Argument(help="Place of the record in the ledger.")],
    form: FormatOption = Format.TABLE,
) -> None:
    """Decide a recorded record again as of its place in the ledger: every limit tested, and what weighed on it."""
    from ledger.sequencer.explaining import explain as explain_record

    with opened(context, writing=False) as desk:
        _print_assessment(explain_record(desk, sequence), form)


def _print_assessment(assessment: Any, form: Format) -> None:
    limits = [vars(tested) for tested in assessment.limits]
    if form is Format.JSON:
        print_json(assessment.decision | {"limits": limits})
        return
    if form is Format.CSV:
        print_rows(limits, _LIMIT_COLUMNS, form)
        return
    console().print(cell(assessment.decision["message"]))
    if not limits:
        console().print("No limit was tested.")
        return
    print_rows(limits, _LIMIT_COLUMNS, form)
    for tested in limits:
        if tested["heaviest"]:
            console().print(f"\nThe records that weighed most on {tested['limit_id']} {tested['account']}:")
            print_rows(tested["heaviest"], tuple(tested["heaviest"][0]), form)


@app.command()
def status(
    context: typer.Context,
    country: Annotated[
        str | None, typer.Option(metavar="CC", help="One country alone.", autocompletion=countries)
    ] = None,
    family: Annotated[str | None, typer.Option(metavar="P", help="The family of one party alone.")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Leave out records dated later."),
    ] = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show positions: what every country and family has used and has left."""
    from ledger.sequencer.positions import VIEWS
    from ledger.sequencer.positions import status as positions

    with opened(context, writing=False) as desk:
        found = positions(desk, country, family, as_of.date() if as_of else None)
    today = Settings.now().date()
    if not as_of and found["as_of"] > today:
        say(
            f"note: these positions are as of {found['as_of']}, the latest date recorded, which is after today; for"
            f" those of today: --as-of {today}"
        )
    if form is Format.JSON:
        print_json(found)
    elif form is Format.CSV:
        # One list is one table: the countries, unless it was a family that was asked for.
        names = [name for name in VIEWS if found[name]] if family else ["countries"]
        for name in names:
            print_rows(found[name], tuple(found[name][0]) if found[name] else (), form)
    else:
        print_positions(found, country)


def print_positions(found: dict[str, Any], country: str | None) -> None:
    """Print positions for people: the countries with use, and the families."""
    as_of: date = found["as_of"]
    console().print(cell(f"As of {as_of}, after record {found['sequence']:,}, under {_rulebook_text(found)}.\n"))
    used = [row for row in found["countries"] if country or row["used_tpp"] or row["delivered_tpp"]]
    rows = [
        {
            "country": f"{row['name']} ({row['destination']})",
            "used of cap": bar(row["used_percent"], row["status"]),
            "status": row["status"],
            "used H100e": row["used_h100e"],
            "left H100e": row["remaining_h100e"],
            "cap H100e": row["cap_h100e"],
            "used TPP": row["used_tpp"],
            "left TPP": row["remaining_tpp"],
            "delivered TPP": row["delivered_tpp"],
        }
        for row in sorted(used, key=lambda row: (-row["used_tpp"], row["destination"]))
    ]
    if rows:
        print_table(rows, tuple(rows[0]), dispensable=_DISPENSABLE)
    unused = len(found["countries"]) - len(used)
    if unused:
        console().print(f"{unused} {'more ' if rows else ''}tier-2 countries have used nothing of their caps.")
    for name, title in (
        ("lpp", "License Exception LPP, by family and year"),
        ("nveu", "NVEU installed base, by quarter"),
        ("uveu", "UVEU families"),
        ("uveu_country_shares", "UVEU shares by country"),
    ):
        if found[name]:
            console().print("")
            columns = tuple(column for column in found[name][0] if not column.startswith("rulebook"))
            print_rows(found[name], columns, Format.TABLE, title)


def _rulebook_text(found: dict[str, Any]) -> str:
    """Say whose figures positions are held against, and what they are."""
    country, lpp, *shares = found["figures"].values()
    return (
        f"{found['rulebook']} (digest {found['rulebook_digest'][:12]}): country cap {country:,} TPP, LPP {lpp:,} TPP a"
        f" year, UVEU shares {shares[0]}, {shares[1]} and {shares[2]} percent"
    )
