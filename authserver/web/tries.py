"""Counting tries at the doors. A try counts before anything is verified (see `limits`)."""

import structlog
from flask import request

from authserver.web.context import current_limits
from authserver.web.limits import LimitKey, address_key

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
