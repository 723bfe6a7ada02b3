"""Instants as the operational store keeps them: texts in UTC, of which the later one is the greater."""

from datetime import UTC, datetime


def text_of(instant: datetime) -> str:
    """Write an instant."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def instant_of(text: str) -> datetime:
    """Read an instant. Raises ValueError or TypeError for what is none."""
    return datetime.fromisoformat(text).astimezone(UTC)
