"""A report and an alert to deliver, and settings to do it with."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ledger.schedule.message import Message
from ledger.schedule.settings import DeliverySettings

NOW = datetime(2026, 10, 2, 6, 30, tzinfo=UTC)
LATER = datetime(2026, 10, 2, 7, 30, tzinfo=UTC)
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()

PAGE = "<!doctype html>\r\n<title>Länder</title>\n<p>.\n..\n.\r\n" + "x" * 3_000 + "\r<p>no line break at the end"
FILES = {
    "country-quota.html": PAGE.encode(),
    "countries.csv": "country,tpp\nÖsterreich,1\n.\n\r\n".encode(),
    "countries.parquet": bytes(range(256)) * 40,
    "country-quota.xlsx": b"PK\x03\x04" + bytes(500),
}


def report(folder: Path, **changes: Any) -> Message:
    """Give a report whose files are in a new folder."""
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    given: dict[str, Any] = {
        "id": "country-quota-2026-10",
        "subject": "Country quotas, October 2026: Österreich near its cap",
        "sentences": ("Two countries are near their caps.", "Österreich has 1 TPP left."),
        "page": folder / "country-quota.html",
        "files": tuple(folder / name for name in FILES),
        "facts": {"report": "country-quota", "day": NOW.date(), "near": ["AT", "CH"]},
        "place": "country-quota/2026-10",
    }
    return Message(**given | changes)


def alert(**changes: Any) -> Message:
    """Give an alert."""
    given: dict[str, Any] = {
        "id": "alert-17",
        "subject": "The ledger cannot be verified",
        "sentences": ("A leaf is not what was signed.", "Look at it\x1b[2J now."),
        "page": None,
        "files": (),
        "facts": {"rule": "integrity"},
        "place": "",
    }
    return Message(**given | changes)


def settings(**changes: Any) -> DeliverySettings:
    """Give settings of a sender with a secret."""
    given: dict[str, Any] = {
        "mail_from": "ledger@quota.example",
        "smtp_host": "localhost",
        "smtp_security": "none",
        "webhook_secret": SecretStr(SECRET),
        "delivery_seconds": 20,
    }
    return DeliverySettings(**given | changes)
