"""Positions: what every country and family has used and has left, as they are or as of a legal date."""

from datetime import date
from typing import Any, Final

from ledger.core.errors import WrongUsage
from ledger.core.text import did_you_mean, nearest
from ledger.sequencer.desk import Desk
from ledger.store.contributions import balances_query
from ledger.store.log import last_checkpoint
from ledger.store.query import table
from ledger.store.views import body, view_files

VIEWS: Final = {
    "countries": "country_positions",
    "lpp": "lpp_positions",
    "nveu": "nveu_positions",
    "uveu": "uveu_positions",
    "uveu_country_shares": "uveu_country_shares",
}
"""The lists of a status, and the view whose rows each has."""

FIGURES: Final = (
    "country_cap_tpp",
    "lpp_annual_tpp",
    "uveu_single_country_percent",
    "uveu_outside_tier_1_percent",
    "uveu_outside_us_percent",
)
"""The figures against which positions are held, as the rulebook in force has them; the NVEU schedule is in its rows."""


def status(
    desk: Desk, country: str | None = None, family: str | None = None, as_of: date | None = None
) -> dict[str, Any]:
    """Give all positions, or those of one country or family; a list that does not concern it is empty.

    `as_of` leaves out records dated later and takes tiers, uplifts and authorizations as of that day. Raises
    WrongUsage for a country or party that is not known.
    """
    wanted = {"destination": _country(desk, country), "family": _family(desk, family)}
    latest = table(desk.ledger.connection, "SELECT sequence, latest_date FROM head")[0]
    return {
        "as_of": as_of or latest["latest_date"],
        "sequence": latest["sequence"],
        "rulebook": desk.rulebook.id,
        "rulebook_digest": desk.rulebook.digest,
        "figures": {name: desk.rulebook.figure(name) for name in FIGURES},
        "checkpoint": last_checkpoint(desk.ledger.connection),
    } | {
        name: [
            row
            for row in table(desk.ledger.connection, _query(view, as_of))
            if all(value is None or row.get(column) == value for column, value in wanted.items())
        ]
        for name, view in VIEWS.items()
    }


def _query(view: str, as_of: date | None) -> str:
    """Give the view's query, over the balances of a day if one is given: the names of its tables are shadowed."""
    query = body(view_files()[view])
    if as_of is None:
        return query
    day = f"DATE '{as_of.isoformat()}'"
    return f"WITH head AS (SELECT {day} AS latest_date), balance AS ({balances_query(f'date <= {day}')}) FROM ({query})"


def _country(desk: Desk, code: str | None) -> str | None:
    if code is None:
        return None
    if code not in desk.vocabulary.places:
        hint = did_you_mean(desk.vocabulary.likely_country(code))
        raise WrongUsage(f"there is no country {code}; give an ISO 3166-1 alpha-2 code{hint}")
    return desk.rulebook.counted(code)


def _family(desk: Desk, party: str | None) -> str | None:
    if party is None:
        return None
    if party not in desk.registers.parties:
        hint = did_you_mean(nearest(party, desk.registers.parties.keys()))
        raise WrongUsage(f"there is no party {party} in the register{hint}")
    return desk.registers.family(party)
