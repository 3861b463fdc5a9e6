"""Counting tries at the JSON API: one too many is a problem of its own."""

from authserver.accounts.bearer import Bearer
from authserver.web import tries
from authserver.web.api.refusals import TOO_MANY_REQUESTS, refuse
from authserver.web.limits import LimitKey
from authserver.web.problem import ProblemError


def count(key: LimitKey) -> None:
    """Count one try, or raise."""
    refuse_excess(tries.hit(key))


def count_address(purpose: str) -> None:
    """Count one try of the address that the request comes from, or raise."""
    refuse_excess(tries.hit_address(purpose))


def count_login(email: str, device_id: str) -> LimitKey:
    """Count a sign-in, or raise; the key to forgive when it succeeds."""
    return _accept(tries.hit_login(email, device_id))


def count_password(bearer: Bearer) -> LimitKey:
    """Count one try of the current password of the user who asks, or raise; the key to forgive when it was right."""
    return _accept(tries.hit_password(bearer.user_id))


def refuse_excess(wait: int | None) -> None:
    """Raise the refusal if there is something to wait for."""
    if wait is not None:
        raise ProblemError(refuse(TOO_MANY_REQUESTS, retry_after=wait))


def _accept(key: LimitKey | int) -> LimitKey:
    if isinstance(key, int):
        raise ProblemError(refuse(TOO_MANY_REQUESTS, retry_after=key))
    return key
