"""A client with a user's tokens from a browser session, without the redirects that lead there."""

from dataclasses import dataclass, field
from typing import Any

from authserver.authentication.browser_session import BrowserSignedIn, begin_browser_session
from authserver.authentication.open_session import PASSWORD, DeviceClaim, Opening, RequestSource
from authserver.clients.register_client import ClientRegistration, RegisteredClient, register_client
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.storage import clients, sessions, users
from authserver.tokens.new_family import AccessToGrant, begin_family, choose_audience
from authserver.tokens.token_answer import TokenAnswer, issue_tokens

APP = "https://app.example"
SCOPE = ("openid", "profile", "email", "address", "phone", "offline_access")


def register_app(realm: Realm, name: str = "App", **registration: Any) -> Client:  # noqa: ANN401 - what a registration takes
    """Register a public client, third-party unless `registration` says otherwise."""
    members: dict[str, Any] = {"scope": SCOPE, "redirect_uris": (f"{APP}/callback",), "client_id": name.lower()}
    registered = register_client(realm, ClientRegistration(name, ClientKind.PUBLIC, **members | registration))
    assert isinstance(registered, RegisteredClient), registered
    return registered.client


@dataclass
class Browser:
    """A browser in which `user_id` has just signed in at a page."""

    realm: Realm
    user_id: str
    signed_in: BrowserSignedIn = field(init=False)

    def __post_init__(self) -> None:
        opening = Opening(PASSWORD, DeviceClaim(None, None), RequestSource("127.0.0.1", "test"), self.realm.clock.now())
        with self.realm.database.write() as tx:
            user = users.load(tx, self.user_id)
            self.signed_in = begin_browser_session(tx, self.realm, user, opening)

    @property
    def sid(self) -> str:
        return self.signed_in.sid

    def let(self, client: Client, scope: str = "openid", resources: tuple[str, ...] = ()) -> TokenAnswer:
        """Issue tokens to `client` in this session."""
        realm, now = self.realm, self.realm.clock.now()
        audience = choose_audience(realm, client, scope, resources)
        assert audience is not None
        with realm.database.write() as tx:
            user, session = users.load(tx, self.user_id), sessions.find_live(tx, self.user_id, self.sid, now)
            version = clients.find_family_version(tx, client.client_id)
            assert session is not None
            assert version is not None
            granted = AccessToGrant(scope, audience, now, version)
            holding = begin_family(tx, realm, user=user, session=session, client=client, granted=granted, now=now)
        return issue_tokens(realm, holding, client, now=now)
