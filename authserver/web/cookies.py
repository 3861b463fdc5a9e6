"""Every cookie that a browser is given: names, flags and lifetimes (ASVS 3.3.1 to 3.3.4).

Where the issuer is https, names begin with `__Host-`: browsers take such a cookie from this host alone, over TLS, for
all its paths, so that no neighbour can plant one. An issuer with a path shares its host with others, and must not
overwrite their cookies: there a cookie is for this path, which `__Host-` does not allow, so the prefix is `__Secure-`.
On a loopback http issuer, which no network sees, neither prefix nor `Secure` is possible in every browser.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Literal
from urllib.parse import quote, urlsplit

from werkzeug import Request, Response

from authserver.authentication.known_device import KNOWN_DEVICE_LIFETIME
from authserver.authorization.pending_request import LIFETIME
from authserver.protocol.secret import Secret

_LONGEST_VALUE = 512


class Cookie(Enum):
    """What browsers keep for us; the value is the name without the prefix."""

    SESSION = "authserver"
    """The browser session: a random value, whose digest is stored. Goes when the browser closes."""

    DEVICE = "authserver-device"
    """The id of this browser as a device, so that signing in again is the same device."""

    KNOWN = "authserver-known"
    """The token with which this browser is a known device of who proved here last to be a certain user."""

    FORM = "authserver-form"
    """The random value that the hidden field of each form proves to have seen (see `pages.csrf`)."""

    @property
    def lifetime(self) -> timedelta | None:
        """For how long browsers keep it; None: until they close."""
        return {Cookie.DEVICE: timedelta(days=365), Cookie.KNOWN: KNOWN_DEVICE_LIFETIME}.get(self)

    @property
    def same_site(self) -> Literal["Lax", "Strict"]:
        """Lax: a link from an application to `/oauth/authorize` has to bring the session along."""
        return "Lax"


@dataclass(frozen=True, slots=True)
class RefreshCookie:
    """The refresh token of a first-party client that asked for it (contract §3).

    One name for each client, so that two applications of one site do not sign each other out. Strict: no link and no
    page of another site has to bring it along. `lifetime` is that of the token; what only reads needs none.
    """

    client_id: str
    lifetime: timedelta | None = None

    @property
    def value(self) -> str:
        """The name without the prefix; only characters that a cookie's name may have (RFC 6265 §4.1.1)."""
        return f"authserver-refresh-{quote(self.client_id, safe='')}"

    @property
    def same_site(self) -> Literal["Lax", "Strict"]:
        """Strict."""
        return "Strict"


@dataclass(frozen=True, slots=True)
class RequestCookie:
    """What this browser keeps of one request that began in it (see `authorization.pending_request`).

    One name for each request, so that those of several tabs do not overwrite each other. Lax: a link to our pages from
    another site has to bring it along.
    """

    request_id: str

    @property
    def value(self) -> str:
        """The name without the prefix; ids are of characters that a cookie's name may have."""
        return f"authserver-request-{self.request_id}"

    @property
    def lifetime(self) -> timedelta:
        """For as long as the request may take."""
        return LIFETIME

    @property
    def same_site(self) -> Literal["Lax", "Strict"]:
        """Lax."""
        return "Lax"


AnyCookie = Cookie | RefreshCookie | RequestCookie


@dataclass(frozen=True, slots=True)
class CookieJar:
    """Gives cookies to browsers and takes them back.

    Attributes:
        https: whether that is the scheme of the issuer, whatever a proxy said.
        path: that of the issuer, without a slash at its end; empty where it has none.
    """

    https: bool
    path: str = ""

    @classmethod
    def of_issuer(cls, issuer: str) -> "CookieJar":
        """Those of the installation with this URL."""
        parts = urlsplit(issuer)
        return cls(https=parts.scheme == "https", path=parts.path.rstrip("/"))

    def name(self, cookie: AnyCookie) -> str:
        """The name as it travels."""
        if not self.https:
            return cookie.value
        return f"__Secure-{cookie.value}" if self.path else f"__Host-{cookie.value}"

    def read(self, request: Request, cookie: AnyCookie) -> Secret | None:
        """What the browser brings, unless it is empty or longer than anything we ever gave."""
        value = request.cookies.get(self.name(cookie), "")
        return Secret(value) if 0 < len(value) <= _LONGEST_VALUE else None

    def list_requests(self, request: Request) -> dict[str, Secret]:
        """What the browser brings of requests that began in it, by their ids; of whatever installation it has them."""
        prefix = self.name(RequestCookie(""))
        found = {name.removeprefix(prefix) for name in request.cookies if name.startswith(prefix)}
        kept = {request_id: self.read(request, RequestCookie(request_id)) for request_id in found}
        return {request_id: value for request_id, value in kept.items() if value is not None}

    def give(self, response: Response, cookie: AnyCookie, value: Secret) -> None:
        """Have the browser keep `value` and bring it with each request."""
        response.set_cookie(
            self.name(cookie),
            value.reveal(),
            max_age=cookie.lifetime,
            path=self.path or "/",
            secure=self.https,
            httponly=True,
            samesite=cookie.same_site,
        )

    def take_back(self, response: Response, cookie: AnyCookie) -> None:
        """Have the browser forget it."""
        response.delete_cookie(
            self.name(cookie), path=self.path or "/", secure=self.https, httponly=True, samesite=cookie.same_site
        )
