"""The app with all its verbs: a module of verbs registers itself by being imported here."""

from ledger.cli import asking, correcting, demo, recording, reports, rulebooks, verifying
from ledger.cli.app import app

__all__ = ["app", "asking", "correcting", "demo", "recording", "reports", "rulebooks", "verifying"]
