"""The part of an HTTP request that a DPoP proof covers: method and URL (RFC 9449 §4.2), and the proof beside them."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

NONCE_HEADER: Final = "DPoP-Nonce"

_LONGEST_URL = 2048
_MOST_REMEMBERED = 256
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_URL = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+\Z")  # RFC 3986 §2
_SAFE_IN_PATH: Final = "/:@!$&'()*+,;=~"


@dataclass(frozen=True, slots=True)
class DpopRequest:
    """One HTTP request.

    Attributes:
        method: as sent, such as `POST`.
        url: by which the client called, with scheme and host; a query and a fragment are ignored.
        proof: the value of the `DPoP` header; None if there is none. Several headers are joined with commas, and no
            proof holds a comma, so they are refused (§4.3).
    """

    method: str
    url: str
    proof: str | None = field(default=None, repr=False)

    def is_target(self, htu: str) -> bool:
        """Whether `htu` names the URL of this request (§4.3, check 9), after normalising both."""
        if htu == self.url and "?" not in htu and "#" not in htu:
            return True
        normalised = _normalise(htu)
        return normalised is not None and normalised == _normalise(self.url)


WITHOUT_PROOF: Final = DpopRequest("", "")
"""Where nobody came by HTTP."""


@lru_cache(maxsize=_MOST_REMEMBERED)
def _normalise(url: str) -> str | None:
    """Normalise by syntax and scheme (RFC 3986 §6.2.2, §6.2.3), without query and fragment; None if it is no http URL.

    The path is decoded completely, because applications get it decoded. So `%2F` equals `/`, as it does for them.
    """
    if len(url) > _LONGEST_URL or not _URL.match(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), parts.hostname
    if scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    authority = f"[{host}]" if ":" in host else host
    if port not in {None, _DEFAULT_PORTS[scheme]}:
        authority = f"{authority}:{port}"
    path = _remove_dot_segments(unquote_to_bytes(parts.path))
    return f"{scheme}://{authority}{quote(path, safe=_SAFE_IN_PATH)}"


def _remove_dot_segments(path: bytes) -> bytes:
    """The path without `.` and `..` (RFC 3986 §5.2.4); an empty one is `/`."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:] or [b""]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if segments[-1] in {b".", b".."}:
        kept.append(b"")
    return b"/" + b"/".join(kept)
