"""The server: an address, TLS if wanted, and an end that answers what was accepted."""

import logging
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import structlog
import uvicorn
from structlog.tracebacks import ExceptionDictTransformer

from ledger.api.app import make_app
from ledger.api.service import Service
from ledger.api.settings import ApiSettings
from ledger.core.errors import WrongUsage

_WAITING_MAX = 2_048
"""So many connections wait to be taken by the server."""
_HEADERS_MAX = 1 << 16
"""Bytes of a request's line and headers."""


def serve(path: Path, settings: ApiSettings, signing_key: Path | None, started: Callable[[str], None]) -> None:
    """Serve a ledger until the process is told to stop. `started` is told the address.

    Raises WrongUsage for an address or certificates that cannot be used, and what `LedgerFile.open` raises.
    """
    _log_plainly()
    with listening(settings) as at:
        service = Service(path, settings, signing_key)
        try:
            server = made_server(service)
            host, port = at.getsockname()[:2]
            # The server stops at these by itself, and raises them once more when it has: that must not end the process
            # before the ledger is closed.
            for stop in (signal.SIGTERM, signal.SIGINT):
                signal.signal(stop, lambda *_: None)
            started(f"{'https' if settings.tls_certificate else 'http'}://{host}:{port}")
            server.run(sockets=[at])
        finally:
            service.close()


def made_server(service: Service) -> uvicorn.Server:
    """Give the server of a ledger. When it is stopped, it answers what it has accepted, for a while."""
    settings = service.settings
    config = uvicorn.Config(
        make_app(service),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(settings.stop_seconds),
        timeout_keep_alive=int(settings.idle_seconds),
        h11_max_incomplete_event_size=_HEADERS_MAX,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise WrongUsage(f"the certificate or its key cannot be used: {error}") from None
    return uvicorn.Server(config)


def listening(settings: ApiSettings) -> socket.socket:
    """Give a socket that listens at the address of the settings. Raises WrongUsage if it cannot be used."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        made = socket.create_server((settings.host, settings.port), family=family, backlog=_WAITING_MAX)
    except OSError as error:
        raise WrongUsage(
            f"the address {settings.host}:{settings.port} cannot be used: {error.strerror or error}"
        ) from None
    # Or an answer waits 40 ms for the caller to say that it has read the headers.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _log_plainly() -> None:
    """Write logs as JSON, a line an event, to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),  # they may be secrets
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
