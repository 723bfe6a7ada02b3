"""The verb that serves: the import API and the writer in one process."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.cli.app import Settings, app
from ledger.cli.output import say
from ledger.core.errors import WrongUsage


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen at.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 is any that is free.", show_default="8467")] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate chain, PEM; without one, behind a proxy.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key, PEM.")] = None,
) -> None:
    """Serve the import API until stopped: files and single requests are recorded, many at once, by this process.

    Who files needs a key (`quotaledger key create`). Other settings are QUOTALEDGER_API_... in the environment:
    `docs/api.md` lists them.
    """
    from pydantic import ValidationError

    from ledger.api.serving import serve as serve_ledger
    from ledger.api.settings import ApiSettings

    at: Settings = context.obj
    options: dict[str, Any] = {"host": host, "port": port, "tls_certificate": tls_certificate, "tls_key": tls_key}
    try:
        settings = ApiSettings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        fault = error.errors()[0]
        raise WrongUsage(f"the setting {'.'.join(map(str, fault['loc']))} cannot be: {fault['msg']}") from None
    serve_ledger(at.path, settings, at.key, lambda address: say(f"serving {at.path} at {address}; stop with Ctrl-C"))
