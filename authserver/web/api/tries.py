"""Counting of tries for the JSON API. A try over the limit raises a `ProblemError` with `too_many_requests`."""

from authserver.web.api.refusals import explain
from authserver.web.limits import tries
from authserver.web.problem import ProblemError


def count_address(purpose: str) -> None:
    """Count one try from the address of the request, or raise a `ProblemError`."""
    over = tries.count_address(purpose)
    if over is not None:
        raise ProblemError(explain(over))
