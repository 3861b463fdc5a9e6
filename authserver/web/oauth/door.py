"""What one OAuth endpoint is: the name that metadata gives it, its path, its methods, its view."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug import Request

from authserver.realm import Realm

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True, slots=True)
class Door:
    """One endpoint. `metadata_name` is its member in the discovery documents (RFC 8414 §2).

    The view gets what it needs and asks nothing of Flask's current anything: `web.edge.direct` calls it without.
    """

    metadata_name: str
    path: str
    methods: tuple[str, ...]
    view: Callable[[Realm, Request], "WSGIApplication"]
