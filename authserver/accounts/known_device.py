"""Whether somebody signed in on a device before: what keeps a flood of wrong passwords from locking its owner out."""

from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.realm import Realm
from authserver.sessions.device import is_device_id
from authserver.storage import sessions


def is_known_device(realm: Realm, email: str, device_id: str) -> bool:
    """Whether the user with this address has, or had lately, a session on the device."""
    address = canonicalise_email(email)
    if isinstance(address, InvalidEmail) or not is_device_id(device_id):  # it is a cookie, which can hold anything
        return False
    with realm.database.read() as tx:
        return sessions.exists_on_device(tx, address, device_id)
