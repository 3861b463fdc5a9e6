"""All cookies: names, flags and lifetimes (ASVS 3.3.1 to 3.3.4).

With an https issuer, names begin with `__Host-`. Browsers accept such a cookie only from this host, over TLS, for all
paths, so that no other host of the domain can plant one. An issuer with a path shares its host with other applications
and must not overwrite their cookies. So its cookies are limited to its path. `__Host-` does not allow that, and the
prefix is `__Secure-`. A loopback http issuer has neither prefix nor `Secure`, because not every browser allows them
there; its requests cross no network.
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
    """The cookies with fixed names. The value is the name without the prefix."""

    SESSION = "authserver"
    """The browser session: a random value whose digest is stored. Browsers delete it when they close."""

    DEVICE = "authserver-device"
    """The device id of this browser, so that it stays one device at the next sign-in."""

    KNOWN = "authserver-known"
    """The token that makes this browser a known device of the last user who proved their identity in it."""

    FORM = "authserver-form"
    """The random value from which the hidden field of each form is derived (see `pages.csrf`)."""

    @property
    def lifetime(self) -> timedelta | None:
        """How long browsers keep the cookie; None: until they close."""
        return {Cookie.DEVICE: timedelta(days=365), Cookie.KNOWN: KNOWN_DEVICE_LIFETIME}.get(self)

    @property
    def same_site(self) -> Literal["Lax", "Strict"]:
        """Lax, because a link from an application to `/oauth/authorize` must carry the session."""
        return "Lax"


@dataclass(frozen=True, slots=True)
class RefreshCookie:
    """The refresh token of a first-party client that asked for a cookie (contract §3).

    Each client has its own name, so that two applications of one site do not sign each other out. It is Strict, because
    no link and no page of another site needs it. `lifetime` is that of the token; readers may leave it out.
    """

    client_id: str
    lifetime: timedelta | None = None

    @property
    def value(self) -> str:
        """The name without the prefix. Characters that RFC 6265 §4.1.1 forbids are escaped."""
        return f"authserver-refresh-{quote(self.client_id, safe='')}"

    @property
    def same_site(self) -> Literal["Lax", "Strict"]:
        """Always Strict."""
        return "Strict"


@dataclass(frozen=True, slots=True)
class RequestCookie:
    """The state of one request that began in this browser (see `authorization.pending_request`).

    Each request has its own name, so that several tabs do not overwrite each other's cookies. It is Lax, because a link
    from another site to our pages must carry it.
    """

    request_id: str

    @property
    def value(self) -> str:
        """The name without the prefix. Ids contain only characters that are allowed in a cookie's name."""
        return f"authserver-request-{self.request_id}"

    @property
    def lifetime(self) -> timedelta:
        """How long a request may take."""
        return LIFETIME

    @property
    def same_site(self) -> Literal["Lax", "Strict"]:
        """Always Lax."""
        return "Lax"


AnyCookie = Cookie | RefreshCookie | RequestCookie


@dataclass(frozen=True, slots=True)
class CookieJar:
    """Sets, reads and clears cookies.

    Attributes:
        https: whether the issuer's scheme is https. A proxy's word about the scheme is ignored.
        path: the path of the issuer, without a slash at the end; empty if it has none.
    """

    https: bool
    path: str = ""

    @classmethod
    def of_issuer(cls, issuer: str) -> "CookieJar":
        """Make the cookie jar of the installation with this issuer."""
        parts = urlsplit(issuer)
        return cls(https=parts.scheme == "https", path=parts.path.rstrip("/"))

    def name(self, cookie: AnyCookie) -> str:
        """The name with its prefix, as browsers send it."""
        if not self.https:
            return cookie.value
        return f"__Secure-{cookie.value}" if self.path else f"__Host-{cookie.value}"

    def read(self, request: Request, cookie: AnyCookie) -> Secret | None:
        """Read the value that the browser sent; None if it is empty or longer than any value that we set."""
        value = request.cookies.get(self.name(cookie), "")
        return Secret(value) if 0 < len(value) <= _LONGEST_VALUE else None

    def list_requests(self, request: Request) -> dict[str, Secret]:
        """Read the cookies of all requests that began in this browser, by request id.

        Cookies that another installation set may be among them.
        """
        prefix = self.name(RequestCookie(""))
        found = {name.removeprefix(prefix) for name in request.cookies if name.startswith(prefix)}
        kept = {request_id: self.read(request, RequestCookie(request_id)) for request_id in found}
        return {request_id: value for request_id, value in kept.items() if value is not None}

    def give(self, response: Response, cookie: AnyCookie, value: Secret) -> None:
        """Set the cookie to `value`."""
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
        """Clear the cookie."""
        response.delete_cookie(
            self.name(cookie), path=self.path or "/", secure=self.https, httponly=True, samesite=cookie.same_site
        )
