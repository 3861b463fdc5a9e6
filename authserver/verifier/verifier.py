"""`Verifier`: the checks of design §6 in their order, from a token's text to its claims.

First comes everything that the token itself proves (`jose.access_token`); the result is cached. Then, at every call,
everything that may have changed since: `exp`, the key, and revocations.
"""

from collections.abc import Collection

from authserver.clock import Clock, SystemClock
from authserver.jose.access_token import Expectation, read_access_token
from authserver.jose.errors import TokenRejected
from authserver.protocol.claims import AccessTokenClaims
from authserver.protocol.dpop_request import DpopRequest
from authserver.protocol.limits import LEEWAY, LONGEST_ACCESS_TOKEN_LIFETIME
from authserver.protocol.secret import Secret
from authserver.verifier.cache import VerifiedTokens, digest_token
from authserver.verifier.demands import Demand
from authserver.verifier.fetch import check_url, write_basic
from authserver.verifier.follower import WhenStale, follow_feed
from authserver.verifier.jwks import JwksClient, Keys, KeysUnavailableError
from authserver.verifier.possession import Possession
from authserver.verifier.refusals import InvalidToken
from authserver.verifier.revocations import NoFeed, Revocations

_LONGEST_LEEWAY = LEEWAY.total_seconds()
_LONGEST_LIFETIME = LONGEST_ACCESS_TOKEN_LIFETIME.total_seconds()
_SYSTEM_CLOCK = SystemClock()
_NO_FEED = NoFeed()


class Verifier:
    """Verifies access tokens of one issuer for one resource server. Keep one for the whole process; it is thread-safe.

    Args:
        issuer: exactly as in `iss`, including a slash at its end; https, or http on loopback.
        audience: one or several; `aud` must name one of them.
        client_id, client_secret: of this resource server at the issuer; with them it follows the revocation feed.
        jwks_uri: the URL of the keys, if it is not the issuer's usual one.
        internal_url: the base URL of keys, feed and introspection instead of `issuer`, with the issuer's path, if any.
        allow_http: whether `internal_url` and `jwks_uri` may be http. Everybody on the way can then read the client
            secret and forge keys.
        leeway: seconds, at most 30.
        longest_lifetime: the longest accepted lifetime of a token, in seconds.
        when_stale: how tokens are treated while the feed is unreachable for more than 10 s (see `follower`).
        dpop_nonce_key: demands a nonce of this server in DPoP proofs; see `possession`.
        revocations, keys: other sources than the issuer.
        clock: the source of time.

    Raises:
        ValueError: any other setting.

    NOT checked: without credentials and without `revocations`, whether a token has been revoked. It is then accepted
    until it expires.
    """

    def __init__(  # noqa: PLR0913 - contract §6
        self,
        issuer: str,
        audience: str | Collection[str],
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        jwks_uri: str | None = None,
        internal_url: str | None = None,
        allow_http: bool = False,
        leeway: float = _LONGEST_LEEWAY,
        longest_lifetime: float = _LONGEST_LIFETIME,
        when_stale: WhenStale = "refuse",
        dpop_nonce_key: bytes | None = None,
        revocations: Revocations | None = None,
        keys: Keys | None = None,
        clock: Clock = _SYSTEM_CLOCK,
    ) -> None:
        """Check the settings; nothing is fetched before the first token."""
        self._audiences = frozenset({audience} if isinstance(audience, str) else audience)
        self._expectation = _expect(issuer, self._audiences, leeway, longest_lifetime)
        base_url, jwks_uri = _choose_addresses(issuer, internal_url, jwks_uri, allow_http=allow_http)
        self._keys = keys or JwksClient(jwks_uri, clock=clock)
        self._verified = VerifiedTokens()
        self._possession = Possession(clock, dpop_nonce_key)
        credentials = _read_credentials(client_id, client_secret)
        if credentials is None:
            if when_stale != "refuse":
                raise ValueError("when_stale needs the feed: a client_id and a client_secret")
            self._revocations = revocations or _NO_FEED
        else:
            if revocations is not None:
                raise ValueError("revocations come either from the feed, with a client_id, or from `revocations`")
            self._revocations = follow_feed(
                issuer, base_url, credentials, leeway=leeway, when_stale=when_stale, clock=clock
            )
        self._clock = clock

    @property
    def issuer(self) -> str:
        """The issuer whose tokens are verified."""
        return self._expectation.issuer

    @property
    def audiences(self) -> frozenset[str]:
        """The audiences, of which a token must name one."""
        return self._audiences

    @property
    def lag(self) -> float:
        """The age of the knowledge of revocations in seconds; infinite without a feed, or before its first page.

        Use it for metrics. Above 10 s, by default, every token is refused.
        """
        return self._revocations.lag

    def verify(self, token: str, dpop: DpopRequest | None = None) -> AccessTokenClaims:
        """Verify `token` and return its claims, or raise `InvalidToken`; nothing else is raised, for any object.

        `dpop` is the request, if the token came by the scheme `DPoP`. Then the token must be bound to the key that the
        request proves (RFC 9449 §7.1). A bound token without it is refused, because it may be stolen. Each proof is
        accepted once in this process.

        Does NOT check scope, age or strength of the sign-in (see `require`).
        """
        try:
            claims = self._verify(token)
            self._possession.check(token, claims, dpop)
        except InvalidToken as refusal:
            if dpop is not None:
                refusal.scheme = "DPoP"
            raise
        return claims

    def _verify(self, token: str) -> AccessTokenClaims:
        digest = digest_token(token)
        known = None if digest is None else self._verified.find(token, digest)
        if (
            known is not None
            and self._clock.seconds() < known[0].exp + self._expectation.leeway
            and self._keys.is_fresh(known[1])
        ):
            claims, kid = known  # the usual case
        else:
            claims, kid = self._check_signature(token, digest, known)
        revoked = self._revocations.check(claims, kid, token)
        if revoked is not None:
            raise InvalidToken(revoked.code, "revoked", soft_logout=revoked.soft_logout)
        return claims

    def verify_at_once(self, token: str) -> AccessTokenClaims | None:
        """Verify the bearer token `token` from memory only; None if that would need a signature check or waiting.

        Raises `InvalidToken`, as `verify` does. For event loops, which must not wait: after None, call `verify` in a
        thread.
        """
        digest = digest_token(token)
        known = None if digest is None else self._verified.find(token, digest)
        if known is None or not self._keys.is_fresh(known[1]) or not self._revocations.answers_at_once():
            return None
        return self.verify(token)

    def require(
        self,
        claims: AccessTokenClaims,
        *,
        scope: str | None = None,
        max_age: int | None = None,
        acr: str | None = None,
    ) -> None:
        """Raise `InvalidToken` unless `claims`, returned by `verify`, meet the demand (shapes: `demands.Demand`).

        Does NOT verify again: `claims` from another source prove nothing.
        """
        self.check(Demand(scope, max_age, acr), claims)

    def check(self, demand: Demand, claims: AccessTokenClaims) -> None:
        """Raise `InvalidToken` unless `claims`, returned by `verify`, meet the prepared `demand`."""
        demand.check(claims, now=self._clock.seconds(), leeway=self._expectation.leeway)

    def close(self) -> None:
        """Stop following the feed. The verifier must not be used afterwards."""
        self._revocations.close()

    def _check_signature(
        self, token: str, digest: bytes | None, known: tuple[AccessTokenClaims, str] | None
    ) -> tuple[AccessTokenClaims, str]:
        try:
            return self._find_verified(token, digest, known)
        except TokenRejected as rejected:
            raise InvalidToken(rejected.code, rejected.reason) from None
        except KeysUnavailableError as unavailable:
            raise InvalidToken("keys_unavailable", str(unavailable)) from None

    def _find_verified(
        self, token: str, digest: bytes | None, known: tuple[AccessTokenClaims, str] | None
    ) -> tuple[AccessTokenClaims, str]:
        now = self._clock.seconds()
        if digest is not None and known is not None:
            self._recheck(digest, *known, now)
            return known
        signed = read_access_token(token, self._expectation, find_key=self._keys.find_key, now=now)
        if digest is not None:
            self._verified.remember(token, digest, signed)
        return signed.claims, signed.kid

    def _recheck(self, digest: bytes, claims: AccessTokenClaims, kid: str, now: float) -> None:
        """Check what may have changed since the signature was checked: the time, and the issuer's keys."""
        if now >= claims.exp + self._expectation.leeway:
            self._verified.forget(digest)
            raise TokenRejected("expired", "exp has passed")
        if self._keys.find_key(kid) is None:
            self._verified.forget(digest)
            raise TokenRejected("unknown_key", "the key has been withdrawn")


def _expect(issuer: str, audiences: frozenset[str], leeway: float, longest_lifetime: float) -> Expectation:
    if not audiences or "" in audiences:
        raise ValueError("audience must not be empty")
    if not 0 <= leeway <= _LONGEST_LEEWAY:
        raise ValueError(f"leeway is a number of seconds from 0 to {_LONGEST_LEEWAY:.0f}")
    if not longest_lifetime > 0:  # also refuses NaN
        raise ValueError("longest_lifetime is a number of seconds above 0")
    return Expectation(issuer, audiences, leeway, leeway, longest_lifetime)


def _read_credentials(client_id: str | None, client_secret: str | None) -> Secret | None:
    if client_id is None and client_secret is None:
        return None
    if client_id is None or client_secret is None:
        raise ValueError("client_id and client_secret go together")
    return write_basic(client_id, client_secret)


def _choose_addresses(
    issuer: str, internal_url: str | None, jwks_uri: str | None, *, allow_http: bool
) -> tuple[str, str]:
    """Choose the base URL of feed and introspection, and the URL of the keys."""
    if allow_http and internal_url is None and jwks_uri is None:
        raise ValueError("allow_http is for an internal_url or a jwks_uri; the issuer itself must be https")
    base_url = check_url(issuer)
    if internal_url is not None:
        base_url = check_url(internal_url, allow_http=allow_http)
    if "?" in issuer or "?" in base_url:
        raise ValueError("issuer and internal_url must not have a query")
    jwks_uri = jwks_uri or f"{base_url.rstrip('/')}/.well-known/jwks.json"
    return base_url, check_url(jwks_uri, allow_http=allow_http)
