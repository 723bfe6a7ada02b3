"""Delivery by mail: the sentences as text, the page beside them as HTML, the other files attached.

A server that refuses some of several addresses delivers to the others. That is told all the same, by NotDelivered that
names the refused ones: whoever left would else miss every report in silence. They alone are then to be tried again.
"""

import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from ledger.schedule.message import Described, Message, NotDelivered, content, describe
from ledger.schedule.recipients import Recipient
from ledger.schedule.settings import DeliverySettings

_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    ".html": ("text", "html"),
    ".csv": ("text", "csv"),
    ".md": ("text", "markdown"),
    ".txt": ("text", "plain"),
    ".json": ("application", "json"),
    ".parquet": ("application", "vnd.apache.parquet"),
    ".xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
"""The types of the files that reports have; what a machine's own list says differs."""
_ANY_TYPE: Final = ("application", "octet-stream")


def deliver(message: Message, recipient: Recipient, settings: DeliverySettings, now: datetime) -> None:
    """Send a message to the addresses of a recipient.

    Raises NotDelivered, OSError or ValueError. NotDelivered with `refused` says that the other addresses were served.
    """
    sender = _needed(settings.mail_from, "QUOTALEDGER_MAIL_FROM")
    mail = _mail(message, sender, recipient.to, settings.mail_bytes_max)
    mail["Date"] = now
    with _server(settings) as server:
        try:
            refused = server.send_message(mail, sender, recipient.to)
        except smtplib.SMTPRecipientsRefused as error:
            raise NotDelivered(f"the mail server refused every address: {_why(error.recipients)}") from None
        if refused:
            served = ", ".join(address for address in recipient.to if address not in refused)
            raise NotDelivered(f"the mail went to {served}, but was refused for {_why(refused)}", tuple(refused))


def said(code: int, answer: bytes | str) -> str:
    """Give what a mail server answered, as text."""
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {words}"


def _why(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{address} ({said(*answer)})" for address, answer in refused.items())


def _needed(value: str | None, name: str) -> str:
    if not value:
        raise NotDelivered(f"no mail is sent without {name}; set it in the environment")
    return value


def _mail(message: Message, sender: str, addresses: Sequence[str], bytes_max: int) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(addresses), message.subject
    # The same for every attempt: most servers drop a mail that they have.
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is answered
    taken, left = _fitting(message, bytes_max)
    # What is not ASCII is encoded: not every server on the way takes eight bits.
    mail.set_content(message.text + _named(left), cte="quoted-printable")
    if message.page in taken:
        mail.add_alternative(
            content(message.page),
            "text",
            "html",
            cte="base64",
            disposition="inline",
            filename=message.page.name,
            params={"charset": "utf-8"},
        )
    for path in taken:
        if path != message.page:
            mail.add_attachment(
                content(path), *_TYPES.get(path.suffix.lower(), _ANY_TYPE), cte="base64", filename=path.name
            )
    return mail


def _fitting(message: Message, bytes_max: int) -> tuple[list[Path], list[Described]]:
    """Choose the files that a mail has room for, the page before all others; describe those that it has not."""
    taken: list[Path] = []
    left: list[Described] = []
    for path in sorted(message.files, key=lambda path: path != message.page):
        file = describe(path)
        if file.bytes <= bytes_max:
            taken.append(path)
            bytes_max -= file.bytes
        else:
            left.append(file)
    return taken, left


def _named(left: Sequence[Described]) -> str:
    """Name the files that a mail has no room for, so that a reader can tell them where they are found."""
    if not left:
        return ""
    lines = "".join(f"{file.path.name}, {file.bytes:,} bytes, SHA-256 {file.sha256}\n" for file in left)
    return f"\nToo large for this mail, and not attached:\n{lines}"


@contextmanager
def _server(settings: DeliverySettings) -> Iterator[smtplib.SMTP]:
    """Connect to the mail server, encrypted and logged in as the settings say."""
    host = _needed(settings.smtp_host, "QUOTALEDGER_SMTP_HOST")
    login = _login(settings)
    server = _connected(host, settings)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=_trust(settings))
        if login:
            _log_in(server, *login)
        yield server
        with suppress(OSError):  # the mail is taken: a server that goes without a word has it all the same
            server.quit()
    finally:
        server.close()


def _login(settings: DeliverySettings) -> tuple[str, SecretStr] | None:
    """Give user and password, if there are any. Raises NotDelivered if they would go unencrypted, or one is missing."""
    if not settings.smtp_user and settings.smtp_password is None:
        return None
    if not settings.smtp_user or settings.smtp_password is None:
        raise NotDelivered("QUOTALEDGER_SMTP_USER and QUOTALEDGER_SMTP_PASSWORD belong together; set both, or neither")
    if settings.smtp_security == "none":
        raise NotDelivered(
            "no password is sent unencrypted; set QUOTALEDGER_SMTP_SECURITY to starttls or tls, or leave out user and"
            " password"
        )
    return settings.smtp_user, settings.smtp_password


def _connected(host: str, settings: DeliverySettings) -> smtplib.SMTP:
    port, seconds = settings.smtp_port, settings.delivery_seconds
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=seconds, context=_trust(settings))
    return smtplib.SMTP(host, port, timeout=seconds)


def _trust(settings: DeliverySettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.smtp_ca)
    except OSError as error:
        why = error.strerror or "it is not PEM"
        raise NotDelivered(f"QUOTALEDGER_SMTP_CA, {settings.smtp_ca}, cannot be used: {why}") from None


def _log_in(server: smtplib.SMTP, user: str, password: SecretStr) -> None:
    """Log in. What a server says of a wrong password is not repeated: some repeat what they were sent."""
    try:
        server.login(user, password.get_secret_value())
    except smtplib.SMTPAuthenticationError as error:
        raise NotDelivered(f"the mail server does not let {user} in ({error.smtp_code}); check the password") from None
    except smtplib.SMTPNotSupportedError:
        raise NotDelivered(
            "the mail server asks for no password; leave out QUOTALEDGER_SMTP_USER and its password"
        ) from None
    except UnicodeError:
        raise NotDelivered("QUOTALEDGER_SMTP_USER and its password can be ASCII only; set others") from None
