"""A device and the person who connects it, below HTTP: for races."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

from authserver.authentication.browser_session import SignedInBrowser
from authserver.authorization.begin_device import DeviceCodes, begin_device
from authserver.authorization.connect_device import (
    DeviceConnected,
    claim_device,
    connect_device,
    name_question,
)
from authserver.authorization.outcomes import Decision
from authserver.authorization.pending_request import PROVED, begin_pending
from authserver.clients.presented_client import PresentedClient
from authserver.grants import GRANTS, answer_token_request
from authserver.protocol.authorization_code import digest_code
from authserver.protocol.device_code import DEVICE_GRANT, read_user_code
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.storage import device_authorizations
from authserver.tokens.client_token import ClientAnswer
from authserver.tokens.token_answer import AccessAnswer, TokenAnswer
from authserver.web.pages.connecting import CONNECTION
from authserver.web.pages.dispatcher import CHECKS
from tests.support.people.code_race import Visitor
from tests.support.people.person import ORIGIN
from tests.support.people.refreshing import IP, refresh


@dataclass
class Screen:
    """A device that shows a code."""

    realm: Realm
    client_id: str
    codes: DeviceCodes

    @classmethod
    def show(cls, realm: Realm, client_id: str) -> Self:
        """Ask for codes."""
        client = realm.clients.find(client_id)
        assert client is not None
        codes = begin_device(realm, client, None, (), ORIGIN)
        assert isinstance(codes, DeviceCodes), codes
        return cls(realm, client_id, codes)

    def poll(self) -> AccessAnswer | ClientAnswer | OAuthError:
        """Ask whether it may go on."""
        form = {"grant_type": DEVICE_GRANT, "device_code": self.codes.device_code}
        return answer_token_request(GRANTS, self.realm, form, PresentedClient(self.client_id, None), IP)

    def prepare_claim(self, visitor: Visitor) -> Callable[[], bool]:
        """What typing the code does, for who has signed in for it."""
        browser = visitor.sign_in()
        pending = begin_pending(self.realm, "", CONNECTION.name).mark(PROVED, browser.sid)
        return partial(claim_device, self.realm, pending, browser, self._user_code)

    def prepare_approval(self, browser: SignedInBrowser) -> Callable[[], object]:
        """What pressing the button does, for who has typed the code."""
        pending = begin_pending(self.realm, "", CONNECTION.name).mark(PROVED, browser.sid)
        assert claim_device(self.realm, pending, browser, self._user_code)
        with self.realm.database.read() as tx:
            device = device_authorizations.find(tx, digest_code(self.codes.device_code))
        assert device is not None
        pending = pending.ask(name_question(browser, device))
        return partial(connect_device, self.realm, pending, browser, CHECKS, ip=IP, decision=Decision.ALLOW)

    def allow(self, visitor: Visitor) -> SignedInBrowser:
        """Have somebody allow it; their browser."""
        browser = visitor.sign_in()
        outcome = self.prepare_approval(browser)()
        assert isinstance(outcome, DeviceConnected), outcome
        return browser

    def refreshes(self, answer: object) -> bool:
        """Whether what a poll gave works."""
        if not isinstance(answer, TokenAnswer):
            return False
        return isinstance(refresh(self.realm, answer.refresh_token, client_id=self.client_id), TokenAnswer)

    @property
    def _user_code(self) -> str:
        user_code = read_user_code(self.codes.user_code)
        assert user_code is not None
        return user_code
