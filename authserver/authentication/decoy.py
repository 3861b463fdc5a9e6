"""Chooses a decoy hash for unknown addresses, so that the time of a refusal does not reveal accounts (ASVS 6.3.8).

Imported users have hashes of other formats and costs until their first sign-in. So an unknown address costs as much as
the hash of some user of this installation, and of the same user each time: where a third of the users have bcrypt, a
third of the unknown addresses take as long. Only with the MAC key can that user be computed.
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
    """Find a stored hash to spend time on for this canonical address; None: spend the time of a hash made today.

    Call it also for addresses that have a hash, so that every address causes the same statements.
    """
    secret = realm.keyring.current.mac_key.secret
    drawn = hmac.digest(secret, _DOMAIN + email.encode(), hashlib.sha256)[:_ID_BYTES]
    return users.find_hash_near(tx, base64url.encode(drawn))
