"""Delivery to a webhook: JSON by POST, signed as Standard Webhooks 1.0.0 says, so that a receiver knows who sent it.

The signature is HMAC-SHA256 over "ID.TIMESTAMP.BODY". The id is the same for every attempt, the timestamp is not.
"""

import base64
import binascii
import hmac
import json
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import httpx

from ledger.schedule.message import Described, Message, NotDelivered, content, describe
from ledger.schedule.recipients import Recipient
from ledger.schedule.settings import DeliverySettings
from ledger.store.outputs import plain

_PREFIX: Final = "whsec_"
_KEY_BYTES_MIN: Final = 24
_ANSWER_BYTES_MAX: Final = 1 << 16
_SETTING: Final = "QUOTALEDGER_WEBHOOK_SECRET"


def deliver(message: Message, recipient: Recipient, settings: DeliverySettings, now: datetime) -> None:
    """Post a message to a URL. Raises NotDelivered or httpx.HTTPError unless the answer is 2xx; follows no redirect."""
    key = _key(settings)
    body = _body(message, settings.webhook_bytes_max)
    headers = {
        "content-type": "application/json",
        "user-agent": "quotaledger",
        # An answer is hardly read: one that inflates is not asked for.
        "accept-encoding": "identity",
        **signed(key, message.id, now, body),
    }
    with (
        httpx.Client(timeout=settings.delivery_seconds, follow_redirects=False) as client,
        client.stream("POST", recipient.to[0], content=body, headers=headers) as answer,
    ):
        _read_little(answer)
    if answer.is_redirect:
        raise NotDelivered(f"{recipient.shown} sends elsewhere ({answer.status_code}); name the URL that it leads to")
    if not answer.is_success:
        raise NotDelivered(f"{recipient.shown} answered {answer.status_code} instead of 2xx")


def _key(settings: DeliverySettings) -> bytes:
    """Give the bytes to sign with: behind whsec_ it is base64, any other text is taken as it is."""
    if settings.webhook_secret is None:
        raise NotDelivered(f"nothing is sent to a webhook without {_SETTING}, which it is signed with; set it")
    text = settings.webhook_secret.get_secret_value()
    try:
        key = _decoded(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else text.encode()
    except ValueError:
        raise NotDelivered(f"{_SETTING} is not base64 behind {_PREFIX}; set it as the receiver has it") from None
    if len(key) < _KEY_BYTES_MIN:
        raise NotDelivered(f"{_SETTING} is too short to sign with; give {_KEY_BYTES_MIN} bytes or more")
    return key


def _decoded(text: str) -> bytes:
    """Decode base64, with or without the padding that some leave out."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except binascii.Error:
        raise ValueError from None


def signed(key: bytes, name: str, now: datetime, body: bytes) -> dict[str, str]:
    """Give the headers that say what a body is and that it is ours."""
    stamp = str(int(now.timestamp()))
    signature = hmac.digest(key, f"{name}.{stamp}.".encode() + body, "sha256")
    return {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode('ascii')}",
    }


def _body(message: Message, bytes_max: int) -> bytes:
    """Give a message as JSON, with what is in its files if there is room for all of them."""
    files = [describe(path) for path in message.files]
    fits = sum(file.bytes for file in files) <= bytes_max
    document = {
        "id": message.id,
        "subject": message.subject,
        "sentences": list(message.sentences),
        "facts": plain(dict(message.facts)),
        "files": [_file(file, fits=fits) for file in files],
    }
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii")


def _file(file: Described, *, fits: bool) -> dict[str, Any]:
    named: dict[str, Any] = {"name": file.path.name, "bytes": file.bytes, "sha256": file.sha256}
    return named | ({"content": base64.b64encode(content(file.path)).decode("ascii")} if fits else {})


def _read_little(answer: httpx.Response) -> None:
    """Let an answer end as its sender means it to, unless it is long; what it says is of no use.

    Whatever goes wrong here, the status has come: it says if the message is taken.
    """
    read = 0
    with suppress(httpx.HTTPError):
        for piece in answer.iter_raw():
            read += len(piece)
            if read > _ANSWER_BYTES_MAX:
                break
