"""Requests and answers of the endpoints that take forms (RFC 6749 §3.2, §5)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from werkzeug import Request

from authserver.clients.authentication import authenticate_client
from authserver.clients.presented_client import PresentedClient, read_client
from authserver.protocol.bearer_request import FORM_TYPE
from authserver.protocol.oauth_error import OAuthError, invalid_request
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.records.client import Client

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CLIENT_ID: Final = "authserver.client_id"
"""The key of the WSGI environment under which a view leaves the id of the calling client, for CORS."""

_MOST_PARAMETERS = 50
_RESOURCE = "resource"
_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_encode_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def read_form(request: Request) -> dict[str, str] | OAuthError:
    """Read the parameters of the body. Each may occur once, and an empty one counts as absent (RFC 6749 §3.2).

    Only `resource` may be repeated (RFC 8707 §2). Its values contain no spaces, so they are joined by spaces.
    """
    # Nearly every client sends the bare media type; the first comparison saves parsing it.
    if request.environ.get("CONTENT_TYPE") != FORM_TYPE and request.mimetype != FORM_TYPE:
        return invalid_request(f"The body must be {FORM_TYPE}.")
    try:
        text = request.get_data(cache=False).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="strict")
    except ValueError:
        return invalid_request("The body is not a well-formed form.")
    resources = [value for name, value in pairs if name == _RESOURCE]
    parameters = dict(pairs)
    if len(parameters) != len(pairs) - max(len(resources) - 1, 0):
        return invalid_request("A parameter is repeated.")
    if resources:
        parameters[_RESOURCE] = " ".join(resources)
    if not all(map(is_storable, parameters.values())):
        return invalid_request("A parameter contains an invalid character.")
    return {name: value for name, value in parameters.items() if value}


def read_presented_client(request: Request, parameters: dict[str, str]) -> PresentedClient | OAuthError:
    """Read which client the request claims to come from, with its proof, which is not verified here."""
    presented = read_client(request.headers.get("Authorization"), parameters, request.path)
    if isinstance(presented, PresentedClient):
        request.environ[CLIENT_ID] = presented.client_id
    return presented


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A form from an authenticated client."""

    parameters: dict[str, str]
    client: Client


def authenticate_request(realm: Realm, request: Request, parameters: dict[str, str]) -> Client | OAuthError:
    """Authenticate the client of a request, by its `Authorization` header or its form `parameters`."""
    presented = read_presented_client(request, parameters)
    return presented if isinstance(presented, OAuthError) else authenticate_client(realm, presented)


def read_client_request(realm: Realm, request: Request, required: str) -> ClientRequest | OAuthError:
    """Read a form, authenticate its client, and require the parameter `required`."""
    parameters = read_form(request)
    if isinstance(parameters, OAuthError):
        return parameters
    client = authenticate_request(realm, request, parameters)
    if isinstance(client, OAuthError):
        return client
    if required not in parameters:
        return invalid_request(f"{required} is missing.")
    return ClientRequest(parameters, client)


class JsonAnswer:
    """A JSON answer that must not be stored (OAuth 2.1 §3.2.3), as a WSGI application.

    A response object of Werkzeug would take a tenth of the time of a refresh, for features that are not used. Flask
    accepts a WSGI application as an answer, too.
    """

    def __init__(self, body: bytes, status: int) -> None:
        """Answer with `body`, which is JSON. Entries of `headers` are sent in addition to the usual headers."""
        self.headers: dict[str, str] = {}
        self._body = body
        self._status = status

    def __call__(self, _environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Send the answer."""
        usual = (
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(self._body))),
            ("Cache-Control", "no-store"),
        )
        start_response(_STATUS_LINES[self._status], [*usual, *self.headers.items()])
        return [self._body]


def answer_json(members: Any, status: int = 200) -> JsonAnswer:  # noqa: ANN401 - a dataclass or a dict
    """Answer with these members. A dataclass is sent without its members that are None."""
    if not isinstance(members, dict):
        # `asdict` would search for nested dataclasses and copy every value; `fields` would build a tuple for each
        # answer.
        values = ((name, getattr(members, name)) for name in members.__dataclass_fields__)
        members = {name: value for name, value in values if value is not None}
    return JsonAnswer(_encode_json(members).encode(), status)


def answer_error(error: OAuthError) -> JsonAnswer:
    """Answer with an error in the format of RFC 6749 §5.2."""
    members: dict[str, Any] = {"error": error.error, "error_description": error.description}
    if error.soft_logout is not None:
        members["soft_logout"] = error.soft_logout
    response = answer_json(members, error.status)
    if error.status == 401:  # noqa: PLR2004 - Unauthorized
        response.headers["WWW-Authenticate"] = 'Basic realm="authserver"'
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response
