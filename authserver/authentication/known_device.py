"""Known devices, so that a flood of wrong passwords cannot lock the owner out.

A device at which a user proved who they are (signed in, or set a password with a mailed link) gets a token. The token
is a secret that expires. It also becomes invalid when an event raises the user's `credential_version`. So the holder of
a valid token has known or set the present password; a thief who knew an earlier one has no valid token. A device with a
token has its own budget of tries, which strangers can neither use up nor multiply.

A client may keep no token, but name a device on which the user has had a session. All such devices of an account share
one budget, because names can be guessed.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.protocol.device_token import DEVICE_BYTES, USER_DIGEST_BYTES, DeviceToken, format_device_token
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.user import User
from authserver.sessions.device import is_device_id
from authserver.storage import sessions, users
from authserver.tokens.proof import prove_device_token

KNOWN_DEVICE_LIFETIME: Final = timedelta(days=90)
"""How long a device is known after the user's last authentication at it."""

BUDGETS: Final = 32
"""The most budgets for the known devices of one account. More devices than that share them."""


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device that showed a valid token. Its tries count in this `budget` of the account, 0 to `BUDGETS` - 1."""

    budget: int


def introduce_device(realm: Realm, user: User) -> Secret:
    """Make a token for the device at which `user` has just authenticated.

    Read `user` in the transaction of the authentication, so that the token has the right credential version.
    """
    mac_key = realm.keyring.current.mac_key
    token = DeviceToken(
        expires_at=int((realm.clock.now() + KNOWN_DEVICE_LIFETIME).timestamp()),
        credential_version=user.credential_version,
        user_digest=_digest(user.user_id),
        device=realm.entropy(DEVICE_BYTES),
    )
    return Secret(format_device_token(token, mac_key.kid, mac_key.secret))


def find_known_device(realm: Realm, email: str, token: Secret | None) -> KnownDevice | None:
    """Find the known device by its `token`; None if the token is invalid or belongs to a user with another address.

    Call it before any password is hashed. A text that is not one of our tokens costs one MAC and no query.
    """
    proven = None if token is None else prove_device_token(realm, token.reveal())
    address = canonicalise_email(email)
    if proven is None or proven.expires_at <= realm.clock.seconds() or isinstance(address, InvalidEmail):
        return None
    with realm.database.read() as tx:
        user = users.find_by_email(tx, address)
    if user is None or proven.credential_version != user.credential_version:
        return None
    return KnownDevice(int.from_bytes(proven.device) % BUDGETS) if proven.user_digest == _digest(user.user_id) else None


def is_named_device(realm: Realm, email: str, device_id: str) -> bool:
    """Whether the user with this address has, or recently had, a session on the device called `device_id`."""
    address = canonicalise_email(email)
    if isinstance(address, InvalidEmail) or not is_device_id(device_id):  # from a cookie, so it may be any text
        return False
    with realm.database.read() as tx:
        return sessions.exists_on_device(tx, address, device_id)


def _digest(user_id: str) -> bytes:
    return hashlib.sha256(user_id.encode()).digest()[:USER_DIGEST_BYTES]
