"""What an answer says when a request was not done: RFC 9457 problem details, each kind with a page of its own.

A kind is a class with a fixed title, status and next step; what is particular to the request is its detail. Nothing
that the ledger's own errors say about files, statements or code is ever passed on.
"""

import errno
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from ledger.core.errors import (
    Busy,
    InputRejected,
    LedgerUnavailable,
    NoRoom,
    PreconditionFailed,
    QuotaledgerError,
    RejectedRow,
    WrongUsage,
)

MEDIA_TYPE: Final = "application/problem+json"
TOLD_MAX: Final = 100
"""So many faults are in one answer; all of them are where the decisions of an import are."""


class Problem(Exception):
    """A request that was not done."""

    kind: ClassVar[str]
    """The last part of its type."""
    status: ClassVar[int]
    title: ClassVar[str]
    next_step: ClassVar[str]
    """What to do, for its page."""
    retry_after: int | None = None
    """Seconds after which the same request may do better."""

    def __init__(self, detail: str, errors: Sequence[Mapping[str, Any]] = (), retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail, self.errors = detail, errors
        self.retry_after = retry_after or type(self).retry_after

    def content(self, instance: str) -> dict[str, Any]:
        """Give the problem as JSON has it."""
        said = {
            "type": f"/problems/{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "next_step": self.next_step,
            "instance": instance,
        }
        return said | ({"errors": list(self.errors)[:TOLD_MAX]} if self.errors else {})

    def headers(self) -> dict[str, str]:
        """Give the headers of the answer."""
        return {"Retry-After": str(self.retry_after)} if self.retry_after else {}


class Malformed(Problem):
    """The request cannot be understood."""

    kind, status, title = "malformed", 400, "The request cannot be understood"
    next_step = "Mend what `errors` and `detail` name: a header, a parameter or the JSON itself. Nothing was recorded."


class Unauthenticated(Problem):
    """There is no key, or none that holds."""

    kind, status, title = "unauthenticated", 401, "No key, or none that holds"
    next_step = "Send `Authorization: Bearer KEY` with a key that holds; whoever runs the server makes keys."

    def headers(self) -> dict[str, str]:
        """Say how a key is sent."""
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(Problem):
    """The key may not do that."""

    kind, status, title = "forbidden", 403, "The key may not do that"
    next_step = "Use a key with the scope that `detail` names; who runs the server makes keys and gives permissions."


class NotFound(Problem):
    """There is nothing there, or nothing that the caller may see."""

    kind, status, title = "not-found", 404, "There is nothing there that you may see"
    next_step = "Check the address. What others have filed is answered like what is not there."


class NotAllowed(Problem):
    """The address is known, and does not do that."""

    kind, status, title = "method-not-allowed", 405, "The address does not do that"
    next_step = "The header `Allow`, and the page at `/docs`, say what it does."


class NotAcceptable(Problem):
    """None of the formats asked for is one that is written."""

    kind, status, title = "not-acceptable", 406, "None of the formats asked for can be given"
    next_step = "Ask for one of those that `detail` names in `Accept` or `format`."


class TooSlow(Problem):
    """The body did not come in time."""

    kind, status, title = "too-slow", 408, "The body did not come in time"
    next_step = "Send it again, compressed or in smaller files. Nothing was recorded."


class StillRunning(Problem):
    """A request with the same idempotency key is not answered yet."""

    kind, status, title = "still-running", 409, "A request with this idempotency key is still being answered"
    next_step = "Wait, then send the same again: it is answered with what became of the first."
    retry_after = 1


class DecisionsChanged(Problem):
    """The decisions would be others than those of the dry run."""

    kind, status, title = "decisions-changed", 412, "The decisions would not be those of the dry run"
    next_step = "Look at a new dry run, and file with its token. Nothing was recorded."


class TooLarge(Problem):
    """The body is larger than it may be."""

    kind, status, title = "too-large", 413, "The body is larger than it may be"
    next_step = "Send smaller files: each is a batch of its own. Nothing was recorded."


class WrongType(Problem):
    """The body's type or coding is none that is read."""

    kind, status, title = "unsupported-media-type", 415, "The body's type or coding is none that is read"
    next_step = "Send CSV, NDJSON, Parquet or an Arrow IPC stream, plain, gzip or zstd, and say so in the headers."


class Rejected(Problem):
    """Rows or fields cannot be records; nothing was recorded."""

    kind, status, title = "rejected", 422, "What was sent cannot be recorded"
    next_step = (
        "Mend what `errors` name, each with row, column and code, and send it again; `skip_invalid=true` records the"
        " other rows."
    )


class KeyReused(Problem):
    """The idempotency key was used for something else."""

    kind, status, title = "idempotency-key-reused", 422, "The idempotency key was used for another request"
    next_step = "Make a new key for each new request, and keep it for its repetitions only. Nothing was recorded."


class QueryNotAnswered(Problem):
    """The query is none that is answered."""

    kind, status, title = "query-not-answered", 422, "The query is not answered"
    next_step = "Mend what `detail` names: one statement that reads, on the views of the data dictionary."


class QueryStopped(Problem):
    """The query took more than it may, or was cancelled."""

    kind, status, title = "query-stopped", 422, "The query was stopped"
    next_step = "Ask for less: filter with WHERE, sum with GROUP BY, or take the published copy and ask it yourself."


class TooMany(Problem):
    """More requests than the key may send."""

    kind, status, title = "too-many-requests", 429, "More requests than the key may send"
    next_step = "Wait for as many seconds as `Retry-After` says; put several records into one file."
    retry_after = 1


class Faulty(Problem):
    """Something went wrong inside."""

    kind, status, title = "fault", 500, "Something went wrong inside"
    next_step = (
        "Send the same again with the same idempotency key: if it was recorded, that is answered. If it goes wrong"
        " again, tell whoever runs the server the `instance`."
    )


class Unavailable(Problem):
    """The ledger takes nothing now."""

    kind, status, title = "unavailable", 503, "The ledger takes nothing now"
    next_step = "Send the same again after as many seconds as `Retry-After` says."
    retry_after = 2


PROBLEMS: Final[tuple[type[Problem], ...]] = tuple(sorted(Problem.__subclasses__(), key=lambda kind: kind.status))


def problem_of(error: BaseException) -> Problem:
    """Give the problem that an error of the ledger's is to whoever sent the request."""
    match error:
        case Problem():
            return error
        case InputRejected():
            return Rejected(sentence(error), [fault(row) for row in error.rows])
        case PreconditionFailed():
            return DecisionsChanged(sentence(error))
        case WrongUsage():
            return NotFound(sentence(error))
        case Busy():
            return Unavailable("too many requests wait to be recorded already; this one was not accepted")
        case NoRoom() | OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return Unavailable("the server has no room left on its disk; it goes on when there is some")
        case LedgerUnavailable():
            return Unavailable("the ledger is being closed, or held by another process; nothing was recorded")
        case QuotaledgerError() | _:
            return Faulty("it is not certain whether anything was recorded; the same request may be sent again")


def fault(row: RejectedRow) -> dict[str, Any]:
    """Give a rejected row as an answer has it."""
    return {
        "detail": row.message,
        "row": row.row,
        "reference": row.reference,
        "column": row.field or None,
        "code": row.code,
    }


def respond(request: Request, problem: Problem) -> JSONResponse:
    """Answer with a problem."""
    content = problem.content(request.scope["state"]["request_id"])
    return JSONResponse(content, problem.status, problem.headers(), MEDIA_TYPE)


def sentence(error: Exception) -> str:
    """Give an error of the ledger's as a sentence."""
    text = str(error)
    return text[:1].upper() + text[1:] + "."
