"""A user with devices, below HTTP: acts on their account, and assertions afterwards."""

from dataclasses import dataclass, field
from itertools import count

from sqlalchemy import select

from authserver.account.change_password import PasswordChange, PasswordWasChanged, change_password
from authserver.account.reset_password import PasswordWasReset, reset_password
from authserver.administration.manage_user import apply_event
from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.authentication.open_session import DeviceClaim, RequestSource
from authserver.authentication.reauthentication import demand_recent
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.credentials.events import CredentialEvent
from authserver.protocol.link_token import LINK_ID_BYTES, LinkToken, format_link_token
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid, Reauthenticate, Refused, TryLater
from authserver.records.audit import Actor
from authserver.records.link import LinkPurpose, MailLink
from authserver.records.presence import BearerRefused
from authserver.records.user import User
from authserver.revocation import Receipt
from authserver.storage import links, sessions, users
from authserver.storage.schema import MailLink as MailLinkRow
from authserver.tokens.token_answer import AccessAnswer, TokenAnswer
from tests.support.people.refreshing import IP, refresh
from tests.support.world.realm import PASSWORD, add_user

ORIGIN = RequestSource(IP, "test")
NEW_PASSWORD = "a quite different passphrase"
BY = Actor("cli")
_numbers = count()


@dataclass
class Person:
    """A user of `realm`. `client_id` is the client on their devices."""

    realm: Realm
    roles: tuple[str, ...] = ()
    client_id: str = FIRST_PARTY_CLIENT_ID
    email: str = field(init=False)
    user_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.email = f"person{next(_numbers)}@example.test"
        self.user_id = add_user(self.realm, self.email, roles=self.roles)

    @property
    def row(self) -> User:
        """The user's present record."""
        with self.realm.database.read() as tx:
            return users.load(tx, self.user_id)

    def try_sign_in(self, device_id: str | None = None, password: str = PASSWORD) -> TokenAnswer | Refused | TryLater:
        device = DeviceClaim(device_id, None)
        return sign_in(self.realm, SignIn(self.email, Secret(password), self.client_id, None, device, ORIGIN))

    def sign_in(self, device_id: str | None = None, password: str = PASSWORD) -> TokenAnswer:
        answer = self.try_sign_in(device_id, password)
        assert isinstance(answer, TokenAnswer), answer
        return answer

    def refresh(self, answer: TokenAnswer) -> TokenAnswer | OAuthError:
        return refresh(self.realm, answer.refresh_token, client_id=self.client_id)

    def bearer(self, answer: AccessAnswer) -> Bearer:
        """Authenticate with the access token of `answer`, which must be valid."""
        bearer = authenticate_bearer(self.realm, answer.access_token)
        assert isinstance(bearer, Bearer), bearer
        return bearer

    def change_password(
        self, bearer: Bearer, new: str = NEW_PASSWORD, *, current: str = PASSWORD, logout_devices: bool = True
    ) -> PasswordWasChanged | Refused | Invalid | TryLater | Reauthenticate:
        recent = demand_recent(self.realm, bearer, "change_password", IP)
        if isinstance(recent, Reauthenticate):
            return recent
        return change_password(self.realm, recent, PasswordChange(Secret(current), Secret(new), logout_devices), ORIGIN)

    def add_link(self, purpose: LinkPurpose, address: str | None = None, *, sid: str | None = None) -> str:
        """Add a link as if it had just been mailed; return its token."""
        realm, now, mac_key = self.realm, self.realm.clock.now(), self.realm.keyring.current.mac_key
        link_id = realm.entropy(LINK_ID_BYTES)
        link = MailLink(
            link_id, purpose, self.user_id, address or self.email, sid, mac_key.kid, now, now + purpose.lifetime
        )
        with realm.database.write() as tx:
            links.add(tx, link)
        return format_link_token(LinkToken(mac_key.kid, link_id), mac_key.secret)

    def find_link(self, purpose: LinkPurpose) -> str:
        """Return the token of the only link of this purpose that was queued for the user."""
        mac_key = self.realm.keyring.current.mac_key
        columns = MailLinkRow.__table__.c
        wanted = select(columns.link_id).where(columns.user_id == self.user_id, columns.purpose == purpose.value)
        with self.realm.database.read() as tx:
            link_id: bytes = tx.execute(wanted).scalar_one()
        return format_link_token(LinkToken(mac_key.kid, link_id), mac_key.secret)

    def reset(self, link: str, password: str = NEW_PASSWORD) -> Receipt | Refused | Invalid | TryLater:
        outcome = reset_password(self.realm, link, Secret(password), IP)
        return outcome.receipt if isinstance(outcome, PasswordWasReset) else outcome

    def apply(self, event: CredentialEvent) -> Receipt:
        receipt = apply_event(self.realm, self.user_id, event, by=BY)
        assert isinstance(receipt, Receipt), receipt
        return receipt

    def live_sids(self) -> set[str]:
        """Return the `sid`s of sessions that have not ended."""
        with self.realm.database.read() as tx:
            return {summary.session.sid for summary in sessions.list_live(tx, self.user_id, self.realm.clock.now())}

    def assert_only_alive(self, *answers: AccessAnswer) -> None:
        """Assert that exactly these sessions are live."""
        assert self.live_sids() == {answer.sid for answer in answers}
        for answer in answers:
            assert isinstance(answer, TokenAnswer), answer
            self.assert_alive(answer)

    def assert_alive(self, answer: TokenAnswer) -> None:
        """Assert that the session is live: a refresh works and gives a valid access token."""
        refreshed = self.refresh(answer)
        assert isinstance(refreshed, TokenAnswer), refreshed
        self.bearer(refreshed)

    def assert_dead(self, *answers: TokenAnswer | object) -> None:
        """Assert that all tokens of these answers are refused; outcomes without tokens are ignored."""
        for answer in answers:
            if isinstance(answer, TokenAnswer):
                refused = authenticate_bearer(self.realm, answer.access_token)
                assert isinstance(refused, BearerRefused), "an access token lives on"
                assert isinstance(self.refresh(answer), OAuthError), "a refresh token lives on"
