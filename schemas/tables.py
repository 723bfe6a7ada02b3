"""The tables of the ledger's file, declared; the store makes the DDL of these classes and nothing else inserts.

Ledger tables are append-only; derived tables can be rebuilt from them at any time. Whole numbers are BIGINT,
amounts in TPP; a blank is NULL. No correctness rests on a key of a table: the sequencer alone writes.
"""

from datetime import date as Date  # noqa: N812 -- `date` is a column
from datetime import datetime

from sqlalchemy import BigInteger, DateTime
from sqlmodel import Field, SQLModel


def text(comment: str) -> str:
    """Declare a text that is always there."""
    return Field(sa_column_kwargs={"comment": comment})  # type: ignore[no-any-return]


def blank(comment: str) -> str | None:
    """Declare a text that may be blank."""
    return Field(default=None, sa_column_kwargs={"comment": comment})  # type: ignore[no-any-return]


def whole(comment: str, *, key: bool = False) -> int:
    """Declare a whole number that is always there."""
    return Field(  # type: ignore[no-any-return]
        sa_type=BigInteger, primary_key=key, sa_column_kwargs={"comment": comment, "autoincrement": False}
    )


def whole_or_blank(comment: str) -> int | None:
    """Declare a whole number that may be blank."""
    return Field(default=None, sa_type=BigInteger, sa_column_kwargs={"comment": comment})  # type: ignore[no-any-return]


def octets(comment: str) -> bytes:
    """Declare bytes."""
    return Field(sa_column_kwargs={"comment": comment})  # type: ignore[no-any-return]


def instant(comment: str) -> datetime:
    """Declare an instant in UTC."""
    return Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"comment": comment})  # type: ignore[no-any-return]


class Batch(SQLModel, table=True):
    """What was recorded together: an import, a registration, an adoption, a change of the signing key. A leaf, too."""

    batch: int = whole("number of the batch, from 1, no gaps", key=True)
    kind: str = text("import, register, rulebook, key or report")
    provider: str | None = blank("who submitted the records of an import")
    filed_by: str = text("who ran the command")
    recorded_at: datetime = instant("instant of recording, UTC")
    records: int = whole("rows of the import's files, or register rows, claims and runs")
    admitted: int = whole("records admitted")
    refused: int = whole("records refused")
    breached: int = whole("records breached")
    rejected: int = whole("rows rejected, and so not recorded")
    duplicates: int = whole("rows that repeat an earlier record, and so are not recorded again")
    rulebook_digest: str = text("digest of the rulebook in force")
    software_version: str = text("version of quotaledger")
    last_sequence: int = whole("the last record's sequence once the batch is recorded")
    last_leaf: int = whole("its own leaf, the last that it recorded")


class BatchFile(SQLModel, table=True):
    """A file of an import."""

    __tablename__ = "batch_file"
    batch: int = whole("the batch", key=True)
    number: int = whole("place among the batch's files, from 1", key=True)
    file: str = text("name as given")
    sha256: str = text("SHA-256 of its bytes, hex")
    records: int = whole("its rows")


class Entry(SQLModel, table=True):
    """A recorded record with its decision and what it counts.

    `stated_...` is as the provider gave it; the columns without the word are what it came to.
    """

    sequence: int = whole("place in the ledger, from 1, no gaps", key=True)
    leaf: int = whole("its leaf of the log")
    batch: int = whole("the batch that recorded it")
    file_number: int = whole("which of the batch's files")
    row: int = whole("row in that file, from 1")
    provider: str = text("who submitted it")
    reference_hash: int = whole("64 bits of a hash of provider and reference, for finding it again")
    reference: str = text("the provider's own identifier")
    kind: str = text("opening, allocation, delivery, lapse, attrition or reversal")
    date: Date = Field(sa_column_kwargs={"comment": "legal date of the event"})
    stated_destination: str | None = blank("destination as given: a country or cloud:region")
    stated_consignee: str | None = blank("consignee as given")
    stated_chip: str | None = blank("chip as given")
    stated_quantity: int | None = whole_or_blank("quantity as given; a reversal gives none")
    stated_basis: str | None = blank("basis as given")
    under: str | None = blank("reference of the record that this one draws on or takes back")
    license_number: str | None = blank("the licence's number")
    expires: Date | None = Field(default=None, sa_column_kwargs={"comment": "the licence's last day"})
    exporter: str | None = blank("who exports")
    site: str | None = blank("where the chips stand, as given")
    evidence: str | None = blank("what shows it")
    note: str | None = blank("remark; of a reversal, why")
    destination: str = text("country, ISO 3166-1 alpha-2, as stored")
    counted_destination: str = text("country as which it counts")
    consignee: str = text("party that will own the chips")
    family: str = text("its ultimate parent when the record was decided")
    chip: str = text("chip")
    quantity: int = whole("chips; of a reversal, those of the record taken back")
    basis: str | None = blank("authorization as determined")
    outcome: str = text("admitted, refused or breached")
    limit_id: str | None = blank("the limit that spoke")
    account: str | None = blank("the account that spoke")
    tpp: int = whole("TPP of the record, never signed")
    remaining_tpp: int | None = whole_or_blank("TPP that the limit leaves")
    limit_tpp: int | None = whole_or_blank("TPP that the limit allowed at most")
    under_sequence: int | None = whole_or_blank("sequence of the record that it names")
    fulfilled: int = whole("chips of a delivery that its allocation had outstanding")
    cap_tpp: int = whole("what it adds to its destination's cap")
    lpp_tpp: int = whole("what it adds to its family's LPP year")
    lpp_year: int = whole("that year; 0 if none")
    lpp_from_tpp: int = whole("what it takes from another LPP year")
    lpp_from_year: int = whole("that other year; 0 if none")
    nveu_tpp: int = whole("what it adds to its family's NVEU base in its destination")
    nveu_quarter: int = whole("from that quarter on: year x 4 + (0 to 3); 0 if none")
    committed_tpp: int = whole("what it adds to committed")
    installed_tpp: int = whole("what it adds to installed")
    pending_tpp: int = whole("what it adds to pending")


class Leaf(SQLModel, table=True):
    """A leaf of the log: every decision, register row, adoption, signing key and batch, in the order recorded."""

    leaf: int = whole("place in the log, from 0, no gaps", key=True)
    kind: str = text("decision, party, authorization, assurance, chip, rulebook, key, request, claim, run or batch")
    salt: bytes = octets("the 16 random bytes in it; the rest of its bytes is in the row that it stands for")
    hash: bytes = octets("SHA-256 of a zero byte and the leaf's bytes (RFC 6962, 2.1)")


class PartyRow(SQLModel, table=True):
    """A row of the register of parties."""

    __tablename__ = "party_row"
    leaf: int = whole("its leaf of the log", key=True)
    batch: int = whole("the batch that recorded it")
    party: str = text("party id")
    name: str = text("name")
    headquarters: str = text("country of its headquarters")
    parent: str | None = blank("parent party")


class AuthorizationRow(SQLModel, table=True):
    """A row of the register of authorizations."""

    __tablename__ = "authorization_row"
    leaf: int = whole("its leaf of the log", key=True)
    batch: int = whole("the batch that recorded it")
    party: str = text("party that holds it")
    basis: str = text("UVEU or NVEU")
    destination: str | None = blank("country, for NVEU")
    valid_from: Date = Field(sa_column_kwargs={"comment": "first day"})
    valid_to: Date | None = Field(default=None, sa_column_kwargs={"comment": "last day"})
    citation: str | None = blank("where it was granted")


class AssuranceRow(SQLModel, table=True):
    """A row of the register of government-to-government assurances."""

    __tablename__ = "assurance_row"
    leaf: int = whole("its leaf of the log", key=True)
    batch: int = whole("the batch that recorded it")
    destination: str = text("country")
    uplift_percent: int = whole("whole percent by which its cap is raised, 0 to 100")
    valid_from: Date = Field(sa_column_kwargs={"comment": "first day"})
    citation: str | None = blank("where it was given")


class ChipRow(SQLModel, table=True):
    """A row of the register of chips."""

    __tablename__ = "chip_row"
    leaf: int = whole("its leaf of the log", key=True)
    batch: int = whole("the batch that recorded it")
    chip: str = text("chip id")
    name: str = text("name")
    vendor: str | None = blank("who makes it")
    tpp: int = whole("TPP of one")
    chip_class: str = text("3A090.a if it counts")
    source: str | None = blank("where the figure is from")


class RulebookRow(SQLModel, table=True):
    """A rulebook put in force."""

    __tablename__ = "rulebook_row"
    leaf: int = whole("its leaf of the log", key=True)
    batch: int = whole("the batch that recorded it")
    rulebook: str = text("its id")
    digest: str = text("SHA-256 of its meaning, hex")
    note: str = text("why it was adopted")
    texts: str = text("its files by name, as JSON")


class KeyRow(SQLModel, table=True):
    """A signing key put in use: the first when the ledger was made, others by rotation."""

    __tablename__ = "key_row"
    leaf: int = whole("its leaf of the log", key=True)
    batch: int = whole("the batch that recorded it")
    key: str = text("verifier key, NAME+HASH+BASE64 (C2SP signed-note); the name is the log's origin")
    note: str = text("why it was put in use")


class RequestRow(SQLModel, table=True):
    """A request to the import API that a batch answers, kept so that whoever repeats it gets the same answer."""

    __tablename__ = "request_row"
    leaf: int = whole("its leaf of the log", key=True)
    batch: int = whole("the batch that recorded it")
    request: str = text("id of the request, under which its answer is found")
    provider: str = text("who sent it")
    idempotency_key: str | None = blank("the sender's own name for it: the same one is never recorded twice")
    sha256: str = text("SHA-256 of what was asked for and sent, hex")
    unrecorded: str | None = blank("JSON: the rows that were rejected or repeat a record, each with why or which")


class ClaimRow(SQLModel, table=True):
    """That somebody makes a report for a period: whose it is, until when, and from which state of the ledger."""

    __tablename__ = "claim_row"
    leaf: int = whole("its leaf of the log", key=True)
    batch: int = whole("the batch that recorded it")
    report: str = text("name of the report")
    period: str = text("the period, as `report run --period` takes it")
    today: Date = Field(sa_column_kwargs={"comment": "the day that the pages are stamped with"})
    leaves: int = whole("leaves of the checkpoint as of which it is made")
    definition: str = text("SHA-256 of the report's folder and settings, hex")
    attempt: int = whole("which attempt at this period, from 1")
    holder: str = text("who makes it")
    lease_until: datetime = instant("until when nobody else may take it over, UTC")


class RunRow(SQLModel, table=True):
    """What became of a claim; of a report and period there is one at most that is made."""

    __tablename__ = "run_row"
    leaf: int = whole("its leaf of the log", key=True)
    batch: int = whole("the batch that recorded it")
    report: str = text("name of the report")
    period: str = text("the period")
    attempt: int = whole("which attempt")
    outcome: str = text("made or failed")
    sha256: str | None = blank("SHA-256 of the list of its files with their SHA-256, hex, if it was made")
    milliseconds: int = whole("how long that took")
    reason: str | None = blank("why it failed")


class Checkpoint(SQLModel, table=True):
    """A signed statement of how many leaves the log had once a batch was recorded, and of their root."""

    batch: int = whole("the batch", key=True)
    size: int = whole("number of leaves")
    root: bytes = octets("root of the Merkle tree over them (RFC 6962, 2.1)")
    note: str = text("the signed note (C2SP tlog-checkpoint)")


class Migration(SQLModel, table=True):
    """A numbered change of the tables that was made to this file."""

    number: int = whole("number, from 1", key=True)
    name: str = text("what it did")
    applied_at: datetime = instant("instant, UTC")


class Balance(SQLModel, table=True):
    """Derived: what each account holds, by consignee: the sum of its rows here is that of the entries' counts."""

    account: str = Field(
        primary_key=True, sa_column_kwargs={"comment": "cap, lpp, nveu, committed, installed or pending"}
    )
    consignee: str = Field(primary_key=True, sa_column_kwargs={"comment": "party"})
    destination: str = Field(primary_key=True, sa_column_kwargs={"comment": "country as which it counts"})
    period: int = whole("LPP year or NVEU quarter number; else 0", key=True)
    tpp: int = whole("TPP")


class Head(SQLModel, table=True):
    """Derived: where the ledger stands, in one row."""

    sequence: int = whole("the last record's sequence", key=True)
    leaf: int = whole("the number of leaves")
    batch: int = whole("the last batch")
    peaks: bytes = octets("roots of the perfect subtrees that the log is made of, the largest first, 32 bytes each")
    latest_date: Date = Field(sa_column_kwargs={"comment": "latest legal date recorded"})


class Tile(SQLModel, table=True):
    """Derived: the root of a perfect subtree of 256, 65,536, ... leaves, so that proofs need few hashes."""

    level: int = whole("a subtree of 2^level leaves; 8, 16, ...", key=True)
    number: int = whole("which of them, from 0", key=True)
    hash: bytes = octets("its root")


class Country(SQLModel, table=True):
    """Derived: a country under the rulebook in force, a row for each span of days with one tier."""

    country: str = Field(primary_key=True, sa_column_kwargs={"comment": "ISO 3166-1 alpha-2"})
    name: str = text("name")
    counted_as: str = text("country as which it counts")
    tier: int = whole("1, 2 or 3")
    first_day: Date = Field(primary_key=True, sa_column_kwargs={"comment": "first day of the tier"})
    last_day: Date = Field(sa_column_kwargs={"comment": "last day of the tier"})


class Parameter(SQLModel, table=True):
    """Derived: a figure of the rulebook in force; schedules have a row for each period."""

    parameter: str = Field(primary_key=True, sa_column_kwargs={"comment": "name"})
    value: str = text("value as text")
    unit: str = text("unit")
    valid_from: Date = Field(sa_column_kwargs={"comment": "day from which the instrument has it"})
    citation: str = text("paragraph")
    certainty: str = text("how sure the figure is")
    sentence: str = text("what it is")
    rulebook: str = text("id of the rulebook")


class ViewDigest(SQLModel, table=True):
    """Derived: which version of the views, macros and sentences the file has, in one row."""

    __tablename__ = "view_digest"
    digest: str = Field(primary_key=True, sa_column_kwargs={"comment": "SHA-256 of their texts, hex"})


class LimitText(SQLModel, table=True):
    """Derived: what every adopted rulebook calls a limit, with the sentence of a decision by it."""

    __tablename__ = "limit_text"
    rulebook_digest: str = Field(primary_key=True, sa_column_kwargs={"comment": "digest of the rulebook"})
    limit_id: str = Field(primary_key=True, sa_column_kwargs={"comment": "limit, or blank where none was tested"})
    outcome: str = Field(primary_key=True, sa_column_kwargs={"comment": "admitted, refused or breached"})
    template: str = text("sentence with places for a decision's values")
    title: str = text("the limit's name")
    citation: str = text("paragraph")
    h100_equivalent_tpp: int = whole("TPP of one H100 equivalent in that rulebook, for reading")


LEDGER_TABLES: tuple[type[SQLModel], ...] = (
    Batch,
    BatchFile,
    Entry,
    Leaf,
    PartyRow,
    AuthorizationRow,
    AssuranceRow,
    ChipRow,
    RulebookRow,
    KeyRow,
    RequestRow,
    ClaimRow,
    RunRow,
    Checkpoint,
    Migration,
)
"""Append-only: the engine refuses UPDATE, DELETE and TRUNCATE on them."""

DERIVED_TABLES: tuple[type[SQLModel], ...] = (Balance, Head, Tile, Country, Parameter, ViewDigest, LimitText)
"""May be rewritten, and can always be rebuilt from the ledger tables."""
