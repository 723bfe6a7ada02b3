"""Single requests: to have an allocation decided and recorded, or only tried; and what became of a record."""

from hashlib import sha256
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import JSONResponse

from ledger.api.access import AnyCaller, Filer
from ledger.api.problems import Faulty, NotFound, Rejected, fault
from ledger.api.rendering import answer, assessment_of, json_of, limits_of
from ledger.api.service import TheService, awaited
from ledger.core.columns import Column
from ledger.core.errors import InputRejected
from ledger.sequencer.assessing import assess
from ledger.sequencer.explaining import explain
from ledger.sequencer.filing import decision, only_decision
from ledger.sequencer.imported import ImportResult
from ledger.sequencer.importing import Asked
from ledger.sequencer.receipting import leaf_of_reference, make_receipt
from ledger.store.sheet import Sheet
from schemas.api import AllocationRequest, Assessment, AssessmentRequest, Explanation, Filed
from schemas.record import LENGTH_MAX

router = APIRouter(prefix="/v1", tags=["single requests"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$",
        description="Your own name for the request, new for each. The same again is answered with what became of it.",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]
_FILE = "request"
_EXPLAINED = {"explained": {"operationId": "get_decision", "parameters": {"sequence": "$response.body#/sequence"}}}


@router.post(
    "/allocations",
    response_model=Filed,
    status_code=201,
    responses={
        200: {"model": Filed, "description": "A duplicate, or a repetition: decided before.", "links": _EXPLAINED},
        201: {"links": _EXPLAINED},
    },
)
async def file_allocation(
    asked: AllocationRequest,
    request: Request,
    service: TheService,
    caller: Filer,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Have one allocation decided and recorded; it is durable when this is answered. A refusal is an answer, too."""
    digest = sha256(b"allocation\n" + await request.body()).hexdigest()
    with service.one_at_a_time(caller.provider, idempotency_key) as filing:
        if found := await service.repeated(filing, digest):
            earlier = await service.read(lambda desk: only_decision(desk, found))
            if earlier is None:
                raise Faulty("what was answered to this idempotency key cannot be found")
            return answer(json_of(earlier))
        kept = Asked(uuid4().hex, digest, idempotency_key) if idempotency_key else None
        result = await _recorded(service, caller, asked, digest, kept)
        if result.rejected:
            raise Rejected("The request cannot be recorded.", [_fault(row) for row in result.rejected])
    service.metrics.count(result.counts)
    ((sequence, made),) = result.read_back.items()
    if result.duplicates:
        return answer(json_of(made) | {"duplicate": True})
    headers = {"Location": f"/v1/decisions/{sequence}"}
    return answer(json_of(made) | {"duplicate": False}, 201, headers)


async def _recorded(
    service: TheService, caller: Filer, asked: AllocationRequest, digest: str, kept: Asked | None
) -> ImportResult:
    """Have the one row recorded."""
    given = {"kind": "allocation", **asked.model_dump(exclude_none=True)}
    sheet = Sheet(_FILE, digest, 1, {name: Column.of([value]) for name, value in given.items()})
    with service.metrics.recording.time():
        return await awaited(
            service.writer.submit(
                caller.provider,
                [sheet],
                filed_by=caller.filed_by,
                asked=kept,
                guard=service.guard,
                read_back=True,
            )
        )


@router.post("/assessments")
async def assess_allocation(asked: AssessmentRequest, service: TheService, caller: AnyCaller) -> Assessment:
    """Say what would be decided of an allocation, and why, recording nothing."""
    given = {name: str(value) for name, value in asked.model_dump(exclude_none=True).items()}

    def question(desk: Any) -> Any:
        return assess(desk, given)

    try:
        made = await service.read(question)
    except InputRejected as error:
        raise Rejected("The request cannot be assessed.", [_fault(row) for row in error.rows]) from None
    return answer(assessment_of(made, caller.may_see))  # type: ignore[return-value]


@router.get("/decisions/{sequence}")
async def get_decision(
    sequence: Annotated[int, Path(ge=1, lt=2**63)], service: TheService, caller: AnyCaller
) -> Explanation:
    """Give a decision, with every limit that was tested for it, computed again as of its place in the ledger."""
    found = await service.read(lambda desk: decision(desk, sequence))
    if found is None or not caller.may_see(found["provider"]):
        raise NotFound(f"there is no record {sequence} that this key may see")
    made = await service.read(lambda desk: explain(desk, sequence))
    said = {"decision": json_of(found), "limits": limits_of(made.limits, caller.may_see)}
    return answer(said)  # type: ignore[return-value]


@router.get("/records")
async def get_record(
    reference: Annotated[str, Query(min_length=1, max_length=LENGTH_MAX["reference"])],
    service: TheService,
    caller: AnyCaller,
    provider: Annotated[str, Query(max_length=128, description="The key's own if left out.")] = "",
) -> dict[str, Any]:
    """Give a record by its provider and reference: the decision, and a receipt that it is in the log."""
    whose = provider or caller.provider
    if not caller.may_see(whose):
        raise NotFound("there is no such record that this key may see")

    def question(desk: Any) -> Any:
        receipt = make_receipt(desk.ledger, leaf_of_reference(desk.ledger, whose, reference))
        return decision(desk, int(str(receipt.fields["sequence"]))), receipt.text

    try:
        made, receipt = await service.read(question)
    except InputRejected:
        raise NotFound("there is no such record that this key may see") from None
    return answer({"decision": json_of(made), "receipt": receipt})  # type: ignore[return-value]


def _fault(row: Any) -> dict[str, Any]:
    """Give a fault of the one row with a pointer to its field."""
    said = fault(row) | {"row": None}
    return said | {"pointer": f"/{row.field}" if row.field else None}
