"""What a shell offers after Tab for the values of options: only what is quick to find.

That comes with the software, or is in the small store of keys. Parties and references are in the ledger, which may be
held or large: they are not offered.
"""

from collections.abc import Iterable

import typer

from ledger.core.errors import QuotaledgerError
from schemas.words import STATED_BASES

Offers = list[tuple[str, str]]


def countries(incomplete: str) -> Offers:
    """Offer country codes with their names."""
    from ledger.store.seeds import country_names

    return _offers(country_names().items(), incomplete)


def chips(incomplete: str) -> Offers:
    """Offer the ids of the chips that come with the project, with their names."""
    from ledger.store.seeds import chip_names

    return _offers(chip_names().items(), incomplete)


def rulebooks(incomplete: str) -> Offers:
    """Offer the rulebooks that come with the project; a folder or file is completed by the shell."""
    from ledger.store.seeds import seeded_rulebooks

    return _offers(((name, "") for name in seeded_rulebooks()), incomplete)


def bases(incomplete: str) -> Offers:
    """Offer the authorizations that a record may state."""
    return _offers(((basis.name, "") for basis in STATED_BASES), incomplete)


def key_ids(context: typer.Context, incomplete: str) -> Offers:
    """Offer the ids of the API keys that can still be revoked, each with whose it is."""
    from ledger.sequencer.keys import list_keys

    try:
        known = list_keys(context.find_root().params["ledger"])
    except QuotaledgerError:  # the verb itself will say what is wrong
        return []
    return _offers(((key.id, f"{key.provider}, {key.scope}") for key in known if key.revoked_at is None), incomplete)


def _offers(known: Iterable[tuple[str, str]], incomplete: str) -> Offers:
    return [(code, told) for code, told in known if code.startswith(incomplete)]
