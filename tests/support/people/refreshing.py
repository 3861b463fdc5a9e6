"""Sign-ins and refreshes through the use cases, below HTTP."""

from datetime import timedelta

from sqlalchemy import select, update

from authserver.authentication.open_session import DeviceClaim, RequestSource
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.clients.presented_client import PresentedClient
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.grants import GRANTS, answer_token_request
from authserver.protocol.dpop_request import WITHOUT_PROOF, DpopRequest
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.storage import Database
from authserver.storage.schema import RefreshTokenFamily
from authserver.tokens.token_answer import TokenAnswer
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, LIFETIMES, PASSWORD

IP = "192.0.2.1"
REST = LIFETIMES.retry_windows.retry_window + timedelta(seconds=10)
"""How long a family rests after a rotation (design §4), unless its client has its own window."""


def open_device(
    realm: Realm,
    device_id: str | None = None,
    *,
    client_id: str = FIRST_PARTY_CLIENT_ID,
    scope: str | None = None,
    dpop: DpopRequest = WITHOUT_PROOF,
) -> TokenAnswer:
    """Sign the test's user in on a device."""
    attempt = SignIn(
        email=EMAIL,
        password=Secret(PASSWORD),
        client_id=client_id,
        scope=scope,
        device=DeviceClaim(device_id, None),
        source=RequestSource(IP, "test"),
        dpop=dpop,
    )
    answer = sign_in(realm, attempt)
    assert isinstance(answer, TokenAnswer), answer
    return answer


def refresh(
    realm: Realm,
    refresh_token: str,
    *,
    client_id: str = FIRST_PARTY_CLIENT_ID,
    scope: str | None = None,
    http: DpopRequest = WITHOUT_PROOF,
) -> TokenAnswer | OAuthError:
    """Present `refresh_token` as a public client does."""
    parameters = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    if scope is not None:
        parameters["scope"] = scope
    answer = answer_token_request(GRANTS, realm, parameters, PresentedClient(client_id), IP, http)
    assert isinstance(answer, TokenAnswer | OAuthError), answer
    return answer


def refreshed(realm: Realm, refresh_token: str) -> TokenAnswer:
    """Present `refresh_token`, which must be accepted."""
    answer = refresh(realm, refresh_token)
    assert isinstance(answer, TokenAnswer), answer
    return answer


def rotated(realm: Realm, clock: ManualClock, refresh_token: str) -> TokenAnswer:
    """Present `refresh_token` after the rest of the last rotation; it must be exchanged for the next one."""
    clock.advance(REST)
    answer = refreshed(realm, refresh_token)
    assert answer.refresh_token != refresh_token
    return answer


def end_rest(database: Database, sid: str | None = None) -> None:
    """End the rest of this session's families, or of all, for tests that cannot move the clock.

    The predecessor of the current generation stays a retry, by the client's window.
    """
    whose = () if sid is None else (RefreshTokenFamily.sid == sid,)
    rests = RefreshTokenFamily.rests_until > RefreshTokenFamily.rotated_at
    with database.write() as tx:
        tx.execute(update(RefreshTokenFamily).where(rests, *whose).values(rests_until=RefreshTokenFamily.rotated_at))


def age(database: Database, by: timedelta) -> None:
    """Make all families older, as if time had passed, for tests that cannot move the clock."""
    moved = ("created_at", "rotated_at", "rests_until", "idle_expires_at", "expires_at")
    with database.write() as tx:
        for family in tx.execute(select(RefreshTokenFamily.__table__)).mappings().all():
            earlier = {name: family[name] and family[name] - by for name in moved}
            its_row = RefreshTokenFamily.family_id == family["family_id"]
            tx.execute(update(RefreshTokenFamily).where(its_row).values(earlier))


def refused(realm: Realm, refresh_token: str) -> OAuthError:
    """Present `refresh_token`, which must be refused."""
    answer = refresh(realm, refresh_token)
    assert isinstance(answer, OAuthError), answer
    return answer
