"""What whoever runs the server can set: options of `quotaledger serve`, or QUOTALEDGER_API_... in the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """The server's settings. Sizes are bytes, times are seconds."""

    model_config = SettingsConfigDict(env_prefix="QUOTALEDGER_API_")

    host: str = Field(default="127.0.0.1", description="Address to listen at.")
    port: int = Field(default=8467, ge=0, le=65535, description="Port; 0 is any that is free.")
    tls_certificate: Path | None = Field(default=None, description="Certificate chain, PEM.")
    tls_key: Path | None = Field(default=None, description="Its private key, PEM.")
    body_max: int = Field(default=1 << 30, ge=1, description="Bytes of a body as it is sent.")
    inflated_max: int = Field(default=8 << 30, ge=1, description="Bytes of a body when it is decompressed.")
    rows_max: int = Field(default=20_000_000, ge=1, description="Rows of a file.")
    dry_run_rows_max: int = Field(
        default=1_000_000, ge=1, description="Rows of a file that is only tried: all of them are in memory."
    )
    rejected_max: int = Field(
        default=100_000, ge=1, description="Rejected rows of a file; one that has more is given up."
    )
    body_seconds: float = Field(default=600, gt=0, description="Time for a body to come.")
    idle_seconds: float = Field(default=30, gt=0, description="Time between two parts of a body.")
    requests_per_second: float = Field(default=200, gt=0, description="Of a key, in the long run.")
    requests_at_once: int = Field(default=400, ge=1, description="Of a key, before the rate counts.")
    bodies_at_once: int = Field(default=64, ge=1, description="Files that are received together.")
    guard_parties: bool = Field(
        default=False, description="Whether filing for a party that another provider has filed for needs a permission."
    )
    publish: bool = Field(default=True, description="Whether the copy for analysts is published.")
    publish_seconds: float = Field(default=60, ge=1, description="Least time between two copies.")
    publish_share: float = Field(default=0.05, gt=0, le=1, description="Part of the time that publishing may take.")
    publish_parquet: Path | None = Field(default=None, description="Folder for Parquet files of each copy.")
    schedule: bool = Field(default=True, description="Whether reports are made when they are due.")
    sql_workers: int = Field(default=2, ge=1, le=64, description="Processes that answer queries in SQL.")
    sql_waiting: int = Field(
        default=32, ge=0, description="Queries that may wait for one of them, a quarter of them of one key."
    )
    sql_seconds: float = Field(default=30, gt=0, description="Time of a query.")
    sql_rows: int = Field(default=100_000, ge=1, description="Rows of an answer.")
    sql_bytes: int = Field(default=64 << 20, ge=1, description="Bytes of an answer.")
    sql_memory: int = Field(default=1 << 30, ge=1 << 26, description="Bytes of memory of a query.")
    stop_seconds: float = Field(default=60, gt=0, description="Time to answer what was accepted, when it is to stop.")
