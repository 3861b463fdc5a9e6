"""A request on its way through our pages: sign in, choose an account, allow. And the browser in which it began.

It travels in two parts, both of which only we can write; nothing of them is stored.

* The *token*, in addresses and forms, holds what was asked, so that nobody can shorten it (`prompt=login`). It is no
  secret and grants nothing: an attacker can make one at their own browser and mail it.
* The *binding*, in a cookie of the browser in which the request began, holds what was done there for this request: in
  which session the person proved who they are, and which account they chose. A request continues only with both. So
  neither a sign-in for something else nor a link that somebody else made satisfies `prompt=login`.
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
"""How long a person may take from the application to its answer."""

PROVED: Final = "proved"
"""Done for a request: the person proved who they are."""

CHOSE: Final = "chose"
"""Done for a request: the person chose to go on with the account that was signed in already."""

_TOKEN_DOMAIN: Final = b"authserver pending request 3\0"
_BINDING_DOMAIN: Final = b"authserver request of a browser 1\0"
_TOKEN_FIELDS: Final = 6
_BINDING_FIELDS: Final = 2
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """What was asked, when, and what was done for it.

    Attributes:
        began_at: the instant at which the request came.
        request_id: names it among all; one request is answered with one code.
        text: its parameters, as they came.
        purpose: the kind of request, by the name of its `Purpose`.
        asked_sid: the session whose user was shown the question that a form answers.
        is_anew: it took the place of a request whose cookie was missing.
        done: each act that was done for it, and in which session; from the binding, not from the token.
    """

    began_at: datetime
    request_id: str
    text: str
    purpose: str
    asked_sid: str = ""
    is_anew: bool = False
    done: Mapping[str, str] = field(default_factory=dict)

    def ask(self, sid: str) -> "PendingRequest":
        """This request as the form carries it that is shown to the user of this session."""
        return replace(self, asked_sid=sid)

    def mark(self, act: str, sid: str) -> "PendingRequest":
        """This request after `act` was done for it in this session."""
        return replace(self, done={**self.done, act: sid})

    def has_done(self, act: str, sid: str) -> bool:
        """Whether `act` was done for this very request, in this session."""
        return self.done.get(act) == sid


def begin_pending(realm: Realm, text: str, purpose: str, *, is_anew: bool = False) -> PendingRequest:
    """A request that comes now, with these parameters, and for which nothing is done."""
    return PendingRequest(realm.clock.now(), new_id(realm.entropy), text, purpose, is_anew=is_anew)


def write_pending(realm: Realm, pending: PendingRequest) -> str:
    """The token that `read_pending` understands."""
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
    """The request, with nothing done; or None: not ours, changed on the way, or older than `LIFETIME`."""
    fields = _open(realm, _TOKEN_DOMAIN, token, _TOKEN_FIELDS)
    if fields is None:
        return None
    purpose, began_at, request_id, asked_sid, anew, text = fields
    began = _read_instant(began_at)
    if not _is_alive(realm, began):
        return None
    return PendingRequest(began, request_id, base64url.decode(text).decode(), purpose, asked_sid, anew == "1")


def write_binding(realm: Realm, pending: PendingRequest) -> Secret:
    """What the browser in which the request began keeps: its proof of that, and what was done for the request."""
    done = base64url.encode(urlencode(pending.done).encode())
    return Secret(_seal(realm, _name_browser(pending.request_id), _write_instant(pending.began_at), done))


def read_binding(realm: Realm, pending: PendingRequest, kept: Secret | None) -> PendingRequest | None:
    """The request with what was done for it; None when the browser keeps no binding: it began in another one."""
    found = None if kept is None else _open_binding(realm, pending.request_id, kept)
    return None if found is None else replace(pending, done=found[1])


def find_beginning(realm: Realm, request_id: str, kept: Secret) -> datetime | None:
    """When the request with this binding began; None when it has expired, or when the binding is not ours."""
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
