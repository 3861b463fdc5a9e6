"""Finds the owner of a refresh token, without using the token."""

from authserver.protocol.refresh_token import RefreshToken
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.family import GrantedAccess
from authserver.storage import families
from authserver.tokens.proof import prove_refresh_token


def find_access_behind(realm: Realm, refresh_token: Secret) -> GrantedAccess | None:
    """Find what was granted to the token's family. The token may be of any generation, and its family may have ended.

    None if the token is not ours, or its family was removed.
    """
    proof = prove_refresh_token(realm, refresh_token.reveal())
    if not isinstance(proof, RefreshToken):
        return None
    with realm.database.read() as tx:
        family = families.find(tx, proof.family_id)
    return None if family is None else family.granted
