"""What only an administrator does: registers, rulebooks, and who may file for whose parties."""

from dataclasses import asdict
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from ledger.api.access import Admin
from ledger.api.bodies import DOCUMENTED
from ledger.api.problems import NotFound, Rejected, WrongType
from ledger.api.rendering import answer
from ledger.api.service import TheService, awaited
from ledger.rulebook.load import RulebookError
from ledger.sequencer.adopting import adopt
from ledger.sequencer.keys import grant, revoke_grant
from ledger.sequencer.registering import register_file, register_sheet
from ledger.store.seeds import find_rulebook, parse_rulebook, seeded_rulebooks
from schemas.api import Adoption, AdoptionRequest, MadeReports, PermissionRequest, Registration

router = APIRouter(prefix="/v1", tags=["administration"])

_REGISTER_BYTES_MAX = 1 << 26


@router.post("/registers/{register}", response_model=Registration, openapi_extra=DOCUMENTED)
async def register_rows(
    request: Request,
    register: Literal["parties", "authorizations", "assurances", "chips"],
    service: TheService,
    caller: Admin,
) -> JSONResponse:
    """Register rows from CSV, NDJSON or Parquet; a later row for the same key supersedes the earlier from then on."""
    async with service.receiving.body(request) as body:
        with body.content:
            if body.size > _REGISTER_BYTES_MAX:
                raise WrongType(f"a register file has at most {_REGISTER_BYTES_MAX:,} bytes")
            body.content.seek(0)
            sheet = register_file(register, body.file, body.content.read())
    work = partial(register_sheet, register=register, sheet=sheet)
    result = await awaited(service.writer.run(caller.provider, work, filed_by=caller.filed_by))
    return answer({"batch": result.batch, "recorded": result.recorded, "unchanged": result.unchanged})


@router.post("/reports/due", response_model=MadeReports)
async def make_reports(service: TheService, _: Admin) -> JSONResponse:
    """Make every report that is due, deliver it, and raise alerts; give what was made or failed.

    A server does so by itself unless it is told not to. Each period is made once, however often this is asked.
    """
    done = await run_in_threadpool(service.runner.run_due)
    return answer({"reports": [asdict(one) for one in done]})


@router.post("/rulebooks", response_model=Adoption)
async def adopt_rulebook(asked: AdoptionRequest, service: TheService, caller: Admin) -> JSONResponse:
    """Put a rulebook in force for later decisions."""
    if (asked.rulebook is None) == (asked.files is None):
        raise Rejected("Give the id of a rulebook that comes along, or the files of one.")
    try:
        if asked.files is not None:
            book = parse_rulebook(asked.files)
        elif asked.rulebook in seeded_rulebooks():
            book = find_rulebook(str(asked.rulebook))
        else:
            raise NotFound("there is no such rulebook; see `quotaledger rulebook list`")
    except RulebookError as error:
        raise Rejected("The rulebook cannot be used.", [{"detail": fault} for fault in error.problems]) from None
    work = partial(adopt, rulebook=book, note=asked.note)
    made = await awaited(service.writer.run(caller.provider, work, filed_by=caller.filed_by))
    return answer({"batch": made.batch, "rulebook": book.id, "digest": book.digest})


@router.post("/permissions", status_code=204, response_class=Response)
async def give_permission(asked: PermissionRequest, service: TheService, caller: Admin) -> Response:
    """Let a provider file for a party for which another one has filed."""
    await run_in_threadpool(grant, service.path, asked.provider, asked.party, service.now(), caller.filed_by)
    return Response(status_code=204)


@router.delete("/permissions/{provider}/{party}", status_code=204, response_class=Response)
async def take_permission(
    provider: Annotated[str, Path(max_length=128)],
    party: Annotated[str, Path(max_length=128)],
    service: TheService,
    _: Admin,
) -> Response:
    """Take such a permission away again."""
    await run_in_threadpool(revoke_grant, service.path, provider, party, service.now())
    return Response(status_code=204)
