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
    body_seconds: float = Field(default=600, gt=0, description="Time for a body to come.")
    idle_seconds: float = Field(default=30, gt=0, description="Time between two parts of a body.")
    requests_per_second: float = Field(default=200, gt=0, description="Of a key, in the long run.")
    requests_at_once: int = Field(default=400, ge=1, description="Of a key, before the rate counts.")
    bodies_at_once: int = Field(default=64, ge=1, description="Files that are received together.")
    guard_parties: bool = Field(
        default=False, description="Whether filing for a party that another provider has filed for needs a permission."
    )
    stop_seconds: float = Field(default=60, gt=0, description="Time to answer what was accepted, when it is to stop.")
