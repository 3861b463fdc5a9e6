"""Parses the settings of the mail server and the sender. Standard library only; no message repeats the value."""

import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from enum import Enum
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

from authserver.protocol.secret import Secret

SMTP_REMEDY: Final = (
    "must be smtp://user:password@host:587 (STARTTLS; unencrypted only to a loopback address)"
    " or smtps://… (TLS from the start)"
)
SENDER_REMEDY: Final = "must be an address, or a name and an address: Example <no-reply@auth.example>"
_PORTS: Final = {"smtp": 587, "smtps": 465}
_ADDRESS: Final = re.compile(r"[!-;=?A-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class Encryption(Enum):
    """When the connection is encrypted. If it is, the server's certificate is checked."""

    AT_ONCE = "TLS"
    STARTTLS = "STARTTLS"
    NEVER = "none"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server. `login` is the user name and password, if the server needs them."""

    host: str
    port: int
    encryption: Encryption
    login: tuple[str, Secret] | None = None


def read_smtp_url(text: str) -> SmtpServer:
    """Parse the URL `text` of a mail server; `ValueError` with the remedy.

    `smtp://` requires STARTTLS. Only on a loopback address, where nobody else can listen, is it not encrypted.
    """
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        raise ValueError(SMTP_REMEDY) from None
    user, password = unquote(url.username or ""), unquote(url.password or "")
    clean = text.isascii() and text.isprintable() and " " not in text and (user + password).isprintable()
    rest = url.path.strip("/") or url.query or url.fragment
    if url.scheme not in _PORTS or not host or port == 0 or rest or not clean or bool(user) != bool(password):
        raise ValueError(SMTP_REMEDY)
    encryption = Encryption.AT_ONCE if url.scheme == "smtps" else Encryption.STARTTLS
    if encryption is Encryption.STARTTLS and _is_loopback(host):
        encryption = Encryption.NEVER
    login = (user, Secret(password)) if user else None
    return SmtpServer(host, port or _PORTS[url.scheme], encryption, login)


def read_sender(text: str) -> Address:
    """Parse the From header `text`, one address with its display name; `ValueError` with the remedy."""
    header = EmailMessage()
    try:
        header["From"] = text
        (address,) = header["From"].addresses
    except (ValueError, IndexError):
        raise ValueError(SENDER_REMEDY) from None
    is_group = header["From"].groups[0].display_name is not None
    if (
        is_group
        or header["From"].defects
        or not _ADDRESS.fullmatch(address.addr_spec)
        or not address.display_name.isprintable()
    ):
        raise ValueError(SENDER_REMEDY)
    return Address(display_name=address.display_name, addr_spec=address.addr_spec)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
