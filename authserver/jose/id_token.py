"""An ID token of ours that comes back as a hint (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2).

It says which user and session a client speaks of, and proves nothing about who shows it: ID tokens travel in URLs. So
one is enough to name a session, never to act for its user.
"""

from dataclasses import dataclass

from authserver.jose.errors import TokenRejected
from authserver.jose.jws import FindKey, check_signature, parse_compact
from authserver.jose.payload import check_issuer, read_payload, read_text


@dataclass(frozen=True, slots=True)
class IdTokenHint:
    """Whom an ID token was about: `sub` as the client `aud` knows the user, in the session `sid`."""

    sub: str
    aud: str
    sid: str


def read_id_token_hint(token: object, *, find_key: FindKey, issuer: str) -> IdTokenHint:
    """What an ID token that `issuer` signed says, or `TokenRejected`.

    An access token is refused by its type (RFC 8725 §3.11), and so is an audience that is not one client: we issue
    none. NOT checked: `exp`, because a hint is wanted most when the token is old (RP-Initiated Logout §2), and whether
    user, client and session still exist.
    """
    jws = parse_compact(token)
    kind = jws.header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() != "jwt":
        raise TokenRejected("wrong_type", "typ is not JWT")
    check_signature(jws, find_key)
    payload = read_payload(jws)
    check_issuer(payload, issuer)
    return IdTokenHint(read_text(payload, "sub"), read_text(payload, "aud"), read_text(payload, "sid"))
