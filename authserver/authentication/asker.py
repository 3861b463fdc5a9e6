"""The user who asks for something about their own account, by an access token or by the cookie of a page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asker:
    """A user in one of their live sessions.

    Attributes:
        auth_time: when the user last authenticated in this session, in seconds since the epoch.
        client_id: the client that sends the request; None for the account pages.
    """

    user_id: str
    sid: str
    auth_time: int
    client_id: str | None
