"""Counting tries at the doors. A try counts before anything is verified (see `limits`)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from flask import request

from authserver.account.change_email import ask_email_change
from authserver.authentication.asker import Asker
from authserver.authentication.known_device import find_known_device, is_named_device
from authserver.authentication.reauthentication import demand_recent
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import Invalid, Reauthenticate, Refused, TryLater
from authserver.web.context import current_realm
from authserver.web.limits.current import current_limits
from authserver.web.limits.limits import (
    LimitKey,
    account_key,
    address_key,
    email_change_key,
    known_device_key,
    named_devices_key,
    password_key,
)

OutcomeT = TypeVar("OutcomeT")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TooManyTries:
    """One try too many; nothing was done. Seconds after which to try again."""

    retry_after: int


def hit(key: LimitKey) -> int | None:
    """Count one try; the seconds to wait if that was one too many, which the log hears of, else None."""
    wait = current_limits().hit(key)
    if wait is not None:
        _log.warning("excess_rate_limit_exceeded", kind=key.kind, path=request.path, ip=request.remote_addr)
    return wait


def hit_address(purpose: str) -> int | None:
    """Count one try of the address that the request comes from; the seconds to wait if that was one too many."""
    return hit(address_key(purpose, request.remote_addr or ""))


def hit_login(email: str, device_id: str, device_token: Secret | None) -> LimitKey | int:
    """Count a sign-in before it is verified: the key to `settle`, or the seconds to wait.

    A stranger who uses up the tries of an account, or of a network address that many share, must not lock the owner
    out. So a known device counts by itself, and goes on as any other when it has used up its own. Devices that only
    name themselves share one more budget.
    """
    known = find_known_device(current_realm(), email, device_token)
    if known is not None:
        key = known_device_key(email, known.budget)
        if current_limits().hit(key) is None:
            return key
    wait = hit_address("login")
    if wait is not None:
        return wait
    account = account_key(email)
    wait = hit(account)
    if wait is None:
        return account
    if not device_id or not is_named_device(current_realm(), email, device_id):
        return wait
    named = named_devices_key(email)
    wait = hit(named)
    return named if wait is None else wait


def forgive_login(email: str) -> None:
    """Forget the tries of strangers: the owner of the account has shown that they read its mail."""
    for key in (account_key(email), named_devices_key(email)):
        current_limits().forgive(key)


def settle(key: LimitKey, outcome: object) -> None:
    """Let a success clear the count, and take back what was not tried because too much was going on."""
    match outcome:
        case Refused() | Invalid():
            pass
        case TryLater() | Reauthenticate() | TooManyTries():
            current_limits().take_back(key)
        case _:
            current_limits().forgive(key)


def try_password(asker: Asker, act: str, carry_out: Callable[[], OutcomeT]) -> OutcomeT | Reauthenticate | TooManyTries:
    """Do the sensitive `act`, which takes the current password, and count the try: for the pages and for the API.

    A session that signed in too long ago is sent to sign in and counts nothing. The count is that of the session that
    asks: a thief must not find the password out (ASVS 6.3.1), nor use up the tries of the owner, who asks from another
    one.
    """
    stale = demand_recent(current_realm(), asker, act, request.remote_addr)
    if stale is not None:
        return stale
    key = password_key(asker.sid)
    wait = hit(key)
    if wait is not None:
        return TooManyTries(wait)
    outcome = carry_out()
    settle(key, outcome)
    return outcome


def ask_new_address(
    asker: Asker, new_email: str, password: Secret
) -> Refused | Invalid | TryLater | Reauthenticate | TooManyTries | None:
    """Ask for another e-mail address, and count the mails to addresses of others; None when they are on their way.

    The mails are counted for the user, who may open as many sessions as they like. A request that causes no mail, such
    as one with a wrong password, leaves nothing counted.
    """
    key, ip = email_change_key(asker.user_id), request.remote_addr

    def ask() -> Refused | Invalid | TryLater | Reauthenticate | TooManyTries | None:
        wait = hit(key)
        if wait is not None:
            return TooManyTries(wait)
        outcome = ask_email_change(current_realm(), asker, new_email=new_email, password=password, ip=ip)
        if outcome is not None:
            current_limits().take_back(key)
        return outcome

    return try_password(asker, "change_email", ask)
