"""Who asks for something about his own account: by an access token, or by the cookie of a page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asker:
    """A user in one of his live sessions.

    Attributes:
        auth_time: when he proved last in this session to be who he is, in seconds since the epoch.
        client_id: the client that asks for him; None for the account pages.
    """

    user_id: str
    sid: str
    auth_time: int
    client_id: str | None
