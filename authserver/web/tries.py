"""Counting tries at the doors. A try counts before anything is verified (see `limits`)."""

import structlog
from flask import request

from authserver.accounts.known_device import is_known_device
from authserver.web.context import current_limits, current_realm
from authserver.web.limits import LimitKey, account_key, address_key, password_key

_log = structlog.get_logger(__name__)


def hit(key: LimitKey) -> int | None:
    """Count one try; the seconds to wait if that was one too many, which the log hears of, else None."""
    wait = current_limits().hit(key)
    if wait is not None:
        _log.warning("excess_rate_limit_exceeded", kind=key.kind, path=request.path, ip=request.remote_addr)
    return wait


def hit_address(purpose: str) -> int | None:
    """The same for where the request comes from."""
    return hit(address_key(purpose, request.remote_addr or ""))


def hit_login(email: str, device_id: str) -> LimitKey | int:
    """Count a sign-in before it is verified: the key to forgive when it succeeds, or the seconds to wait.

    A stranger who uses up an account's tries must not lock its owner out: a device that signed in before counts by
    itself then, and its id is not to be guessed.
    """
    wait = hit_address("login")
    if wait is not None:
        return wait
    account = account_key(email)
    wait = hit(account)
    if wait is None:
        return account
    if not device_id or not is_known_device(current_realm(), email, device_id):
        return wait
    device = account_key(email, device_id)
    wait = hit(device)
    return device if wait is None else wait


def hit_password(user_id: str) -> LimitKey | int:
    """Count one try of the current password of a user who is signed in: the key to forgive, or the seconds to wait.

    Whoever holds a stolen session must not find the password out with it (ASVS 6.3.1). It is not the count of the
    sign-ins, which strangers can use up.
    """
    key = password_key(user_id)
    wait = hit(key)
    return key if wait is None else wait
