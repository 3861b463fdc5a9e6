"""`grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4): a device asks whether it may go on.

Each poll is answered by the row as it is now. An approved authorization is exchanged once, for a session of the
device's own. A device whose answer was lost begins again: nothing is given twice for one approval.
"""

from datetime import datetime
from typing import assert_never

from authserver.authentication.open_session import Authentication, DeviceClaim, Opening, RequestSource, open_session
from authserver.authentication.prove_password import SignInRecord, record_sign_in
from authserver.grants.base import TokenRequest
from authserver.protocol.authorization_code import digest_code
from authserver.protocol.device_code import DEVICE_GRANT, SLOWER_BY
from authserver.protocol.oauth_error import OAuthError, invalid_request
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.records.device_authorization import Approved, Denied, DeviceAuthorization, Exchanged, Undecided
from authserver.records.user import Standing, User
from authserver.sessions.device import DEVICE_NAME_LENGTH
from authserver.sessions.scope import OFFLINE_SCOPE, find_loss
from authserver.storage import Transaction, clients, device_authorizations, users
from authserver.tokens.allowance import find_allowance
from authserver.tokens.new_family import AccessToGrant
from authserver.tokens.token_answer import AccessAnswer, Holding, issue_access, issue_tokens


class DeviceCodeGrant:
    """Exchanges an approved device code for the tokens of a new session."""

    grant_type = DEVICE_GRANT

    def exchange(self, request: TokenRequest, realm: Realm) -> AccessAnswer | OAuthError:
        """See `GrantHandler.exchange`."""
        device_code = request.parameters.get("device_code")
        if device_code is None:
            return invalid_request("device_code is missing.")
        with realm.database.read() as tx:
            device = device_authorizations.find(tx, digest_code(device_code))
        if device is None or device.client_id != request.client.client_id:
            return _refuse("unknown code, or of another client")
        used = request.use_proof(realm)
        if used is not None:
            return used
        now = realm.clock.now()
        offline = request.client.offline_access or OFFLINE_SCOPE in {*device.scope.split()} & {*request.client.scope}
        with realm.database.write() as tx:
            holding = _poll(tx, realm, device, request, now, offline=offline)
        if isinstance(holding, OAuthError):
            return holding
        issue = issue_tokens if offline else issue_access
        return issue(realm, holding, request.client, now=now, jkt=request.jkt)


def _poll(
    tx: Transaction, realm: Realm, seen: DeviceAuthorization, request: TokenRequest, now: datetime, *, offline: bool
) -> Holding | OAuthError:
    """Answer as the row says now. Of any number of polls at once, one gets the session."""
    user = None if seen.claimed_by is None else users.lock(tx, seen.claimed_by)
    device = device_authorizations.find_for_update(tx, seen.code_digest)
    if device is None:
        return _refuse("pruned meanwhile")
    refusal = _find_refusal(device, request.client, now)
    if refusal is not None:
        return refusal
    if user is None or not isinstance(device.decided, Approved):
        # One that was approved since it was seen waits for the next poll, which takes the user's row before this one.
        return _wait(tx, device, now)
    return _open(tx, realm, device, device.decided, user, request, now, offline=offline)


def _find_refusal(device: DeviceAuthorization, client: Client, now: datetime) -> OAuthError | None:
    """Why the device need not ask again."""
    match device.decided:
        case Exchanged():
            return _refuse("exchanged before")
        case Denied():
            return OAuthError("access_denied", "The user did not allow it.", "denied")
        case Undecided() | Approved() if now >= device.expires_at:
            return OAuthError("expired_token", "The device code has expired.", "expired, or ended by an event")
        case Undecided() | Approved() if client.family_version != device.client_family_version:
            return _refuse("the client was disabled since")
        case Undecided() | Approved():
            return None
        case _:
            assert_never(device.decided)


def _wait(tx: Transaction, device: DeviceAuthorization, now: datetime) -> OAuthError:
    """The person has not decided. A device that asks too often waits longer from now on (RFC 8628 §3.5)."""
    if device.is_early(now):
        device_authorizations.note_poll(tx, device.code_digest, now, device.interval + SLOWER_BY)
        return OAuthError("slow_down", "Wait 5 seconds longer between two polls.", "polled too early")
    device_authorizations.note_poll(tx, device.code_digest, now, device.interval)
    return OAuthError("authorization_pending", "The user has not decided yet.", "pending")


def _open(
    tx: Transaction,
    realm: Realm,
    device: DeviceAuthorization,
    approved: Approved,
    user: User,
    request: TokenRequest,
    now: datetime,
    *,
    offline: bool,
) -> Holding | OAuthError:
    """Open the session of the device. Where it asked from first is where the session list says that it is."""
    client = request.client
    if user.standing is not Standing.ACTIVE:
        return _refuse("user locked or disabled")
    if clients.find_family_version(tx, client.client_id) != device.client_family_version:
        return _refuse("the client was disabled")
    if find_loss(device.scope, device.audience, find_allowance(realm, client), user.roles) is not None:
        return _refuse("the client has lost what was allowed")
    source = RequestSource(device.ip, device.user_agent)
    opening = Opening(
        Authentication(approved.amr, approved.acr),
        DeviceClaim(None, client.name[:DEVICE_NAME_LENGTH]),
        source,
        now,
        approved.auth_time,
    )
    granted = AccessToGrant(
        device.scope,
        device.audience,
        approved.auth_time,
        device.client_family_version,
        offline=offline,
        jkt=request.refresh_jkt,
    )
    holding = open_session(tx, realm, user=user, opening=opening, client=client, granted=granted)
    device_authorizations.use(tx, device.code_digest, now)
    record = SignInRecord(user.user_id, holding.granted.sid, approved.amr)
    record_sign_in(tx, realm, record, source, client_id=client.client_id, now=now)
    return holding


def _refuse(reason: str) -> OAuthError:
    return OAuthError("invalid_grant", "The device code is not valid.", reason)
