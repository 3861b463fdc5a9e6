"""Parses each kind of setting, with the message for a wrong value.

No message repeats the value: it may be secret.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from email.headerregistry import Address
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import limits
from pydantic import BeforeValidator, PlainValidator
from pydantic_settings import NoDecode

from authserver.branding.brand import Accent, Logo, derive_accent, read_logo
from authserver.deliveries.smtp_url import read_sender, read_smtp_url
from authserver.jose import strict_json
from authserver.jose.errors import InvalidJsonError
from authserver.protocol.resource import find_resource_fault
from authserver.protocol.secret import Secret
from authserver.protocol.text import is_line
from authserver.records.client_rules import is_scope_token
from authserver.records.scope_texts import ScopeTexts, read_scope_texts
from authserver.revocation.policy import RevocationPolicy, RevocationPolicyError
from authserver.sessions.scope import ADMIN_SCOPE

LONGEST: Final = 10 * 365 * 24 * 3600
LONGEST_PRODUCT_NAME: Final = 60


def seconds(least: int, most: int) -> Callable[[object], timedelta]:
    """A parser of durations: whole seconds between two bounds, both allowed."""

    def parse(value: object) -> timedelta:
        if isinstance(value, timedelta):
            return value
        text = str(value).strip()
        if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number of seconds from {least} to {most}")
        return timedelta(seconds=int(text))

    return parse


def _issuer(value: object) -> str:
    remedy = "must be an https URL (http only on a loopback address) without query and fragment: https://auth.example"
    text = str(value)
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        raise ValueError(remedy) from None
    plain = url.username is None and not url.query and not url.fragment and text.isascii() and text.isprintable()
    segments = url.path.removesuffix("/").split("/")[1:]
    if not host or not plain or set(text) & set("?# %\\") or any(part in {"", ".", ".."} for part in segments):
        raise ValueError(remedy)
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
        raise ValueError(remedy)
    if text.endswith("/"):
        # The slash is not removed: `iss` is compared exactly, and clients would be configured with the text typed here.
        raise ValueError("must not end in a slash: https://auth.example")
    return text


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _database_url(value: object) -> Secret:
    text = value.reveal() if isinstance(value, Secret) else str(value)
    scheme, separator, rest = text.partition("://")
    # Four slashes: three would make a path relative to the current folder. `?` would begin an option.
    is_file = scheme == "sqlite" and rest.startswith("//") and rest[-1] != "/" and not set(rest) & set("?#")
    if not separator or not (is_file or (scheme in {"postgresql", "postgresql+psycopg"} and rest)):
        raise ValueError("must be sqlite:////absolute/path/to/file or postgresql://user:password@host/database")
    return Secret(text)


def _limits_url(value: object) -> Secret:
    text = value.reveal() if isinstance(value, Secret) else str(value)
    if text != "memory" and not text.startswith(("redis://", "rediss://", "valkey://", "valkeys://", "unix://")):
        raise ValueError("must be memory or redis://host:port/number (valkey:// likewise)")
    return Secret(text)


def _login_limits(value: object) -> str:
    text = str(value)
    try:
        limits.parse_many(text)
    except ValueError:
        raise ValueError("must be written like 10 per 10 minutes; 100 per day") from None
    return text


def _networks(value: object) -> tuple[IPv4Network | IPv6Network, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    try:
        return tuple(ip_network(str(part).strip()) for part in parts if str(part).strip())  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise ValueError("must be addresses or networks, separated by commas: 10.0.0.5, 192.168.0.0/24") from None


def _hosts(value: object) -> tuple[str, ...]:
    parts = [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
    hosts = [str(part).strip().lower() for part in parts] if isinstance(parts, list | tuple) else [""]
    if not all(_is_host(host) for host in hosts):
        raise ValueError("must be hosts without scheme and port, separated by commas: crm.intranet, 10.0.0.5")
    return tuple(hosts)


def _is_host(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return bool(text) and text.isascii() and not set(text) & set("/@[] *?#:")
    return True


def _scopes(value: object) -> tuple[str, ...]:
    """Parse the scopes of clients that nobody here checked. They never get `admin` (design §9a)."""
    words = _words(value)
    if not all(map(is_scope_token, words)) or ADMIN_SCOPE in words:
        raise ValueError(f"must be scopes, separated by spaces, without {ADMIN_SCOPE}")
    return words


def _resources(value: object) -> tuple[str, ...]:
    words = _words(value)
    if any(map(find_resource_fault, words)):
        raise ValueError("must be absolute URIs without fragment, separated by spaces: https://mcp.example/mcp")
    return words


def _words(value: object) -> tuple[str, ...]:
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise ValueError("must be a list, or words separated by spaces")
    return tuple(dict.fromkeys(words))


def _metrics(value: object) -> str:
    if value != "off":
        raise ValueError("must be off: this release serves no metrics")
    return "off"


def _smtp_url(value: object) -> Secret | None:
    if value is None:
        return None
    text = value.reveal() if isinstance(value, Secret) else str(value)
    read_smtp_url(text)
    return Secret(text)


def _sender(value: object) -> Address | None:
    return value if value is None or isinstance(value, Address) else read_sender(str(value))


def _revocation_policy(value: object) -> RevocationPolicy:
    """Parse overrides of the default policy, a table or its JSON text; the error has one line per problem."""
    if isinstance(value, RevocationPolicy):
        return value
    remedy = 'must be a table for each event, or JSON: {"password_changed": {"mode": "soft"}}'
    try:
        overrides = strict_json.loads(value.encode("utf-8", "replace")) if isinstance(value, str) else value
    except InvalidJsonError:
        raise ValueError(remedy) from None
    if not isinstance(overrides, Mapping) or not all(isinstance(row, Mapping) for row in overrides.values()):
        raise ValueError(remedy)
    try:
        return RevocationPolicy(overrides)
    except RevocationPolicyError as error:
        raise ValueError("\n".join(error.problems)) from None


def _scope_texts(value: object) -> ScopeTexts:
    """Parse scope texts, a table or its JSON text."""
    if not isinstance(value, str):
        return read_scope_texts(value)
    try:
        return read_scope_texts(strict_json.loads(value.encode("utf-8", "replace")))
    except InvalidJsonError:
        raise ValueError('must be a table, or JSON: {"albums:read": "See your albums"}') from None


def _accent(value: object) -> Accent:
    return value if isinstance(value, Accent) else derive_accent(str(value))


def _logo(value: object) -> Logo | None:
    """Load the picture: an unusable file stops the start of the server, and not later a person's sign-in."""
    if value is None or isinstance(value, Logo):
        return value
    return read_logo(Path(str(value)).expanduser())


def _link(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    url = urlsplit(text)
    is_address = (url.scheme in {"https", "http"} and url.netloc) or (url.scheme == "mailto" and "@" in url.path)
    if not is_address or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be an https URL, or mailto:help@example.org")
    return text


def _product_name(value: object) -> str:
    text = " ".join(str(value).split())
    if not text or not is_line(text, LONGEST_PRODUCT_NAME):
        raise ValueError(f"must have 1 to {LONGEST_PRODUCT_NAME} printable characters")
    return text


def _folder(value: object) -> Path:
    if not str(value).strip():
        raise ValueError("must name a folder")
    return Path(str(value)).expanduser().absolute()


Issuer = Annotated[str, BeforeValidator(_issuer)]
Folder = Annotated[Path, PlainValidator(_folder)]
DatabaseUrl = Annotated[Secret, PlainValidator(_database_url)]
LimitsUrl = Annotated[Secret, PlainValidator(_limits_url)]
SmtpUrl = Annotated[Secret | None, PlainValidator(_smtp_url)]
Sender = Annotated[Address | None, PlainValidator(_sender)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, PlainValidator(_networks)]
NoMetrics = Annotated[str, BeforeValidator(_metrics)]
Length = Annotated[timedelta, BeforeValidator(seconds(0, LONGEST))]
Policy = Annotated[RevocationPolicy, NoDecode, PlainValidator(_revocation_policy)]
LoginLimits = Annotated[str, BeforeValidator(_login_limits)]
ProductName = Annotated[str, BeforeValidator(_product_name)]
AccentColour = Annotated[Accent, NoDecode, PlainValidator(_accent)]
LogoFile = Annotated[Logo | None, NoDecode, PlainValidator(_logo)]
Hosts = Annotated[tuple[str, ...], NoDecode, PlainValidator(_hosts)]
Scopes = Annotated[tuple[str, ...], NoDecode, PlainValidator(_scopes)]
Resources = Annotated[tuple[str, ...], NoDecode, PlainValidator(_resources)]
ScopeWords = Annotated[ScopeTexts, NoDecode, PlainValidator(_scope_texts)]
Link = Annotated[str | None, BeforeValidator(_link)]
