"""Real peers on loopback: a mail server, a receiver of webhooks, and one that never answers."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Mailbox:
    """A mail server: what it was sent, who logged in, and whom it refuses."""

    port: int = 0
    user: str = "clerk"
    password: str = "pass-word-of-a-test"  # noqa: S105 -- of nobody
    refuses: Mapping[str, str] = field(default_factory=dict)
    """What it answers of an address."""
    hangs_up: bool = False
    """Whether it goes without a word when it is said goodbye to."""
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str | None, list[str]]] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)
    """User, password, and whether they came over TLS."""
    callers: int = 0

    async def handle_EHLO(  # noqa: N802 -- aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Count who greets."""
        session.host_name = hostname
        self.callers += 1
        return responses

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take an address, or refuse it."""
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(raw, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.raw.append(raw)
        self.mails.append(mail)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return "250 Taken"

    async def handle_QUIT(self, server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        """Say goodbye, or go without."""
        if self.hangs_up and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return "221 Bye"

    def authenticate(
        self, _server: SMTP, session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        """Keep who logs in. Who is wrong is told what was sent, as some servers do."""
        user, password = data.login.decode(), data.password.decode()
        self.logins.append((user, password, session.ssl is not None))
        right = (user, password) == (self.user, self.password)
        return AuthResult(success=right, handled=False, message=None if right else f"535 not {user} with {password}")


class _Server(Controller):
    """aiosmtpd's own, at a port that is free and stays its own from the start."""

    def __init__(self, mailbox: Mailbox, **options: Any) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        mailbox.port = self._listening.getsockname()[1]
        super().__init__(mailbox, hostname="127.0.0.1", port=mailbox.port, **options)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._listening, ssl=self.ssl_context)


@contextmanager
def mail_server(mailbox: Mailbox, **options: Any) -> Iterator[Mailbox]:
    """Serve a mailbox; options are aiosmtpd's."""
    server = _Server(mailbox, authenticator=mailbox.authenticate, **options)
    server.start()
    try:
        yield mailbox
    finally:
        server.stop()


@dataclass
class Hook:
    """A receiver of webhooks, which verifies what comes by itself: it knows the bytes of the secret alone."""

    key: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: bytes = b""
    endless: bool = False
    """Whether its answer goes on for as long as anybody reads."""
    address: str = ""
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    verified: list[bool] = field(default_factory=list)
    written: int = 0
    """Bytes of an endless answer that went."""
    hung_up: threading.Event = field(default_factory=threading.Event)

    def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Keep what was posted, and whether it is signed."""
        given = {name.lower(): value for name, value in headers.items()}
        signed = b".".join([given["webhook-id"].encode(), given["webhook-timestamp"].encode(), body])
        expected = "v1," + base64.b64encode(hmac.new(self.key, signed, hashlib.sha256).digest()).decode()
        self.verified.append(hmac.compare_digest(expected, given["webhook-signature"]))
        self.posts.append((given, body))

    @property
    def documents(self) -> list[Any]:
        """What was posted, read."""
        return [json.loads(body) for _, body in self.posts]


@contextmanager
def hook_server(hook: Hook, tls: ssl.SSLContext | None = None) -> Iterator[Hook]:
    """Serve a receiver of webhooks in a thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.paths.append(self.path)
            hook.receive(dict(self.headers), self.rfile.read(int(self.headers["content-length"])))
            self.send_response(hook.status)
            for name, value in hook.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(hook.answer)
                while hook.endless:
                    self.wfile.write(bytes(1 << 16))
                    hook.written += 1 << 16
            except OSError:
                hook.hung_up.set()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        host = "localhost" if tls else "127.0.0.1"
        hook.address = f"{'https' if tls else 'http'}://{host}:{server.server_port}/hooks/token-of-a-path"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def silent_server() -> Iterator[int]:
    """Give the port of a peer that lets itself be called, and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening.getsockname()[1]


@contextmanager
def closed_port() -> Iterator[int]:
    """Give a port that nobody listens at, and that nobody else gets meanwhile."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def mail_through(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what the scheduler sends mail through."""
    for name, value in (
        ("MAIL_FROM", "ledger@quota.example"),
        ("SMTP_HOST", "127.0.0.1"),
        ("SMTP_PORT", str(mailbox.port)),
        ("SMTP_SECURITY", "none"),
    ):
        monkeypatch.setenv(f"QUOTALEDGER_{name}", value)
