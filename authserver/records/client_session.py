"""What a client knows of a user's session: the `sid` in its ID tokens, under which it may keep a session of its own."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ClientSession:
    """A session of `user_id` at `client_id`.

    Attributes:
        sid: the session in which the client got its tokens. A renewal gives the user's session another `sid`, and the
            client learns of that one only when it comes back.
        expires_at: the absolute end of the user's session.
    """

    client_id: str
    sid: str
    user_id: str
    expires_at: datetime
