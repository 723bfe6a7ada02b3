"""The application: every route, what surrounds each request, and how what goes wrong is answered."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from uuid import uuid4

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from ledger.api import administration, allocations, browser, checkpoints, imports, operations, positions, queries
from ledger.api.access import Rate
from ledger.api.bodies import FILE_PATHS
from ledger.api.problems import (
    MEDIA_TYPE,
    Faulty,
    Malformed,
    NotAllowed,
    NotFound,
    Problem,
    Rejected,
    TooLarge,
    problem_of,
    respond,
)
from ledger.api.service import Service
from ledger.core.errors import NoRoom, QuotaledgerError
from ledger.core.version import VERSION

_LOG: Final = structlog.get_logger("quotaledger.api")
_ROUTES: Final = (allocations, imports, positions, checkpoints, queries, browser, administration, operations)

_JSON_MAX: Final = 1 << 20
"""Bytes of a body of JSON; those of files are in the settings."""
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "It was not done.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


def routes() -> FastAPI:
    """Give the application with all its routes, and no ledger to serve: what the OpenAPI document is made of."""
    app = FastAPI(
        title="quotaledger",
        version=VERSION,
        summary="File allocations of AI chips, and ask what was decided.",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    for module in _ROUTES:
        app.include_router(module.router, responses=_PROBLEMS)
    return app


def make_app(service: Service) -> FastAPI:
    """Give the application that serves a ledger."""
    app = routes()
    app.state.service = service
    app.state.rate = Rate(service.settings.requests_per_second, service.settings.requests_at_once)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(QuotaledgerError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_middleware(_Surrounding, service=service)
    return app


class _Surrounding:
    """Gives each request an id, counts it, writes a line about it, and answers for what nobody has foreseen."""

    def __init__(self, app: Any, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = uuid4().hex
        began, status, is_read, size = time.perf_counter(), 0, False, 0
        is_file = scope["path"].startswith(FILE_PATHS)

        async def received() -> _Message:
            nonlocal is_read, size
            message = await receive()
            is_read |= not message.get("more_body", False)
            size += len(message.get("body", b""))
            if size > _JSON_MAX and not is_file:
                raise HTTPException(TooLarge.status)
            return message

        async def sent(message: _Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", state["request_id"].encode()),
                    (b"cache-control", b"no-store"),
                    (b"x-content-type-options", b"nosniff"),
                    # What is still to come of a body that nobody reads would be taken for the next request.
                    *([] if is_read or not _has_body(scope) else [(b"connection", b"close")]),
                ]
            await send(message)

        try:
            await self._app(scope, received, sent)
        except Exception as error:
            _LOG.exception("fault", request_id=state["request_id"], error=type(error).__name__)
            if status:
                raise
            await respond(Request(scope), problem_of(error))(scope, receive, sent)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            self._service.metrics.requests.labels(route, str(status)).inc()
            _LOG.info(
                "request",
                request_id=state["request_id"],
                method=scope["method"],
                route=route,
                status=status,
                key=state.get("key"),
                milliseconds=round(1000 * (time.perf_counter() - began), 1),
            )


def _has_body(scope: _Message) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


async def _problem(request: Request, error: Exception) -> JSONResponse:
    problem = problem_of(error)
    if isinstance(problem, Faulty) or isinstance(error, NoRoom):
        _LOG.error("fault", request_id=request.scope["state"]["request_id"], error=str(error))
    return respond(request, problem)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer for what the shape of a request forbids, each fault with a pointer to where it is."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- that is what it is registered for
    faults, is_body = [], True
    for found in error.errors():
        where, *path = (str(part) for part in found["loc"])
        pointer = "/" + "/".join(path) if where == "body" and path and found["type"] != "json_invalid" else None
        is_body &= where == "body" and found["type"] != "json_invalid"
        place = None if where == "body" else f"{where} {'.'.join(path)}"
        said = f"{place + ': ' if place else ''}{found['msg']}"
        faults.append({"detail": said, "pointer": pointer, "code": found["type"].replace("_", "-")})
    if is_body:
        return respond(request, Rejected("The request has not the shape that it must have.", faults))
    return respond(request, Malformed("the request has not the form that it must have", faults))


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    """Answer for addresses and methods that there are not."""
    assert isinstance(error, HTTPException)  # noqa: S101 -- that is what it is registered for
    problem: Problem
    if error.status_code == NotFound.status:
        problem = NotFound("there is nothing at this address; /docs lists what there is")
    elif error.status_code == TooLarge.status:
        problem = TooLarge(f"a body of JSON has at most {_JSON_MAX:,} bytes")
    elif error.status_code == NotAllowed.status:
        problem = NotAllowed("this address does not do that")
    else:
        problem = Malformed("the request cannot be read")
    answer = respond(request, problem)
    answer.headers.update(error.headers or {})
    return answer
