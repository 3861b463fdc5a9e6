"""Test support for resource servers: tokens that their verifier accepts, and revocations that it sees at once.

    kit = TokenKit(audience="https://api.example")
    app = create_app(kit.verifier)                      # in place of the real verifier

    token = kit.token(sub="ada", scope="read")
    kit.revoke_user("ada")                              # 401 from now on; a token made after this passes

No network, no thread, no server; every check is the real one. Never use this in production: the kit signs any token.
"""

import json
from collections.abc import Collection
from typing import Final

from authserver.clock import Clock, SystemClock
from authserver.jose.algorithms import ALGORITHMS, PrivateKey
from authserver.jose.jwk import VerificationKey
from authserver.protocol import base64url
from authserver.protocol.claims import ACCESS_TOKEN_TYPE, AccessTokenClaims
from authserver.protocol.limits import ACCESS_TOKEN_LIFETIME, FEED_MARGIN, LEEWAY, LONGEST_ACCESS_TOKEN_LIFETIME, SECOND
from authserver.protocol.revocation_feed import (
    ClientEntry,
    Entry,
    FamilyEntry,
    FeedPage,
    IssuerEntry,
    KeyEntry,
    SessionEntry,
    TokenEntry,
    UserEntry,
)
from authserver.verifier.feed_state import FeedState
from authserver.verifier.revocations import Revoked
from authserver.verifier.verifier import Verifier

_LIFETIME: Final = ACCESS_TOKEN_LIFETIME // SECOND
_LEEWAY: Final = LEEWAY // SECOND
_WINDOW: Final = (LONGEST_ACCESS_TOKEN_LIFETIME + LEEWAY + FEED_MARGIN) // SECOND
_ALGORITHM: Final = ALGORITHMS[0]


class TokenKit:
    """An issuer in memory. Times are in seconds; `audience` as for `Verifier`, and in every token."""

    def __init__(
        self,
        audience: str | Collection[str] = "https://api.example",
        *,
        issuer: str = "https://auth.example",
        clock: Clock | None = None,
    ) -> None:
        """Make the first key. Pass a `clock` for tests in which time passes."""
        self.issuer = issuer
        self.audience = [audience] if isinstance(audience, str) else list(audience)
        self._clock = clock or SystemClock()
        self._keys = _Keys()
        self._revocations = _Revocations()
        self._signing_key = self._keys.add()
        self._versions: dict[str, int] = {}
        self._locked: set[str] = set()
        self._counter = 0
        self.verifier = Verifier(issuer, audience, revocations=self._revocations, keys=self._keys, clock=self._clock)
        """A verifier that accepts the tokens of `token` and `client_token`."""

    def token(self, sub: str = "user", scope: str = "", *, age: int = 0, **claims: object) -> str:
        """Make a token of the user `sub`, issued `age` seconds ago (it has expired from 330 on), changed by `claims`.

        Its session is `session-of-<sub>` and its family `family-of-<sub>`, unless `claims` say otherwise. None leaves a
        claim out.
        """
        user = {
            "sid": f"session-of-{sub}",
            "fam": f"family-of-{sub}",
            "auth_time": self._now() - age,
            "amr": ["pwd"],
            "acr": "1",
            "token_version": self._versions.get(sub, 1),
        }
        return self._sign({**self._common(sub, "client", scope, age), **user, **claims})

    def client_token(self, client_id: str = "client", scope: str = "", *, age: int = 0, **claims: object) -> str:
        """Make a token of the client itself, as from the client-credentials grant."""
        return self._sign({**self._common(client_id, client_id, scope, age), **claims})

    def bearer(self, token: str) -> dict[str, str]:
        """The header that carries `token`."""
        return {"Authorization": f"Bearer {token}"}

    def revoke_user(self, sub: str, *, soft_logout: bool = False) -> None:
        """Make every token of `sub` up to now stale, as after a password change; later tokens are valid."""
        self._versions[sub] = self._versions.get(sub, 1) + 1
        self._publish_user(sub, soft_logout=soft_logout)

    def lock_user(self, sub: str) -> None:
        """Refuse all tokens of `sub` until `unlock_user`."""
        self._locked.add(sub)
        self._publish_user(sub, soft_logout=True)

    def unlock_user(self, sub: str) -> None:
        """Accept the tokens of `sub` again, after `lock_user`."""
        self._locked.discard(sub)
        self._publish_user(sub, soft_logout=True)

    def revoke_session(self, sid: str, *, soft_logout: bool = False) -> None:
        """End the session `sid`, for good or softly."""
        self._revocations.publish(SessionEntry(sid, soft_logout, self._now()))

    def revoke_family(self, fam: str) -> None:
        """End the refresh token family `fam`, and its access tokens with it."""
        self._revocations.publish(FamilyEntry(fam, self._now()))

    def revoke_token(self, token: str) -> None:
        """Refuse this one token, in any spelling."""
        payload = json.loads(base64url.decode(token.split(".")[1]))
        self._revocations.publish(TokenEntry(payload["jti"], self._now()))

    def disable_client(self, client_id: str = "client", *, disabled: bool = True) -> None:
        """Refuse the tokens of `client_id`, or with `disabled=False` accept them again."""
        self._revocations.publish(ClientEntry(client_id, disabled, self._revocations.next_rev(), self._now()))

    def compromise_key(self) -> None:
        """Distrust the key that signed the tokens up to now; later tokens are signed by a new key."""
        self._revocations.publish(KeyEntry(self._signing_key[0], self._now()))
        self._signing_key = self._keys.add()

    def refuse_issued_before(self, instant: int) -> None:
        """Refuse all tokens issued before `instant`, as after a restored backup."""
        self._revocations.publish(IssuerEntry(instant, self._now()))

    def lose_feed(self) -> None:
        """Make the feed unreachable for too long: every token is refused as `revocations_unavailable`."""
        self._revocations.is_away = True

    def find_feed(self) -> None:
        """Make the feed reachable again, after `lose_feed`."""
        self._revocations.is_away = False

    def _now(self) -> int:
        return int(self._clock.seconds())

    def _common(self, sub: str, client_id: str, scope: str, age: int) -> dict[str, object]:
        self._counter += 1
        issued_at = self._now() - age
        return {
            "iss": self.issuer,
            "sub": sub,
            "aud": self.audience,
            "exp": issued_at + _LIFETIME,
            "iat": issued_at,
            "jti": f"token-{self._counter}",
            "client_id": client_id,
            "scope": scope,
        }

    def _sign(self, claims: dict[str, object]) -> str:
        kid, private_key = self._signing_key
        header = {"alg": _ALGORITHM.name, "typ": ACCESS_TOKEN_TYPE, "kid": kid}
        payload = {name: value for name, value in claims.items() if value is not None}
        signing_input = ".".join(base64url.encode(json.dumps(part).encode()) for part in (header, payload))
        return f"{signing_input}.{base64url.encode(_ALGORITHM.sign(private_key, signing_input.encode()))}"

    def _publish_user(self, sub: str, *, soft_logout: bool) -> None:
        version, rev = self._versions.get(sub, 1), self._revocations.next_rev()
        self._revocations.publish(UserEntry(sub, version, sub in self._locked, soft_logout, rev, self._now()))


class _Keys:
    def __init__(self) -> None:
        self._keys: dict[str, VerificationKey] = {}

    def add(self) -> tuple[str, PrivateKey]:
        kid, private_key = f"key-{len(self._keys) + 1}", _ALGORITHM.generate()
        self._keys[kid] = VerificationKey(kid, _ALGORITHM, private_key.public_key())
        return kid, private_key

    def find_key(self, kid: str) -> VerificationKey | None:
        return self._keys.get(kid)

    def is_fresh(self, kid: str) -> bool:
        return kid in self._keys


class _Revocations:
    """An implementation of `Revocations` that learns of everything at once."""

    def __init__(self) -> None:
        self._state = FeedState(leeway=_LEEWAY)
        self._rev = 0
        self.lag = 0.0
        self.is_away = False
        self.publish()

    def next_rev(self) -> int:
        self._rev += 1
        return self._rev

    def publish(self, *entries: Entry) -> None:
        self._state.apply(FeedPage("", "", False, _WINDOW, 0, entries), now=0)

    def check(self, claims: AccessTokenClaims, kid: str, token: str) -> Revoked | None:  # noqa: ARG002 - the seam's shape
        return Revoked("revocations_unavailable") if self.is_away else self._state.check(claims, kid)

    def answers_at_once(self) -> bool:
        return True

    def close(self) -> None:
        pass
