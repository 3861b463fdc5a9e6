"""Limits of tries per account and per address (ASVS 6.1.1, 6.3.1).

A try is counted before it is verified. Otherwise many parallel tries could all pass before any of them was counted. A
success clears the count of the account. Counts are in a file that all processes of this node share (`memory`), or in a
Redis or Valkey that all nodes share. If that storage fails, each process counts by itself and logs it, because a broken
storage must neither lock everybody out nor let everybody try.
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
"""The value of `LIMITS_URL` for a node that counts by itself."""

ADDRESS_FACTOR = 100
"""How many times as often as an account an address may try: a whole company may share one address."""

_IPV6_PREFIX = 64  # the smallest network that a provider gives one customer, who may use every address in it
_STORAGE_SECONDS = 1.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LimitKey:
    """The name of a counter. It is a digest, because others may read the storage."""

    kind: str
    digest: str


class Limits:
    """Counts tries by account and by address.

    Args:
        per_account: limits such as `10 per 10 minutes; 100 per day`; all of them apply.
        per_address: limits for an IPv4 address, or for the /64 of an IPv6 address.
        storage: holds the counts.
        clock: the clock of the storage, in seconds since the epoch.
    """

    def __init__(self, per_account: str, per_address: str, storage: Storage, clock: Clock) -> None:
        """Parse the limits; connect to nothing yet."""
        self._items = {"account": parse_many(per_account), "address": parse_many(per_address)}
        self._limiter = FixedWindowRateLimiter(storage)
        self._local = FixedWindowRateLimiter(BoundedCounters(clock))
        self._clock = clock

    def hit(self, key: LimitKey) -> int | None:
        """Count one try. Return None if it is allowed, otherwise the seconds to wait."""
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
        """Uncount one try of `key`, because nothing was tried in the end."""
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
                # A refused try does not count. Otherwise a try that is taken back later would free no place.
                self._take_back(limiter, key, items[: number + 1])
                return min(max(1, math.ceil(reset_at - self._clock.seconds())), item.get_expiry())
        return None

    @staticmethod
    def _take_back(limiter: FixedWindowRateLimiter, key: LimitKey, items: Sequence[RateLimitItem]) -> None:
        for item in items:
            limiter.hit(item, key.kind, key.digest, cost=-1)


def create_limits(login_limits: str, storage: Storage, clock: Clock) -> Limits:
    """Create the limits of an installation, from `LOGIN_LIMITS` and the storage that `open_counters` returned."""
    per_address = "; ".join(
        f"{item.amount * ADDRESS_FACTOR} per {item.multiples} {item.GRANULARITY.name}"
        for item in parse_many(login_limits)
    )
    return Limits(login_limits, per_address, storage, clock)


def open_counters(url: str, folder: Path | None, clock: Clock, entropy: Entropy) -> Storage:
    """Choose the storage that `LIMITS_URL` names. Nothing is connected or opened yet.

    Args:
        url: the URL of a Redis or Valkey, or `memory` for this node alone.
        folder: the folder of the file that the processes of this node share; None if this process counts alone.
        clock: the clock of counters in this node.
        entropy: makes the key of that file.

    Raises:
        UnusableCountersError: the client library for `url` is not installed, or cannot read the URL.
    """
    if url != IN_NODE:
        return _connect(url)
    return BoundedCounters(clock) if folder is None else NodeCounters(folder / FILE_NAME, clock, entropy)


def account_key(email: str) -> LimitKey:
    """Tries at the account of `email`, in any spelling of it. The account need not exist."""
    return _account_key(email, "")


def named_devices_key(email: str) -> LimitKey:
    """Tries at the account by devices that give their device id but prove nothing, all together."""
    return _account_key(email, "named")


def known_device_key(email: str, budget: int) -> LimitKey:
    """Tries at the account by the known devices that share this budget."""
    return _account_key(email, f"known {budget}")


def _account_key(email: str, devices: str) -> LimitKey:
    canonical = canonicalise_email(email)
    account = email if isinstance(canonical, InvalidEmail) else canonical
    return LimitKey("account", _digest(f"{account} {devices}"))


def password_key(sid: str) -> LimitKey:
    """Tries of the current password in one session. A thief in another session uses up none of them."""
    return LimitKey("account", _digest(f"password {sid}"))


def email_change_key(user_id: str) -> LimitKey:
    """Mails to new addresses, which may be those of others, that a signed-in user causes."""
    return LimitKey("account", _digest(f"email change {user_id}"))


def user_code_key(user_id: str) -> LimitKey:
    """The codes of devices that a user tries."""
    return LimitKey("account", _digest(f"user code {user_id}"))


def address_key(purpose: str, address: str) -> LimitKey:
    """Tries from the network of `address`, counted for each purpose separately."""
    return LimitKey("address", _digest(f"{purpose} {_generalise(address)}"))


def _connect(url: str) -> Storage:
    # Without timeouts a storage that hangs would block every sign-in.
    timeouts = {"socket_timeout": _STORAGE_SECONDS, "socket_connect_timeout": _STORAGE_SECONDS}
    if url.startswith("unix:"):
        url = f"redis+{url}"  # the library's name for this scheme
    try:
        return cast("Storage", storage_from_string(url, wrap_exceptions=True, **timeouts))
    except ConfigurationError:
        raise UnusableCountersError(
            "AUTHSERVER_LIMITS_URL needs a client that is not installed: pip install 'WHEEL[redis]'"
        ) from None
    except ValueError:
        # The cause is left out: its text may quote the URL, which holds a password.
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
