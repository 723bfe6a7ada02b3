"""The examples for curl, of every call on the page of the server and of those in `docs/api.md`, are run."""

import re
import subprocess
import textwrap
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.api.pages import curl
from schemas.access import Scope
from tests.api.served import CSV, PATIENCE_SECONDS, Served, publish_copy, record, rows_csv

PAGE = Path(__file__).parent.parent.parent / "docs" / "api.md"
_PARTY = b"party,name,headquarters\nGULF-CLOUD,Gulf Cloud,AE\n"


def _ran(command: str, folder: Path, server: Served, key: str) -> str:
    """Run a command as a shell would, and give the status that was answered."""
    environment = {"SERVER": server.address, "KEY": key, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    told = subprocess.run(
        ["/bin/bash", "-c", f"{command} --silent --output answer --write-out '%{{http_code}}'"],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=environment,
        timeout=PATIENCE_SECONDS,
    )
    return told.stdout


def _prepared(server: Served, folder: Path) -> tuple[str, str]:
    """Put what the examples speak of into ledger and folder. Gives an administrator's key, and the id of an import."""
    admin = server.caller("acme", Scope.ADMIN)
    admin.post("/v1/registers/parties", content=_PARTY, headers=CSV).raise_for_status()
    (folder / "parties.csv").write_bytes(_PARTY)
    (folder / "records.csv").write_bytes(rows_csv(record("r1", consignee="GULF-CLOUD")))
    publish_copy(server)
    filed = admin.post("/v1/imports", content=rows_csv(record("REFERENCE", consignee="GULF-CLOUD")), headers=CSV)
    return str(admin.headers["authorization"]).removeprefix("Bearer "), filed.json()["id"]


def test_every_call_has_an_example_that_works(server: Served, tmp_path: Path) -> None:
    """Each is answered with success, as it stands but for the numbers and names in its address."""
    key, made = _prepared(server, tmp_path)
    document = httpx.get(f"{server.address}/openapi.json").json()
    size = httpx.get(f"{server.address}/v1/checkpoints/latest", headers={"authorization": f"Bearer {key}"}).text
    places = {"sequence": "1", "leaves": size.split("\n")[1], "request_id": made, "register": "parties"}
    places |= {"provider": "acme", "party": "GULF-CLOUD", "country": "AE", "query_id": "mine"}
    failed = []
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            command = curl(document, path, method, call).replace("EARLIER", places["leaves"])
            command = re.sub(r"\{(\w+)\}", lambda found: places.get(found[1], found[0]), command)
            if (status := _ran(command, tmp_path, server, key))[0] != "2":
                failed.append((command, status, (tmp_path / "answer").read_text()))

    assert failed == []


def test_the_examples_of_the_page_work(server: Served, tmp_path: Path) -> None:
    """What a provider's engineer copies first."""
    key, _ = _prepared(server, tmp_path)
    commands = re.findall(r"^    (curl (?:.*\\\n)*.*)$", PAGE.read_text("utf-8"), re.MULTILINE)

    assert len(commands) == 2
    assert [_ran(command, tmp_path, server, key) for command in commands] == ["201", "200"]


def test_the_python_of_the_page_works(
    server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it stands, but for the address of the server."""
    key, _ = _prepared(server, tmp_path)
    rows = [record("r1", consignee="GULF-CLOUD"), record("r2", 5_000, consignee="GULF-CLOUD")]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "records.parquet")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^    from ledger.client.*?(?=^## )", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {"key": key}
    exec(textwrap.dedent(code).replace("https://ledger.example", server.address), names)  # noqa: S102 -- ours

    assert [row.reference for row in names["refused"]] == ["r2"]  # type: ignore[attr-defined]
    assert "15832000" in capsys.readouterr().out
