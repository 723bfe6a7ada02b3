"""Delivery against real peers on loopback: what arrives, what is told when it does not, and what is never told."""

import base64
import hashlib
import subprocess
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from ledger.schedule.message import Message, NotDelivered
from ledger.schedule.recipients import Recipient, parse_recipient
from ledger.schedule.sending import send
from ledger.schedule.settings import DeliverySettings
from ledger.schedule.to_webhook import signed
from tests.faults.disk import disk
from tests.schedule.certificates import authority
from tests.schedule.peers import Hook, Mailbox, closed_port, hook_server, mail_server, silent_server
from tests.schedule.samples import FILES, KEY, LATER, NOW, SECRET, alert, report, settings

MAIL = parse_recipient("mailto:a@quota.example,b@quota.example")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no proxy of the machine stand between a test and its peers."""
    monkeypatch.setenv("NO_PROXY", "*")


def _reason(message: Message, recipient: Recipient, given: DeliverySettings) -> str:
    """Give why a message is not delivered."""
    with pytest.raises(NotDelivered) as caught:
        send(message, recipient, given, NOW)
    assert caught.value.__cause__ is None  # nor does what a log shows beside it
    assert caught.value.__suppress_context__
    return str(caught.value)


def _found(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _attached(mail: EmailMessage) -> dict[str, bytes]:
    """Give every file of a mail by name, the page among them."""
    parts = [part for part in mail.walk() if part.get_filename()]
    return {str(part.get_filename()): bytes(part.get_payload(decode=True)) for part in parts}


def _text(mail: EmailMessage) -> str:
    """Give the plain text of a mail, with the line ends that it was written with."""
    part = mail.get_body(("plain",))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


# Recipients


def test_recipients_are_read() -> None:
    """A folder, addresses each once, and a URL are recipients; of a URL only the host is told."""
    folder = parse_recipient("folder:/srv/my reports/")
    mail = parse_recipient("mailto:a.b+c@x-y.example, d@e,a.b+c@x-y.example")
    hook = parse_recipient("https://hooks.example:8443/services/token?x=1")

    assert folder == Recipient("folder", ("/srv/my reports",))
    assert mail == Recipient("mail", ("a.b+c@x-y.example", "d@e"))
    assert mail.only(["d@e"]) == Recipient("mail", ("d@e",))
    assert hook == Recipient("webhook", ("https://hooks.example:8443/services/token?x=1",))
    assert hook.shown == "https://hooks.example:8443"
    assert parse_recipient("http://127.0.0.1:1/").kind == "webhook"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "folder:/ABSOLUTE/PATH"),
        ("/srv/reports", "mailto:NAME@DOMAIN"),
        ("ftp://example.org", "https://"),
        ("folder:reports", "absolute"),
        ("folder:", "absolute"),
        ("folder:/srv/../etc", "absolute"),
        ("folder://host/share", "absolute"),
        ("folder:/srv\0", "control characters"),
        ("mailto:", "name@example.org"),
        ("mailto:nobody", "name@example.org"),
        ("mailto:a@b.c,", "name@example.org"),
        ("mailto:a@b.c?bcc=x@y.z", "name@example.org"),
        ("mailto:a@b.c%0d%0aBcc:x@y.z", "name@example.org"),
        ("mailto:a@b.c\r\nBcc: x@y.z", "control characters"),
        ("mailto:a@b.c\n", "line breaks"),
        ("mailto:a@b.c\u2028Bcc: x@y.z", "line breaks"),
        ("mailto:Name <a@b.c>", "without a name"),
        ("mailto:a..b@c.d", "name@example.org"),
        ("mailto:" + "a" * 65 + "@b.c", "name@example.org"),
        ("https://", "https://example.org/hook"),
        ("https://h/#part", "without #"),
        ("https://h:99999/", "https://example.org/hook"),
        ("https://[::1/", "https://example.org/hook"),
        ("https://a b/", "blanks"),
        ("https://h\\evil/", "https://example.org/hook"),
        ("https://h/\r\nHost: x", "control characters"),
        ("https://u:Tr0ub4dor@h/", "leave them out"),
        ("https://Tr0ub4dor@h/", "leave them out"),
        ("https://u:Tr0ub4dor", "https://example.org/hook"),
        ("u:Tr0ub4dor@h", "mailto:NAME@DOMAIN"),
    ],
)
def test_what_is_no_recipient_is_refused_in_words(text: str, expected: str) -> None:
    """Whoever writes a wrong recipient hears what is expected, and no password is repeated."""
    with pytest.raises(ValueError, match=r"give|leave") as caught:
        parse_recipient(text)

    assert expected in str(caught.value)
    assert "Tr0ub4dor" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Late\r\nBcc: x@y.z"},
        {"subject": "Late\n"},
        {"subject": "Late\u2028Bcc: x@y.z"},
        {"subject": ""},
        {"subject": "Late\ud800"},
        {"id": "a\r\nBcc: x@y.z"},
        {"id": "a.b"},
        {"id": "../a"},
        {"id": ""},
        {"place": "../up"},
        {"place": "/root"},
        {"place": "a//b"},
        {"place": "a/.hidden"},
        {"place": "a\\b"},
        {"page": Path("/tmp/page.html")},  # noqa: S108 -- never read
        {"files": (Path("a/x.csv"), Path("b/x.csv")), "place": "p"},
        {"files": (Path("a/x.csv"),)},
    ],
)
def test_no_message_brings_headers_or_ways_up_along(changes: dict[str, object]) -> None:
    """A message with a second line in its subject, or with an id or a place that is none, cannot be made."""
    with pytest.raises(ValueError, match=r"give|name it|needs"):
        alert(**changes)

    assert alert().subject


@pytest.mark.parametrize("sender", ["a@b.c\r\nBcc: x@y.z", "Ledger <a@b.c>", "nobody"])
def test_the_sender_is_an_address(sender: str) -> None:
    """A sender that would write further headers is not taken."""
    with pytest.raises(ValidationError, match=r"name@example\.org"):
        settings(mail_from=sender)


def test_settings_come_from_the_environment_and_hide_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set is read, and neither the settings nor a fault of them show a password."""
    monkeypatch.setenv("QUOTALEDGER_SMTP_PASSWORD", "Tr0ub4dor")
    monkeypatch.setenv("QUOTALEDGER_SMTP_SECURITY", "tls")
    found = DeliverySettings()
    monkeypatch.setenv("QUOTALEDGER_SMTP_SECURITY", "Tr0ub4dor")
    with pytest.raises(ValidationError) as caught:
        DeliverySettings()

    assert found.smtp_security == "tls"
    assert found.smtp_password == SecretStr("Tr0ub4dor")
    assert "Tr0ub4dor" not in repr(found)
    assert "Tr0ub4dor" not in str(caught.value)
    assert all(field.description for field in DeliverySettings.model_fields.values())


# Folders


def test_a_folder_gets_every_file_and_a_repeat_changes_nothing(tmp_path: Path) -> None:
    """The files of a report come byte for byte into its place, once however often it is sent."""
    message, recipient = report(tmp_path / "made"), parse_recipient(f"folder:{tmp_path}/out")
    (tmp_path / "out").mkdir()
    send(message, recipient, settings(), NOW)
    first = _found(tmp_path / "out")
    send(message, recipient, settings(), LATER)

    assert first == {f"country-quota/2026-10/{name}": content for name, content in FILES.items()}
    assert _found(tmp_path / "out") == first


def test_an_alert_is_a_text_in_a_folder(tmp_path: Path) -> None:
    """An alert is written under its id, harmless to a terminal."""
    send(alert(), parse_recipient(f"folder:{tmp_path}"), settings(), NOW)

    assert _found(tmp_path) == {
        "alerts/alert-17.txt": b"The ledger cannot be verified\n\n"
        b"A leaf is not what was signed.\nLook at it\\x1b[2J now.\n"
    }


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """On a full disk no file appears; when there is room the same arrives."""
    message = report(tmp_path / "made")
    with disk(tmp_path / "small", 1 << 20) as small:
        small.fill(room=3 * 4_096)
        reason = _reason(message, parse_recipient(f"folder:{small.folder}"), settings())
        found = [name for name in _found(small.folder) if name != "reserve"]
        small.make_room()
        send(message, parse_recipient(f"folder:{small.folder}"), settings(), NOW)
        again = _found(small.folder)

        assert small.mounted  # or nothing here was full
        assert "No space left on device" in reason
        assert found == []
        assert again == {f"country-quota/2026-10/{name}": content for name, content in FILES.items()}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """One that is not there is not made up; one that is read-only, or has something in the way, is told."""
    message = report(tmp_path / "made")
    missing = _reason(message, parse_recipient(f"folder:{tmp_path}/missing"), settings())
    (tmp_path / "file" / "country-quota").mkdir(parents=True)
    (tmp_path / "file" / "country-quota" / "2026-10").write_text("in the way")
    blocked = _reason(message, parse_recipient(f"folder:{tmp_path}/file"), settings())
    (tmp_path / "name" / "country-quota" / "2026-10" / "country-quota.xlsx").mkdir(parents=True)
    taken = _reason(message, parse_recipient(f"folder:{tmp_path}/name"), settings())
    with disk(tmp_path / "small", 1 << 20) as small:
        subprocess.run(["/bin/mount", "-o", "remount,ro", small.folder], check=True)
        fixed = _reason(message, parse_recipient(f"folder:{small.folder}"), settings())

    assert "there is no folder" in missing
    assert not (tmp_path / "missing").exists()
    assert "cannot be a folder" in blocked
    assert "country-quota.xlsx is a folder" in taken
    assert _found(tmp_path / "name") == {}
    assert "Read-only file system" in fixed


def test_a_file_that_is_gone_is_told_by_every_way(tmp_path: Path) -> None:
    """A report whose file was removed meanwhile goes nowhere in part."""
    message = report(tmp_path / "made")
    (tmp_path / "made" / "countries.csv").unlink()
    (tmp_path / "out").mkdir()
    with mail_server(Mailbox()) as mailbox, hook_server(Hook(KEY)) as hook:
        ways = [parse_recipient(f"folder:{tmp_path}/out"), MAIL, parse_recipient(hook.address)]
        reasons = [_reason(message, way, settings(smtp_port=mailbox.port)) for way in ways]

    assert all("countries.csv, which is to be delivered, cannot be read" in reason for reason in reasons)
    assert _found(tmp_path / "out") == {}
    assert (mailbox.mails, hook.posts) == ([], [])


# Mail


def test_a_mail_has_sentences_page_and_files(tmp_path: Path) -> None:
    """Text and page are alternatives, the other files are attached, all byte for byte and the page once."""
    with mail_server(Mailbox()) as mailbox:
        send(report(tmp_path / "made"), MAIL, settings(smtp_port=mailbox.port), NOW)
    (mail,) = mailbox.mails
    html = mail.get_body(("html",))

    assert mailbox.envelopes == [("ledger@quota.example", ["a@quota.example", "b@quota.example"])]
    assert (mail["From"], mail["To"]) == ("ledger@quota.example", "a@quota.example, b@quota.example")
    assert mail["Subject"] == "Country quotas, October 2026: Österreich near its cap"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(mail["Date"]) == NOW
    assert _text(mail) == "Two countries are near their caps.\nÖsterreich has 1 TPP left.\n"
    assert html is not None
    assert html.get_content_disposition() == "inline"
    assert html.get_content_charset() == "utf-8"
    assert html.get_payload(decode=True) == FILES["country-quota.html"]
    assert _attached(mail) == FILES
    assert [(part.get_filename(), part.get_content_type()) for part in mail.iter_attachments()] == [
        ("countries.csv", "text/csv"),
        ("countries.parquet", "application/vnd.apache.parquet"),
        ("country-quota.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ]
    assert mailbox.raw[0].isascii()


def test_a_repeated_mail_has_the_same_id(tmp_path: Path) -> None:
    """The id of a mail is made of the message's and the sender's domain; only the date moves on."""
    message = report(tmp_path / "made")
    with mail_server(Mailbox()) as mailbox:
        for now in (NOW, LATER):
            send(message, MAIL, settings(smtp_port=mailbox.port), now)

    assert [mail["Message-ID"] for mail in mailbox.mails] == ["<country-quota-2026-10@quota.example>"] * 2
    assert [parsedate_to_datetime(mail["Date"]) for mail in mailbox.mails] == [NOW, LATER]


def test_an_alert_is_a_mail_of_text_alone() -> None:
    """An alert has no parts, and its control characters are made visible."""
    with mail_server(Mailbox()) as mailbox:
        send(alert(), MAIL, settings(smtp_port=mailbox.port), NOW)
    (mail,) = mailbox.mails

    assert mail.get_content_type() == "text/plain"
    assert _text(mail) == "A leaf is not what was signed.\nLook at it\\x1b[2J now.\n"


def test_files_too_large_for_a_mail_are_named(tmp_path: Path) -> None:
    """The page comes first, smaller files as there is room; each that is left out is named with size and digest."""
    room = len(FILES["country-quota.html"]) + len(FILES["countries.csv"])
    files = tuple(tmp_path / "made" / name for name in reversed(FILES))
    with mail_server(Mailbox()) as mailbox:
        message = report(tmp_path / "made", files=files)
        send(message, MAIL, settings(smtp_port=mailbox.port, mail_bytes_max=room), NOW)
        send(report(tmp_path / "again"), MAIL, settings(smtp_port=mailbox.port, mail_bytes_max=0), NOW)
    some, none = (_text(mail) for mail in mailbox.mails)
    named = [
        f"{name}, {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}\n"
        for name, content in FILES.items()
    ]

    assert set(_attached(mailbox.mails[0])) == {"country-quota.html", "countries.csv"}
    assert [line in some for line in named] == [False, False, True, True]
    assert _attached(mailbox.mails[1]) == {}
    assert all(line in none for line in named)


def test_a_refused_address_is_named_and_the_others_are_served(tmp_path: Path) -> None:
    """One refused address of two is told, and it alone is tried again."""
    message = report(tmp_path / "made")
    with mail_server(Mailbox(refuses={"b@quota.example": "550 gone\x1b[2J"})) as mailbox:
        given = settings(smtp_port=mailbox.port)
        with pytest.raises(NotDelivered) as caught:
            send(message, MAIL, given, NOW)
        mailbox.refuses = {}
        send(message, MAIL.only(caught.value.refused), given, LATER)

    assert caught.value.refused == ("b@quota.example",)
    assert "went to a@quota.example, but was refused for b@quota.example (550 gone\\x1b[2J)" in str(caught.value)
    assert [served for _, served in mailbox.envelopes] == [["a@quota.example"], ["b@quota.example"]]


def test_a_mail_refused_for_every_address_is_not_delivered() -> None:
    """Where nobody has the mail, all are to be tried again."""
    refuses = {"a@quota.example": "451 later", "b@quota.example": "550 gone"}
    with (
        mail_server(Mailbox(refuses=refuses)) as mailbox,
        pytest.raises(NotDelivered, match="refused every address") as caught,
    ):
        send(alert(), MAIL, settings(smtp_port=mailbox.port), NOW)

    assert caught.value.refused == ()
    assert "451 later" in str(caught.value)
    assert mailbox.mails == []


def test_a_server_that_fails_after_the_mail_has_it(tmp_path: Path) -> None:
    """A bad goodbye makes no repeat: the mail was taken."""
    with mail_server(Mailbox(hangs_up=True)) as mailbox:
        send(report(tmp_path / "made"), MAIL, settings(smtp_port=mailbox.port), NOW)

    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_password_goes_over_verified_tls(tmp_path: Path, security: str) -> None:
    """With a certificate that the settings trust, the mail arrives and the password came encrypted."""
    trusted = authority(tmp_path / "trusted")
    context = trusted.server("localhost")
    options = (
        {"tls_context": context, "require_starttls": True, "auth_required": True}
        if security == "starttls"
        else {"ssl_context": context, "auth_require_tls": False}
    )
    with mail_server(Mailbox(), **options) as mailbox:
        given = {"smtp_port": mailbox.port, "smtp_security": security, "smtp_ca": trusted.file}
        send(alert(), MAIL, settings(**given, smtp_user=mailbox.user, smtp_password=SecretStr(mailbox.password)), NOW)

    assert [login[:2] for login in mailbox.logins] == [("clerk", mailbox.password)]
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(("host", "ca"), [("localhost", "other"), ("elsewhere.example", "trusted"), ("localhost", "")])
def test_a_server_that_is_not_verified_hears_no_password(tmp_path: Path, host: str, ca: str) -> None:
    """A certificate of another authority or of another name ends the delivery before the login."""
    trusted, other = authority(tmp_path / "trusted"), authority(tmp_path / "other")
    file = {"trusted": trusted.file, "other": other.file, "": None}[ca]
    with mail_server(Mailbox(), tls_context=trusted.server(host), require_starttls=True) as mailbox:
        given = {"smtp_port": mailbox.port, "smtp_security": "starttls", "smtp_ca": file}
        given |= {"smtp_user": mailbox.user, "smtp_password": SecretStr(mailbox.password)}
        reason = _reason(alert(), MAIL, settings(**given))

    assert "certificate is not trusted" in reason
    assert (mailbox.logins, mailbox.mails) == ([], [])


def test_no_password_goes_in_clear() -> None:
    """Neither to a server that offers no STARTTLS though it would take a login, nor where TLS is switched off."""
    with mail_server(Mailbox(), auth_require_tls=False) as mailbox:
        given = {"smtp_port": mailbox.port, "smtp_user": mailbox.user, "smtp_password": SecretStr(mailbox.password)}
        stripped = _reason(alert(), MAIL, settings(**given, smtp_security="starttls"))
        callers = mailbox.callers
        off = _reason(alert(), MAIL, settings(**given, smtp_security="none"))

    assert "STARTTLS" in stripped
    assert "no password is sent unencrypted" in off
    assert mailbox.callers == callers == 1
    assert (mailbox.logins, mailbox.mails) == ([], [])


def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    """A server that repeats what it was sent is not quoted."""
    trusted = authority(tmp_path / "trusted")
    wrong = "Tr0ub4dor-of-a-test"
    with mail_server(Mailbox(), tls_context=trusted.server("localhost")) as mailbox:
        given = {"smtp_port": mailbox.port, "smtp_security": "starttls", "smtp_ca": trusted.file}
        reason = _reason(alert(), MAIL, settings(**given, smtp_user="clerk", smtp_password=SecretStr(wrong)))
        odd = _reason(alert(), MAIL, settings(**given, smtp_user="clerk", smtp_password=SecretStr("Tr0ub4dör")))

    assert {password for _, password, _ in mailbox.logins} == {wrong}
    assert "does not let clerk in (535)" in reason
    assert "ASCII" in odd
    assert "Tr0ub4d" not in reason + odd


def test_secrets_that_a_server_repeats_are_hidden(tmp_path: Path) -> None:
    """Whatever a server says later of the password, as it is or as it was sent, is not told on."""
    trusted = authority(tmp_path / "trusted")
    mailbox = Mailbox()
    sent = base64.b64encode(f"\0{mailbox.user}\0{mailbox.password}".encode()).decode()
    mailbox.refuses = {"a@quota.example": f"550 {mailbox.password} {sent} {SECRET}"}
    with mail_server(mailbox, tls_context=trusted.server("localhost")):
        given = {"smtp_port": mailbox.port, "smtp_security": "starttls", "smtp_ca": trusted.file}
        given |= {"smtp_user": mailbox.user, "smtp_password": SecretStr(mailbox.password)}
        reason = _reason(alert(), MAIL, settings(**given))

    assert "550 [hidden] [hidden] [hidden]" in reason


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"mail_from": None}, "QUOTALEDGER_MAIL_FROM"),
        ({"smtp_host": None}, "QUOTALEDGER_SMTP_HOST"),
        ({"smtp_user": "clerk"}, "belong together"),
        ({"smtp_password": SecretStr("Tr0ub4dor")}, "belong together"),
        ({"smtp_security": "starttls", "smtp_ca": Path("/nowhere/ca.pem")}, "QUOTALEDGER_SMTP_CA"),
        ({"smtp_security": "tls", "smtp_ca": Path(__file__)}, "QUOTALEDGER_SMTP_CA"),
    ],
)
def test_a_mail_without_its_settings_names_them(changes: dict[str, object], expected: str) -> None:
    """What must be set for a mail is said by the name of the setting."""
    with mail_server(Mailbox()) as mailbox:
        reason = _reason(alert(), MAIL, settings(smtp_port=mailbox.port, **changes))

    assert expected in reason
    assert "Tr0ub4dor" not in reason
    assert mailbox.mails == []


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_server_that_does_not_answer_is_told(security: str) -> None:
    """A closed port and a peer that never says a word are both told, and the second is not waited for."""
    with closed_port() as port:
        closed = _reason(alert(), MAIL, settings(smtp_port=port, smtp_security=security))
    with silent_server() as port:
        silent = _reason(alert(), MAIL, settings(smtp_port=port, smtp_security=security, delivery_seconds=0.2))

    assert "Connection refused" in closed
    assert "no answer within 0.2 seconds" in silent


# Webhooks


def test_a_webhook_gets_everything_signed(tmp_path: Path) -> None:
    """The receiver verifies the signature, and finds every file byte for byte."""
    with hook_server(Hook(KEY)) as hook:
        send(report(tmp_path / "made"), parse_recipient(hook.address), settings(), NOW)
    (headers, _), (document,) = hook.posts[0], hook.documents
    files = {file["name"]: base64.b64decode(file["content"]) for file in document["files"]}

    assert hook.verified == [True]
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == document["id"] == "country-quota-2026-10"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert document["subject"] == "Country quotas, October 2026: Österreich near its cap"
    assert document["sentences"] == ["Two countries are near their caps.", "Österreich has 1 TPP left."]
    assert document["facts"] == {"report": "country-quota", "day": "2026-10-02", "near": ["AT", "CH"]}
    assert files == FILES
    assert [(file["bytes"], file["sha256"]) for file in document["files"]] == [
        (len(content), hashlib.sha256(content).hexdigest()) for content in FILES.values()
    ]
    assert hook.paths == ["/hooks/token-of-a-path"]


def test_a_repeated_webhook_has_the_same_id_and_body(tmp_path: Path) -> None:
    """Only the timestamp and with it the signature differ."""
    message = report(tmp_path / "made")
    with hook_server(Hook(KEY)) as hook:
        for now in (NOW, LATER):
            send(message, parse_recipient(hook.address), settings(), now)
    (first, body), (second, again) = hook.posts

    assert hook.verified == [True, True]
    assert first["webhook-id"] == second["webhook-id"]
    assert body == again
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert first["webhook-signature"] != second["webhook-signature"]


def test_the_signature_is_the_published_one() -> None:
    """The vector that the libraries of Standard Webhooks are tested with gives their signature."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    stamp = datetime.fromtimestamp(1_614_265_330, UTC)
    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", stamp, b'{"test": 2432232314}')

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_may_be_any_text_or_lack_its_padding() -> None:
    """Without whsec_ the bytes of the text are the key; behind it base64 needs no "=" at its end."""
    text = "a text that is no base64, long enough"
    with hook_server(Hook(text.encode())) as hook:
        send(alert(), parse_recipient(hook.address), settings(webhook_secret=SecretStr(text)), NOW)
        unpadded = settings(webhook_secret=SecretStr(SECRET.rstrip("=")))
        hook.key = KEY
        send(alert(), parse_recipient(hook.address), unpadded, NOW)

    assert hook.verified == [True, True]
    assert hook.documents[0]["files"] == []


def test_files_too_large_for_a_webhook_are_named(tmp_path: Path) -> None:
    """One byte too many, and all files are named with size and digest alone."""
    total = sum(map(len, FILES.values()))
    with hook_server(Hook(KEY)) as hook:
        send(report(tmp_path / "a"), parse_recipient(hook.address), settings(webhook_bytes_max=total), NOW)
        send(report(tmp_path / "b"), parse_recipient(hook.address), settings(webhook_bytes_max=total - 1), NOW)
    full, named = (document["files"] for document in hook.documents)

    assert all("content" in file for file in full)
    assert not any("content" in file for file in named)
    assert [file["sha256"] for file in named] == [hashlib.sha256(content).hexdigest() for content in FILES.values()]


@pytest.mark.parametrize("status", [302, 307, 308, 400, 404, 410, 500, 503])
def test_an_answer_that_is_not_2xx_is_told(status: int) -> None:
    """The status is told, a redirect is not followed, and neither answer nor path of the URL is repeated."""
    with hook_server(Hook(KEY)) as other, hook_server(Hook(KEY, status=status)) as hook:
        hook.headers, hook.answer = {"location": other.address}, f"your secret is {SECRET}".encode()
        reason = _reason(alert(), parse_recipient(hook.address), settings())

    assert str(status) in reason
    assert f"127.0.0.1:{hook.address.split(':')[2].split('/')[0]}" in reason
    assert "token-of-a-path" not in reason
    assert SECRET not in reason
    assert other.posts == []


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_delivered(status: int) -> None:
    """Whatever success a receiver answers with, it has the message."""
    with hook_server(Hook(KEY, status=status)) as hook:
        send(alert(), parse_recipient(hook.address), settings(), NOW)

    assert hook.verified == [True]


def test_an_endless_answer_is_not_read() -> None:
    """The receiver that answers without end has the message, and is hung up on."""
    with hook_server(Hook(KEY, endless=True)) as hook:
        send(alert(), parse_recipient(hook.address), settings(), NOW)

        assert hook.hung_up.wait(60)
    assert hook.verified == [True]
    assert hook.written < 64 << 20  # what the system keeps between the two is some MiB


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (None, "without QUOTALEDGER_WEBHOOK_SECRET"),
        ("", "too short"),
        ("Tr0ub4dor", "too short"),
        ("whsec_VHIwdWI0ZG9y", "too short"),
        ("whsec_Tr0ub4dor?!", "not base64"),
        ("whsec_Tr0ub4dör", "not base64"),
    ],
)
def test_without_a_secret_to_sign_with_nothing_is_sent(secret: str | None, expected: str) -> None:
    """A webhook that could not be verified is not sent; what is to be set is said, and not what was."""
    given = settings(webhook_secret=None if secret is None else SecretStr(secret))
    with hook_server(Hook(KEY)) as hook:
        reason = _reason(alert(), parse_recipient(hook.address), given)

    assert expected in reason
    assert "QUOTALEDGER_WEBHOOK_SECRET" in reason
    assert "Tr0ub4d" not in reason
    assert hook.posts == []


def test_a_webhook_that_does_not_answer_is_told(tmp_path: Path) -> None:
    """A closed port, a silent peer and a certificate that nobody trusts are told by the host alone."""
    with closed_port() as port:
        closed = _reason(alert(), parse_recipient(f"http://127.0.0.1:{port}/token"), settings())
    with silent_server() as port:
        silent = _reason(alert(), parse_recipient(f"http://127.0.0.1:{port}/token"), settings(delivery_seconds=0.2))
    with hook_server(Hook(KEY), authority(tmp_path / "other").server("localhost")) as hook:
        untrusted = _reason(alert(), parse_recipient(hook.address), settings())

    assert "Connection refused" in closed
    assert "no answer within 0.2 seconds" in silent
    assert "CERTIFICATE_VERIFY_FAILED" in untrusted
    assert "token" not in closed + silent + untrusted
    assert hook.posts == []
