"""What countries and families have used and have left."""

from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BeforeValidator
from starlette.responses import JSONResponse

from ledger.api.access import Analyst, Reader
from ledger.api.rendering import answer, json_of
from ledger.api.service import Service, TheService
from ledger.core.dates import parse_date
from ledger.sequencer.positions import status
from ledger.store.outputs import plain
from schemas.api import Positions

router = APIRouter(prefix="/v1/positions", tags=["positions"])


def _day(given: object) -> object:
    """Read a day as it is written everywhere else; pydantic would take the seconds of an instant for one, too."""
    try:
        return date.fromordinal(parse_date(given)) if isinstance(given, str) else given
    except ValueError:
        raise ValueError("expected a day that exists, as YYYY-MM-DD") from None


AsOf = Annotated[
    date | None,
    BeforeValidator(_day),
    Query(description="Leave out records dated later, and take tiers and authorizations as of that day."),
]
_FAMILIES: Final = ("lpp", "nveu", "uveu", "uveu_country_shares")


@router.get("/countries", response_model=Positions)
async def get_countries(service: TheService, _: Reader, as_of: AsOf = None) -> JSONResponse:
    """Give every tier-2 country with its cap, what is used of it, and what is left."""
    return await _positions(service, "countries", as_of)


@router.get("/countries/{country}", response_model=Positions)
async def get_country(country: str, service: TheService, _: Reader, as_of: AsOf = None) -> JSONResponse:
    """Give one country, by its ISO 3166-1 alpha-2 code."""
    return await _positions(service, "countries", as_of, country=country)


@router.get("/lpp", response_model=Positions)
async def get_lpp(service: TheService, _: Analyst, as_of: AsOf = None, family: str | None = None) -> JSONResponse:
    """Give the LPP allowance of every family and year with use."""
    return await _positions(service, "lpp", as_of, family=family)


@router.get("/nveu", response_model=Positions)
async def get_nveu(service: TheService, _: Analyst, as_of: AsOf = None, family: str | None = None) -> JSONResponse:
    """Give the NVEU allowances, by family, destination and quarter."""
    return await _positions(service, "nveu", as_of, family=family)


@router.get("/uveu", response_model=Positions)
async def get_uveu(service: TheService, _: Analyst, as_of: AsOf = None, family: str | None = None) -> JSONResponse:
    """Give what families that hold a UVEU have installed, and the shares outside the U.S. and tier 1."""
    return await _positions(service, "uveu", as_of, family=family)


@router.get("/uveu/countries", response_model=Positions)
async def get_uveu_countries(
    service: TheService, _: Analyst, as_of: AsOf = None, family: str | None = None
) -> JSONResponse:
    """Give the share of each such family in each country outside tier 1."""
    return await _positions(service, "uveu_country_shares", as_of, family=family)


async def _positions(
    service: Service, kind: str, as_of: date | None, country: str | None = None, family: str | None = None
) -> JSONResponse:
    found: dict[str, Any] = await service.read(lambda desk: status(desk, country, family, as_of))
    said = {"as_of": plain(found["as_of"]), "sequence": found["sequence"], "rulebook": found["rulebook"]}
    return answer(said | {"positions": [json_of(row) for row in found[kind]]})
