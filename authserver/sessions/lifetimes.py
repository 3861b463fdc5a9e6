"""How long things live."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from authserver.protocol.limits import REST_MARGIN


@dataclass(frozen=True, slots=True)
class RetryWindows:
    """How late the predecessor of an unused successor may be shown again (design §4).

    `retry_window` admits any number of repeats (a lost response, a second tab), and for so long, and a margin, the
    family rests. `late_retry_window` admits one more, never in two consecutive generations (a phone that slept between
    response and disk). Zero and zero is strict.
    """

    retry_window: timedelta
    late_retry_window: timedelta

    def of_client(self, client: "ClientLifetimes") -> "RetryWindows":
        """Those of `client`, where it has its own."""
        return RetryWindows(
            self.retry_window if client.retry_window is None else client.retry_window,
            self.late_retry_window if client.late_retry_window is None else client.late_retry_window,
        )


class ClientLifetimes(Protocol):
    """What a client's record says of its own; None where it says nothing."""

    @property
    def access_token_lifetime(self) -> timedelta | None: ...  # noqa: D102 - the names are the installation's

    @property
    def refresh_idle_lifetime(self) -> timedelta | None: ...  # noqa: D102

    @property
    def refresh_absolute_lifetime(self) -> timedelta | None: ...  # noqa: D102

    @property
    def retry_window(self) -> timedelta | None: ...  # noqa: D102

    @property
    def late_retry_window(self) -> timedelta | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The installation's lifetimes, or those of one client in it (`of_client`)."""

    access_token_lifetime: timedelta
    refresh_idle_lifetime: timedelta
    refresh_absolute_lifetime: timedelta
    retry_windows: RetryWindows
    max_sessions_per_user: int

    def of_client(self, client: ClientLifetimes) -> "Lifetimes":
        """What holds for `client`: its own lifetimes, none above the installation's, and its own windows.

        A token that outlives the installation's lifetime would outlive the feed window, and a refresh token its MAC
        key: so a setting that was lowered after the client was registered wins.
        """
        own = client.access_token_lifetime, client.refresh_idle_lifetime, client.refresh_absolute_lifetime
        if own == _NONE and (client.retry_window, client.late_retry_window) == _NONE[:2]:
            return self  # as for nearly every client, at each of its refreshes
        return Lifetimes(
            _at_most(self.access_token_lifetime, client.access_token_lifetime),
            _at_most(self.refresh_idle_lifetime, client.refresh_idle_lifetime),
            _at_most(self.refresh_absolute_lifetime, client.refresh_absolute_lifetime),
            self.retry_windows.of_client(client),
            self.max_sessions_per_user,
        )


_NONE = (None, None, None)


def absolute_end(now: datetime, absolute_lifetime: timedelta) -> datetime:
    """When what begins at `now` is over, however much it is used.

    A whole second, because `exp` of a token is one (RFC 7519 §2): so no token lives on for the rest of it, and the last
    second still holds one that lives.
    """
    return (now + absolute_lifetime).replace(microsecond=0)


def longest_silence(retry_window: timedelta, access_token_lifetime: timedelta) -> timedelta:
    """How long after its last rotation the next refresh of a client may come that never lets its access token expire.

    The last access token of a rest ends so late. A shorter idle lifetime would end the session of a client in use.
    """
    return retry_window + REST_MARGIN + access_token_lifetime


def rest_end(now: datetime, retry_window: timedelta) -> datetime | None:
    """Until when a family rests that was rotated, or retried late, at `now`; None where every refresh rotates."""
    return now + retry_window + REST_MARGIN if retry_window else None


def _at_most(installation: timedelta, own: timedelta | None) -> timedelta:
    return installation if own is None else min(own, installation)
