"""Where a request came from, fit to be stored and shown."""

from flask import request

from authserver.authentication.open_session import RequestSource

_LONGEST_USER_AGENT = 300


def read_source() -> RequestSource:
    """The client's address (trusted proxies are behind us here) and what its program calls itself."""
    printable = "".join(filter(str.isprintable, request.user_agent.string))
    return RequestSource(ip=request.remote_addr or "", user_agent=printable[:_LONGEST_USER_AGENT])
