"""What proves that the past is as it was: checkpoints, consistency, and the keys that sign."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import PlainTextResponse, Response

from ledger.api.access import AnyCaller
from ledger.api.problems import NotFound
from ledger.api.service import TheService
from ledger.core.errors import WrongUsage
from ledger.sequencer.receipting import find_checkpoint, make_consistency

router = APIRouter(prefix="/v1", tags=["proof"])

_Leaves = Annotated[int, Path(ge=1, lt=2**63, description="Number of leaves.")]
_NOTE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {}}, "description": "A signed note (C2SP tlog-checkpoint)."}
}


@router.get("/checkpoints/latest", response_class=PlainTextResponse, responses=_NOTE)
async def get_latest_checkpoint(service: TheService, _: AnyCaller) -> Response:
    """Give the newest checkpoint: how many leaves the log has and what their root is, signed."""
    return PlainTextResponse(await service.read(lambda desk: find_checkpoint(desk.ledger)))


@router.get("/checkpoints/{leaves}", response_class=PlainTextResponse, responses=_NOTE)
async def get_checkpoint(leaves: _Leaves, service: TheService, _: AnyCaller) -> Response:
    """Give the checkpoint of so many leaves."""
    try:
        return PlainTextResponse(await service.read(lambda desk: find_checkpoint(desk.ledger, str(leaves))))
    except WrongUsage:
        raise NotFound(f"there is no checkpoint of {leaves} leaves") from None


@router.get("/proofs/consistency", responses={200: {"description": "A consistency statement."}})
async def get_consistency(
    service: TheService,
    _: AnyCaller,
    earlier: Annotated[int, Query(ge=1, lt=2**63, description="Leaves of the earlier checkpoint.")],
    later: Annotated[int | None, Query(ge=1, lt=2**63, description="Of the later one; the newest if left out.")] = None,
) -> Response:
    """Prove that the log of one checkpoint is the beginning of another's: nothing in it was changed since."""
    try:
        made = await service.read(lambda desk: make_consistency(desk.ledger, str(earlier), str(later or "")))
    except WrongUsage:
        raise NotFound("there are no two such checkpoints, the earlier one first") from None
    return Response(made.text, media_type="application/json")
