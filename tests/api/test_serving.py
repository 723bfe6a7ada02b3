"""The command `serve` as a process: started, stopped, killed, and its ledger held meanwhile."""

import signal
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ledger.sequencer.keys import create_key
from ledger.sequencer.verifying import verify
from ledger.store.file import LedgerFile
from schemas.access import Scope
from tests.api.process import serving
from tests.api.served import CSV, PATIENCE_SECONDS, allocation, record, rows_csv
from tests.cli.command import environment


@pytest.fixture
def key(ledger: Path) -> dict[str, str]:
    """What a caller sends to be let in."""
    made = create_key(ledger, "acme", Scope.IMPORT, None, datetime.now(UTC), "tests")
    return {"authorization": f"Bearer {made.secret}"}


def _references(path: Path) -> list[str]:
    with LedgerFile.open(path, datetime.now(UTC)) as ledger:
        return [reference for (reference,) in ledger.rows("SELECT reference FROM entry ORDER BY sequence")]


class Clients:
    """Callers that file one record after the other until they cannot, and know what was acknowledged."""

    def __init__(self, address: str, key: dict[str, str], count: int) -> None:
        self.acknowledged: list[str] = []
        self._threads = [threading.Thread(target=self._file, args=(address, key, n)) for n in range(count)]
        self.some = threading.Event()
        for thread in self._threads:
            thread.start()

    def _file(self, address: str, key: dict[str, str], client: int) -> None:
        with httpx.Client(base_url=address, headers=key, timeout=PATIENCE_SECONDS) as caller:
            for number in range(100_000):
                name = f"{client}-{number}"
                try:
                    answer = caller.post("/v1/allocations", json=allocation(name), headers={"idempotency-key": name})
                except httpx.TransportError:
                    return
                if not answer.is_success:
                    return
                self.acknowledged.append(name)
                if len(self.acknowledged) > 50:
                    self.some.set()

    def join(self) -> None:
        """Wait until none of them can file any more."""
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)


def test_what_was_acknowledged_survives_a_kill(ledger: Path, key: dict[str, str]) -> None:
    """Killed under load: every 2xx is in the ledger, and who retries ends with each record exactly once."""
    with serving(ledger) as process:
        clients = Clients(process.address, key, 8)
        assert clients.some.wait(PATIENCE_SECONDS)
        process.stop(signal.SIGKILL)
        clients.join()
    recorded = _references(ledger)
    last = {f"{client}-{len([n for n in clients.acknowledged if n.startswith(f'{client}-')])}" for client in range(8)}
    with serving(ledger) as process:
        for name in last:
            answer = httpx.post(
                f"{process.address}/v1/allocations",
                json=allocation(name),
                headers=key | {"idempotency-key": name},
                timeout=PATIENCE_SECONDS,
            )
            assert answer.is_success
        process.stop(signal.SIGTERM)
    after = _references(ledger)

    assert set(clients.acknowledged) <= set(recorded)
    assert set(recorded) - set(clients.acknowledged) <= last
    assert sorted(after) == sorted(set(clients.acknowledged) | last)
    assert verify(ledger, deep=True).remarks == []


def test_who_is_stopped_answers_what_was_accepted(ledger: Path, key: dict[str, str]) -> None:
    """SIGTERM under load: all that was recorded was acknowledged, the exit code is 0, and the file is let go of."""
    with serving(ledger) as process:
        clients = Clients(process.address, key, 8)
        assert clients.some.wait(PATIENCE_SECONDS)
        code = process.stop(signal.SIGTERM)
        clients.join()

    assert code == 0
    assert sorted(_references(ledger)) == sorted(clients.acknowledged)
    assert not ledger.with_name(ledger.name + ".holder").exists()


def test_a_large_file_is_recorded_before_it_stops(ledger: Path, key: dict[str, str]) -> None:
    """What was answered with 202 is recorded, though nobody is there to ask for it."""
    body = rows_csv(*(record(f"m{number}") for number in range(30_000)))
    with serving(ledger) as process:
        answer = httpx.post(f"{process.address}/v1/imports", content=body, headers=key | CSV, timeout=PATIENCE_SECONDS)
        code = process.stop(signal.SIGTERM)

    assert (answer.status_code, code) == (202, 0)
    assert len(_references(ledger)) == 30_000


def test_the_command_is_told_who_holds_the_ledger(ledger: Path) -> None:
    """Beside a server, the command says that it is held."""
    with serving(ledger):
        words = [sys.executable, "-m", "ledger", "--ledger", str(ledger), "status"]
        told = subprocess.run(words, capture_output=True, text=True, check=False, env=environment())

    assert told.returncode == 4
    assert "held by" in told.stderr


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--port", "70000"], 2, "port"),
        (["--host", "203.0.113.1"], 2, "cannot be used"),
        (["--tls-certificate", "/nowhere.pem"], 2, "certificate"),
    ],
)
def test_what_cannot_be_served_is_told(ledger: Path, options: list[str], code: int, says: str) -> None:
    """A sentence and an exit code, and the ledger is let go of."""
    words = [sys.executable, "-m", "ledger", "--ledger", str(ledger), "serve", "--port", "0", *options]
    told = subprocess.run(
        words, capture_output=True, text=True, check=False, env=environment(), timeout=PATIENCE_SECONDS
    )

    assert told.returncode == code
    assert says in told.stderr
    assert "Traceback" not in told.stderr
    assert not ledger.with_name(ledger.name + ".holder").exists()


def test_tls_is_served(ledger: Path, key: dict[str, str], tmp_path: Path) -> None:
    """With a certificate by options; a plain request is no use there."""
    certificate, private = _certificate(tmp_path)
    with serving(ledger, "--tls-certificate", str(certificate), "--tls-key", str(private)) as process:
        address = process.address.replace("127.0.0.1", "localhost")
        with httpx.Client(verify=_trusting(certificate), headers=key, timeout=PATIENCE_SECONDS) as caller:
            answer = caller.post(f"{address}/v1/allocations", json=allocation("a"))
        with pytest.raises(httpx.TransportError):
            httpx.get(address.replace("https", "http") + "/healthz", timeout=PATIENCE_SECONDS)

    assert address.startswith("https://")
    assert answer.status_code == 201


def _trusting(certificate: Path) -> Any:
    return ssl.create_default_context(cafile=str(certificate))


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost that signs itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, key
