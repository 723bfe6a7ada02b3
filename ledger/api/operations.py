"""What whoever runs the server asks of it, the pages that it has, and what a key is: all that asks no ledger."""

from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from ledger.api.access import AnyCaller
from ledger.api.pages import overview, page
from ledger.api.problems import PROBLEMS, NotFound, Unavailable
from ledger.api.service import TheService
from schemas.api import KeyHolder

router = APIRouter(tags=["operations"])


@router.get("/healthz", response_class=PlainTextResponse)
async def get_health() -> Response:
    """Say that the server runs."""
    return PlainTextResponse("ok\n")


@router.get("/readyz", response_class=PlainTextResponse)
async def get_readiness(service: TheService) -> Response:
    """Say that the ledger can be asked and takes requests; 503 while it stops, or has little room on its disk."""
    if not service.is_ready():
        raise Unavailable("the ledger takes nothing now: it is being stopped, or has no room left on its disk")
    await service.read(lambda desk: desk.ledger.rows("SELECT batch FROM head"))
    return PlainTextResponse("ready\n")


@router.get("/metrics", response_class=PlainTextResponse)
async def get_metrics(service: TheService) -> Response:
    """Give figures in the text format of Prometheus."""
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/v1/key")
async def get_key(caller: AnyCaller) -> KeyHolder:
    """Say for whom the key files that is sent, what it may do, and how long it holds."""
    return KeyHolder(provider=caller.provider, scope=caller.key.scope, expires_at=caller.key.expires_at)


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def get_docs(request: Request) -> Response:
    """Give a page of every call, which needs nothing from elsewhere."""
    return HTMLResponse(overview(request.app.openapi()))


@router.get("/problems/{kind}", response_class=HTMLResponse, include_in_schema=False)
async def get_problem(kind: str) -> Response:
    """Give the page of a kind of problem."""
    for problem in PROBLEMS:
        if problem.kind == kind:
            body = f"<p>Status {problem.status}. {escape(problem.__doc__ or '')}</p><p>{escape(problem.next_step)}</p>"
            return HTMLResponse(page(problem.title, body))
    raise NotFound("there is no such kind of problem")
