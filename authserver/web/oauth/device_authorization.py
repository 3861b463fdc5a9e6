"""`POST /oauth/device_authorization`: a device asks for its codes (RFC 8628 §3.1)."""

from urllib.parse import urlencode

from werkzeug import Request

from authserver.authorization.begin_device import DeviceCodes, begin_device
from authserver.protocol.device_code import VERIFICATION_PATH
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.web.oauth.counted import answer_refusal, read_counted_request
from authserver.web.oauth.door import Door
from authserver.web.oauth.form import ClientRequest, JsonAnswer, answer_json
from authserver.web.source import read_source


def answer_device_authorization(realm: Realm, request: Request) -> JsonAnswer:
    """Answer with the codes, and where to type the one for people (§3.2); or say why there are none."""
    asked = read_counted_request(realm, request, "client_id", purpose="device authorization")
    outcome = _begin(realm, asked) if isinstance(asked, ClientRequest) else asked
    if isinstance(outcome, DeviceCodes):
        return answer_json(_describe(outcome, realm.issuer + VERIFICATION_PATH))
    return answer_refusal(outcome, request, event="device_refused")


def _begin(realm: Realm, asked: ClientRequest) -> DeviceCodes | OAuthError:
    scope = asked.parameters.get("scope")
    tokens = None if scope is None else tuple(dict.fromkeys(scope.split()))
    resources = tuple(asked.parameters.get("resource", "").split())
    return begin_device(realm, asked.client, tokens, resources, read_source())


def _describe(codes: DeviceCodes, page: str) -> dict[str, str | int]:
    return {
        "device_code": codes.device_code,
        "user_code": codes.user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?{urlencode({'user_code': codes.user_code})}",
        "expires_in": codes.expires_in,
        "interval": codes.interval,
    }


DOOR = Door(
    "device_authorization_endpoint",
    "/oauth/device_authorization",
    ("POST",),
    answer_device_authorization,
    counts_tries=True,
)
