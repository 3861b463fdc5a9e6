"""Counting of tries for the JSON API. A try over the limit raises a `ProblemError` with `too_many_requests`."""

from authserver.protocol.secret import Secret
from authserver.web.api.refusals import TOO_MANY_REQUESTS, refuse
from authserver.web.limits import tries
from authserver.web.limits.limits import LimitKey
from authserver.web.problem import ProblemError


def count_address(purpose: str) -> None:
    """Count one try from the address of the request, or raise a `ProblemError`."""
    wait = tries.hit_address(purpose)
    if wait is not None:
        raise ProblemError(refuse(TOO_MANY_REQUESTS, retry_after=wait))


def count_login(email: str, device_id: str, device_token: Secret | None) -> LimitKey:
    """Count a sign-in and return the key for `settle`, or raise a `ProblemError`."""
    key = tries.hit_login(email, device_id, device_token)
    if isinstance(key, int):
        raise ProblemError(refuse(TOO_MANY_REQUESTS, retry_after=key))
    return key
