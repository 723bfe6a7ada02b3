"""Who asks, and what they may: keys, their scopes, and how often each may ask."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ledger.api.problems import Forbidden, TooMany, Unauthenticated
from ledger.api.service import TheService
from ledger.core.errors import KeyRefused
from ledger.store.access import Key
from schemas.access import Right, Scope

_BEARER: Final = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key that `quotaledger key create` has made."
)
_BUCKETS_MAX: Final = 10_000


@dataclass(frozen=True)
class Caller:
    """Who sent a request."""

    key: Key

    @property
    def provider(self) -> str:
        """The provider for which the key files."""
        return self.key.provider

    @property
    def filed_by(self) -> str:
        """How the ledger names who filed."""
        return f"key {self.key.id}"

    @property
    def sees_all(self) -> bool:
        """Whether the caller may see what others have filed."""
        return self.key.scope.may(Right.ALL)

    def may_see(self, provider: str) -> bool:
        """Say if the caller may see what a provider has filed."""
        return self.sees_all or provider == self.provider


class Rate:
    """How often each key may ask: so many times at once, and so many times a second in the long run."""

    def __init__(self, per_second: float, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._at_once, self._clock = per_second, at_once, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Count a request. Raises TooMany, with the seconds after which the next one is let in."""
        now = self._clock()
        left, at = self._left.pop(key, (float(self._at_once), now))
        left = min(self._at_once, left + (now - at) * self._per_second)
        self._left[key] = (left - 1 if left >= 1 else left), now
        if len(self._left) > _BUCKETS_MAX:
            self._left.popitem(last=False)
        if left < 1:
            raise TooMany(
                f"this key may ask {self._per_second:g} times a second, and has asked more often",
                retry_after=max(1, round((1 - left) / self._per_second + 0.5)),
            )


async def _caller(
    request: Request, service: TheService, given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
) -> Caller:
    if given is None:
        raise Unauthenticated("the request has no key")
    try:
        key = service.keys.find(given.credentials, service.now())
    except KeyRefused as error:
        raise Unauthenticated(f"the key is {error.reason}") from None
    request.scope["state"]["key"] = key.id
    request.app.state.rate.take(key.id)
    return Caller(key)


AnyCaller = Annotated[Caller, Depends(_caller)]


def _having(right: Right) -> Callable[[Caller], Awaitable[Caller]]:
    """Give the dependency that lets in who has a right."""

    async def caller_with(caller: AnyCaller) -> Caller:
        if not caller.key.scope.may(right):
            named = " or ".join(scope for scope in Scope if scope.may(right))
            raise Forbidden(f"this key has the scope {caller.key.scope}; that needs one with the scope {named}")
        return caller

    return caller_with


Filer = Annotated[Caller, Depends(_having(Right.FILE))]
Reader = Annotated[Caller, Depends(_having(Right.POSITIONS))]
Analyst = Annotated[Caller, Depends(_having(Right.ALL))]
Admin = Annotated[Caller, Depends(_having(Right.ADMINISTER))]
