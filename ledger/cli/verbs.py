"""The app with all its verbs: a module of verbs registers itself by being imported here."""

from ledger.cli import (
    alerts,
    api_keys,
    archive,
    asking,
    correcting,
    demo,
    keys,
    querying,
    receipts,
    recording,
    reports,
    rulebooks,
    schedule,
    serving,
    verifying,
)
from ledger.cli.app import app

__all__ = [
    "alerts",
    "api_keys",
    "app",
    "archive",
    "asking",
    "correcting",
    "demo",
    "keys",
    "querying",
    "receipts",
    "recording",
    "reports",
    "rulebooks",
    "schedule",
    "serving",
    "verifying",
]
