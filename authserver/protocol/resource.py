"""Resources that tokens may be requested for (RFC 8707)."""

from urllib.parse import urlsplit


def find_resource_fault(uri: str) -> str | None:
    """Why `uri` may not name a resource, as the end of a sentence; None if it may.

    A space is a fault too, because stored lists are separated by spaces.
    """
    if not uri.isascii() or not uri.isprintable() or " " in uri or "#" in uri or not _has_scheme(uri):
        return "is not an absolute URI (RFC 8707 §2)"
    return None


def _has_scheme(uri: str) -> bool:
    try:
        return bool(urlsplit(uri).scheme)
    except ValueError:
        return False
