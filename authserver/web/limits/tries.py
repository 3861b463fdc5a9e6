"""Counting of tries, for pages and the API. A try is counted before anything is verified (see `limits`)."""

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
    """The try was over the limit, and nothing was done. Another may follow after `retry_after` seconds."""

    retry_after: int


def hit(key: LimitKey) -> int | None:
    """Count one try. Return None if it is allowed, otherwise log it and return the seconds to wait."""
    wait = current_limits().hit(key)
    if wait is not None:
        _log.warning("excess_rate_limit_exceeded", kind=key.kind, path=request.path, ip=request.remote_addr)
    return wait


def hit_address(purpose: str) -> int | None:
    """Count one try from the address of the request. Return None if it is allowed, otherwise the seconds to wait."""
    return hit(address_key(purpose, request.remote_addr or ""))


def hit_login(email: str, device_id: str, device_token: Secret | None) -> LimitKey | int:
    """Count a sign-in before it is verified. Return the key for `settle`, or the seconds to wait.

    A stranger may use up the tries of an account, or of a network address that many people share. That must not lock
    out the owner. So a known device has tries of its own, and when they are used up, it counts like any other device.
    Devices that only give a device id of the account share one more budget.
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
    """Forget the tries at the account, because its owner has proved that they read its mail."""
    for key in (account_key(email), named_devices_key(email)):
        current_limits().forgive(key)


def settle(key: LimitKey, outcome: object) -> None:
    """Clear the count after a success, keep it after a failure, and uncount a try that was not carried out."""
    match outcome:
        case Refused() | Invalid():
            pass
        case TryLater() | Reauthenticate() | TooManyTries():
            current_limits().take_back(key)
        case _:
            current_limits().forgive(key)


def try_password(asker: Asker, act: str, carry_out: Callable[[], OutcomeT]) -> OutcomeT | Reauthenticate | TooManyTries:
    """Do the sensitive `act`, which takes the current password, and count the try.

    If the last sign-in of the session is too old, the answer is `Reauthenticate` and nothing is counted. Tries are
    counted per session. So a thief can neither guess the password (ASVS 6.3.1) nor use up the tries of the owner, who
    has another session.
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
    """Ask for a change of the e-mail address, and count the mail that it causes. None if the links are on their way.

    Mails are counted per user, because a user may open any number of sessions. A request that causes no mail, such as
    one with a wrong password, is not counted.
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
