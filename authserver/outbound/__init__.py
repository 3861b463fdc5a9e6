"""HTTPS calls to addresses that others chose: the keys of a client, a back-channel logout URI, a client's document.

Somebody who can register a URL must not be able to make the server talk to its own network (OWASP: server-side request
forgery). So the name is resolved once, each address that it has must be public, and the connection goes to the address
that was checked. Redirects are not followed, and no proxy is used. Each call is limited in time and in size.

Knows neither clients nor deliveries. Decides nothing by what an answer says.
"""

from authserver.outbound.calls import Outbound, OutboundAnswer, OutboundError
from authserver.outbound.reach import check_url

__all__ = ["Outbound", "OutboundAnswer", "OutboundError", "check_url"]
