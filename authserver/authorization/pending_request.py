"""An authorization request on its way through our pages: sign in, choose an account, allow.

It travels as a text that only we can write, so that nobody can shorten what was asked (`prompt=login`), or bring a
person to our pages with a request of a later day. Nothing of it is stored. It is no secret: whoever has it can begin
the same request anew.
"""

import hashlib
import hmac
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from authserver.clock import is_recent
from authserver.protocol import base64url
from authserver.protocol.entropy import new_id
from authserver.realm.realm import Realm

LIFETIME: Final = timedelta(hours=1)
"""How long a person may take from the application to its answer."""

_DOMAIN: Final = b"authserver authorization request 2\0"
_FIELDS: Final = 5
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """What was asked, and when.

    Attributes:
        began_at: the instant at which the request came; who proved since then to be who he is, did it for this request.
        request_id: names it among all; one request is answered with one code.
        text: its parameters, as they came.
        chosen_sid: the session with which the person said he wants to go on (`prompt=select_account`).
    """

    began_at: datetime
    request_id: str
    text: str
    chosen_sid: str = ""

    def choose(self, sid: str) -> "PendingRequest":
        """The same with the person's choice."""
        return replace(self, chosen_sid=sid)


def begin_pending(realm: Realm, text: str, last_proof: datetime | None = None) -> PendingRequest:
    """A request that comes now, with these parameters.

    It begins after `last_proof`, the one that the browser brings, also where that was made by a clock that is a little
    ahead. One that lies far ahead counts for nothing anyway.
    """
    now = realm.clock.now()
    began_at = now
    if last_proof is not None and _has_been(last_proof, now):
        began_at = max(now, last_proof + _MICROSECOND)
    return PendingRequest(began_at, new_id(realm.entropy), text)


def write_pending(realm: Realm, pending: PendingRequest) -> str:
    """The text that `read_pending` understands."""
    mac_key = realm.keyring.current.mac_key
    began_at = str((pending.began_at - _EPOCH) // _MICROSECOND)
    text = base64url.encode(pending.text.encode())
    said = f"{mac_key.kid}.{began_at}.{pending.request_id}.{pending.chosen_sid}.{text}"
    return f"{said}.{base64url.encode(_tag(mac_key.secret, said))}"


def read_pending(realm: Realm, token: str) -> PendingRequest | None:
    """The request, or None: not ours, changed on the way, or older than `LIFETIME`."""
    said, _, tag = token.rpartition(".")
    fields = said.split(".")
    if len(fields) != _FIELDS:
        return None
    kid, began_at, request_id, chosen_sid, text = fields
    mac_key = realm.keyring.find_mac_key(kid)
    try:
        proven = mac_key is not None and hmac.compare_digest(base64url.decode(tag), _tag(mac_key.secret, said))
    except ValueError:
        return None
    if not proven:
        return None
    began = _EPOCH + int(began_at) * _MICROSECOND
    if realm.clock.now() - began >= LIFETIME or not _has_been(began, realm.clock.now()):
        return None
    return PendingRequest(began, request_id, base64url.decode(text).decode(), chosen_sid)


def _has_been(at: datetime, now: datetime) -> bool:
    return is_recent(at.timestamp(), now.timestamp(), math.inf)


def _tag(secret: bytes, said: str) -> bytes:
    return hmac.digest(secret, _DOMAIN + said.encode("utf-8", "surrogatepass"), hashlib.sha256)
