"""A user's consent to a client, and the clients that may act for a user."""

from dataclasses import dataclass
from datetime import datetime

from authserver.protocol.client_metadata import ClientKind, ConsentRule
from authserver.records.client import Client


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user has allowed a client, and when they last did so."""

    user_id: str
    client_id: str
    scope: frozenset[str]
    audience: frozenset[str]
    granted_at: datetime

    def covers(self, scope: frozenset[str], audience: frozenset[str]) -> bool:
        """Whether the user has allowed all of `scope` and `audience`."""
        return scope <= self.scope and audience <= self.audience


@dataclass(frozen=True, slots=True)
class ConnectedApp:
    """A client that holds tokens of a user, or that has the user's consent.

    Attributes:
        scope: everything that it may do by its tokens or by consent, sorted.
        granted_at: when the user last consented; where they were not asked, the start of the oldest family.
        last_used_at: None while it holds no tokens.
    """

    client_id: str
    name: str
    scope: tuple[str, ...]
    granted_at: datetime
    last_used_at: datetime | None


def settle_by_client(client: Client, redirect_uri: str, *, wants_question: bool) -> bool | None:
    """Whether the user is asked, regardless of what they allowed before; None where that decides (RFC 8252 §8.6).

    `wants_question`: the request has `prompt=consent`.
    """
    # At another port than the registered one, any program on this machine may listen.
    may_be_another = client.kind is ClientKind.NATIVE or redirect_uri not in client.redirect_uris
    if may_be_another or client.consent is ConsentRule.ALWAYS or wants_question:
        return True
    return False if client.consent is ConsentRule.NEVER else None
