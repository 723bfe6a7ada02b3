"""The rows of the operational store that say who may come in: API keys, and providers that may file for a party."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ledger.store.instants import instant_of, text_of
from ledger.store.ops import Ops, damaged
from schemas.access import Scope

LAST_USE_EVERY: Final = timedelta(minutes=1)
"""Last use is written no oftener, so that a request costs a read and no write."""
_KEY: Final = "id, name, provider, scope, created_at, expires_at, revoked_at, created_by, last_used_at"
_PERMISSION: Final = "provider, party, granted_at, granted_by, revoked_at"


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret, which nobody has but the caller that it was shown to. Instants are UTC."""

    id: str
    name: str | None
    provider: str
    """Whose records are filed with it, and whose it reads; for an analyst or administrator, who that is."""
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    """From this instant on it is refused; None if it lasts."""
    revoked_at: datetime | None
    created_by: str
    last_used_at: datetime | None
    """To the minute; None if it was never used."""


@dataclass(frozen=True, slots=True)
class Permission:
    """That a provider may file for a party, until it is taken back."""

    provider: str
    party: str
    granted_at: datetime
    granted_by: str
    revoked_at: datetime | None


def add_key(ops: Ops, key: Key, sha256: bytes) -> bool:
    """Keep a new key with the hash of its secret; False if another one has its id already."""
    statement = f"INSERT INTO api_key ({_KEY}, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    instants = [_text(key.created_at), _text(key.expires_at), _text(key.revoked_at)]
    values = [key.id, key.name, key.provider, key.scope.value, *instants, key.created_by, _text(key.last_used_at)]
    return bool(ops.write(statement, [*values, sha256]))


def find_key(ops: Ops, key: str) -> tuple[Key, bytes] | None:
    """Give the key of an id and the hash of its secret, None if there is none."""
    rows = ops.rows(f"SELECT {_KEY}, sha256 FROM api_key WHERE id = ?", [key])
    return (_key(ops, rows[0][:-1]), rows[0][-1]) if rows else None


def all_keys(ops: Ops) -> list[Key]:
    """Give every key that ever was, the oldest first."""
    return [_key(ops, row) for row in ops.rows(f"SELECT {_KEY} FROM api_key ORDER BY created_at, id")]


def revoke(ops: Ops, key: str, now: datetime) -> None:
    """Revoke a key for good; one that is revoked stays so since it was."""
    ops.write("UPDATE api_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", [_text(now), key])


def use(ops: Ops, key: Key, now: datetime) -> None:
    """Keep when a key was last used, unless that was kept a moment ago."""
    if key.last_used_at is None or now - key.last_used_at >= LAST_USE_EVERY:
        ops.note("UPDATE api_key SET last_used_at = ? WHERE id = ?", [_text(now), key.id])


def add_permission(ops: Ops, provider: str, party: str, now: datetime, by: str) -> bool:
    """Let a provider file for a party; False if it may already."""
    statement = f"INSERT INTO permission ({_PERMISSION}) VALUES (?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING"
    return bool(ops.write(statement, [provider, party, _text(now), by]))


def revoke_permission(ops: Ops, provider: str, party: str, now: datetime) -> bool:
    """Take a permission back; False if there is none in force."""
    statement = "UPDATE permission SET revoked_at = ? WHERE provider = ? AND party = ? AND revoked_at IS NULL"
    return bool(ops.write(statement, [_text(now), provider, party]))


def all_permissions(ops: Ops) -> list[Permission]:
    """Give every permission that ever was, those that were taken back as well, in the order they were given."""
    rows = ops.rows(f"SELECT {_PERMISSION} FROM permission ORDER BY granted_at, rowid")
    try:
        return [Permission(row[0], row[1], instant_of(row[2]), row[3], _instant(row[4])) for row in rows]
    except (ValueError, TypeError):
        raise damaged(ops.path) from None


def is_permitted(ops: Ops, provider: str, party: str) -> bool:
    """Say if a provider may file for a party now."""
    query = "SELECT 1 FROM permission WHERE provider = ? AND party = ? AND revoked_at IS NULL"
    return bool(ops.rows(query, [provider, party]))


def _key(ops: Ops, row: tuple[Any, ...]) -> Key:
    key, name, provider, scope, created_at, expires_at, revoked_at, created_by, last_used_at = row
    try:
        end, revoked, used = _instant(expires_at), _instant(revoked_at), _instant(last_used_at)
        return Key(key, name, provider, Scope(scope), instant_of(created_at), end, revoked, created_by, used)
    except (ValueError, TypeError):  # neither scope nor instant: a key that may be anything is none
        raise damaged(ops.path) from None


def _text(instant: datetime | None) -> str | None:
    return text_of(instant) if instant else None


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instant_of(text)
