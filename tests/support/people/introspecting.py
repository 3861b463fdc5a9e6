"""Resource servers and clients that introspect tokens."""

from authserver.clients.register_client import ClientRegistration, RegisteredClient, register_client
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from tests.support.people.api import Api, content
from tests.support.people.authorizing import App

BILLING, MAIL = "https://billing.example", "https://mail.example"
Credentials = dict[str, str]


def register_server(realm: Realm, *audience: str) -> Credentials:
    """Register a resource server for `audience`, by default the installation's; return its credentials."""
    registered = register_client(realm, ClientRegistration("API", ClientKind.RESOURCE_SERVER, audience=audience))
    assert isinstance(registered, RegisteredClient)
    assert registered.secret is not None
    return {"client_id": registered.client.client_id, "client_secret": registered.secret.reveal()}


def is_active(api: Api, token: str, who: Credentials) -> bool:
    """Introspect; return `active` of the answer."""
    said = content(api.client.post("/oauth/introspect", data={"token": token, **who}), 200)
    assert said["active"] is True or said == {"active": False}
    return said["active"] is True


def own_credentials(app: App) -> Credentials:
    assert app.secret is not None
    return {"client_id": app.client_id, "client_secret": app.secret}
