"""Reads an ID token of ours that comes back as a hint (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2).

The hint says which user and session a client means. It proves nothing about its presenter, because ID tokens travel in
URLs. So it is enough to name a session, never to act for its user.
"""

from dataclasses import dataclass

from authserver.jose.errors import TokenRejected
from authserver.jose.jws import FindKey, check_signature, parse_compact
from authserver.jose.payload import check_issuer, read_payload, read_text


@dataclass(frozen=True, slots=True)
class IdTokenHint:
    """The subject of an ID token: the user whom the client `aud` knows as `sub`, in the session `sid`."""

    sub: str
    aud: str
    sid: str


def read_id_token_hint(token: object, *, find_key: FindKey, issuer: str) -> IdTokenHint:
    """The user and session that an ID token of `issuer` names, or `TokenRejected`.

    An access token is refused by its type (RFC 8725 §3.11). An audience of other than one client is refused, because we
    issue none. NOT checked: `exp`, because hints are most useful when the token is old (RP-Initiated Logout §2), and
    whether user, client and session still exist.
    """
    jws = parse_compact(token)
    kind = jws.header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() != "jwt":
        raise TokenRejected("wrong_type", "typ is not JWT")
    check_signature(jws, find_key)
    payload = read_payload(jws)
    check_issuer(payload, issuer)
    return IdTokenHint(read_text(payload, "sub"), read_text(payload, "aud"), read_text(payload, "sid"))
