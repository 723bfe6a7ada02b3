"""API keys and permissions: made, listed, revoked, and found again when a request comes with one.

The text of a key is `qlk_<id>_<secret>`. By the id whoever finds it in a log or a repository knows which to revoke.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from ledger.core.errors import InputRejected, KeyRefused, WrongUsage
from ledger.core.names import id_text, limited, provider_name
from ledger.core.text import Fault, normal, shown, visible
from ledger.store import access, queries
from ledger.store.access import Key, Permission
from ledger.store.ops import Ops
from ledger.store.queries import AskedQuery
from schemas.access import KeyFault, Scope

PREFIX: Final = "qlk_"
NAME_LENGTH_MAX: Final = 128
_ID_BYTES: Final = 4
_SECRET_BYTES: Final = 32
_TEXT: Final = re.compile(r"qlk_(?P<id>[0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_ID: Final = re.compile(r"(?:qlk_)?(?P<id>[0-9a-f]{8})(?:_.*)?", re.DOTALL)
_NOBODY: Final = (None, bytes(hashlib.sha256().digest_size))
"""What an unknown id is compared with: no text has this hash."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; `secret`, its whole text, is nowhere else and never again."""

    id: str
    secret: str = field(repr=False)


def create_key(
    path: Path,
    provider: str,
    scope: Scope,
    expires: datetime | None,
    now: datetime,
    by: str,
    *,
    name: str | None = None,
) -> NewKey:
    """Make a key to the API of the ledger at a path, which is not opened and may be held.

    It is refused from `expires` on. Raises LedgerUnavailable if there is no ledger, InputRejected for a name that
    cannot be, WrongUsage if it would never be good.
    """
    provider, called = provider_name(provider), _called(name)
    if expires is not None and expires <= now:
        raise WrongUsage(f"a key that expires on {expires:%Y-%m-%d %H:%M} UTC is good for nothing; give a later day")
    with Ops.open(path) as ops:
        while True:  # an id is chance: the next one is another
            new = secrets.token_hex(_ID_BYTES)
            secret = base64.urlsafe_b64encode(secrets.token_bytes(_SECRET_BYTES)).decode().rstrip("=")
            text = f"{PREFIX}{new}_{secret}"
            key = Key(new, called, provider, scope, now, expires, None, visible(by), None)
            if access.add_key(ops, key, _digest(text)):
                return NewKey(new, text)


def list_keys(path: Path) -> list[Key]:
    """Give every key that was ever made for a ledger, the oldest first."""
    with Ops.found(path) as ops:
        return access.all_keys(ops) if ops else []


def revoke_key(path: Path, key: str, now: datetime) -> Key:
    """Refuse a key from now on, named by its id or its whole text, and give it as it is then.

    Every process refuses it at once. Raises WrongUsage if there is no such key.
    """
    match = _ID.fullmatch(key.strip())
    with Ops.found(path) as ops:
        if match and ops and access.find_key(ops, match["id"]):
            access.revoke(ops, match["id"], now)
            revoked = access.find_key(ops, match["id"])
            if revoked:
                return revoked[0]
    # A text that is no id may be a secret: it is not repeated.
    named = f"no key {match['id']}" if match else "no such key: an id is 8 digits of 0-9 and a-f"
    raise WrongUsage(f"there is {named}; see `quotaledger key list`")


class Keys:
    """The keys of a ledger as a server asks for them, from any number of threads. Close it, or use it with `with`."""

    def __init__(self, path: Path) -> None:
        self._ops = Ops.open(path)

    def find(self, text: str, now: datetime) -> Key:
        """Give the key that a caller shows. Raises KeyRefused if it is unknown, expired or revoked.

        Nothing is remembered between two calls: what another process has revoked is refused by the next.
        """
        match = _TEXT.fullmatch(text)
        # As much work for an id that nobody has as for a known one: time does not tell which there are.
        key, digest = access.find_key(self._ops, match["id"] if match else "") or _NOBODY
        is_same = hmac.compare_digest(digest, _digest(text if match else ""))
        if key is None or not is_same:
            raise KeyRefused("this API key is not known here", KeyFault.UNKNOWN)
        if key.revoked_at is not None:
            raise KeyRefused(f"this API key ({key.id}) was revoked; ask for another", KeyFault.REVOKED)
        if key.expires_at is not None and key.expires_at <= now:
            raise KeyRefused(f"this API key ({key.id}) has expired; ask for another", KeyFault.EXPIRED)
        access.use(self._ops, key, now)
        return key

    def is_granted(self, provider: str, party: str) -> bool:
        """Say if a provider may file for a party now."""
        return access.is_permitted(self._ops, provider, party)

    def note_query(self, asked: AskedQuery) -> None:
        """Keep what was asked in SQL."""
        queries.add_query(self._ops, asked)

    def queries(self, limit: int) -> list[AskedQuery]:
        """Give the newest queries that were asked in SQL, the newest first."""
        return queries.newest_queries(self._ops, limit)

    def close(self) -> None:
        """Let go of the file."""
        self._ops.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def grant(path: Path, provider: str, party: str, now: datetime, by: str) -> bool:
    """Let a provider file for a party; False if it may already. Whether there are such, only the ledger knows.

    Raises LedgerUnavailable if there is no ledger, InputRejected for names that cannot be.
    """
    names = provider_name(provider), _party(party)
    with Ops.open(path) as ops:
        return access.add_permission(ops, *names, now, visible(by))


def revoke_grant(path: Path, provider: str, party: str, now: datetime) -> bool:
    """Take back that a provider may file for a party, at once; False if it might not."""
    names = provider_name(provider), _party(party)
    with Ops.found(path) as ops:
        return bool(ops and access.revoke_permission(ops, *names, now))


def list_grants(path: Path) -> list[Permission]:
    """Give every permission that was ever given, the oldest first; those that were taken back say when."""
    with Ops.found(path) as ops:
        return access.all_permissions(ops) if ops else []


def is_granted(path: Path, provider: str, party: str) -> bool:
    """Say if a provider may file for a party now. A server asks its `Keys`."""
    with Ops.found(path) as ops:
        return bool(ops and access.is_permitted(ops, provider, party))


def _digest(text: str) -> bytes:
    # A secret is 32 random bytes: nobody finds one by trying, however quickly a hash is made. Slow hashes are for
    # passwords, which people choose; here one would only make every request slow.
    return hashlib.sha256(text.encode()).digest()


def _called(name: str | None) -> str | None:
    text = normal(name)
    text = limited(text, NAME_LENGTH_MAX) if isinstance(text, str) else text
    if isinstance(text, Fault):
        raise InputRejected(f"the key's name cannot be used: {text.message}")
    return text


def _party(party: str) -> str:
    text = normal(party)
    text = id_text(text) if isinstance(text, str) else text
    if isinstance(text, Fault):
        raise InputRejected(f"the party's id cannot be used: {text.message}")
    if text is None:
        raise InputRejected(f"found {shown(party)} for a party's id; give --party P")
    return text
