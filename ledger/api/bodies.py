"""Files that come as the body of a request: received to a limit of bytes and time, decompressed, and named."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from tempfile import TemporaryFile
from typing import Final, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from ledger.api.problems import Malformed, Rejected, TooLarge, TooSlow, Unavailable, WrongType
from ledger.api.settings import ApiSettings
from ledger.store.inflating import CODINGS, Inflated, inflated
from ledger.store.sheet import Content, FileFault

FORMATS: Final = {
    "text/csv": "csv",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow",
}
"""The types of a body, and the format that each is."""
DOCUMENTED: Final = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FORMATS},
    }
}
"""What the OpenAPI document says of a body that is a file."""
FILE_PATHS: Final = ("/v1/imports", "/v1/registers/")
"""How the addresses begin to which files are sent; what is sent elsewhere is JSON."""
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([^\"';\s]+)")
_IN_MEMORY: Final = 1 << 20


@dataclass(frozen=True)
class Body:
    """A file that was received."""

    file: str
    """What it is called in the ledger."""
    content: Content
    size: int
    """Its bytes, decompressed."""
    sha256: str
    """Of the bytes as they were sent, with their type and coding, hex."""


class Receiving:
    """Receives bodies, so many at a time."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._free = settings.bodies_at_once

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[Body]:
        """Give the body of a request as a file, which is gone afterwards unless somebody has taken its content.

        Raises WrongType, TooLarge, TooSlow, Rejected for a body that cannot be decompressed, Malformed without one,
        and Unavailable while as many are received as may be.
        """
        kind, coding = _kind(request)
        if not self._free:
            raise Unavailable("as many files are being received as the server takes at a time")
        self._free -= 1
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                content, size, digest = await self._receive(request, sha256(f"{kind}\n{coding}\n".encode()))
        except TimeoutError:
            raise TooSlow(f"no more than {self._settings.body_seconds:g} seconds are waited for a body") from None
        finally:
            self._free += 1
        try:
            if coding:
                plain = await run_in_threadpool(self._inflate, content, coding)
                content.close()
                content = plain
                size = content.seek(0, 2)
            yield Body(f"body.{kind}", content, size, digest)
        except BaseException:
            content.close()
            raise

    async def _receive(self, request: Request, digest: "sha256") -> tuple[Content, int, str]:  # type: ignore[valid-type]
        most = self._settings.body_max
        if int(request.headers.get("content-length") or 0) > most:
            raise TooLarge(f"the body has more than {most:,} bytes")
        content: Content = BytesIO()
        size = 0
        stream = aiter(request.stream())
        try:
            while True:
                try:
                    piece = await asyncio.wait_for(anext(stream), self._settings.idle_seconds)
                except StopAsyncIteration:
                    break
                size += len(piece)
                if size > most:
                    raise TooLarge(f"the body has more than {most:,} bytes")  # noqa: TRY301 -- what was kept is let go
                if size > _IN_MEMORY and isinstance(content, BytesIO):
                    kept = cast("Content", TemporaryFile())  # noqa: SIM115
                    kept.write(content.getbuffer())
                    content = kept
                digest.update(piece)  # type: ignore[attr-defined]
                content.write(piece)
        except ClientDisconnect:
            content.close()
            raise Malformed("the body broke off") from None
        except BaseException:
            content.close()
            raise
        if not size:
            raise Malformed("there is no body; send a file of records")
        return content, size, digest.hexdigest()  # type: ignore[attr-defined]

    def _inflate(self, content: Content, coding: str) -> Content:
        try:
            return inflated(content, coding, self._settings.inflated_max)
        except Inflated:
            raise TooLarge(f"decompressed, the body has more than {self._settings.inflated_max:,} bytes") from None
        except FileFault as error:
            raise Rejected(f"{error}.", [{"detail": str(error), "code": error.code}]) from None


def _kind(request: Request) -> tuple[str, str]:
    """Give format and coding of a body. Raises WrongType."""
    given, _, options = request.headers.get("content-type", "").lower().partition(";")
    given = given.strip()
    if (charset := _CHARSET.search(options)) and charset[1] not in ("utf-8", "utf8", "us-ascii"):
        raise WrongType("text is read as UTF-8, and the header Content-Type says otherwise; send it as UTF-8")
    if given not in FORMATS:
        raise WrongType(f"the header Content-Type names none of {', '.join(FORMATS)}")
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return FORMATS[given], ""
    if coding not in CODINGS:
        raise WrongType(f"the header Content-Encoding names none of {', '.join(CODINGS)}")
    return FORMATS[given], coding
