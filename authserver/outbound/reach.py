"""Which URLs and addresses may be called. Pure."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address

_CARRIES_IPV4: Final = IPv6Network("64:ff9b::/96")
"""Translated to the IPv4 address in its last 32 bits by a NAT64 gateway (RFC 6052 §2.1)."""

_LONGEST: Final = 2000


def check_url(url: str, private_hosts: Collection[str] = ()) -> SplitResult:
    """Split `url`, or `ValueError` with what is wrong with it. Resolves no name: `is_public` judges an address.

    Args:
        url: https, with a host, without credentials and fragment. http only for a loopback address or `localhost`, and
            only if the host is in `private_hosts`.
        private_hosts: names and addresses, in lower case, that may be in a private network.
    """
    if not (url.isascii() and url.isprintable() and len(url) <= _LONGEST) or set(url) & set('\\ "<>'):
        raise ValueError(f"must be a URL of at most {_LONGEST} printable ASCII characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be a URL") from None
    if not host or port == 0:
        raise ValueError("must have a host")
    if parts.username is not None or parts.password is not None or parts.fragment or url.endswith("#"):
        raise ValueError("must have neither credentials nor a fragment")
    literal = find_address(host)
    if host not in private_hosts and (host == "localhost" or (literal is not None and not is_public(literal))):
        raise ValueError("must not be in a private network")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in private_hosts and _is_loopback(host)):
        raise ValueError("must be https")
    return parts


def find_address(host: str) -> Address | None:
    """The address that `host` is, if it is one and not a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether `address` is in the public internet: not private, loopback, link-local, multicast, or reserved.

    An IPv6 address that leads to an IPv4 address (mapped, 6to4, Teredo, NAT64) is judged by both.
    """
    if isinstance(address, IPv6Address):
        if address in _CARRIES_IPV4:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if not all(is_public(one) for one in inner if one is not None):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _is_loopback(host: str) -> bool:
    address = find_address(host)
    return host == "localhost" if address is None else address.is_loopback
