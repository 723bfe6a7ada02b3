"""API keys and permissions: who is let in, who is not and why, and that a revocation is seen at once by everybody."""

import base64
import hashlib
import re
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain, pairwise, repeat
from pathlib import Path
from time import monotonic

import pytest

from ledger.core.errors import InputRejected, KeyRefused, LedgerUnavailable, WrongUsage
from ledger.sequencer import keys
from ledger.sequencer.keys import Keys
from ledger.store.file import LedgerFile
from ledger.store.ops import _WAIT_SECONDS, ops_path
from schemas.access import RIGHTS, KeyFault, Right, Scope
from tests.harness import NOW, bench, copy_ledger

_A_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_SERVER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ledger.core.errors import KeyRefused
from ledger.sequencer.keys import Keys
now = datetime(2026, 11, 22, 12, tzinfo=UTC)
with Keys(Path(sys.argv[1])) as served:
    for line in sys.stdin:
        word, _, party = line.rstrip("\\n").partition(" ")
        try:
            key = served.find(word, now)
            print(key.id, served.is_granted(key.provider, party), flush=True)
        except KeyRefused as refused:
            print(refused.reason, flush=True)
"""
"""A server as far as keys go: for each line, a key and a party, it says whose key it is, or why it is refused."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger."""
    folder = tmp_path_factory.mktemp("made")
    with bench(folder):
        pass
    return folder / "ledger.duckdb"


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A closed ledger that no key was made for yet."""
    return copy_ledger(made, tmp_path / "ledger.duckdb")


def _key(path: Path, scope: Scope = Scope.IMPORT, expires: datetime | None = None) -> keys.NewKey:
    return keys.create_key(path, "provider", scope, expires, NOW, "tests")


def _reason(path: Path, text: str, now: datetime = NOW) -> KeyFault:
    with Keys(path) as served, pytest.raises(KeyRefused) as refused:
        served.find(text, now)
    assert text not in str(refused.value) or not text
    return refused.value.reason


@contextmanager
def _serving(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()
        assert process.wait() == 0


def _asked(server: subprocess.Popen[str], text: str, party: str = "") -> str:
    assert server.stdin
    assert server.stdout
    server.stdin.write(f"{text} {party}\n")
    server.stdin.flush()
    return server.stdout.readline().strip()


@pytest.mark.parametrize("scope", Scope)
def test_a_key_is_found_as_it_was_made(scope: Scope, path: Path) -> None:
    """Whoever shows the text of a key is who it was made for, with all that was said of it."""
    new = keys.create_key(path, "  The Provider ", scope, NOW + _A_DAY, NOW, "a\x1bclerk", name=" site a ")
    with Keys(path) as served:
        found = served.find(new.secret, NOW)

    assert re.fullmatch(r"qlk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", new.secret)
    assert (found.id, found.provider, found.scope) == (new.id, "The Provider", scope)
    assert (found.name, found.created_by) == ("site a", "a\\x1bclerk")
    assert (found.created_at, found.expires_at, found.revoked_at) == (NOW, NOW + _A_DAY, None)
    assert new.secret[4:12] == new.id
    assert new.secret not in repr(new)


def test_keys_are_all_different(path: Path) -> None:
    """Of keys made at once none has the id or the secret of another, and all are listed."""
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: _key(path), range(64)))

    assert len({key.secret[13:] for key in made}) == 64
    assert {key.id for key in made} == {key.id for key in keys.list_keys(path)}
    assert len({key.id for key in made}) == 64


def test_an_id_that_is_taken_is_not_given_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance may give an id twice: the second key gets another, and the first stays good."""
    ids = chain(repeat("00c0ffee", 3), ["00c0ffef"])
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(ids))
    first, second = _key(path), _key(path)

    assert (first.id, second.id) == ("00c0ffee", "00c0ffef")
    with Keys(path) as served:
        assert served.find(first.secret, NOW).id == first.id


def test_a_ledger_that_is_held_gets_keys(path: Path) -> None:
    """While the ledger's file is held for writing, keys are made, found, listed and revoked beside it."""
    with LedgerFile.open(path, NOW), Keys(path) as served:
        new = _key(path)
        assert served.find(new.secret, NOW).id == new.id
        assert keys.revoke_key(path, new.id, NOW).revoked_at == NOW
        assert [key.id for key in keys.list_keys(path)] == [new.id]


def test_no_secret_is_on_disk(path: Path) -> None:
    """Neither the text of a key nor its random bytes are in any file, in use or afterwards; its hash is."""
    with Keys(path) as served:
        new = _key(path)
        served.find(new.secret, NOW)
        during = [file.read_bytes() for file in path.parent.glob("*.ops*")]
    after = [file.read_bytes() for file in path.parent.iterdir()]
    random = base64.urlsafe_b64decode(new.secret[13:] + "=")

    assert len(during) == 3
    assert len(random) == 32
    for form in (new.secret[13:].encode(), new.secret[13:29].encode(), random, random.hex().encode()):
        assert not any(form in content for content in during + after)
    assert any(hashlib.sha256(new.secret.encode()).digest() in content for content in after)


def test_a_revoked_key_is_refused_at_once_by_who_runs_already(path: Path) -> None:
    """A server that has let a key in refuses it at the next request after another process has revoked it."""
    with _serving(path) as server:
        new, other = _key(path), _key(path)
        assert _asked(server, new.secret) == f"{new.id} False"
        keys.revoke_key(path, new.id, NOW)
        assert _asked(server, new.secret) == "revoked"
        assert _asked(server, other.secret) == f"{other.id} False"


def test_a_permission_takes_effect_at_once_where_a_server_runs(path: Path) -> None:
    """What another process grants or takes back is so for the server's next request."""
    with _serving(path) as server:
        new = _key(path)
        assert keys.grant(path, "provider", "ALPHA", NOW, "tests")
        assert _asked(server, new.secret, "ALPHA") == f"{new.id} True"
        assert keys.revoke_grant(path, "provider", "ALPHA", NOW)
        assert _asked(server, new.secret, "ALPHA") == f"{new.id} False"


def test_a_key_is_good_until_the_instant_at_which_it_expires(path: Path) -> None:
    """A microsecond before, it is good; at the instant and later, in whatever time zone, it has expired."""
    end = NOW + _A_DAY
    new = _key(path, expires=end.astimezone(timezone(timedelta(hours=-7))))
    with Keys(path) as served:
        assert served.find(new.secret, end - _TICK).expires_at == end

    assert _reason(path, new.secret, end) is KeyFault.EXPIRED
    assert _reason(path, new.secret, end.astimezone(timezone(timedelta(hours=9)))) is KeyFault.EXPIRED
    assert _reason(path, new.secret, datetime(9999, 1, 1, tzinfo=UTC)) is KeyFault.EXPIRED


def test_a_key_without_end_does_not_expire(path: Path) -> None:
    """A key that was made without a last day is good for ever."""
    new = _key(path)
    with Keys(path) as served:
        assert served.find(new.secret, datetime(9999, 12, 31, tzinfo=UTC)).expires_at is None


@pytest.mark.parametrize("before", [timedelta(0), _TICK])
def test_a_key_that_would_never_be_good_is_not_made(before: timedelta, path: Path) -> None:
    """A key must expire after it is made."""
    with pytest.raises(WrongUsage, match="good for nothing"):
        _key(path, expires=NOW - before)

    assert keys.list_keys(path) == []


def test_a_revoked_key_is_revoked_for_good(path: Path) -> None:
    """Revoked outranks expired, and revoking again changes nothing."""
    new = _key(path, expires=NOW + _A_DAY)
    first = keys.revoke_key(path, new.id, NOW + _TICK)

    assert keys.revoke_key(path, new.secret, NOW + _A_DAY) == first
    assert first.revoked_at == NOW + _TICK
    assert _reason(path, new.secret, NOW + 2 * _A_DAY) is KeyFault.REVOKED


def test_no_character_of_a_key_may_be_another(path: Path) -> None:
    """A key with any one of its characters changed is unknown, wherever that is; so is one cut short or longer."""
    new = _key(path)
    changed = [
        new.secret[:at] + other + new.secret[at + 1 :]
        for at, sign in enumerate(new.secret)
        for other in ("A", "B", "0", "_", sign.swapcase(), chr(ord(sign) + 1), chr(ord(sign) ^ 1))
        if other != sign
    ]
    with Keys(path) as served:
        for text in [
            *changed,
            new.secret[:-1],
            new.secret + "A",
            new.secret + "=",
            new.secret + "\n",
            new.secret + chr(0xD800),
        ]:
            with pytest.raises(KeyRefused, match="not known") as refused:
                served.find(text, NOW)
            assert refused.value.reason is KeyFault.UNKNOWN
        assert served.find(new.secret, NOW).id == new.id


def test_the_secret_of_one_key_opens_no_other(path: Path) -> None:
    """The id of one key with the secret of another is unknown."""
    first, second = _key(path), _key(path, Scope.ADMIN)

    assert _reason(path, second.secret[:12] + first.secret[12:]) is KeyFault.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "qlk_",
        "qlk__",
        f"qlk_00000000_{'A' * 43}",
        f"qlk_{'A' * 8}_{'A' * 43}",
        f"qlk_{chr(0x660) * 8}_{'A' * 43}",
        f"qlk_00000000_{chr(0xE9) * 43}",
        f"qlk_00000000_{chr(0xD800) * 43}",
        f"qlk_00000000_{'A' * 42}\0",
        f"qlk_0000000'_{'A' * 43}",
        "A" * 10_000_000,
        f"qlk_00000000_{'A' * 10_000_000}",
    ],
    ids=range(12),
)
def test_what_is_no_key_is_unknown(text: str, path: Path) -> None:
    """Whatever text is shown, huge or of any characters, what is no key is unknown and nothing worse."""
    assert _reason(path, text) is KeyFault.UNKNOWN


def test_only_who_has_a_key_is_told_what_became_of_it(path: Path) -> None:
    """With the id alone nobody learns that a key was revoked or has expired."""
    gone, old = _key(path), _key(path, expires=NOW + _A_DAY)
    keys.revoke_key(path, gone.id, NOW)

    for new in (gone, old):
        assert _reason(path, new.secret[:13] + "A" * 43, NOW + _A_DAY) is KeyFault.UNKNOWN


def test_last_use_is_written_once_a_minute(path: Path) -> None:
    """The first use is written, and then none within a minute: those change nothing in the file."""
    new = _key(path)
    with Keys(path) as served, closing(sqlite3.connect(ops_path(path))) as watching:
        seen = []
        for seconds in (0, 1, 59.999999, 60, 61, 119, 120, 30):
            served.find(new.secret, NOW + timedelta(seconds=seconds))
            ((version,),) = watching.execute("PRAGMA data_version")
            seen.append((version, keys.list_keys(path)[0].last_used_at))
    used = [at - NOW for _, at in seen if at]
    steps = [later[0] != earlier[0] for earlier, later in pairwise(seen)]

    assert [at.total_seconds() for at in used] == [0, 0, 0, 60, 60, 60, 120, 120]
    assert steps == [False, False, True, False, False, True, False]


def test_a_refused_key_is_not_used(path: Path) -> None:
    """Who is refused leaves no last use, not even with the id of a good key."""
    new = _key(path)
    _reason(path, new.secret[:-1] + ("A" if new.secret[-1] != "A" else "B"))
    keys.revoke_key(path, new.id, NOW)
    _reason(path, new.secret)

    assert keys.list_keys(path)[0].last_used_at is None


def test_who_writes_beside_does_not_hold_up_who_is_let_in(path: Path) -> None:
    """While another process writes, a key is found at once; its last use is then written at a later request."""
    new = _key(path)
    with Keys(path) as served, closing(sqlite3.connect(ops_path(path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = monotonic()
        assert served.find(new.secret, NOW).id == new.id
        assert monotonic() - begun < _WAIT_SECONDS / 2
        other.execute("ROLLBACK")
        assert keys.list_keys(path)[0].last_used_at is None
        served.find(new.secret, NOW)

    assert keys.list_keys(path)[0].last_used_at == NOW


def test_many_threads_are_let_in_while_keys_come_and_go(path: Path) -> None:
    """Each of many threads finds its own key, and never another's, while others are made and revoked."""
    made = [keys.create_key(path, f"p{number}", Scope.IMPORT, None, NOW, "tests") for number in range(8)]
    with Keys(path) as served, ThreadPoolExecutor(10) as threads:
        coming = threads.submit(lambda: [keys.revoke_key(path, _key(path).id, NOW) for _ in range(10)])
        found = [threads.submit(served.find, made[n % 8].secret, NOW + timedelta(minutes=n)) for n in range(400)]
        assert [done.result().provider for done in found] == [f"p{n % 8}" for n in range(400)]
        assert len(coming.result()) == 10


@pytest.mark.parametrize("provider", ["", " \t", "a\0b", "a\x1b[31mb", "\ud800", "p" * 129])
def test_a_provider_is_named_as_for_an_import(provider: str, path: Path) -> None:
    """What no import could be filed under has no key and no permission either."""
    with pytest.raises(InputRejected, match="the provider's name"):
        keys.create_key(path, provider, Scope.IMPORT, None, NOW, "tests")
    with pytest.raises(InputRejected, match="the provider's name"):
        keys.grant(path, provider, "ALPHA", NOW, "tests")

    assert not ops_path(path).exists()


@pytest.mark.parametrize("name", ["a\0b", "n" * 129])
def test_the_name_of_a_key_is_short_and_readable(name: str, path: Path) -> None:
    """A name with control characters, or a long one, is none; a blank one is no name."""
    with pytest.raises(InputRejected, match="the key's name"):
        keys.create_key(path, "p", Scope.IMPORT, None, NOW, "tests", name=name)

    keys.create_key(path, "p", Scope.IMPORT, None, NOW, "tests", name=" ")
    assert [key.name for key in keys.list_keys(path)] == [None]


@pytest.mark.parametrize("key", ["", "0", "0123456", "01234567", "0123456G", "qlk_01234567_secret", "x" * 99])
def test_only_what_there_is_can_be_revoked(key: str, path: Path) -> None:
    """What names no key is wrong usage, and is not repeated if it might be a secret."""
    new = _key(path)
    with pytest.raises(WrongUsage, match="key list") as wrong:
        keys.revoke_key(path, key, NOW)

    assert "secret" not in str(wrong.value)
    assert "xxx" not in str(wrong.value)
    assert keys.list_keys(path)[0].id == new.id
    assert keys.list_keys(path)[0].revoked_at is None


@pytest.mark.parametrize("party", ["", " ", "A/B", "{A}", "A\0", "P" * 129])
def test_a_permission_is_for_what_can_be_a_party(party: str, path: Path) -> None:
    """What no register takes for a party's id is none here."""
    with pytest.raises(InputRejected, match="party's id"):
        keys.grant(path, "p", party, NOW, "tests")

    assert keys.list_grants(path) == []


def test_permissions_come_and_go_and_are_remembered(path: Path) -> None:
    """One is in force from when it is given until it is taken back, for that provider and party alone."""
    assert not keys.is_granted(path, "p", "A")
    assert not keys.revoke_grant(path, "p", "A", NOW)
    assert keys.grant(path, " p ", " A ", NOW, "clerk")
    assert not keys.grant(path, "p", "A", NOW + _TICK, "another")
    assert keys.grant(path, "p", "B", NOW, "clerk")
    assert [keys.is_granted(path, *pair) for pair in (("p", "A"), ("A", "p"), ("q", "A"), ("P", "A"), ("p", "a"))] == [
        True,
        *repeat(False, 4),
    ]
    assert keys.revoke_grant(path, "p", "A", NOW + _A_DAY)
    assert not keys.revoke_grant(path, "p", "A", NOW + _A_DAY)
    assert not keys.is_granted(path, "p", "A")
    assert keys.is_granted(path, "p", "B")
    assert keys.grant(path, "p", "A", NOW + 2 * _A_DAY, "clerk")

    told = [(row.party, row.granted_at, row.granted_by, row.revoked_at) for row in keys.list_grants(path)]
    assert told == [
        ("A", NOW, "clerk", NOW + _A_DAY),
        ("B", NOW, "clerk", None),
        ("A", NOW + 2 * _A_DAY, "clerk", None),
    ]


def test_there_are_no_keys_without_a_ledger(tmp_path: Path) -> None:
    """Where there is no ledger every question says so, and nothing is made."""
    nowhere = tmp_path / "nowhere.duckdb"
    questions: list[Callable[[], object]] = [
        lambda: _key(nowhere),
        lambda: keys.list_keys(nowhere),
        lambda: keys.revoke_key(nowhere, "01234567", NOW),
        lambda: Keys(nowhere),
        lambda: keys.grant(nowhere, "p", "A", NOW, "tests"),
        lambda: keys.revoke_grant(nowhere, "p", "A", NOW),
        lambda: keys.list_grants(nowhere),
        lambda: keys.is_granted(nowhere, "p", "A"),
    ]
    for question in questions:
        with pytest.raises(LedgerUnavailable, match="there is no ledger"):
            question()

    assert list(tmp_path.iterdir()) == []


def test_who_files_cannot_look_around_and_who_looks_cannot_file() -> None:
    """Each scope gives its rights and no other, in the order in which they are documented."""
    given = {scope.value: [right.value for right in Right if scope.may(right)] for scope in Scope}

    assert given == {
        "import": ["file", "own"],
        "read": ["own", "positions"],
        "analyst": ["own", "positions", "all"],
        "admin": ["file", "own", "positions", "all", "administer"],
    }
    assert list(RIGHTS) == list(Scope)
