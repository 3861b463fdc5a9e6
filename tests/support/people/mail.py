"""Mails as their recipients get them, from the outbox of a realm or from a folder."""

import re
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from functools import lru_cache
from pathlib import Path

from authserver.deliveries.mails import Post
from authserver.deliveries.outcome import Delivered
from authserver.mail.compose import Composer
from authserver.realm import Realm
from authserver.upkeep.work_outbox import work_outbox

SENDER = Address("Auth", "no-reply", "auth.example")
_LINK = re.compile(r"^(https?://\S+?/[a-z/-]+)\?token=(lt_[\w-]+)$", re.MULTILINE)


class Mailbox:
    """A carrier that keeps the mails."""

    def __init__(self) -> None:
        """Begin empty."""
        self.messages: list[EmailMessage] = []

    def deliver(self, message: EmailMessage, address: str) -> Delivered:
        """See `Carrier`."""
        assert message["To"] == address
        self.messages.append(message)
        return Delivered()


@lru_cache
def compose_as(issuer: str) -> Composer:
    """Build the composer for the installation at `issuer`."""
    return Composer(issuer, SENDER)


def deliver_all(realm: Realm) -> list[EmailMessage]:
    """Work on the outbox of `realm` until nothing is due; return the delivered mails, in order."""
    mailbox = Mailbox()
    post = Post(compose_as(realm.issuer), mailbox)
    while work_outbox(realm, post):
        pass
    return mailbox.messages


def read_text(message: EmailMessage) -> str:
    """Return the plain-text part."""
    part = message.get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    return text


def has_link(message: EmailMessage) -> bool:
    """Whether the mail contains a link."""
    return "?token=" in message.as_string()


def read_link(message: EmailMessage) -> str:
    """Return the token of the mail's only link."""
    return _find_link(message)[1]


def read_link_page(message: EmailMessage) -> str:
    """Return the path of the page that the mail's only link opens."""
    return _find_link(message)[0]


def read_mails(folder: Path) -> list[EmailMessage]:
    """Read the mails that a server without SMTP wrote into `folder` (`HOME/mail`), oldest first."""
    messages = []
    for file in sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns):
        message = message_from_bytes(file.read_bytes(), policy=SMTPUTF8)
        assert isinstance(message, EmailMessage)
        messages.append(message)
    return messages


def _find_link(message: EmailMessage) -> tuple[str, str]:
    found = _LINK.findall(read_text(message).replace("\r\n", "\n"))
    assert len(found) == 1, f"{len(found)} links in {message['Subject']!r}"
    page, token = found[0]
    return page, token
