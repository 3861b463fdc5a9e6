"""The hash to work on for an address that has none: a refusal's time must not tell who has an account (ASVS 6.3.8).

Users who were imported have hashes of other formats and costs until their first sign-in. So an address that nobody has
costs what the hash of a user of this installation costs, the same user's each time: where a third of the users have
bcrypt, a third of all other addresses take as long. Which user that is, only the holder of a MAC key can tell.
"""

import hashlib
import hmac
from typing import Final

from authserver.protocol import base64url
from authserver.realm import Realm
from authserver.storage import Transaction, users

_DOMAIN: Final = b"authserver decoy\x00"
_ID_BYTES: Final = 16


def find_decoy(tx: Transaction, realm: Realm, email: str) -> str | None:
    """A stored hash to spend time on for this canonical address; None for that of a hash made today.

    It is asked for also where the address has a hash: the same statements for everybody.
    """
    secret = realm.keyring.current.mac_key.secret
    drawn = hmac.digest(secret, _DOMAIN + email.encode(), hashlib.sha256)[:_ID_BYTES]
    return users.find_hash_near(tx, base64url.encode(drawn))
