"""Sending a message to a recipient, whatever kind it is; what goes wrong is told in words that give no secret away."""

import base64
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

import httpx

from ledger.core.errors import QuotaledgerError
from ledger.core.text import visible
from ledger.schedule import to_folder, to_mail, to_webhook
from ledger.schedule.message import Message, NotDelivered
from ledger.schedule.recipients import Kind, Recipient
from ledger.schedule.settings import DeliverySettings

_WAYS: Final[Mapping[Kind, Callable[[Message, Recipient, DeliverySettings, datetime], None]]] = {
    "folder": to_folder.deliver,
    "mail": to_mail.deliver,
    "webhook": to_webhook.deliver,
}
_REASON_MAX: Final = 1_000
_HIDDEN: Final = "[hidden]"


def send(message: Message, recipient: Recipient, settings: DeliverySettings, now: datetime) -> None:
    """Send a message to a recipient; the same again is known by its id. `now` has a time zone.

    Raises NotDelivered with what went wrong. Of a mail that was refused for some addresses it names them in `refused`,
    and `recipient.only(error.refused)` is who to try again.
    """
    try:
        _WAYS[recipient.kind](message, recipient, settings, now)
    except NotDelivered as error:
        raise _told(str(error), settings, error.refused) from None
    except (OSError, ValueError, QuotaledgerError, httpx.HTTPError, httpx.InvalidURL) as error:
        # smtplib's and ssl's errors are OSErrors; a ValueError is a header that cannot be written.
        raise _told(f"{recipient.shown}: {_reason(error, settings)}", settings) from None


def _reason(error: Exception, settings: DeliverySettings) -> str:
    """Say what went wrong, in words where Python's own are for programmers."""
    # smtplib takes a silent server for one that has hung up.
    silent = isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, TimeoutError)
    if silent or isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"no answer within {settings.delivery_seconds:g} seconds"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server cannot do what is needed, mostly STARTTLS; check QUOTALEDGER_SMTP_SECURITY"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {to_mail.said(error.smtp_code, error.smtp_error)}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the mail server has hung up"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _told(reason: str, settings: DeliverySettings, refused: tuple[str, ...] = ()) -> NotDelivered:
    """Give what to raise: on one line, not long, and without what a peer has repeated of a password or secret."""
    for secret in _secrets(settings):
        reason = reason.replace(secret, _HIDDEN)
    line = visible(reason)
    return NotDelivered(line if len(line) <= _REASON_MAX else f"{line[: _REASON_MAX - 1]}…", refused)


def _secrets(settings: DeliverySettings) -> Iterator[str]:
    """Give what must not be told: passwords and secrets, as they are and as they are sent."""
    user = settings.smtp_user or ""
    for kept in (settings.smtp_password, settings.webhook_secret):
        if secret := kept.get_secret_value() if kept else "":
            for sent in (f"\0{user}\0{secret}", secret):
                yield base64.b64encode(sent.encode()).decode("ascii")
            yield secret
