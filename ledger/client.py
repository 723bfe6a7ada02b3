"""A client of the import API: files and single requests, sent again with the same idempotency key until answered.

    with Client("https://ledger.example", key) as ledger:
        done = ledger.file("records.parquet")

Every method raises ProblemError for what the server has not done, and ServerUnavailable where there is no answer.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from random import uniform
from typing import IO, Any, Final, Self
from uuid import uuid4

import httpx

from schemas.api import (
    AllocationRequest,
    Assessment,
    AssessmentRequest,
    Explanation,
    Filed,
    Import,
    KeyHolder,
    MadeReports,
    Problem,
    RowDecision,
)

MEDIA_TYPES: Final = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
    ".arrow": "application/vnd.apache.arrow.stream",
    ".arrows": "application/vnd.apache.arrow.stream",
}
"""The type of a file by its suffix; `.gz` and `.zst` may follow."""
_CODINGS: Final = {".gz": "gzip", ".zst": "zstd"}
_AGAIN: Final = (409, 429, 500, 502, 503, 504)
"""With these the same request is sent again: it may be answered then, and is never recorded twice."""
_PIECE: Final = 1 << 18
_POLL_SECONDS: Final = 0.5
_PAUSE_MAX: Final = 60.0
_PAGE: Final = 10_000

Progress = Callable[[str, int, int], None]
"""Told what is done, `sent` bytes or `decided` rows, and how many of how many."""


class ServerUnavailable(Exception):
    """The server could not be reached, or did not answer, often enough."""


class ProblemError(Exception):
    """The server has not done what was asked; `problem` says why (RFC 9457)."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.detail} [{problem.type}, {problem.instance}]")
        self.problem = problem


class Client:
    """A server, and the key of a caller. Use as a context manager, in one thread at a time."""

    def __init__(
        self,
        server: str,
        key: str,
        *,
        timeout: float = 60,
        attempts: int = 8,
        verify: Any = True,
        insecure: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Choose a server. Raises ValueError for one to which a key would go unencrypted, unless `insecure`."""
        address = httpx.URL(server)
        if address.scheme != "https" and not insecure and not _is_loopback(address.host):
            raise ValueError(f"a key is sent to {server} only over https, or with insecure=True")
        self._http = httpx.Client(
            base_url=server, headers={"Authorization": f"Bearer {key}"}, timeout=timeout, verify=verify
        )
        self._attempts, self._sleep = attempts, sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def file(
        self,
        path: Path | str,
        *,
        dry_run: bool = False,
        skip_invalid: bool = False,
        idempotency_key: str | None = None,
        token: str | None = None,
        progress: Progress = lambda *_: None,
    ) -> Import:
        """File records, and wait until they are decided. `token` is that of a dry run of the same file.

        Raises ValueError for a file whose suffix says nothing. An import that has failed is given, too: it has a
        `problem`.
        """
        headers = _described(Path(path)) | {"Idempotency-Key": idempotency_key or str(uuid4())}
        if token:
            headers["If-Match"] = f'"{token}"'
        options = {"dry_run": str(dry_run).lower(), "skip_invalid": str(skip_invalid).lower()}

        def send() -> httpx.Response:
            with Path(path).open("rb") as file:
                content = _pieces(file, progress)
                return self._http.post("/v1/imports", params=options, headers=headers, content=content)

        for _ in range(self._attempts - 1):
            try:
                return self._decided(send, progress)
            except ProblemError as error:
                # The server was ended while the file was on its way: nothing of it is recorded, or the same again is
                # answered with what was.
                if error.problem.status != HTTPStatus.NOT_FOUND:
                    raise
        return self._decided(send, progress)

    def _decided(self, send: Callable[[], httpx.Response], progress: Progress) -> Import:
        """File records, and wait until they are decided."""
        found = Import.model_validate_json(self._answer(send))
        while found.state in ("waiting", "running"):
            if found.progress:
                progress("decided", found.progress.done, found.progress.total)
            self._sleep(_POLL_SECONDS)
            found = self.import_(found.id)
        return found

    def import_(self, request_id: str) -> Import:
        """Give an import by its id."""
        return Import.model_validate_json(self._get(f"/v1/imports/{request_id}"))

    def decisions(self, request_id: str) -> Iterator[RowDecision]:
        """Give what became of each row of an import, in order; of one that failed, the rejected rows."""
        place: str | None = f"/v1/imports/{request_id}/decisions?limit={_PAGE}"
        while place:
            page = httpx.Response(200, content=self._get(place)).json()
            yield from (RowDecision.model_validate(row) for row in page["decisions"])
            place = page["next"]

    def save_decisions(self, request_id: str, path: Path | str) -> None:
        """Write the decisions of an import to a file: CSV, NDJSON, Parquet or Arrow by its suffix."""
        form = Path(path).suffix.removeprefix(".")
        with Path(path).open("wb") as file:
            file.write(self._get(f"/v1/imports/{request_id}/decisions?format={form}"))

    def allocate(self, asked: AllocationRequest, *, idempotency_key: str | None = None) -> Filed:
        """Have one allocation decided and recorded."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        body = asked.model_dump(exclude_none=True)
        return Filed.model_validate_json(
            self._answer(lambda: self._http.post("/v1/allocations", json=body, headers=headers))
        )

    def assess(self, asked: AssessmentRequest) -> Assessment:
        """Say what would be decided, recording nothing."""
        body = asked.model_dump(exclude_none=True)
        return Assessment.model_validate_json(self._answer(lambda: self._http.post("/v1/assessments", json=body)))

    def decision(self, sequence: int) -> Explanation:
        """Give a decision with every limit that was tested for it."""
        return Explanation.model_validate_json(self._get(f"/v1/decisions/{sequence}"))

    def receipt(self, reference: str, provider: str = "") -> str:
        """Give the receipt of a record, which proves that it is in the log."""
        asked = {"reference": reference} | ({"provider": provider} if provider else {})
        found = self._answer(lambda: self._http.get("/v1/records", params=asked))
        return str(httpx.Response(200, content=found).json()["receipt"])

    def make_reports(self) -> MadeReports:
        """Let the server make all reports that are due, for an administrator; it takes as long as they take."""
        made = self._answer(lambda: self._http.post("/v1/reports/due", timeout=None))
        return MadeReports.model_validate_json(made)

    def key(self) -> KeyHolder:
        """Say for whom the key files, and what it may do."""
        return KeyHolder.model_validate_json(self._get("/v1/key"))

    def checkpoint(self) -> str:
        """Give the newest checkpoint, signed."""
        return self._get("/v1/checkpoints/latest").decode()

    def _get(self, address: str) -> bytes:
        return self._answer(lambda: self._http.get(address))

    def _answer(self, send: Callable[[], httpx.Response]) -> bytes:
        """Send a request until it is answered. Raises ProblemError or ServerUnavailable."""
        why: Exception = ServerUnavailable("no attempt was made")
        for attempt in range(self._attempts):
            pause = min(_PAUSE_MAX, 0.2 * 2**attempt) * uniform(0.5, 1)  # noqa: S311 -- so that not all come at once
            try:
                answer = send()
            except httpx.TransportError as error:
                why = ServerUnavailable(f"{self._http.base_url} does not answer: {error}")
            else:
                if answer.is_success:
                    return answer.content
                why = _problem(answer)
                if answer.status_code not in _AGAIN:
                    raise why
                with suppress(ValueError):
                    pause = max(pause, float(answer.headers.get("retry-after", "")))
            if attempt + 1 < self._attempts:
                self._sleep(pause)
        raise why


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _described(path: Path) -> dict[str, str]:
    """Give the headers that say what a file is. Raises ValueError if its suffix says nothing."""
    coding = _CODINGS.get(path.suffix.lower())
    kind = MEDIA_TYPES.get((path.with_suffix("") if coding else path).suffix.lower())
    if kind is None:
        known = ", ".join(MEDIA_TYPES)
        raise ValueError(f"{path.name} does not say what it is; known are {known}, perhaps with .gz or .zst behind")
    return {"Content-Type": kind} | ({"Content-Encoding": coding} if coding else {})


def _pieces(content: IO[bytes], progress: Progress) -> Iterator[bytes]:
    """Give a file some bytes at a time, and tell how many have gone."""
    total = content.seek(0, 2)
    content.seek(0)
    while piece := content.read(_PIECE):
        yield piece
        progress("sent", content.tell(), total)


def _problem(answer: httpx.Response) -> Exception:
    try:
        return ProblemError(Problem.model_validate_json(answer.content))
    except ValueError:  # a proxy's own words
        return ServerUnavailable(f"{answer.url.host} answers {answer.status_code}, and not as the import API does")
