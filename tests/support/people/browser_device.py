"""A first-party application that signs its user in through `/oauth/authorize`, in its own browser."""

from urllib.parse import parse_qs, urlencode, urlsplit

from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from tests.support.people.authorizing import CALLBACK, CHALLENGE, VERIFIER
from tests.support.people.device import Device
from tests.support.people.visitor import Visitor
from tests.support.wire.http import Answer, HttpClient
from tests.support.world.realm import PASSWORD
from tests.support.world.server import Installation, Server


def allow_redirects(installation: Installation) -> None:
    """Let the first-party client send its users to our pages."""
    updated = installation.type(
        "clients", "update", FIRST_PARTY_CLIENT_ID, "--redirect-uri", CALLBACK, "--offline-access"
    )
    assert updated.exit_code == 0, updated.output


class BrowserDevice(Device):
    """A device whose session was opened at the pages."""

    def __init__(self, server: Server, email: str) -> None:
        """Sign in with a password at the page, and redeem the code."""
        HttpClient.__init__(self, server.port)
        self._server = server.url
        self._visitor = Visitor()
        self._visitor.visit(self._server + _link())
        self.take_code(self._visitor.send("password", email=email, password=PASSWORD))

    def close(self) -> None:
        """Close the browser's connections, too."""
        super().close()
        self._visitor.close()

    def come_back(self) -> None:
        """Request a code with `prompt=none`, as a reloaded page does."""
        self.take_code(self._visitor.visit(self._server + _link(prompt="none")))

    def change_password_at_page(self, new_password: str) -> Answer:
        """Change the password with the default choice (sign out other devices); return what the page says."""
        self._visitor.visit(f"{self._server}/account/password")
        typed = {"current_password": PASSWORD, "new_password": new_password, "logout_devices": "1"}
        return self._visitor.send("new_password", **typed)

    def take_code(self, answer: Answer) -> None:
        """Redeem the code in the redirect to the client."""
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "client_id": FIRST_PARTY_CLIENT_ID}
        tokens = self.post_form("/oauth/token", grant_type="authorization_code", **form)
        assert tokens.status == 200, tokens
        self._take(tokens)


def _link(**parameters: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": FIRST_PARTY_CLIENT_ID,
        "redirect_uri": CALLBACK,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **parameters,
    }
    return f"/oauth/authorize?{urlencode(asked)}"
