"""Files of records: filed, tried, and asked for again with what became of every row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from ledger.api.access import AnyCaller, Caller, Filer
from ledger.api.allocations import IdempotencyKey
from ledger.api.bodies import DOCUMENTED, FORMATS, Body
from ledger.api.files import FileFormat, as_file, chosen
from ledger.api.jobs import Job
from ledger.api.problems import TOLD_MAX, Malformed, NotFound, Rejected, fault, problem_of
from ledger.api.rendering import answer, import_of, json_of
from ledger.api.service import Filing, Service, TheService, awaited
from ledger.core.errors import LedgerUnavailable
from ledger.sequencer.answers import COLUMNS, answer_rows
from ledger.sequencer.desk import Desk
from ledger.sequencer.filing import answered, rejected_rows, row_decisions
from ledger.sequencer.imported import ImportResult
from ledger.sequencer.importing import Asked, import_sheets, record_file
from ledger.sequencer.waiting import ROWS_TOGETHER_MAX
from ledger.store.outputs import read_page
from ledger.store.requests import Answered
from ledger.store.sheet import FileFault, Sheet, Source
from schemas.api import Import, RowDecisions

router = APIRouter(prefix="/v1/imports", tags=["imports"])

_AT_ONCE_BYTES: Final = 1 << 20
"""Larger files, and those of more rows than share a transaction, are answered later."""
_FOLLOWED: Final = {
    call: {"operationId": call, "parameters": {"request_id": "$response.body#/id"}}
    for call in ("get_import", "get_decisions")
}
_PAGE_MAX: Final = 10_000

Token = Annotated[
    str | None,
    Header(
        alias="If-Match", max_length=80, description="The token of a dry run: only just those decisions are recorded."
    ),
]


@router.post(
    "",
    response_model=Import,
    responses={
        200: {"links": _FOLLOWED},
        202: {
            "model": Import,
            "description": "It is being recorded; ask where `Location` says.",
            "links": _FOLLOWED,
        },
    },
    openapi_extra=DOCUMENTED,
)
async def file_import(
    request: Request,
    service: TheService,
    caller: Filer,
    idempotency_key: IdempotencyKey = None,
    token: Token = None,
    dry_run: Annotated[bool, Query(description="Decide, and record nothing.")] = False,
    skip_invalid: Annotated[bool, Query(description="Record the other rows where some are rejected.")] = False,
) -> JSONResponse:
    """File records: CSV, NDJSON, Parquet or an Arrow IPC stream, plain, gzip or zstd, as one batch or not at all.

    Small files are answered at once, larger ones become a job. With an idempotency key, the same file sent again is
    answered with what became of it.
    """
    async with service.receiving.body(request) as body:
        digest = sha256(f"import\n{skip_invalid}\n{body.sha256}".encode()).hexdigest()
        with service.one_at_a_time(caller.provider, None if dry_run else idempotency_key) as filing:
            if not dry_run and (found := await service.repeated(filing, digest)):
                body.content.close()
                return answer(import_of(found))
            expected = token.removeprefix("W/").strip('"') if token is not None else None
            if expected == "":  # of a script whose variable is empty; it would file whatever is decided
                raise Malformed("the header If-Match has no token; give that of a dry run, or leave it out")
            asked = Asked(uuid4().hex, digest, idempotency_key, expected)
            job = Job(asked.request, caller.provider, dry_run)
            work = _Work(service, caller, job, asked, skip_invalid)
            sheet = await run_in_threadpool(_small, body, work.rows_max)
            if sheet:
                body.content.close()
                return await work.at_once(sheet)
            return await work.later(body, filing)


@router.get("/{request_id}", response_model=Import)
async def get_import(request_id: str, service: TheService, caller: AnyCaller) -> JSONResponse:
    """Say how far an import is, or what became of it."""
    job, found = await _found(service, caller, request_id)
    return answer(import_of(found) if found else _import_of_job(job))  # type: ignore[arg-type]


@router.get(
    "/{request_id}/decisions",
    response_model=RowDecisions,
    responses={200: {"content": {kind: {} for kind in FORMATS}, "description": "The decisions of its rows, in order."}},
)
async def get_decisions(
    request: Request,
    request_id: str,
    service: TheService,
    caller: AnyCaller,
    after: Annotated[int, Query(ge=0, lt=2**63, description="Rows up to this one are left out.")] = 0,
    limit: Annotated[int, Query(ge=1, le=_PAGE_MAX, description="Rows of a page of JSON.")] = 1_000,
    form: Annotated[FileFormat | None, Query(alias="format", description="A whole file instead of a page.")] = None,
) -> Response:
    """Give the decisions of an import, in pages of JSON or, by `format` or `Accept`, as a file.

    Of one that failed, they are the rejected rows alone.
    """
    job, found = await _found(service, caller, request_id)
    if not found and job and job.state not in ("done", "failed"):
        raise NotFound("the import is not done; its decisions are there when it is")
    wanted = chosen(request, form)
    page = partial(_page, service, job, found)
    if wanted:
        return await run_in_threadpool(as_file, wanted, COLUMNS, page)
    rows = await run_in_threadpool(page, after, limit)
    following = None
    if len(rows) == limit:
        following = f"/v1/imports/{request_id}/decisions?after={rows[-1]['row']}&limit={limit}"
    said = {"decisions": [json_of(row) for row in rows], "next": following}
    return answer(said)


async def _found(service: Service, caller: Caller, request_id: str) -> tuple[Job | None, Answered | None]:
    """Find an import that the caller may see. Raises NotFound."""
    job = service.jobs.get(request_id)
    found = None if job else await service.read(lambda desk: answered(desk, request_id))
    owner = job.provider if job else found.provider if found else None
    if owner is None or not caller.may_see(owner):
        raise NotFound(
            "there is no such import that this key may see; if the server was ended while it was on its way, nothing"
            " of it was recorded: send it again"
        )
    return job, found


def _page(
    service: Service, job: Job | None, found: Answered | None, after: int, limit: int
) -> Sequence[Mapping[str, Any]]:
    """Give some rows of decisions, from behind a row."""
    if found:
        with service.writer.reading() as desk:
            return row_decisions(desk, found, after, limit)
    try:
        return read_page(job.file, after, limit) if job and job.file else ()
    except FileNotFoundError:  # forgotten just now
        raise NotFound("the decisions of this import are not kept any more") from None


def _small(body: Body, rows_max: int) -> Sheet | None:
    """Read a file that is answered at once; None if it is too large for that, of which few bytes may tell nothing."""
    if body.size > _AT_ONCE_BYTES:
        return None
    opened = record_file(body.file, body.content, rows_max)
    try:
        first, *rest = islice(opened.parts(ROWS_TOGETHER_MAX), 2)
    except FileFault as error:
        return Sheet(opened.file, opened.sha256, faults=[error.fault])
    return None if rest else first


class _Work:
    """An import that was asked for."""

    def __init__(self, service: Service, caller: Caller, job: Job, asked: Asked, skip_invalid: bool) -> None:
        self._service, self._caller, self._job, self._asked = service, caller, job, asked
        self._skip_invalid = skip_invalid

    async def at_once(self, sheet: Sheet) -> JSONResponse:
        """Record or try a small file, and answer what became of it."""
        service, caller = self._service, self._caller
        if self._job.dry_run:
            service.jobs.add(self._job)
            await run_in_threadpool(self._try, [sheet], lambda: None)
        else:
            with service.metrics.recording.time():
                result = await awaited(
                    service.writer.submit(
                        caller.provider,
                        [sheet],
                        filed_by=caller.filed_by,
                        skip_invalid=self._skip_invalid,
                        asked=self._asked,
                        guard=service.guard,
                    )
                )
            self._end(result)
        if self._job.problem:
            raise self._job.problem
        return answer(await self._said())

    async def later(self, body: Body, filing: Filing) -> JSONResponse:
        """Let a large file be recorded or tried while whoever sent it asks how far it is."""
        service, caller = self._service, self._caller
        sheets = [await run_in_threadpool(record_file, body.file, body.content, self.rows_max)]

        def ended() -> None:
            body.content.close()
            filing.done()

        service.jobs.add(self._job)
        if self._job.dry_run:
            service.background.submit(self._try, sheets, ended)
        else:
            try:
                future = service.writer.run(caller.provider, partial(self._record, sheets), filed_by=caller.filed_by)
            except LedgerUnavailable:  # too many wait
                service.jobs.forget(self._job)
                raise
            future.add_done_callback(self._fail)
            future.add_done_callback(lambda _: ended())
        filing.goes_on = True
        return answer(_import_of_job(self._job), 202, {"Location": f"/v1/imports/{self._job.id}"})

    @property
    def rows_max(self) -> int:
        """How many rows its file may have."""
        settings = self._service.settings
        return min(settings.rows_max, settings.dry_run_rows_max) if self._job.dry_run else settings.rows_max

    async def _said(self) -> Mapping[str, Any]:
        """Give the import as it is answered, which is as it will be whenever it is asked for again."""
        job = self._job
        if job.dry_run:
            return _import_of_job(job)
        found = await self._service.read(lambda desk: answered(desk, job.id))
        return import_of(found) if found else _import_of_job(job)

    def _record(self, sheets: Sequence[Source], desk: Desk) -> None:
        """Record a large file; called where the ledger is written."""
        result = import_sheets(
            desk,
            self._caller.provider,
            sheets,
            skip_invalid=self._skip_invalid,
            asked=self._asked,
            guard=self._service.guard,
            advanced=self._job.advanced,
            rejected_max=self._service.settings.rejected_max,
        )
        self._end(result)

    def _fail(self, future: Any) -> None:
        """Take note of what a large file has failed with."""
        if error := future.exception():
            self._job.problem, self._job.state = problem_of(error), "failed"

    def _try(self, sheets: Sequence[Source], ended: Callable[[], None]) -> None:
        """Decide a file without recording it."""
        try:
            with self._service.writer.reading() as desk:
                result = import_sheets(
                    desk,
                    self._caller.provider,
                    sheets,
                    skip_invalid=self._skip_invalid,
                    dry_run=True,
                    asked=self._asked,
                    guard=self._service.guard,
                    advanced=self._job.advanced,
                    rejected_max=self._service.settings.rejected_max,
                )
                self._end(result, answer_rows(desk, result, skip_invalid=self._skip_invalid))
        except Exception as error:  # noqa: BLE001 -- whoever asks how far it is, is told
            self._job.problem, self._job.state = problem_of(error), "failed"
        finally:
            ended()

    def _end(self, result: ImportResult, rows: Iterable[dict[str, Any]] = ()) -> None:
        """Take note of what became of it; `rows` are the decisions of a dry run."""
        job, jobs = self._job, self._service.jobs
        job.counts = result.counts | {"records": result.rows}
        if result.fails(self._skip_invalid):
            jobs.keep(job, rejected_rows(result))
            bad, rest = result.counts["rejected"], " The rest was not looked at." if result.is_given_up else ""
            job.problem = Rejected(
                f"Nothing was recorded: {bad:,} of {result.rows:,} rows were rejected.{rest}",
                [fault(row) for row in result.rejected[:TOLD_MAX]],
            )
            job.state = "failed"
        elif job.dry_run:
            jobs.keep(job, rows)
            job.token, job.state = result.decided, "done"
        else:
            self._service.metrics.count(result.counts)
            jobs.forget(job)
            job.state = "done"


def _import_of_job(job: Job) -> dict[str, Any]:
    """Give an import that is on its way, or has recorded nothing."""
    ended = job.state in ("done", "failed")
    counts = job.counts if ended else {}
    names = ("records", "admitted", "refused", "breached", "rejected", "duplicates")
    return {
        "id": job.id,
        "state": job.state,
        "provider": job.provider,
        "dry_run": job.dry_run,
        "progress": None if ended else {"done": job.done, "total": job.total},
        "batch": None,
        "recorded_at": None,
        **{name: counts.get(name) for name in names},
        "token": job.token,
        "problem": job.problem.content(job.id) if job.problem else None,
        "decisions": f"/v1/imports/{job.id}/decisions" if ended else None,
    }
