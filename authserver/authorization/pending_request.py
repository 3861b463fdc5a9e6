"""A request on its way through our pages (sign in, choose an account, consent), bound to the browser that began it.

It consists of two parts. Both have a MAC, so only this server can write them, and neither is stored here.

* The *token*, in URLs and forms, holds the parameters of the request, so that nobody can remove one, such as
  `prompt=login`. It is not secret and grants nothing: an attacker can make one in their own browser and mail it.
* The *binding*, in a cookie of the browser that began the request, holds what was done there for this request: in which
  session the person authenticated, and which account they chose. A request continues only with both parts. So neither a
  sign-in for another request nor a link made by somebody else satisfies `prompt=login`.
"""

import hashlib
import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

from authserver.clock import is_recent
from authserver.protocol import base64url
from authserver.protocol.entropy import new_id
from authserver.protocol.secret import Secret
from authserver.realm import Realm

LIFETIME: Final = timedelta(hours=1)
"""The longest time from a request to its answer."""

PROVED: Final = "proved"
"""The act of a person who authenticated for a request."""

CHOSE: Final = "chose"
"""The act of a person who chose, for a request, to continue with the account that was already signed in."""

_TOKEN_DOMAIN: Final = b"authserver pending request 3\0"
_BINDING_DOMAIN: Final = b"authserver request of a browser 1\0"
_TOKEN_FIELDS: Final = 6
_BINDING_FIELDS: Final = 2
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request, and the acts done for it in the browser that began it.

    Attributes:
        began_at: when the request arrived.
        request_id: the unique id of the request; one id is answered with one code.
        text: the parameters of the request, as received.
        purpose: the kind of request: the name of its `Purpose`.
        asked_sid: in a form, the session of the user to whom its question was shown; otherwise empty.
        is_anew: whether it replaces a request whose cookie was missing.
        done: the acts done for the request, each with its session; from the binding, not from the token.
    """

    began_at: datetime
    request_id: str
    text: str
    purpose: str
    asked_sid: str = ""
    is_anew: bool = False
    done: Mapping[str, str] = field(default_factory=dict)

    def ask(self, sid: str) -> "PendingRequest":
        """Return this request for a form that is shown to the user of the session `sid`."""
        return replace(self, asked_sid=sid)

    def mark(self, act: str, sid: str) -> "PendingRequest":
        """Return this request after `act` was done for it in the session `sid`."""
        return replace(self, done={**self.done, act: sid})

    def has_done(self, act: str, sid: str) -> bool:
        """Whether `act` was done for this request in the session `sid`."""
        return self.done.get(act) == sid


def begin_pending(realm: Realm, text: str, purpose: str, *, is_anew: bool = False) -> PendingRequest:
    """Create a request that arrives now with the parameters `text`, with no act done."""
    return PendingRequest(realm.clock.now(), new_id(realm.entropy), text, purpose, is_anew=is_anew)


def write_pending(realm: Realm, pending: PendingRequest) -> str:
    """Write the token of a request, for `read_pending`."""
    text = base64url.encode(pending.text.encode())
    anew = "1" if pending.is_anew else ""
    return _seal(
        realm,
        _TOKEN_DOMAIN,
        pending.purpose,
        _write_instant(pending.began_at),
        pending.request_id,
        pending.asked_sid,
        anew,
        text,
    )


def read_pending(realm: Realm, token: str) -> PendingRequest | None:
    """Read the token of a request, without the acts done for it; None if it is not ours, altered or expired."""
    fields = _open(realm, _TOKEN_DOMAIN, token, _TOKEN_FIELDS)
    if fields is None:
        return None
    purpose, began_at, request_id, asked_sid, anew, text = fields
    began = _read_instant(began_at)
    if not _is_alive(realm, began):
        return None
    return PendingRequest(began, request_id, base64url.decode(text).decode(), purpose, asked_sid, anew == "1")


def write_binding(realm: Realm, pending: PendingRequest) -> Secret:
    """Write the binding, for a cookie: the proof that the request began in this browser, and the acts done for it."""
    done = base64url.encode(urlencode(pending.done).encode())
    return Secret(_seal(realm, _name_browser(pending.request_id), _write_instant(pending.began_at), done))


def read_binding(realm: Realm, pending: PendingRequest, kept: Secret | None) -> PendingRequest | None:
    """Add to the request the acts in the cookie `kept`; None if that is no valid binding of it for this browser."""
    found = None if kept is None else _open_binding(realm, pending.request_id, kept)
    return None if found is None else replace(pending, done=found[1])


def find_beginning(realm: Realm, request_id: str, kept: Secret) -> datetime | None:
    """Return when the request with the binding `kept` began; None if the binding is not ours or has expired."""
    found = _open_binding(realm, request_id, kept)
    return None if found is None else found[0]


def _open_binding(realm: Realm, request_id: str, kept: Secret) -> tuple[datetime, dict[str, str]] | None:
    fields = _open(realm, _name_browser(request_id), kept.reveal(), _BINDING_FIELDS)
    if fields is None or not _is_alive(realm, _read_instant(fields[0])):
        return None
    return _read_instant(fields[0]), dict(parse_qsl(base64url.decode(fields[1]).decode()))


def _name_browser(request_id: str) -> bytes:
    return _BINDING_DOMAIN + request_id.encode("utf-8", "surrogatepass") + b"\0"


def _seal(realm: Realm, domain: bytes, *fields: str) -> str:
    mac_key = realm.keyring.current.mac_key
    said = ".".join((mac_key.kid, *fields))
    return f"{said}.{base64url.encode(_tag(mac_key.secret, domain, said))}"


def _open(realm: Realm, domain: bytes, sealed: str, count: int) -> list[str] | None:
    said, _, tag = sealed.rpartition(".")
    kid, *fields = said.split(".")
    mac_key = realm.keyring.find_mac_key(kid)
    if mac_key is None or len(fields) != count:
        return None
    try:
        proven = hmac.compare_digest(base64url.decode(tag), _tag(mac_key.secret, domain, said))
    except ValueError:
        return None
    return fields if proven else None


def _tag(secret: bytes, domain: bytes, said: str) -> bytes:
    return hmac.digest(secret, domain + said.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _write_instant(at: datetime) -> str:
    return str((at - _EPOCH) // _MICROSECOND)


def _read_instant(text: str) -> datetime:
    return _EPOCH + int(text) * _MICROSECOND


def _is_alive(realm: Realm, began_at: datetime) -> bool:
    now = realm.clock.now()
    return now - began_at < LIFETIME and is_recent(began_at.timestamp(), now.timestamp(), math.inf)
