"""One installation: the values its use cases work with, and the tokens it hands out."""

from authserver.realm.allowance import find_allowance
from authserver.realm.new_family import NewGrant, begin_family, choose_audience
from authserver.realm.pending_request import PendingRequest, begin_pending, read_pending, write_pending
from authserver.realm.proof import EndedMacKey, prove_device_token, prove_link_token, prove_refresh_token
from authserver.realm.realm import Realm, Registration
from authserver.realm.subject import name_subject
from authserver.realm.token_answer import (
    AccessAnswer,
    Narrowing,
    RestingAnswer,
    TokenAnswer,
    issue_access,
    issue_tokens,
)

__all__ = [
    "AccessAnswer",
    "EndedMacKey",
    "Narrowing",
    "NewGrant",
    "PendingRequest",
    "Realm",
    "Registration",
    "RestingAnswer",
    "TokenAnswer",
    "begin_family",
    "begin_pending",
    "choose_audience",
    "find_allowance",
    "issue_access",
    "issue_tokens",
    "name_subject",
    "prove_device_token",
    "prove_link_token",
    "prove_refresh_token",
    "read_pending",
    "write_pending",
]
