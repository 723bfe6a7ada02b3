"""The shapes of the import API: what is asked and answered in JSON. `openapi.json` is made of them.

Amounts in TPP are decimal strings, because they pass 2^53; days are `YYYY-MM-DD`, instants are UTC.
"""

from datetime import date as Date  # noqa: N812 -- `date` is a field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from schemas.access import Scope
from schemas.record import LENGTH_MAX, QUANTITY_MAX

Tpp = Annotated[str, Field(pattern="^-?[0-9]{1,19}$", examples=["15832000"])]
SqlValue = str | int | float | bool | None
_CODE_MAX = 128
_DAY: Final[JsonDict] = {"format": "date"}
"""What is no day is answered like what is wrong with a row, in the same words."""


class Asked(BaseModel):
    """What is asked has the fields of its shape and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class AssessmentRequest(Asked):
    """A request for an allocation that is only to be tried."""

    destination: str = Field(
        max_length=_CODE_MAX, description="Country, ISO 3166-1 alpha-2, or cloud:region.", examples=["AE"]
    )
    consignee: str = Field(max_length=_CODE_MAX, description="Party that will own the chips.", examples=["GULF-CLOUD"])
    chip: str = Field(max_length=_CODE_MAX, description="Chip id.", examples=["H100"])
    quantity: int = Field(ge=1, le=QUANTITY_MAX, description="Chips.", examples=[1000])
    date: str = Field(
        max_length=10, description="Legal date, YYYY-MM-DD.", examples=["2026-03-02"], json_schema_extra=_DAY
    )
    basis: Literal["LICENSE", "LPP", "AIA", "NVEU", "UVEU"] | None = Field(
        default=None, description="The authorization relied on; left out, the best that fits is found."
    )


class AllocationRequest(AssessmentRequest):
    """A request for an allocation, to be decided and recorded."""

    reference: str = Field(
        max_length=LENGTH_MAX["reference"],
        description="Your own name for it. The same again, with the same content, is a duplicate.",
        examples=["PO-1"],
    )
    license_number: str | None = Field(default=None, max_length=LENGTH_MAX["license_number"])
    expires: str | None = Field(
        default=None, max_length=10, description="The licence's last day, YYYY-MM-DD.", json_schema_extra=_DAY
    )
    exporter: str | None = Field(default=None, max_length=LENGTH_MAX["exporter"])
    site: str | None = Field(default=None, max_length=LENGTH_MAX["site"])
    evidence: str | None = Field(default=None, max_length=LENGTH_MAX["evidence"])
    note: str | None = Field(default=None, max_length=LENGTH_MAX["note"])


class Decision(BaseModel):
    """A recorded record with its decision. What is blank is null."""

    sequence: int = Field(description="Place in the ledger.", examples=[1])
    batch: int
    provider: str
    reference: str
    kind: str
    date: Date
    recorded_at: datetime
    destination: str
    consignee: str
    family: str = Field(description="Its ultimate parent when the record was decided.")
    chip: str
    quantity: int
    tpp: Tpp
    h100e: float = Field(description="H100 equivalents, for reading.")
    basis: str | None
    outcome: Literal["admitted", "refused", "breached"]
    limit_id: str | None = Field(description="The limit that spoke.")
    account: str | None = Field(description="The account that spoke.")
    remaining_tpp: Tpp | None = Field(description="What the limit leaves.")
    message: str = Field(description="Why, in one sentence with its paragraph.")
    under: str | None
    license_number: str | None
    expires: Date | None
    evidence: str | None


class Filed(Decision):
    """The answer to a single request."""

    duplicate: bool = Field(description="True: this is the decision of when the same was sent first.")


class Weight(BaseModel):
    """A record that weighed on an account, one of the caller's own."""

    sequence: int
    reference: str
    kind: str
    date: Date
    tpp: Tpp


class LimitTested(BaseModel):
    """A limit that a record was tested against."""

    limit_id: str
    title: str
    account: str | None
    observed_tpp: Tpp = Field(description="The account with the record counted.")
    most_tpp: Tpp
    left_tpp: Tpp
    exceeded: bool
    citation: str
    weighed: list[Weight] = Field(description="The caller's own among the ten records that weighed most.")
    rest_tpp: Tpp = Field(description="What those leave of `observed_tpp`, whoever filed it.")


class Assessment(BaseModel):
    """What would be decided, with every limit that was tested."""

    outcome: Literal["admitted", "refused", "breached"]
    basis: str | None
    limit_id: str | None
    tpp: Tpp
    remaining_tpp: Tpp | None
    account: str | None
    message: str
    limits: list[LimitTested]


class Explanation(BaseModel):
    """A recorded decision, and every limit tested for it, computed again as of its place in the ledger."""

    decision: Decision
    limits: list[LimitTested]


class KeyHolder(BaseModel):
    """A key, as whoever has it is told of it."""

    provider: str = Field(description="For whom it files, and whose records it reads.")
    scope: Scope
    expires_at: datetime | None = Field(description="From this instant on it is refused; null if it lasts.")


class Progress(BaseModel):
    """How far an import is."""

    done: int
    total: int


class Import(BaseModel):
    """An import: what became of its rows. The counts are those so far while it is not done."""

    id: str
    state: Literal["waiting", "running", "done", "failed"]
    provider: str
    dry_run: bool
    progress: Progress | None = Field(default=None, description="While it is running.")
    batch: int | None = Field(default=None, description="What it was recorded as; null if nothing was.")
    recorded_at: datetime | None = None
    records: int | None = Field(default=None, description="Rows of the file.")
    admitted: int | None = None
    refused: int | None = None
    breached: int | None = None
    rejected: int | None = Field(default=None, description="Rows that were not recorded because they cannot be.")
    duplicates: int | None = Field(default=None, description="Rows that repeat a record.")
    token: str | None = Field(
        default=None, description="Of a dry run: send it as `If-Match` to have just these decisions recorded."
    )
    problem: "Problem | None" = Field(default=None, description="Why it failed.")
    decisions: str | None = Field(default=None, description="Where the decisions of its rows are.")


class RowDecision(BaseModel):
    """What became of a row of an import."""

    row: int
    reference: str | None
    outcome: Literal["admitted", "refused", "breached", "rejected"]
    duplicate: bool
    basis: str | None
    limit_id: str | None
    tpp: Tpp | None
    remaining_tpp: Tpp | None
    account: str | None
    sequence: int | None
    message: str | None
    field: str | None
    code: str | None


class RowDecisions(BaseModel):
    """A page of decisions, in order of rows."""

    decisions: list[RowDecision]
    next: str | None = Field(description="Where the next page is; null after the last.")


class Fault(BaseModel):
    """One thing that is wrong with a request or a row of it."""

    detail: str
    pointer: str | None = Field(default=None, description="JSON pointer to the field of a JSON body.")
    row: int | None = Field(default=None, description="Row of a file, from 1.")
    reference: str | None = None
    column: str | None = None
    code: str | None = None


class Problem(BaseModel):
    """Why a request was not done (RFC 9457)."""

    type: str = Field(description="Names the kind of problem; its page says more.", examples=["/problems/rejected"])
    title: str
    status: int
    detail: str = Field(description="What is wrong with this request.")
    next_step: str = Field(description="What to do about it.")
    instance: str = Field(description="Id of the request; give it with every question to whoever runs the server.")
    errors: list[Fault] | None = None


class Positions(BaseModel):
    """Positions of one kind: rows as the view of the data dictionary has them, amounts as decimal strings."""

    as_of: Date
    sequence: int
    rulebook: str
    positions: list[dict[str, Any]]


class Registration(BaseModel):
    """What became of register rows."""

    batch: int | None
    recorded: int
    unchanged: int


class MadeReport(BaseModel):
    """A report that was made or failed just now."""

    report: str
    period: str
    attempt: int
    outcome: Literal["made", "failed", "overtaken"]
    """overtaken: somebody else has claimed it since"""
    reason: str | None
    place: str | None
    """the folder on the server, if it was made"""


class MadeReports(BaseModel):
    """What became of the reports that were due."""

    reports: list[MadeReport]


class AdoptionRequest(Asked):
    """A rulebook to put in force."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rulebook": "bis-ai-diffusion-2025", "note": "the rule was published"}]}
    )

    rulebook: str | None = Field(default=None, description="Id of one that comes along.")
    files: dict[str, str] | None = Field(default=None, description="Or its files: name and text of each.")
    note: str = Field(min_length=1, max_length=1000, description="Why.")


class Adoption(BaseModel):
    """A rulebook that was put in force."""

    batch: int | None
    rulebook: str
    digest: str


class SqlFormat(StrEnum):
    """What the answer to a query can be written as."""

    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"
    PARQUET = "parquet"


class SqlRequest(BaseModel):
    """A query on the views."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(
        min_length=1,
        max_length=100_000,
        description="One statement that reads.",
        examples=["SELECT destination, used_tpp FROM country_positions ORDER BY destination"],
    )
    parameters: list[SqlValue] | dict[str, SqlValue] | None = Field(
        default=None, description="What `?`, or `$name`, stand for."
    )
    format: SqlFormat | None = Field(default=None, description="Left out, `Accept` says it, or it is JSON.")


class SqlColumn(BaseModel):
    """A column of an answer."""

    name: str
    type: str = Field(description="DuckDB's type.")


class SqlAnswer(BaseModel):
    """What a query gives. Whole numbers have all their digits, also beyond 2^53."""

    columns: list[SqlColumn]
    rows: list[list[Any]]
    checkpoint: str = Field(description="The signed checkpoint of the records that were asked.")
    sequence: int = Field(description="The last of them.")
    leaves: int
    reproducible: bool = Field(
        description="Whether the same query at the same checkpoint gives the same bytes: it has a total ORDER BY, and"
        " nothing to do with clocks, chance or an order that is not said."
    )


class PermissionRequest(Asked):
    """A provider that may file for a party for which another one has filed."""

    provider: str = Field(min_length=1, max_length=_CODE_MAX, examples=["acme"])
    party: str = Field(min_length=1, max_length=_CODE_MAX, examples=["GULF-CLOUD"])
