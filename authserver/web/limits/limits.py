"""How often one account and one address may try (ASVS 6.1.1, 6.3.1).

A try counts before it is verified, so that a burst of concurrent tries cannot all pass a check that none of them has
moved yet; a success clears the account's count. Counts live in a file that all processes of this node share (`memory`),
or in Redis or Valkey, which all nodes share. When that storage is away, each process counts by itself and the log says
so: a broken counter must neither keep everybody out nor let everybody try.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Final, cast

import structlog
from limits import RateLimitItem, parse_many
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from authserver.clock import Clock
from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.protocol.entropy import Entropy
from authserver.web.limits.counters import BoundedCounters
from authserver.web.limits.node_counters import FILE_NAME, NodeCounters, UnusableCountersError

IN_NODE: Final = "memory"
"""The `LIMITS_URL` of a node that counts by itself."""

ADDRESS_FACTOR = 100
"""An address may try this many times as often as an account: whole companies share one."""

_IPV6_PREFIX = 64  # what one customer has at least, and may use freely
_STORAGE_SECONDS = 1.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LimitKey:
    """What is counted, without naming it: the storage may be shared."""

    kind: str
    digest: str


class Limits:
    """Counts tries by account and by address.

    Args:
        per_account: such as `10 per 10 minutes; 100 per day`; all of them hold.
        per_address: the same for an IPv4 address or the /64 of an IPv6 address.
        storage: where the counts live.
        clock: what the storage counts by, in seconds since the epoch.
    """

    def __init__(self, per_account: str, per_address: str, storage: Storage, clock: Clock) -> None:
        """Parse the limits; nothing is connected yet."""
        self._items = {"account": parse_many(per_account), "address": parse_many(per_address)}
        self._limiter = FixedWindowRateLimiter(storage)
        self._local = FixedWindowRateLimiter(BoundedCounters(clock))
        self._clock = clock

    def hit(self, key: LimitKey) -> int | None:
        """Count one try; the seconds to wait if that was one too many, else None."""
        try:
            return self._hit(self._limiter, key)
        except StorageError as error:
            _log.error("limits_storage_unavailable", cause=type(error.storage_error).__name__)
            return self._hit(self._local, key)

    def forgive(self, key: LimitKey) -> None:
        """Forget the tries of `key`."""
        for limiter in (self._limiter, self._local):
            try:
                for item in self._items[key.kind]:
                    limiter.clear(item, key.kind, key.digest)
            except StorageError as error:
                _log.error("limits_storage_unavailable", cause=type(error.storage_error).__name__)

    def take_back(self, key: LimitKey) -> None:
        """Count one try of `key` less: nothing was tried in the end."""
        for limiter in (self._limiter, self._local):
            try:
                self._take_back(limiter, key, self._items[key.kind])
            except StorageError as error:
                _log.error("limits_storage_unavailable", cause=type(error.storage_error).__name__)

    def _hit(self, limiter: FixedWindowRateLimiter, key: LimitKey) -> int | None:
        items = self._items[key.kind]
        for number, item in enumerate(items):
            if not limiter.hit(item, key.kind, key.digest):
                reset_at = limiter.get_window_stats(item, key.kind, key.digest).reset_time
                # A refusal is no try: else one that is taken back would make room for nobody.
                self._take_back(limiter, key, items[: number + 1])
                return min(max(1, math.ceil(reset_at - self._clock.seconds())), item.get_expiry())
        return None

    @staticmethod
    def _take_back(limiter: FixedWindowRateLimiter, key: LimitKey, items: Sequence[RateLimitItem]) -> None:
        for item in items:
            limiter.hit(item, key.kind, key.digest, cost=-1)


def create_limits(login_limits: str, storage: Storage, clock: Clock) -> Limits:
    """The limits of one installation, from `LOGIN_LIMITS` and what `open_counters` returned."""
    per_address = "; ".join(
        f"{item.amount * ADDRESS_FACTOR} per {item.multiples} {item.GRANULARITY.name}"
        for item in parse_many(login_limits)
    )
    return Limits(login_limits, per_address, storage, clock)


def open_counters(url: str, folder: Path | None, clock: Clock, entropy: Entropy) -> Storage:
    """Where `LIMITS_URL` says that counts live; nothing is connected or opened yet.

    Args:
        url: of a Redis or Valkey, or `memory` for this node alone.
        folder: where the processes of this node share a file; None: this process shares with no other.
        clock: what counters of this node go by.
        entropy: for the key of that file.

    Raises:
        UnusableCountersError: the client for `url` is not installed, or cannot read it.
    """
    if url != IN_NODE:
        return _connect(url)
    return BoundedCounters(clock) if folder is None else NodeCounters(folder / FILE_NAME, clock, entropy)


def account_key(email: str) -> LimitKey:
    """The account that `email` names, in whatever spelling, also one that does not exist."""
    return _account_key(email, "")


def named_devices_key(email: str) -> LimitKey:
    """All devices of the account together that name themselves and prove nothing."""
    return _account_key(email, "named")


def known_device_key(email: str, budget: int) -> LimitKey:
    """The known devices of the account that share this budget."""
    return _account_key(email, f"known {budget}")


def _account_key(email: str, devices: str) -> LimitKey:
    canonical = canonicalise_email(email)
    account = email if isinstance(canonical, InvalidEmail) else canonical
    return LimitKey("account", _digest(f"{account} {devices}"))


def password_key(sid: str) -> LimitKey:
    """The current password, as one session asks for it: a thief in another one uses nothing of it up."""
    return LimitKey("account", _digest(f"password {sid}"))


def email_change_key(user_id: str) -> LimitKey:
    """The mails to addresses of others that a user who is signed in can cause."""
    return LimitKey("account", _digest(f"email change {user_id}"))


def address_key(purpose: str, address: str) -> LimitKey:
    """Where a request comes from, by itself for each purpose."""
    return LimitKey("address", _digest(f"{purpose} {_generalise(address)}"))


def _connect(url: str) -> Storage:
    # Without these a storage that hangs would hold every sign-in.
    timeouts = {"socket_timeout": _STORAGE_SECONDS, "socket_connect_timeout": _STORAGE_SECONDS}
    if url.startswith("unix:"):
        url = f"redis+{url}"  # as the library calls it
    try:
        return cast("Storage", storage_from_string(url, wrap_exceptions=True, **timeouts))
    except ConfigurationError:
        raise UnusableCountersError(
            "AUTHSERVER_LIMITS_URL needs a client that is not installed: pip install 'WHEEL[redis]'"
        ) from None
    except ValueError:
        # Its text may quote the URL, which holds a password.
        raise UnusableCountersError("AUTHSERVER_LIMITS_URL is not the URL of a Redis or Valkey") from None


def _generalise(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), _IPV6_PREFIX), strict=False))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
