"""Who a message goes to, as it is written: `folder:/srv/reports`, `mailto:a@example.org,b@example.org`, or a URL."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import httpx

from ledger.core.text import shown

Kind = Literal["folder", "mail", "webhook"]

_ATOM: Final = r"[A-Za-z0-9!#$&'*+/=^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_ADDRESS_MAX, _LOCAL_MAX = 254, 64
_PORT_MAX: Final = 65_535
_EXPECTED: Final = (
    "give folder:/ABSOLUTE/PATH, mailto:NAME@DOMAIN with more addresses behind commas,"
    " or a URL that starts with https:// or http://"
)
_NO_URL: Final = "this is no URL of a webhook; give one such as https://example.org/hook, without # or blanks"


@dataclass(frozen=True)
class Recipient:
    """A folder, the addresses of a mail, or the URL of a webhook."""

    kind: Kind
    to: tuple[str, ...]
    """The path, the addresses, or the URL."""

    @property
    def shown(self) -> str:
        """Who it is, for logs and reasons: of a URL the host alone, since its path may be a secret of its own."""
        if self.kind == "webhook":
            url = httpx.URL(self.to[0])
            return f"{url.scheme}://{url.netloc.decode('ascii')}"
        return ", ".join(self.to)

    def only(self, addresses: Iterable[str]) -> "Recipient":
        """Give the recipient with some of its addresses alone, such as those that were refused before."""
        wanted = set(addresses)
        return replace(self, to=tuple(address for address in self.to if address in wanted))


def parse_recipient(text: str) -> Recipient:
    """Read who a message goes to. Raises ValueError with a sentence that says what is expected."""
    if not text.isprintable():
        raise ValueError(f"a recipient has no control characters and no line breaks; {_EXPECTED}")
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "folder":
        return Recipient("folder", (_folder(rest),))
    if colon and scheme == "mailto":
        return Recipient("mail", _addresses(rest))
    if colon and scheme in ("http", "https"):
        return Recipient("webhook", (_url(text),))
    # What it was may hold a password, where somebody mistook what a recipient is: it is not repeated.
    raise ValueError(f"this is no recipient; {_EXPECTED}")


def parse_address(text: str) -> str:
    """Read the address of a mail. Raises ValueError with a sentence that says what is expected."""
    local = text.partition("@")[0]
    if not _ADDRESS.fullmatch(text) or len(text) > _ADDRESS_MAX or len(local) > _LOCAL_MAX:
        raise ValueError(
            f"{shown(text)} is no mail address; give one such as name@example.org, in ASCII, without a name"
        )
    return text


def _folder(text: str) -> str:
    """Read an absolute folder, without a way up that would hide where it is."""
    if not text.startswith("/") or text.startswith("//") or ".." in text.split("/"):
        raise ValueError(f"{shown(text)} is no absolute folder; give one such as folder:/srv/reports, without ..")
    return str(Path(text))


def _addresses(text: str) -> tuple[str, ...]:
    """Read addresses with commas between them, each once; `?subject=` and the like are none."""
    return tuple(dict.fromkeys(parse_address(part.strip(" ")) for part in text.split(",")))


def _url(text: str) -> str:
    """Read the URL of a webhook. What is said of a wrong one does not repeat it: it may have a password."""
    authority = re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        raise ValueError("a URL with a user or password is not taken, for it would be in every log; leave them out")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise ValueError(_NO_URL) from None
    wrong = not url.host or url.userinfo or "#" in text or re.search(r"[\s\\]", text)
    if wrong or (url.port is not None and not 0 < url.port <= _PORT_MAX):
        raise ValueError(_NO_URL)
    return text
