"""Whose a refresh token is, without using it."""

from authserver.protocol.refresh_token import RefreshToken
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.family import GrantedAccess
from authserver.storage import families
from authserver.tokens.proof import prove_refresh_token


def find_access_behind(realm: Realm, refresh_token: Secret) -> GrantedAccess | None:
    """What the family of the token was granted, of any generation, ended or not; None for what is no token of ours."""
    proof = prove_refresh_token(realm, refresh_token.reveal())
    if not isinstance(proof, RefreshToken):
        return None
    with realm.database.read() as tx:
        family = families.find(tx, proof.family_id)
    return None if family is None else family.granted
