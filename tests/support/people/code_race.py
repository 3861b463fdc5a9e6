"""A person who authorizes a client, below HTTP, for races about authorization codes."""

from dataclasses import dataclass
from urllib.parse import urlencode

from authserver.account.change_password import PasswordChange, PasswordWasChangedInBrowser, change_password_in_browser
from authserver.authentication.browser_session import BrowserSignedIn, SignedInBrowser, find_browser_session
from authserver.authentication.reauthentication import Recent
from authserver.authentication.sign_in_browser import BrowserSignIn, sign_in_browser
from authserver.authorization.authorize import authorize
from authserver.authorization.outcomes import AuthorizationAnswer, Decision, Outcome
from authserver.authorization.pending_request import PendingRequest, begin_pending
from authserver.clients.presented_client import PresentedClient
from authserver.grants import GRANTS, answer_token_request
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import Refused, TryLater
from authserver.tokens.token_answer import AccessAnswer, TokenAnswer
from authserver.web.pages.answers import AUTHORIZATION
from authserver.web.pages.dispatcher import CHECKS
from tests.support.people.authorizing import CALLBACK, CHALLENGE, VERIFIER
from tests.support.people.person import NEW_PASSWORD, ORIGIN, Person
from tests.support.people.refreshing import IP, refresh
from tests.support.world.realm import PASSWORD


@dataclass
class Visitor:
    """A person at a browser, and the client that gets their code; below HTTP."""

    person: Person
    client_id: str

    def try_sign_in(self) -> BrowserSignedIn | Refused | TryLater:
        attempt = BrowserSignIn(self.person.email, Secret(PASSWORD), None, None, ORIGIN)
        return sign_in_browser(self.person.realm, attempt)

    def sign_in(self) -> SignedInBrowser:
        signed_in = self.try_sign_in()
        assert isinstance(signed_in, BrowserSignedIn), signed_in
        browser = find_browser_session(self.person.realm, signed_in.cookie)
        assert browser is not None
        return browser

    def ask(self, browser: SignedInBrowser) -> Outcome:
        """Make a request, and allow all that the client asks for."""
        return self.answer(self.begin(browser), browser)

    def answer(self, pending: PendingRequest, browser: SignedInBrowser) -> Outcome:
        """Allow one request."""
        return authorize(self.person.realm, pending, browser, CHECKS, ip=IP, decision=Decision.ALLOW)

    def begin(self, browser: SignedInBrowser) -> PendingRequest:
        """Begin a request of the client in this browser."""
        text = urlencode(
            {
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": CALLBACK,
                "scope": "read offline_access",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
            }
        )
        return begin_pending(self.person.realm, text, AUTHORIZATION.name).ask(browser.sid)

    def code(self, browser: SignedInBrowser) -> str:
        answer = self.ask(browser)
        assert isinstance(answer, AuthorizationAnswer), answer
        return answer.parameters["code"]

    def redeem(self, code: str) -> AccessAnswer | OAuthError:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        answer = answer_token_request(GRANTS, self.person.realm, form, PresentedClient(self.client_id), IP)
        assert isinstance(answer, AccessAnswer | OAuthError), answer
        return answer

    def refreshes(self, answer: AccessAnswer | OAuthError) -> bool:
        if not isinstance(answer, TokenAnswer):
            return False
        again = refresh(self.person.realm, answer.refresh_token, client_id=self.client_id)
        return isinstance(again, TokenAnswer)

    def change_password(self, browser: SignedInBrowser) -> PasswordWasChangedInBrowser:
        change = PasswordChange(Secret(PASSWORD), Secret(NEW_PASSWORD), logout_devices=True)
        changed = change_password_in_browser(self.person.realm, Recent(browser), change, ORIGIN)
        assert isinstance(changed, PasswordWasChangedInBrowser), changed
        return changed
