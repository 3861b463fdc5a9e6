"""The Flask application of a realm: its endpoints, errors and middleware."""

from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from apiflask import APIFlask
from flask import request

from authserver.branding.brand import DEFAULT_BRAND, Brand
from authserver.patience import TURN_SECONDS
from authserver.realm import Realm
from authserver.web import discovery, health
from authserver.web.api import register_api
from authserver.web.binding import bind
from authserver.web.context import EXTENSION, current_realm
from authserver.web.edge.access_log import log_requests
from authserver.web.edge.cors import allow_origins
from authserver.web.edge.crowd import Admission, Crowd
from authserver.web.edge.direct import answer_directly
from authserver.web.edge.guard import guard
from authserver.web.edge.headers import complete_headers
from authserver.web.edge.mount import Mount
from authserver.web.edge.places import share_out
from authserver.web.edge.proxies import TrustedProxies
from authserver.web.errors import handle_errors
from authserver.web.limits.current import LIMITS_EXTENSION
from authserver.web.limits.limits import create_limits, open_counters
from authserver.web.oauth import DOORS, Door, jwks, revocations
from authserver.web.pages import register_pages

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_FROM_MEMORY: Final = (
    *("/healthz", "/readyz", jwks.DOOR.path),
    *discovery.PATHS,
    *("/pages.css", "/pages/logo", "/pages/form-post.js", "/api/openapi.json", "/api/docs"),
)
"""Paths that are answered even while many requests wait for the database.

`/readyz` does query it, but briefly and with one request at a time.
"""

Application = APIFlask
"""The type of the WSGI application, for rooms that must not name the framework."""


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What the web room needs besides the realm."""

    login_limits: str
    limits_url: str
    limits_folder: Path | None = None
    """The folder of the counters that the processes of this node share; None if this process counts by itself."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    brand: Brand = DEFAULT_BRAND
    page_templates: Path | None = None
    """The folder of the operator's own templates. It need not exist."""
    threads: int = 24
    """The value of `AUTHSERVER_THREADS`, from which `share_out` derives the limits of requests at once."""
    access_log: bool = False


def create_application(realm: Realm, settings: DoorSettings) -> Application:
    """Build the application. It opens no connection and starts no thread."""
    app = APIFlask("authserver.web", json_errors=False, docs_path=None, spec_path=None)
    app.extensions[EXTENSION] = realm
    for door in (door for door in DOORS if door.is_served(realm)):
        app.add_url_rule(door.path, door.metadata_name, partial(_answer_in_flask, door), methods=door.methods)
    for path in discovery.PATHS:
        app.add_url_rule(path, path, discovery.answer_discovery, methods=["GET"])
    app.add_url_rule("/healthz", "healthz", health.answer_health, methods=["GET"])
    app.add_url_rule("/readyz", "readyz", health.Readiness(realm).answer, methods=["GET"])
    counters = open_counters(settings.limits_url, settings.limits_folder, realm.clock, realm.entropy)
    app.extensions[LIMITS_EXTENSION] = create_limits(settings.login_limits, counters, realm.clock)
    register_api(app)
    register_pages(app, settings.brand, settings.page_templates)
    bind(app, realm.database)
    handle_errors(app)
    issuer = urlsplit(realm.issuer)
    served = _admit(answer_directly(app, realm), realm, settings.threads)
    if issuer.path:
        served = Mount(served, issuer.path)
    guarded = guard(TrustedProxies(served, settings.trusted_proxies))
    readable = allow_origins(guarded, realm.clients.find_origins, prefix=issuer.path)
    complete = complete_headers(readable, https=issuer.scheme == "https")
    app.wsgi_app = log_requests(complete, realm.clock) if settings.access_log else complete  # type: ignore[assignment,method-assign]  # Flask documents this
    return app


def _admit(application: "WSGIApplication", realm: Realm, threads: int) -> "WSGIApplication":
    places = share_out(threads)
    own: dict[str, Crowd | None] = dict.fromkeys(_FROM_MEMORY)
    own[revocations.DOOR.path] = Crowd(places.feed, places.feed, TURN_SECONDS)
    aside = Crowd(places.aside, places.aside)
    return Admission(application, Crowd(places.crowd, places.door), own, aside, realm.clock, realm.entropy)


def _answer_in_flask(door: Door, **_parts: str) -> "WSGIApplication":
    return door.view(current_realm(), request)
