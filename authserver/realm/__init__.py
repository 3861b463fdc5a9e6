"""One installation: the values its use cases work with, and the tokens it hands out."""

from authserver.realm.proof import EndedMacKey, prove_link_token, prove_refresh_token
from authserver.realm.realm import Realm, Registration
from authserver.realm.token_answer import TokenAnswer, issue_tokens

__all__ = [
    "EndedMacKey",
    "Realm",
    "Registration",
    "TokenAnswer",
    "issue_tokens",
    "prove_link_token",
    "prove_refresh_token",
]
