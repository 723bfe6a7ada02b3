"""`quotaledger key`: keys made, listed and revoked, and permissions, while somebody else holds the ledger."""

import csv
import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ledger.core.errors import KeyRefused
from ledger.sequencer.keys import Keys
from schemas.access import Scope
from tests.cli.command import FILES, Ledger, Ran, arguments, environment, fresh

_TEXT = re.compile(r"qlk_(?P<id>[0-9a-f]{8})_[A-Za-z0-9_-]{43}\n")
_STORE = "quota.duckdb.ops"


def _made(ledger: Ledger, *words: str) -> str:
    """Make a key and give its text: standard output has it and nothing else."""
    ran = ledger.run("key", "create", *(words or ("--provider", "prov", "--scope", "import")))
    assert ran.code == 0, ran.err
    match = _TEXT.fullmatch(ran.out)
    assert match
    assert match["id"] in ran.err
    assert ran.out.strip() not in ran.err
    return ran.out.strip()


def _listed(ledger: Ledger) -> list[dict[str, str]]:
    ran = ledger.run("key", "list", "--format", "json")
    assert ran.code == 0, ran.err
    rows: list[dict[str, str]] = json.loads(ran.out)
    return rows


@pytest.mark.parametrize("scope", Scope)
def test_what_is_printed_lets_its_caller_in(scope: Scope, tmp_path: Path) -> None:
    """The key on standard output is good at the API, with the scope that it was made for."""
    ledger = fresh(tmp_path)
    text = _made(ledger, "--provider", "prov", "--scope", scope.value, "--name", "site a")

    with Keys(ledger.path) as served:
        found = served.find(text, datetime.now(UTC))
    assert (found.provider, found.scope, found.name) == ("prov", scope, "site a")
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([*FILES, _STORE])


def test_all_of_it_works_while_the_ledger_is_held(tmp_path: Path) -> None:
    """Another process that holds the ledger's file is in nobody's way."""
    ledger = fresh(tmp_path)
    with duckdb.connect(str(ledger.path)):
        assert ledger.run("status").code == 4
        text = _made(ledger)
        ran = [
            ledger.run("key", *words)
            for words in (
                ["list"],
                ["grant", "--provider", "prov", "--party", "ALPHA"],
                ["grants"],
                ["ungrant", "--provider", "prov", "--party", "ALPHA"],
                ["revoke", text[4:12]],
            )
        ]

    assert [done.code for done in ran] == [0] * 5
    with Keys(ledger.path) as served, pytest.raises(KeyRefused, match="revoked"):
        served.find(text, datetime.now(UTC))


def test_keys_are_listed_in_every_format_and_never_shown(tmp_path: Path) -> None:
    """The list says whose key each is, for what and how it stands, and has no secret in it."""
    ledger = fresh(tmp_path)
    good = _made(ledger, "--provider", "prov", "--scope", "read", "--expires", "2999-01-31")
    gone = _made(ledger, "--provider", "other, one", "--scope", "admin")
    assert ledger.run("key", "revoke", gone[4:12], env={"QUOTALEDGER_FILED_BY": "clerk"}).code == 0
    forms = {form: ledger.run("key", "list", "--format", form).out for form in ("table", "json", "csv")}
    rows = json.loads(forms["json"])

    assert [(row["id"], row["provider"], row["scope"], row["state"]) for row in rows] == [
        (good[4:12], "prov", "read", "good"),
        (gone[4:12], "other, one", "admin", "revoked"),
    ]
    assert rows[0]["expires_at"] == "2999-02-01T00:00:00Z"
    assert [(row["id"], row["state"]) for row in csv.DictReader(io.StringIO(forms["csv"]))] == [
        (row["id"], row["state"]) for row in rows
    ]
    assert "2999-02-01 00:00" in forms["table"]
    assert not [text for text in (good, gone) for out in forms.values() if text[13:] in out]


def test_days_are_counted_from_now(tmp_path: Path) -> None:
    """`--expires 90` is ninety days from now, to the moment."""
    ledger = fresh(tmp_path)
    before = datetime.now(UTC)
    _made(ledger, "--provider", "prov", "--scope", "read", "--expires", "90")
    end = datetime.fromisoformat(_listed(ledger)[0]["expires_at"])

    assert before + timedelta(days=90) <= end <= datetime.now(UTC) + timedelta(days=90)


@pytest.mark.parametrize(
    "expires",
    ["", " ", "0", "-1", "36501", "1.5", "9" * 30, "²", "2027-02-30", "2027-1-1", "9999-12-31", "2020-01-01", "soon"],
)
def test_an_end_that_cannot_be_makes_no_key(expires: str, tmp_path: Path) -> None:
    """What is neither a day to come nor a number of days is wrong usage, an empty text as well."""
    ledger = fresh(tmp_path)
    ran = ledger.run("key", "create", "--provider", "p", "--scope", "read", f"--expires={expires}")

    assert (ran.code, ran.out) == (2, "")
    assert "a later day" in ran.err or "for --expires; give a day that exists, as 2027-01-31" in ran.err
    assert _listed(ledger) == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["create", "--provider", "p"], 2, "--scope"),
        (["create", "--scope", "read"], 2, "--provider"),
        (["create", "--provider", "p", "--scope", "root"], 2, "'import', 'read', 'analyst', 'admin'"),
        (["create", "--provider", " ", "--scope", "read"], 1, "the provider's name needs 1 to 128 characters"),
        (["create", "--provider", "p", "--scope", "read", "--name", "n" * 129], 1, "the key's name"),
        (["revoke"], 2, "ID"),
        (["revoke", "01234567"], 2, "there is no key 01234567; see `quotaledger key list`"),
        (["revoke", "secret"], 2, "there is no such key: an id is 8 digits"),
        (["grant", "--provider", "p"], 2, "--party"),
        (["grant", "--provider", "p", "--party", "A/B"], 1, "the party's id cannot be used"),
        (["ungrant", "--provider", "p", "--party", "A"], 2, "p may not file for A as it is"),
        (["frobnicate"], 2, "No such command 'frobnicate'"),
    ],
)
def test_what_cannot_be_is_one_sentence(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    """Whatever cannot be asked for is one sentence and makes no file."""
    ledger = fresh(tmp_path)
    ran = ledger.run("key", *words)

    assert (ran.code, ran.out) == (code, "")
    assert len(ran.err.splitlines()) == 1
    assert said in ran.err
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(FILES)


@pytest.mark.parametrize(
    "words",
    [
        ["create", "--provider", "p", "--scope", "read"],
        ["list"],
        ["revoke", "01234567"],
        ["grant", "--provider", "p", "--party", "A"],
        ["ungrant", "--provider", "p", "--party", "A"],
        ["grants"],
    ],
)
def test_without_a_ledger_there_is_nothing_to_have_keys_to(words: list[str], tmp_path: Path) -> None:
    """Where no ledger is, every verb says so with exit code 4, and makes none."""
    ran = Ledger(tmp_path).run("key", *words)

    assert (ran.code, ran.out) == (4, "")
    assert "there is no ledger at" in ran.sentence
    assert list(tmp_path.iterdir()) == []


def test_permissions_are_listed_while_they_are_in_force(tmp_path: Path) -> None:
    """What was taken back is listed with `--all` alone; giving twice changes nothing."""
    ledger = fresh(tmp_path)
    clerk = {"QUOTALEDGER_FILED_BY": "clerk"}

    def go(verb: str, party: str) -> Ran:
        return ledger.run("key", verb, "--provider", "prov", "--party", party, env=clerk)

    def told(*words: str) -> list[tuple[str, str, bool]]:
        rows = json.loads(ledger.run("key", "grants", "--format", "json", *words).out)
        return [(row["party"], row["granted_by"], row["revoked_at"] is None) for row in rows]

    assert go("grant", "ALPHA").out == "prov may file for ALPHA\n"
    assert go("grant", "USCO").code == 0
    assert "already" in go("grant", "USCO").out
    assert go("ungrant", "ALPHA").code == 0
    assert told() == [("USCO", "clerk", True)]
    assert told("--all") == [("ALPHA", "clerk", False), ("USCO", "clerk", True)]


def test_a_damaged_store_is_told(tmp_path: Path) -> None:
    """With a damaged store of keys each verb fails with one sentence, and the ledger itself is as good as before."""
    ledger = fresh(tmp_path)
    _made(ledger)
    ledger.write(_STORE, b"SQLite format 3\0" + b"\xff" * 4096)
    ran = [ledger.run("key", *words) for words in (["list"], ["create", "--provider", "p", "--scope", "read"])]

    assert [(done.code, done.out, len(done.err.splitlines())) for done in ran] == [(5, "", 1)] * 2
    assert all(f"{_STORE} is damaged" in done.err for done in ran)
    assert ledger.run("verify").code == 0


def test_a_key_that_cannot_be_printed_is_named_so_that_it_can_be_revoked(tmp_path: Path) -> None:
    """Where standard output cannot be written, the id has been told: nobody has the key, and it can be revoked."""
    ledger = fresh(tmp_path)
    words = arguments(ledger.path, ["key", "create", "--provider", "p", "--scope", "read"])
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            words, stdout=full, stderr=subprocess.PIPE, check=False, env=environment(), text=True, encoding="utf-8"
        )
    (row,) = _listed(ledger)

    assert done.returncode == 5
    assert f"quotaledger key revoke {row['id']}" in done.stderr
    assert ledger.run("key", "revoke", row["id"]).code == 0


def test_tab_offers_the_ids_of_keys_that_can_be_revoked(tmp_path: Path) -> None:
    """A shell offers each id with whose key it is, but none that is revoked already, and nothing without a ledger."""
    ledger = fresh(tmp_path)
    good, gone = _made(ledger), _made(ledger)
    ledger.run("key", "revoke", gone[4:12])

    def offered(path: Path) -> str:
        typed = {
            "_TYPER_COMPLETE_ARGS": f"quotaledger --ledger {path} key revoke ",
            "_QUOTALEDGER_COMPLETE": "complete_zsh",
        }
        command = [sys.executable, "-c", "import sys; sys.argv[0] = 'quotaledger'; from ledger.cli import main; main()"]
        done = subprocess.run(command, capture_output=True, check=True, env=environment(**typed), text=True)
        assert done.stderr == ""
        return done.stdout

    assert f'"{good[4:12]}":"prov, import"' in offered(ledger.path)
    assert gone[4:12] not in offered(ledger.path)
    assert "qlk" not in offered(tmp_path / "nowhere.duckdb")
