"""One installation: the values its use cases work with, and the tokens it hands out."""

from authserver.realm.realm import Realm, Registration
from authserver.realm.token_answer import TokenAnswer, issue_tokens

__all__ = ["Realm", "Registration", "TokenAnswer", "issue_tokens"]
