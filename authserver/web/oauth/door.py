"""The description of an OAuth endpoint: its name in the metadata, its path, its methods, its view."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug import Request

from authserver.realm import Realm

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def _always(_realm: Realm) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Door:
    """An endpoint.

    Attributes:
        metadata_name: its member in the discovery documents (RFC 8414 §2), or a name beside them if it is `hidden`.
        path: its path, which may have a variable part (`<name>`), for Flask.
        is_served: whether this installation has it. Without it, the path is unknown.
        hidden: discovery does not name it; clients learn its address otherwise.

    The view uses only its arguments. It cannot use Flask's `current_app`, `request` or `g`, because `web.edge.direct`
    calls it without Flask's contexts. A view that `counts_tries` (`web.limits`) is called by Flask and may use them.
    """

    metadata_name: str
    path: str
    methods: tuple[str, ...]
    view: Callable[[Realm, Request], "WSGIApplication"]
    counts_tries: bool = False
    is_served: Callable[[Realm], bool] = _always
    hidden: bool = False
