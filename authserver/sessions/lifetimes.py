"""The lifetimes of sessions, families and tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from authserver.protocol.limits import REST_MARGIN


@dataclass(frozen=True, slots=True)
class RetryWindows:
    """How late a refresh token may be shown again while its successor is unused (design §4).

    `retry_window` admits any number of repeats (a lost response, a second tab); the family rests for this window plus a
    margin. `late_retry_window` admits one more repeat, never in two consecutive generations (a phone that slept between
    response and disk). With both at zero, no repeat is admitted.
    """

    retry_window: timedelta
    late_retry_window: timedelta

    def of_client(self, client: "ClientLifetimes") -> "RetryWindows":
        """The windows of `client`, where it has its own; otherwise these."""
        return RetryWindows(
            self.retry_window if client.retry_window is None else client.retry_window,
            self.late_retry_window if client.late_retry_window is None else client.late_retry_window,
        )


class ClientLifetimes(Protocol):
    """A client's own lifetimes and windows; None where its record sets none."""

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
        """The values for `client`: its own lifetimes, limited to the installation's, and its own windows.

        An access token above the installation's lifetime would outlive the feed window, and a refresh token would
        outlive its MAC key. So a setting that was lowered after the client was registered wins.
        """
        own = client.access_token_lifetime, client.refresh_idle_lifetime, client.refresh_absolute_lifetime
        if own == _NONE and (client.retry_window, client.late_retry_window) == _NONE[:2]:
            return self  # the case of nearly every client, at each refresh
        return Lifetimes(
            _at_most(self.access_token_lifetime, client.access_token_lifetime),
            _at_most(self.refresh_idle_lifetime, client.refresh_idle_lifetime),
            _at_most(self.refresh_absolute_lifetime, client.refresh_absolute_lifetime),
            self.retry_windows.of_client(client),
            self.max_sessions_per_user,
        )


_NONE = (None, None, None)


def absolute_end(now: datetime, absolute_lifetime: timedelta) -> datetime:
    """The absolute end of something that begins at `now`, no matter how much it is used.

    It is a whole second, because `exp` of a token is one (RFC 7519 §2). So no token outlives this end by a fraction of
    a second, and a token issued in the last second is still valid.
    """
    return (now + absolute_lifetime).replace(microsecond=0)


def longest_silence(retry_window: timedelta, access_token_lifetime: timedelta) -> timedelta:
    """The longest time from a rotation to the next refresh of a client that never lets its access token expire.

    The last access token that is handed out during a rest ends this late. A shorter idle lifetime would end the session
    of a client in use.
    """
    return retry_window + REST_MARGIN + access_token_lifetime


def rest_end(now: datetime, retry_window: timedelta) -> datetime | None:
    """The end of a family's rest after a rotation or late retry at `now`; None where every refresh rotates."""
    return now + retry_window + REST_MARGIN if retry_window else None


def _at_most(installation: timedelta, own: timedelta | None) -> timedelta:
    return installation if own is None else min(own, installation)
