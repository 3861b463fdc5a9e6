"""Logout tokens by hand: a good one, and those that a client must refuse (Back-Channel Logout §2.6)."""

from dataclasses import dataclass, field
from typing import Final

from authserver.protocol.claims import LOGOUT_EVENT
from tests.support.world.tokens import ABSENT, Members, SigningPair, encode, make_pair

_EXPIRED: Final = {"iat": -3600, "exp": -3480}


@dataclass(frozen=True)
class Forgery:
    """What is changed of a good token: claims (`iat` and `exp` as seconds from now), header, or the key that signs."""

    claims: Members = field(default_factory=dict)
    header: Members = field(default_factory=dict)
    by_stranger: bool = False
    text: str | None = None


FORGERIES: Final = {
    "an ID token": Forgery({"events": ABSENT}, {"typ": "JWT"}),
    "an access token": Forgery({}, {"typ": "at+jwt"}),
    "without a type": Forgery({}, {"typ": ABSENT}),
    "of another issuer": Forgery({"iss": "https://other.example"}),
    "of no issuer": Forgery({"iss": ABSENT}),
    "for another client": Forgery({"aud": "another client"}),
    "for nobody": Forgery({"aud": ABSENT}),
    "expired": Forgery({**_EXPIRED}),
    "without an end": Forgery({"exp": ABSENT}),
    "of no time": Forgery({"iat": ABSENT}),
    "of another event": Forgery({"events": {"http://schemas.openid.net/event/other": {}}}),
    "of no event": Forgery({"events": ABSENT}),
    "with events that are a list": Forgery({"events": [LOGOUT_EVENT]}),
    "with events that are a text": Forgery({"events": LOGOUT_EVENT}),
    "with a nonce": Forgery({"nonce": "n"}),
    "about nobody": Forgery({"sub": ABSENT, "sid": ABSENT}),
    "signed by a stranger": Forgery(by_stranger=True),
    "signed by an unknown key": Forgery({}, {"kid": "unknown"}),
    "not signed": Forgery({}, {"alg": "none"}),
    "signed with a public key": Forgery({}, {"alg": "HS256"}),
    "no token": Forgery(text="a.b.c"),
    "nothing": Forgery(text=""),
}
"""What each is → how it is made."""


def make_logout_token(
    pair: SigningPair, issuer: str, client_id: str, now: float, forgery: Forgery | None = None
) -> str:
    """A logout token about the session `sid-1` of `user-1`: a good one, or a `forgery`."""
    forgery = forgery or Forgery()
    if forgery.text is not None:
        return forgery.text
    times = {"iat": 0, "exp": 120}
    claims: Members = {
        "iss": issuer,
        "sub": "user-1",
        "aud": client_id,
        "jti": "token-1",
        "sid": "sid-1",
        "events": {LOGOUT_EVENT: {}},
        **times,
        **forgery.claims,
    }
    claims |= {name: int(now) + value for name in times if isinstance(value := claims[name], int)}
    header: Members = {"alg": pair.algorithm.name, "kid": pair.kid, "typ": "logout+jwt", **forgery.header}
    signer = make_pair(pair.kid, pair.algorithm.name) if forgery.by_stranger else pair
    return signer.sign(encode(header), encode(claims))
