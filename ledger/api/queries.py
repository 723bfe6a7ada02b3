"""SQL of analysts: asked of the published copy, in a process of its own, and written down."""

import asyncio
import base64
import json
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from ledger.api import problems
from ledger.api.access import Admin, Analyst, Caller
from ledger.api.problems import NotAcceptable, Problem, Unavailable, sentence
from ledger.api.rendering import answer, json_of
from ledger.api.service import Service, TheService
from ledger.core.errors import LedgerUnavailable, WrongUsage
from ledger.sandbox.pool import Answer, QueryStopped
from ledger.store.queries import AskedQuery
from schemas.api import SqlAnswer, SqlFormat, SqlRequest

router = APIRouter(prefix="/v1", tags=["SQL"])

_TYPES: Final = {
    SqlFormat.JSON: "application/json",
    SqlFormat.CSV: "text/csv; charset=utf-8",
    SqlFormat.ARROW: "application/vnd.apache.arrow.stream",
    SqlFormat.PARQUET: "application/vnd.apache.parquet",
}
_LOOK_SECONDS: Final = 0.25
"""So often it is looked whether whoever asked is still there."""
_NAME: Final = "^[A-Za-z0-9_-]{1,64}$"


@router.post(
    "/sql",
    response_model=SqlAnswer,
    responses={200: {"content": {kind: {} for kind in _TYPES.values()}, "description": "What the query gives."}},
)
async def ask_sql(
    asked: SqlRequest,
    request: Request,
    service: TheService,
    caller: Analyst,
    query_id: Annotated[
        str | None, Header(pattern=_NAME, description="Your own name for the query, by which it can be cancelled.")
    ] = None,
) -> Response:
    """Answer one query on the views, as of the published copy, in JSON, CSV, Arrow or Parquet.

    The headers `Quotaledger-...` say of which checkpoint the answer is, and whether the same query on it gives the same
    bytes by right. Who goes away before the answer has it cancelled.
    """
    name = f"{caller.key.id}/{query_id or uuid4().hex}"
    form = _form(request, asked.format)
    began = service.now()
    problem: Problem | None = None
    found, outcome = None, "answered"
    try:
        future = service.pool.submit(asked.query, asked.parameters or (), form.value, name, caller.key.id)
        found = await _awaited(request, service, name, future)
    except QueryStopped as error:
        problem, outcome = problems.QueryStopped(sentence(error)), "stopped"
    except WrongUsage as error:
        problem, outcome = problems.QueryNotAnswered(sentence(error)), "refused"
    except LedgerUnavailable as error:
        problem, outcome = Unavailable(sentence(error)), "unavailable"
    service.metrics.queries.labels(outcome).inc()
    kept = partial(service.keys.note_query, _asked(name, caller, began, service.now(), asked.query, outcome, found))
    if problem:
        await asyncio.to_thread(kept)
        raise problem
    assert found is not None  # noqa: S101 -- there is no problem
    return Response(_content(found, form), 200, _headers(found), _TYPES[form], BackgroundTask(kept))


@router.delete("/sql/{query_id}", status_code=204)
async def cancel_sql(query_id: Annotated[str, Path(pattern=_NAME)], service: TheService, caller: Analyst) -> Response:
    """Cancel a query of this key by the name that it was given in `Query-Id`, if it is on its way still."""
    service.pool.cancel(f"{caller.key.id}/{query_id}")
    return Response(status_code=204)


@router.get("/queries")
async def get_queries(
    service: TheService, _: Admin, limit: Annotated[int, Query(ge=1, le=10_000)] = 100
) -> dict[str, Any]:
    """Give the newest queries that were asked: whose key, what, when, and what it took."""
    found = await asyncio.to_thread(service.keys.queries, limit)
    fields = ("id", "key", "provider", "asked_at", "query", "outcome", "rows", "bytes", "seconds", "sequence")
    rows = [json_of({name: getattr(row, name) for name in fields}) for row in found]
    return answer({"queries": rows})  # type: ignore[return-value]


async def _awaited(request: Request, service: Service, name: str, future: "Future[Answer]") -> Answer:
    """Wait for an answer; it is cancelled when nobody waits for it any more."""
    wrapped = asyncio.wrap_future(future)
    while True:
        done, _ = await asyncio.wait({wrapped}, timeout=_LOOK_SECONDS)
        if done:
            return wrapped.result()
        if await request.is_disconnected():
            future.cancel()
            service.pool.cancel(name)


def _form(request: Request, form: SqlFormat | None) -> SqlFormat:
    """Give the format that was asked for in the body, or by `Accept`. Raises NotAcceptable."""
    if form:
        return form
    for part in request.headers.get("accept", "*/*").split(","):
        kind = part.partition(";")[0].strip().lower()
        if kind in ("*/*", "application/*", ""):
            return SqlFormat.JSON
        for named, media in _TYPES.items():
            if kind == media.partition(";")[0]:
                return named
    raise NotAcceptable(f"answers are written as {', '.join(_TYPES.values())}")


def _content(found: Answer, form: SqlFormat) -> bytes:
    """Give the body: JSON has the checkpoint in it, and nothing that differs from one time to the next."""
    if form is not SqlFormat.JSON:
        return found.content
    facts = {
        "checkpoint": found.checkpoint,
        "sequence": found.sequence,
        "leaves": found.leaves,
        "reproducible": found.reproducible,
    }
    # Behind what was written already: to read it again would take as long as the query.
    return found.content[:-1] + b"," + json.dumps(facts, ensure_ascii=False).encode()[1:]


def _headers(found: Answer) -> Mapping[str, str]:
    return {
        "Quotaledger-Checkpoint": base64.b64encode(found.checkpoint.encode()).decode(),
        "Quotaledger-Sequence": str(found.sequence),
        "Quotaledger-Leaves": str(found.leaves),
        "Quotaledger-Published-At": found.published_at,
        "Quotaledger-Reproducible": str(found.reproducible).lower(),
        "Quotaledger-Rows": str(found.rows),
        "Quotaledger-Seconds": f"{found.seconds:.3f}",
    }


def _asked(
    name: str, caller: Caller, began: datetime, now: datetime, query: str, outcome: str, found: Answer | None
) -> AskedQuery:
    return AskedQuery(
        id=name.partition("/")[2],
        key=caller.key.id,
        provider=caller.provider,
        asked_at=began,
        query=query,
        outcome=outcome,
        rows=found.rows if found else None,
        bytes=len(found.content) if found else None,
        seconds=(now - began).total_seconds(),
        sequence=found.sequence if found else None,
    )
