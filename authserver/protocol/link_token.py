"""The token of a link in a mail: the id of its row, with a MAC (see `proven_text`). The row says what the link does."""

from collections.abc import Callable
from dataclasses import dataclass

from authserver.protocol.proven_text import Malformed, Proven, ProvenText, UnknownMacKey

LINK_ID_BYTES = 16
_PADDING = b"\0"  # to a multiple of three
_TEXT = ProvenText("lt_", b"authserver mailed link\0", LINK_ID_BYTES + len(_PADDING))


@dataclass(frozen=True, slots=True)
class LinkToken:
    """The link of the row `link_id`, tagged with the MAC key `mac_kid`."""

    mac_kid: str
    link_id: bytes


def format_link_token(token: LinkToken, mac_key: bytes) -> str:
    """The text in the mail; the same arguments always give the same text, so every copy of the mail holds it."""
    return _TEXT.write(Proven(token.mac_kid, token.link_id + _PADDING), mac_key)


def parse_link_token(text: str, find_mac_key: Callable[[str], bytes | None]) -> LinkToken | Malformed | UnknownMacKey:
    """Check form and tag of `text`. Does NOT check that the link still works; only the database knows."""
    proven = _TEXT.read(text, find_mac_key)
    if not isinstance(proven, Proven):
        return proven
    return LinkToken(proven.mac_kid, proven.payload[:LINK_ID_BYTES])
