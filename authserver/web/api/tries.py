"""Counting tries at the JSON API: one too many is a problem of its own."""

from authserver.accounts.bearer import Bearer
from authserver.web import tries
from authserver.web.api.refusals import TOO_MANY_REQUESTS, refuse
from authserver.web.limits import LimitKey, password_key
from authserver.web.problem import ProblemError


def count(key: LimitKey) -> None:
    """Count one try, or raise."""
    refuse_excess(tries.hit(key))


def count_address(purpose: str) -> None:
    """Count one try of the address that the request comes from, or raise."""
    refuse_excess(tries.hit_address(purpose))


def count_login(email: str, device_id: str) -> LimitKey:
    """Count a sign-in, or raise; the key to forgive when it succeeds."""
    key = tries.hit_login(email, device_id)
    if isinstance(key, int):
        raise ProblemError(refuse(TOO_MANY_REQUESTS, retry_after=key))
    return key


def count_password(bearer: Bearer) -> LimitKey:
    """Count one try of the current password of the user who asks; the key to forgive when it was right.

    Whoever holds a stolen session must not find the password out with it (ASVS 6.3.1). It is not the count of the
    sign-ins, which strangers can use up.
    """
    key = password_key(bearer.user_id)
    count(key)
    return key


def refuse_excess(wait: int | None) -> None:
    """Raise the refusal if there is something to wait for."""
    if wait is not None:
        raise ProblemError(refuse(TOO_MANY_REQUESTS, retry_after=wait))
