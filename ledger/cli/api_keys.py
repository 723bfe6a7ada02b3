"""The verbs on keys to the import API, and on who may file for whom: create, list, revoke, grant, grants, ungrant."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ledger.cli.app import Settings, app
from ledger.cli.completion import key_ids
from ledger.cli.inputs import end_of
from ledger.cli.output import Format, print_rows, print_table, readable, say
from ledger.core.errors import WrongUsage
from ledger.core.text import visible
from schemas.access import Scope

if TYPE_CHECKING:  # a verb loads only what it uses
    from ledger.store.access import Key, Permission

_HELP = """Keys to the import API: who may come in, for what, and who may file for which party.

They are kept beside the ledger, in a file of its name and `.ops`, and never in it: a key can be made, and revoked at
once, while a server holds the ledger.
"""
key = typer.Typer(help=_HELP, no_args_is_help=True)
app.add_typer(key, name="key")

_KEY_COLUMNS: Final = (
    "id",
    "provider",
    "scope",
    "state",
    "name",
    "expires_at",
    "last_used_at",
    "created_at",
    "created_by",
    "revoked_at",
)
_KEY_DISPENSABLE: Final = ("created_by", "created_at", "revoked_at", "last_used_at")
_GRANT_COLUMNS: Final = ("provider", "party", "granted_at", "granted_by", "revoked_at")

FormatOption = Annotated[Format, typer.Option("--format", help="How to write the answer.")]
ProviderOption = Annotated[str, typer.Option(metavar="NAME", help="The provider, as for `import`.")]
PartyOption = Annotated[str, typer.Option(metavar="P", help="The party's id, as it is registered.")]


@key.command()
def create(
    context: typer.Context,
    provider: Annotated[
        str,
        typer.Option(metavar="NAME", help="Whose records it files and reads, as for `import`; or who its owner is."),
    ],
    scope: Annotated[Scope, typer.Option(help="What it is for.")],
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="DAY|DAYS",
            help="The last day (UTC) on which it is good, as 2027-01-31, or for how many days from now.",
            show_default="never",
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(metavar="TEXT", help="What tells it from other keys of the provider, such as where it is used."),
    ] = "",
) -> None:
    """Make a key and print it, this once: the ledger keeps a hash of it alone. Standard output has nothing else.

    Each key has one scope.

    `import` files records, and reads back those of its own provider.

    `read` reads the records of its own provider and the positions of countries, and files nothing.

    `analyst` reads the records of all providers and all positions, and files nothing.

    `admin` may do everything: file, read, register, adopt rulebooks, and let providers file for parties.

    Keep it where a program finds it and people do not: `quotaledger key create --provider me --scope import > key.txt`.
    """
    from ledger.sequencer.keys import create_key

    at: Settings = context.obj
    now = at.now()
    end = None if expires is None else end_of(expires, "--expires", now)
    made = create_key(at.path, provider, scope, end, now, at.filed_by, name=name)
    until = f"until {end:%Y-%m-%d %H:%M} UTC" if end else "until it is revoked"
    say(
        f"made key {made.id}, {scope} for {visible(provider.strip())}, good {until}; it is shown this once: keep it"
        f" secret. If anybody else may have it: quotaledger key revoke {made.id}"
    )
    print(made.secret)


@key.command("list")
def list_(context: typer.Context, form: FormatOption = Format.TABLE) -> None:
    """Name every key that was ever made: whose, for what, until when, and when it was last used, to the minute.

    The key itself is not shown: nobody but who was given it has it.
    """
    from ledger.sequencer.keys import list_keys

    at: Settings = context.obj
    now = at.now()
    rows = [_listed(found, now) for found in list_keys(at.path)]
    if form is Format.TABLE:
        print_table([readable(row) for row in rows], _KEY_COLUMNS, dispensable=_KEY_DISPENSABLE)
    else:
        print_rows(rows, _KEY_COLUMNS, form)
    if not rows:
        say("there are no keys yet; make one with quotaledger key create")


def _listed(found: "Key", now: datetime) -> dict[str, Any]:
    is_expired = found.expires_at is not None and found.expires_at <= now
    state = "revoked" if found.revoked_at else "expired" if is_expired else "good"
    return {name: getattr(found, name) for name in _KEY_COLUMNS if name != "state"} | {"state": state}


@key.command()
def revoke(
    context: typer.Context,
    named: Annotated[
        str, typer.Argument(metavar="ID", help="The 8 digits behind `qlk_` in the key.", autocompletion=key_ids)
    ],
) -> None:
    """Refuse a key from now on, for good; a server that runs refuses the very next request with it."""
    from ledger.sequencer.keys import revoke_key

    at: Settings = context.obj
    done = revoke_key(at.path, named, at.now())
    print(
        f"key {done.id}, {done.scope} for {visible(done.provider)}, is revoked since"
        f" {done.revoked_at:%Y-%m-%d %H:%M:%S} UTC"
    )


@key.command("grant")
def grant_(context: typer.Context, provider: ProviderOption, party: PartyOption) -> None:
    """Let a provider's keys file records for a party. The ledger may be held, so neither is looked up there."""
    from ledger.sequencer.keys import grant

    at: Settings = context.obj
    is_new = grant(at.path, provider, party, at.now(), at.filed_by)
    who = f"{visible(provider.strip())} may file for {visible(party.strip())}"
    print(who if is_new else f"{who} already; nothing was changed")


@key.command()
def ungrant(context: typer.Context, provider: ProviderOption, party: PartyOption) -> None:
    """Take back that a provider's keys may file for a party, at once; what was filed stays."""
    from ledger.sequencer.keys import revoke_grant

    at: Settings = context.obj
    who = f"{visible(provider.strip())}", visible(party.strip())
    if not revoke_grant(at.path, provider, party, at.now()):
        raise WrongUsage(f"{who[0]} may not file for {who[1]} as it is; see `quotaledger key grants`")
    print(f"{who[0]} may not file for {who[1]} any more")


@key.command()
def grants(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Also those that were taken back.")] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Say which provider may file for which party, since when, and who let it."""
    from ledger.sequencer.keys import list_grants

    at: Settings = context.obj
    rows = [_granted(found) for found in list_grants(at.path) if every or found.revoked_at is None]
    print_rows([readable(row) for row in rows] if form is Format.TABLE else rows, _GRANT_COLUMNS, form)


def _granted(found: "Permission") -> dict[str, Any]:
    return {name: getattr(found, name) for name in _GRANT_COLUMNS}
