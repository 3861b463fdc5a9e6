"""The redirect URIs, addresses and browser origins of clients: where a browser may be sent and may call from.

Decides which may be registered and which match (RFC 9700 §2.1, RFC 8252 §7, OAuth 2.1 §2.3). URIs are never normalised:
a URI that could be read in two ways is refused, and URIs are compared as strings.
"""

import re
from collections.abc import Collection
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import parse_qsl

from authserver.protocol.client_metadata import ClientKind

LONGEST: Final = 2000
"""Characters. Browsers and proxies truncate or refuse much longer URIs."""

_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+\Z")  # RFC 3986 §2
_URI = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*):(?://(?P<authority>[^/?]*))?(?P<path>(?:/[^?]*)?)(?:\?(?P<query>.*))?\Z"
)
_PORT = r"(?::(?P<port>[1-9][0-9]{0,4}))?"
_AUTHORITY = re.compile(rf"(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\]){_PORT}\Z")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
_PRIVATE_USE = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+\Z")
_LOOPBACK = re.compile(rf"http://(?P<host>127\.0\.0\.1|\[::1\]|localhost){_PORT}(?P<rest>(?:[/?].*)?)\Z")
_LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})
_DOT_SEGMENT = re.compile(r"/\.{1,2}(?:/|\Z)")
_HIDDEN_IN_PATH = re.compile(r"%(?:2[ef5]|5c)", re.IGNORECASE)  # . / % \
_HIDDEN_CONTROL = re.compile(r"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
_UUID: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_APP_SHELL = re.compile(
    r"(?:(?:capacitor|ionic|tauri)://localhost|http://tauri\.localhost"
    rf"|chrome-extension://[a-p]{{32}}|(?:moz|safari-web)-extension://{_UUID})\Z"
)
_HIGHEST_PORT: Final = 65535
_DEFAULT_PORTS: Final = {"https": "443", "http": "80"}
_ANSWERED: Final = frozenset({"code", "state", "iss", "error", "error_description", "error_uri"})


def find_fault(uri: str, kind: ClientKind) -> str | None:
    """Why a client of this kind may not register `uri` as a redirect URI, as the end of a sentence; None if it may.

    Redirects after signing out follow the rules, too. Every kind may use https. Only the loopback interface may use
    http, because nobody can listen on the way. Only native clients may use a private-use scheme, which contains a dot
    (RFC 8252 §7.1, §8.4). NOT checked: whether the host belongs to the client.
    """
    if len(uri) > LONGEST:
        return f"has more than {LONGEST} characters"
    if _CHARACTERS.match(uri) is None:
        return "has characters that a URI cannot have"
    if "#" in uri:
        return "has a fragment"
    if "*" in uri:
        return "has a wildcard"
    parts = _URI.match(uri)
    if parts is None:
        return "is not an absolute URI with its scheme in lower case"
    scheme, authority, path, query = parts.group("scheme", "authority", "path", "query")
    return _find_target_fault(scheme, authority, path, kind) or _find_path_fault(path) or _find_query_fault(query or "")


def find_address_fault(uri: str) -> str | None:
    """Why `uri` may not be an address that a page shows or loads, as the end of a sentence; None if it may.

    Allowed: https, or http on the loopback interface. NOT checked: what the address serves.
    """
    if len(uri) > LONGEST:
        return f"has more than {LONGEST} characters"
    parts = _URI.match(uri)
    if _CHARACTERS.match(uri) is None or parts is None or parts["scheme"] not in _DEFAULT_PORTS:
        return "is not an address with https, or http on the loopback interface"
    return _find_authority_fault(parts["scheme"], parts["authority"] or "")


def read_source(address: str) -> str:
    """Scheme, host and port of an address in which `find_address_fault` finds no fault."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{re.split('[/?]', rest, maxsplit=1)[0]}"


def find_origin_fault(origin: str) -> str | None:
    """Why `origin` may not be registered as a browser origin, as the end of a sentence; None if it may.

    It has to be written as browsers write it in the `Origin` header (RFC 6454 §6.2), or no request would ever match.
    Origins of pages inside an app and of browser extensions are allowed, because no other page can have them.
    """
    if _APP_SHELL.match(origin) is not None:
        return None
    scheme, separator, authority = origin.partition("://")
    if not separator or len(origin) > LONGEST:
        return "is not an origin like https://app.example"
    if scheme not in _DEFAULT_PORTS:
        return "is not an origin with https, or http on the loopback interface"
    fault = _find_authority_fault(scheme, authority)
    if fault is not None:
        return f"{fault} (an origin looks like https://app.example)"
    if authority.endswith(f":{_DEFAULT_PORTS[scheme]}"):
        return "names the default port, which browsers leave out of an origin"
    return None


def matches(registered: Collection[str], presented: str, kind: ClientKind) -> bool:
    """Whether `presented` is one of the redirect URIs that a client of this kind has registered.

    Compared character by character (RFC 9700 §2.1). The exception is the port of `http://127.0.0.1` and `http://[::1]`:
    a native app gets one from its operating system when it begins to listen (RFC 8252 §7.3). The port of `localhost` is
    free for native clients only, many of which use the name although §8.3 advises against it.
    """
    if find_fault(presented, ClientKind.NATIVE) is not None:
        return False  # an earlier release may have registered it
    if presented in registered:
        return True
    wanted = _without_port(presented, kind)
    return wanted is not None and any(_without_port(uri, kind) == wanted for uri in registered)


def _without_port(uri: str, kind: ClientKind) -> tuple[str, str] | None:
    """Host and rest of a loopback redirect URI whose port is free; None for every other URI."""
    parts = _LOOPBACK.match(uri)
    if parts is None or not _is_port(parts["port"]) or (parts["host"] == "localhost" and kind is not ClientKind.NATIVE):
        return None
    return parts["host"], parts["rest"]


def _find_target_fault(scheme: str, authority: str | None, path: str, kind: ClientKind) -> str | None:
    if scheme in _DEFAULT_PORTS:
        return "names no host" if authority is None else _find_authority_fault(scheme, authority)
    if kind is not ClientKind.NATIVE:
        return "has a scheme other than https"
    if _PRIVATE_USE.match(scheme) is None:
        return "has a scheme that is neither https nor a domain name in reverse, like com.example.app:/done"
    if authority is None:
        return None if path else "has no path, like com.example.app:/done"
    return _find_authority_fault(scheme, authority)


def _find_authority_fault(scheme: str, authority: str) -> str | None:
    if "@" in authority:
        return "has a user name before its host"
    parts = _AUTHORITY.match(authority)
    if parts is None or not _is_port(parts["port"]) or not _is_host(parts["host"]):
        return "has no host, or one that is not in its plain lower-case form, or no valid port"
    if scheme == "http" and parts["host"] not in _LOOPBACK_HOSTS:
        return "has http, which is allowed only on the loopback interface"
    return None


def _is_port(port: str | None) -> bool:
    return port is None or int(port) <= _HIGHEST_PORT


def _is_host(host: str) -> bool:
    """Whether `host` is a DNS name, or an IP address in the one form that every parser reads alike."""
    try:
        if host.startswith("["):
            return host == f"[{IPv6Address(host[1:-1]).compressed}]"
        labels = host.split(".")
        if _NUMBER.match(labels[-1]):  # browsers read such a host as an IP address
            return host == str(IPv4Address(host))
    except AddressValueError:
        return False
    return all(map(_LABEL.match, labels))


def _find_path_fault(path: str) -> str | None:
    if _DOT_SEGMENT.search(path):
        return "has a dot segment"
    if _HIDDEN_IN_PATH.search(path) or _HIDDEN_CONTROL.search(path):
        return "hides a dot, slash, percent sign or control character in its path"
    return None


def _find_query_fault(query: str) -> str | None:
    if _HIDDEN_CONTROL.search(query):
        return "hides a control character in its query"
    names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    # Our answer adds these parameters. A parser that takes the first of two would read the registered one instead.
    return "has a query parameter with a name that responses use" if names & _ANSWERED else None
