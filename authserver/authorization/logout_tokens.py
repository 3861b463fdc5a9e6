"""The kind `logout`: tells a client that a session of its user has ended (OpenID Connect Back-Channel Logout 1.0).

Each attempt signs a new token, because a token is valid for two minutes only (§4); its `jti` stays. An answer decides
only whether the client was told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, final
from urllib.parse import urlencode

from authserver.credentials.events.base import Subject
from authserver.deliveries.outcome import Declined, Deferred, Delivered, Needless, Outcome, Undeliverable, Unready
from authserver.keyring.issuer import issue_logout_token
from authserver.outbound import OutboundError
from authserver.protocol.audit_name import AuditName
from authserver.protocol.claims import LogoutTokenClaims
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.records.delivery import Delivery
from authserver.records.pseudonym import session_identifier, subject_identifier
from authserver.records.queued_logout import LOGOUT, UNREADABLE, QueuedLogout, read_logout
from authserver.storage import Transaction, clients

LIFETIME: Final = timedelta(minutes=2)
"""The lifetime of a logout token, at most two minutes (§4)."""

REFUSED_FOR: Final = timedelta(days=1)
"""How long a token that the client refuses is offered again."""

_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PAUSES: Final = (5 * _SECOND, 15 * _SECOND, _MINUTE, 5 * _MINUTE, 10 * _MINUTE)
"""Pauses between attempts; the last one repeats. A client that returns is told within the last one."""

_CONTENT_TYPE: Final = "application/x-www-form-urlencoded"
_LONGEST_ANSWER: Final = 64 * 1024  # nobody reads it, but some frameworks answer with a page
_TOLD: Final = range(200, 300)
_REFUSED: Final = 400


@final
@dataclass(frozen=True, slots=True)
class LogoutTokens:
    """Logout tokens of one installation. While `doubts_clock` is true, none is dropped because its session is over."""

    name: ClassVar[str] = LOGOUT
    word: ClassVar[str] = "logout"
    given_up: ClassVar[AuditName] = AuditName.LOGOUT_GIVEN_UP
    pauses: ClassVar[Sequence[timedelta]] = PAUSES
    is_persistent: ClassVar[bool] = True
    is_ordered: ClassVar[bool] = True

    realm: Realm
    doubts_clock: Callable[[], bool]

    def attempt(self, delivery: Delivery) -> Outcome:
        """Post a token to the client, unless the client has no address any more or the session would be over anyway."""
        try:
            queued = read_logout(delivery)
        except UNREADABLE:
            return Undeliverable("its payload cannot be read")
        now = self.realm.clock.now()
        if now >= queued.ended.expires_at:
            return Unready("its session is over by a clock that is doubted") if self.doubts_clock() else Needless()
        with self.realm.database.read() as tx:
            client = clients.find(tx, queued.ended.client_id)
        if client is None or client.backchannel_logout_uri is None:
            return Needless()
        return self._post(client, client.backchannel_logout_uri, queued, now)

    def describe(self, delivery: Delivery) -> Mapping[str, str]:
        """Return the client and the id of the token."""
        return {"client_id": delivery.target, "jti": delivery.delivery_id}

    def find_subject(self, tx: Transaction, delivery: Delivery) -> Subject:
        """Find user, session and client; only the client if the payload cannot be read."""
        del tx
        try:
            ended = read_logout(delivery).ended
        except UNREADABLE:
            return Subject(client_id=delivery.target)
        return Subject(ended.user_id, ended.sid, ended.client_id)

    def _post(self, client: Client, uri: str, queued: QueuedLogout, now: datetime) -> Outcome:
        form = urlencode({"logout_token": _write_token(self.realm, client, queued, now)})
        try:
            answer = self.realm.outbound.post(
                uri, content_type=_CONTENT_TYPE, body=form.encode("ascii"), limit=_LONGEST_ANSWER
            )
        except OutboundError as error:
            return Deferred(str(error))
        if answer.status in _TOLD:  # §2.8: 200, and 204 from frameworks that answer so without a body
            return Delivered()
        reason = f"the client answered {answer.status}"
        return _refuse(queued, reason, now) if answer.status == _REFUSED else Deferred(reason)


def _write_token(realm: Realm, client: Client, queued: QueuedLogout, now: datetime) -> str:
    issued_at = int(now.timestamp())
    claims = LogoutTokenClaims(
        iss=realm.issuer,
        sub=subject_identifier(client, queued.ended.user_id),
        aud=client.client_id,
        iat=issued_at,
        exp=issued_at + LIFETIME // _SECOND,
        jti=queued.jti,
        sid=session_identifier(client, queued.ended.sid),
    )
    # The key of the client's ID tokens: the client knows no other algorithm.
    return issue_logout_token(realm.keyring.load_client_key(client.id_token_signed_response_alg), claims)


def _refuse(queued: QueuedLogout, reason: str, now: datetime) -> Declined | Undeliverable:
    """Judge a 400 (§2.8): the token is invalid for the client, which stays so, or its logout failed, which may pass."""
    since = queued.refused_since or now
    if now - since >= REFUSED_FOR:
        return Undeliverable(reason)
    return Declined(reason, replace(queued, refused_since=since).as_delivery().payload)
