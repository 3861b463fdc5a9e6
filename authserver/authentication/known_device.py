"""Known devices: what keeps a flood of wrong passwords from locking the owner out.

A device at which a user proved who they are (signed in, or set a password with a mailed link) is given a token. The
token is a secret that expires, and it dies with the next credential event: the holder of one that works has known the
present password, or has set it. So a device with a token has a budget of tries of its own, and strangers can neither
use it up nor multiply it; a thief who knew an earlier password holds none.

A client that keeps no token, but names a device on which the user has had a session, shares one budget with all such
devices of the account: names can be guessed.
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
"""How long after the last proof a device is known."""

BUDGETS: Final = 32
"""How many budgets the known devices of one account have at most; more devices than that share them."""


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device that showed its token; `budget` says which of the account's its tries are counted in."""

    budget: int


def introduce_device(realm: Realm, user: User) -> Secret:
    """A token for the device at which `user`, as read in the transaction of the proof, has just proved who they are."""
    mac_key = realm.keyring.current.mac_key
    token = DeviceToken(
        expires_at=int((realm.clock.now() + KNOWN_DEVICE_LIFETIME).timestamp()),
        credential_version=user.credential_version,
        user_digest=_digest(user.user_id),
        device=realm.entropy(DEVICE_BYTES),
    )
    return Secret(format_device_token(token, mac_key.kid, mac_key.secret))


def find_known_device(realm: Realm, email: str, token: Secret | None) -> KnownDevice | None:
    """The device that `token` proves, if the user with this address is known to it. Ask before anything is hashed.

    A text that is none of our tokens costs one MAC and no query.
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
    """Whether the user with this address has, or had lately, a session on the device that calls itself so."""
    address = canonicalise_email(email)
    if isinstance(address, InvalidEmail) or not is_device_id(device_id):  # it is a cookie, which can hold anything
        return False
    with realm.database.read() as tx:
        return sessions.exists_on_device(tx, address, device_id)


def _digest(user_id: str) -> bytes:
    return hashlib.sha256(user_id.encode()).digest()[:USER_DIGEST_BYTES]
