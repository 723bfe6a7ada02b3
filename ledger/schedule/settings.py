"""What whoever runs the scheduler can set: QUOTALEDGER_... in the environment."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.core.errors import WrongUsage
from ledger.schedule.recipients import parse_address

_Settings = TypeVar("_Settings", bound=BaseSettings)


class ScheduleSettings(BaseSettings):
    """When reports are made, and where they are kept. Times are seconds."""

    model_config = SettingsConfigDict(env_prefix="QUOTALEDGER_SCHEDULE_")

    reports: Path | None = Field(
        default=None, description="Folder with own report folders, and `schedule.toml` for what differs of the others."
    )
    archive: Path | None = Field(
        default=None, description="Folder that made reports are kept in; the ledger's path and `.reports` if not given."
    )
    wake_seconds: float = Field(default=60, gt=0, description="How often it is looked what is due, at least.")
    lease_seconds: float = Field(
        default=300, gt=0, description="How long nobody else takes over what one makes; doubles with each attempt."
    )
    pause_seconds: float = Field(
        default=60, gt=0, description="Pause before what failed is tried again; doubles with each attempt."
    )
    pause_seconds_max: float = Field(default=6 * 3600, gt=0, description="The longest such pause.")

    def archive_of(self, ledger: Path) -> Path:
        """Give where the reports of a ledger are kept."""
        return self.archive or ledger.absolute().with_name(f"{ledger.name}.reports")


class DeliverySettings(BaseSettings):
    """How messages are delivered. Sizes are bytes, times are seconds."""

    # What is wrong is told without the value: it may be a password under a wrong name.
    model_config = SettingsConfigDict(env_prefix="QUOTALEDGER_", hide_input_in_errors=True)

    mail_from: Annotated[str, AfterValidator(parse_address)] | None = Field(
        default=None, description="Address that mail comes from; without it, none is sent."
    )
    smtp_host: str | None = Field(default=None, description="Server that takes mail; without it, none is sent.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="TLS after STARTTLS, TLS from the start (mostly port 465), or none: then no password is sent.",
    )
    smtp_user: str | None = Field(default=None, description="User at that server, if it asks for one.")
    smtp_password: SecretStr | None = Field(default=None, description="Password of that user.")
    smtp_ca: Path | None = Field(
        default=None, description="Certificates to trust that server by, PEM, in the place of the system's."
    )
    mail_bytes_max: int = Field(
        default=10 << 20,
        ge=0,
        description="Bytes of files in a mail; those beyond are left out and named. Encoded they are a third more.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        description="What webhooks are signed with, whsec_ and base64 or a text of 24 bytes; without it, none is sent.",
    )
    webhook_bytes_max: int = Field(
        default=5 << 20, ge=0, description="Bytes of files in a webhook; if all are more, they are named alone."
    )
    delivery_seconds: float = Field(
        default=30, gt=0, description="Time for each step of a delivery: to connect, to be answered."
    )


class AlertSettings(BaseSettings):
    """When to warn of what is no limit. Limits have their thresholds in the rulebook."""

    model_config = SettingsConfigDict(env_prefix="QUOTALEDGER_ALERT_")

    stale_days: int = Field(default=35, ge=1, description="The newest checkpoint is stale once it is older.")
    refused_percent: int = Field(
        default=50, ge=1, le=100, description="Refused and rejected records of an import from which on it is warned of."
    )
    refused_rows: int = Field(default=10, ge=1, description="Records from which on an import counts for that.")


def settings_of(kind: type[_Settings]) -> _Settings:
    """Give what the environment says. Raises WrongUsage for what cannot be, without saying what it was."""
    try:
        return kind()
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        name = f"{kind.model_config['env_prefix']}{'_'.join(map(str, fault['loc']))}".upper()
        raise WrongUsage(f"the setting {name} cannot be: {fault['msg']}") from None
