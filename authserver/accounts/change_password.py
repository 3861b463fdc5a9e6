"""A user changes his password: the session that asks goes on under new tokens, the others as the policy says."""

from dataclasses import dataclass

from authserver.accounts.bearer import Bearer
from authserver.accounts.failed_proof import record_failed_change
from authserver.accounts.open_session import PASSWORD, DeviceClaim, Origin, open_session
from authserver.accounts.outcomes import NOT_FOUND, WRONG_PASSWORD, Invalid, Reauthenticate, Refused, TryLater
from authserver.accounts.passwords import hash_new_password, is_unchanged, verify_password
from authserver.accounts.reauthentication import demand_recent
from authserver.credentials.events import PasswordChanged
from authserver.protocol.secret import Secret
from authserver.realm import Realm, TokenAnswer, issue_tokens
from authserver.revocation import Receipt
from authserver.storage import clients, families, sessions, users
from authserver.storage.audit import Actor
from authserver.storage.users import User


@dataclass(frozen=True, slots=True)
class PasswordWasChanged:
    """The tokens with which the current session goes on, and what ended."""

    tokens: TokenAnswer
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class PasswordWish:
    """What the user typed. `logout_devices` False asks to spare the other devices, if the policy lets him."""

    current: Secret
    new: Secret
    logout_devices: bool


def change_password(
    realm: Realm, bearer: Bearer, wish: PasswordWish, origin: Origin
) -> PasswordWasChanged | Refused | Invalid | TryLater | Reauthenticate:
    """Change the password of the user who asks, and renew his session. A new password that is refused ends nothing."""
    stale = demand_recent(realm, bearer)
    if stale is not None:
        return stale
    outcome = _verify_and_change(realm, bearer, wish, origin)
    if isinstance(outcome, Refused | Invalid):
        record_failed_change(realm, bearer, outcome, ip=origin.ip)
    return outcome


def _verify_and_change(
    realm: Realm, bearer: Bearer, wish: PasswordWish, origin: Origin
) -> PasswordWasChanged | Refused | Invalid | TryLater:
    with realm.database.read() as tx:
        credentials = users.find_credentials_by_id(tx, bearer.user_id)
    if credentials is None:
        return Refused(NOT_FOUND, "There is no such user.")
    verified = verify_password(realm, credentials, wish.current)
    if isinstance(verified, TryLater):
        return verified
    if not verified:
        return Refused(WRONG_PASSWORD, "The current password is wrong.")
    user = credentials.user
    hashed = hash_new_password(realm, wish.new, email=user.email, name=user.name, field="new_password")
    if not isinstance(hashed, str):
        return hashed
    return _change(realm, bearer, hashed, user, wish, origin)


def _change(
    realm: Realm, bearer: Bearer, hashed: str, verified: User, wish: PasswordWish, origin: Origin
) -> PasswordWasChanged | Refused:
    now = realm.clock.now()
    # Before the transaction: a pool full of changes that each ask for a second connection would wait for itself.
    client = realm.clients.find(bearer.claims.client_id)
    with realm.database.write() as tx:
        unchanged = is_unchanged(tx, verified)
        grant = families.find_grant(tx, bearer.claims.fam or "")
        device = sessions.find_live(tx, bearer.user_id, bearer.sid)
        if not unchanged or grant is None or device is None:
            return Refused(WRONG_PASSWORD, "The password was changed meanwhile.")
        family_version = clients.find_family_version(tx, grant.client_id)
        if client is None or family_version is None:
            return Refused(NOT_FOUND, "There is no such client.")
        receipt = realm.revocation.apply(
            tx,
            PasswordChanged(bearer.user_id, hashed),
            by=Actor(bearer.user_id, origin.ip),
            now=now,
            current=bearer.sid,
            logout_devices=wish.logout_devices,
        )
        holding = open_session(
            tx,
            realm,
            user=users.load(tx, bearer.user_id),
            client=client,
            client_family_version=family_version,
            scope=grant.scope,
            authentication=PASSWORD,
            device=DeviceClaim(device.device_id, device.device_name),
            origin=origin,
            now=now,
        )
    return PasswordWasChanged(issue_tokens(realm, holding, now=now), receipt)
