"""A device asks for its codes (RFC 8628 §3.1). Nobody has allowed anything yet."""

from dataclasses import dataclass, field

from authserver.authentication.open_session import RequestSource
from authserver.authorization.request import resolve_access
from authserver.protocol.authorization_code import digest_code, new_code
from authserver.protocol.device_code import (
    DEVICE_CODE_LIFETIME,
    DEVICE_GRANT,
    POLL_INTERVAL,
    new_user_code,
    show_user_code,
    tag_user_code,
)
from authserver.protocol.oauth_error import OAuthError, unavailable
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.records.device_authorization import DeviceAuthorization
from authserver.sessions.scope import ADMIN_SCOPE
from authserver.storage import Transaction, clients, device_authorizations

_MOST_DRAWS = 5
"""How often a user code is drawn: with a million of them in use, one in 25,000 is taken."""


@dataclass(frozen=True, slots=True)
class DeviceCodes:
    """What the device gets: its own code, and the one that it shows. Durations are in seconds."""

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    expires_in: int
    interval: int


def begin_device(
    realm: Realm, client: Client, scope: tuple[str, ...] | None, resources: tuple[str, ...], source: RequestSource
) -> DeviceCodes | OAuthError:
    """Give codes to a device of an authenticated client.

    A scope that is None asks for all that the client may have by this grant: never for `admin`, which nobody gives to
    a device that they may not have in front of them.
    """
    if DEVICE_GRANT not in client.kind.grant_types:
        return OAuthError("unauthorized_client", "This client may not use this grant type.", client.kind.value)
    asked = tuple(token for token in client.scope if token != ADMIN_SCOPE) if scope is None else scope
    if ADMIN_SCOPE in asked:
        return OAuthError("invalid_scope", "A device never gets this scope.", "admin for a device")
    access = resolve_access(realm, client, asked, resources)
    if isinstance(access, OAuthError):
        return access
    device_code = new_code(realm.entropy)
    with realm.database.write() as tx:
        user_code = _keep(tx, realm, client, access, source, digest_code(device_code))
    if isinstance(user_code, OAuthError):
        return user_code
    lifetime, interval = DEVICE_CODE_LIFETIME.total_seconds(), POLL_INTERVAL.total_seconds()
    return DeviceCodes(device_code, show_user_code(user_code), int(lifetime), int(interval))


def _keep(
    tx: Transaction,
    realm: Realm,
    client: Client,
    access: tuple[tuple[str, ...], tuple[str, ...]],
    source: RequestSource,
    code_digest: bytes,
) -> str | OAuthError:
    """Store what the device asks for; return a user code that no other device shows."""
    family_version = clients.find_family_version(tx, client.client_id)
    if family_version is None:
        return OAuthError("unauthorized_client", "This client is disabled.", "disabled meanwhile")
    (scope, audience), now = access, realm.clock.now()
    device = DeviceAuthorization(
        code_digest=code_digest,
        client_id=client.client_id,
        client_family_version=family_version,
        scope=" ".join(scope),
        audience=audience,
        ip=source.ip,
        user_agent=source.user_agent,
        created_at=now,
        expires_at=now + DEVICE_CODE_LIFETIME,
        interval=POLL_INTERVAL,
    )
    for _ in range(_MOST_DRAWS):
        user_code = new_user_code(realm.entropy)
        if device_authorizations.add(tx, device, tag_user_code(realm.keyring.current.mac_key.secret, user_code)):
            return user_code
    return unavailable("no user code is free")
