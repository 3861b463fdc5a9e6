"""What takes a password or a mailed link, for pages and the API: count the try, act, settle the count, log.

A try is counted before anything is verified (see `limits`). The doors only read the input and show the outcome.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from flask import request

from authserver.account.change_email import ask_email_change
from authserver.account.reset_password import PasswordWasReset, reset_password
from authserver.authentication.asker import Asker
from authserver.authentication.failed_proof import name_reason
from authserver.authentication.known_device import find_known_device, is_named_device
from authserver.authentication.reauthentication import Recent
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import Invalid, Refused, TryLater
from authserver.records.client import Client
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
    user_code_key,
)

_log = structlog.get_logger(__name__)


class HasSession(Protocol):
    """A success that leaves the user with a session."""

    @property
    def sid(self) -> str:
        """The session."""


OutcomeT = TypeVar("OutcomeT")
SignedInT = TypeVar("SignedInT", bound=HasSession)


@dataclass(frozen=True, slots=True)
class TooManyTries:
    """The try was over the limit, and nothing was done. Another may follow after `retry_after` seconds."""

    retry_after: int


def count_address(purpose: str) -> TooManyTries | None:
    """Count one try from the address of the request. None if it is allowed."""
    return _count(address_key(purpose, request.remote_addr or ""))


def count_client_address(purpose: str, client: Client) -> TooManyTries | None:
    """Count a request of a public client, by address: anybody can send one in its name. None if it is allowed.

    A confidential client sends those of all its users from one address, and proves who it is; it is not counted.
    """
    return count_address(purpose) if client.kind.is_public else None


def try_sign_in(
    email: str, device_id: str, device_token: Secret | None, carry_out: Callable[[], SignedInT | Refused | TryLater]
) -> SignedInT | Refused | TryLater | TooManyTries:
    """Sign in, and count the try."""
    key = _count_sign_in(email, device_id, device_token)
    if isinstance(key, TooManyTries):
        return key
    outcome = carry_out()
    _settle(key, outcome)
    _log_outcome("authn_login_success", "authn_login_fail", outcome)
    return outcome


def try_password(recent: Recent[Asker], carry_out: Callable[[], OutcomeT]) -> OutcomeT | TooManyTries:
    """Do a sensitive act, which takes the current password, and count the try.

    Tries are counted per session, and only with a recent sign-in. So a thief can neither guess the password (ASVS
    6.3.1) nor use up the tries of the owner, who has another session.
    """
    key = password_key(recent.asker.sid)
    over = _count(key)
    if over is not None:
        return over
    outcome = carry_out()
    _settle(key, outcome)
    return outcome


def try_password_change(
    recent: Recent[Asker], carry_out: Callable[[], SignedInT | Refused | Invalid | TryLater]
) -> SignedInT | Refused | Invalid | TryLater | TooManyTries:
    """Change the password, and count the try at the current one."""
    outcome = try_password(recent, carry_out)
    _log_outcome("authn_password_change", "authn_password_change_fail", outcome, sid=recent.asker.sid)
    return outcome


def ask_new_address(
    recent: Recent[Asker], new_email: str, password: Secret
) -> Refused | Invalid | TryLater | TooManyTries | None:
    """Ask for a change of the e-mail address, and count the mail that it causes. None if the links are on their way.

    Mails are counted per user, because a user may open any number of sessions. A request that causes no mail, such as
    one with a wrong password, is not counted.
    """
    key, ip = email_change_key(recent.asker.user_id), request.remote_addr

    def ask() -> Refused | Invalid | TryLater | TooManyTries | None:
        over = _count(key)
        if over is not None:
            return over
        outcome = ask_email_change(current_realm(), recent, new_email=new_email, password=password, ip=ip)
        if outcome is not None:
            current_limits().take_back(key)
        return outcome

    return try_password(recent, ask)


def try_user_code(user_id: str, carry_out: Callable[[], bool]) -> bool | TooManyTries:
    """Look up the code of a device, and count the try (RFC 8628 §5.1). `carry_out` returns whether the code is right.

    Tries are counted per address and per user, so that many accounts give no more guesses than one address has. A right
    code is no guess and is taken back, but it clears nothing: a code of one's own must not make room for more guesses.
    """
    keys = (address_key("user code", request.remote_addr or ""), user_code_key(user_id))
    for number, key in enumerate(keys):
        over = _count(key)
        if over is not None:
            _take_back(keys[:number])
            return over
    is_right = carry_out()
    if is_right:
        _take_back(keys)
    return is_right


def reset_by_link(token: str, password: Secret) -> PasswordWasReset | Refused | Invalid | TryLater:
    """Set a password with a mailed link. It clears the tries at the account, because its owner has read its mail."""
    outcome = reset_password(current_realm(), token, password, request.remote_addr or "")
    if isinstance(outcome, PasswordWasReset):
        for key in (account_key(outcome.email), named_devices_key(outcome.email)):
            current_limits().forgive(key)
    return outcome


def _take_back(keys: Sequence[LimitKey]) -> None:
    for key in keys:
        current_limits().take_back(key)


def _count(key: LimitKey) -> TooManyTries | None:
    wait = current_limits().hit(key)
    if wait is None:
        return None
    _log.warning("excess_rate_limit_exceeded", kind=key.kind, path=request.path, ip=request.remote_addr)
    return TooManyTries(wait)


def _count_sign_in(email: str, device_id: str, device_token: Secret | None) -> LimitKey | TooManyTries:
    """Count a sign-in before it is verified. Return the key for `_settle`.

    A stranger may use up the tries of an account, or of a network address that many people share. That must not lock
    out the owner. So a known device has tries of its own, and when they are used up, it counts like any other device.
    Devices that only give a device id of the account share one more budget.
    """
    known = find_known_device(current_realm(), email, device_token)
    if known is not None:
        key = known_device_key(email, known.budget)
        if current_limits().hit(key) is None:
            return key
    over = count_address("login")
    if over is not None:
        return over
    account = account_key(email)
    over = _count(account)
    if over is None:
        return account
    if not device_id or not is_named_device(current_realm(), email, device_id):
        return over
    named = named_devices_key(email)
    return _count(named) or named


def _settle(key: LimitKey, outcome: object) -> None:
    """Clear the count after a success, keep it after a failure, and uncount a try that was not carried out."""
    match outcome:
        case Refused() | Invalid():
            pass
        case TryLater() | TooManyTries():
            current_limits().take_back(key)
        case _:
            current_limits().forgive(key)


def _log_outcome(
    success: str,
    failure: str,
    outcome: HasSession | Refused | Invalid | TryLater | TooManyTries,
    *,
    sid: str | None = None,
) -> None:
    """Log a success with its session, a failure with its reason and the session `sid` in which it was tried."""
    ip = request.remote_addr
    match outcome:
        case Refused() | Invalid():
            code = outcome.code if isinstance(outcome, Refused) else "invalid_input"
            _log.info(failure, code=code, reason=name_reason(outcome), sid=sid, ip=ip)
        case TryLater():
            _log.info(failure, code="busy", sid=sid, ip=ip)
        case TooManyTries():
            _log.info(failure, code="too_many_requests", sid=sid, ip=ip)
        case _:
            _log.info(success, sid=outcome.sid, ip=ip)
