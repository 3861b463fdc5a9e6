"""The source of a request, in a form that can be stored and shown."""

from flask import request

from authserver.authentication.open_session import RequestSource

_LONGEST_USER_AGENT = 300


def read_source() -> RequestSource:
    """Read the client's address, which `TrustedProxies` has set, and the printable start of its `User-Agent`."""
    printable = "".join(filter(str.isprintable, request.user_agent.string))
    return RequestSource(ip=request.remote_addr or "", user_agent=printable[:_LONGEST_USER_AGENT])
