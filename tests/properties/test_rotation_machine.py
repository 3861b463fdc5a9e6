"""Credential events, rotations, retries, late retries and the clock in any order, against a small model.

At most one generation lives; nothing is exchanged twice but as a retry; nothing passes after its revocation, ever;
versions never fall; a made-up token ends nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from authserver.account.change_password import PasswordWasChanged
from authserver.administration.set_password import set_password
from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.authentication.sign_out import end_session, sign_out, sign_out_elsewhere, sign_out_everywhere
from authserver.credentials.events import (
    CompromiseReported,
    CredentialEvent,
    MfaChanged,
    RolesChanged,
    UserDisabled,
    UserEnabled,
    UserLocked,
    UserUnlocked,
)
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import INVALID_CREDENTIALS, WRONG_PASSWORD, Invalid, Reauthenticate, Refused
from authserver.records.link import LinkPurpose
from authserver.records.presence import BearerRefused
from authserver.revocation import Receipt
from authserver.tokens.token_answer import TokenAnswer
from tests.support.people.person import BY, Person
from tests.support.people.refreshing import IP, refresh
from tests.support.world.clock import ManualClock
from tests.support.world.databases import Databases, SqliteDatabases
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import PASSWORD, build_realm
from tests.support.world.rotation_model import RECENT, AccessModel, SessionModel, Told, UserModel

PASSWORDS = (PASSWORD, "the second of three passphrases", "the third of three passphrases")
SECONDS = [0, 0, 0, 1, 59, 60, 69, 70, 70, 330, 3600, 86399, 86400]
LONGEST_STALL = 10
_LOOKED_AT = 4


def test_rotation_and_credential_events_do_what_the_model_says(databases: Databases) -> None:
    """Each example on a database of its own; fewer of them where making one takes longer."""
    RotationMachine.databases = databases
    run_state_machine_as_test(
        RotationMachine,
        settings=settings(
            max_examples=20 if isinstance(databases, SqliteDatabases) else 5,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


class RotationMachine(RuleBasedStateMachine):
    """One user, his devices, his administrator, and whoever holds a copy of any token."""

    numbers = st.integers(0, 99)
    devices = st.sampled_from(["phone", "laptop", "tablet"])
    waits = st.sampled_from(SECONDS)
    stalls = st.sampled_from([0, 0, 0, 1, LONGEST_STALL])
    booleans = st.booleans()
    databases: ClassVar[Databases]

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.realm = build_realm(self.databases.migrated(), self.clock, SeededEntropy())
        self.person = Person(self.realm)
        self.user = UserModel(PASSWORD)

    def teardown(self) -> None:
        """The final read: what was revoked is dead, whatever has happened since."""
        for session in self.user.sessions:
            if session.family_ended:
                for text in session.texts:
                    assert isinstance(refresh(self.realm, text), OAuthError)
        self.look_at(self.user.access_tokens)
        self.realm.database.dispose()

    @initialize()
    def begin(self) -> None:
        self.opened(self.person.sign_in("phone"))

    @rule(device=devices, password=st.sampled_from(PASSWORDS))
    def try_to_sign_in(self, device: str, password: str) -> None:
        """With any password that there ever was, whatever the user's standing."""
        answer = self.person.try_sign_in(device, password)
        if self.user.may_sign_in(password):
            assert isinstance(answer, TokenAnswer)
            self.opened(answer)
        else:
            assert isinstance(answer, Refused)
            assert answer.code == INVALID_CREDENTIALS

    @rule(number=numbers, back=st.sampled_from([0, 0, 0, 1, 1, 2]), after=waits, stall=stalls)
    def present(self, number: int, back: int, after: int, stall: int) -> None:
        """The newest refresh token of a live session, or one of `back` generations before."""
        session = self.find_live(number)
        self.clock.advance(timedelta(seconds=after))
        self.exchange(session, max(0, len(session.texts) - 1 - back), stall)

    @rule(
        number=numbers,
        moves=st.lists(
            st.tuples(
                st.sampled_from(["send", "arrive", "arrive", "answer"]), numbers, st.sampled_from([0, 0, 1, 10, 29, 59])
            ),
            max_size=24,
        ),
        stall=stalls,
    )
    def share_a_jar(self, number: int, moves: list[tuple[str, int, int]], stall: int) -> None:
        """The tabs of one browser: requests and their answers are under way at the same time and arrive in any order.

        Whatever they do to each other, each request that comes within the retry window of its token's exchange is
        served. A request is taken up to `LONGEST_STALL` seconds before it is carried out.
        """
        if self.user.locked:
            self.be_forgiven()
        session = self.find_live(number)
        held = len(session.texts) - 1
        requests, answers = [held] * 2, [held]
        for move, which, seconds in moves:
            self.clock.advance(timedelta(seconds=seconds))
            if move == "send":
                requests.append(held)
            elif move == "answer" and answers:
                held = answers.pop(which % len(answers))
            elif move == "arrive" and requests:
                shown = requests.pop(which % len(requests))
                if session.is_safe(shown, self.clock.now() - timedelta(seconds=stall)):
                    resting = shown == len(session.texts) - 1
                    told = self.exchange(session, shown, stall)
                    assert told in {Told.NEXT, Told.SAME}
                    if told is Told.NEXT or not resting:  # a resting family gives no cookie
                        answers.append(len(session.texts) - 1)

    @rule(number=numbers, after=waits)
    def lose_an_answer(self, number: int, after: int) -> None:
        """The answer to a rotation is lost, and the same token is shown again, at once or after a sleep."""
        session = self.find_live(number)
        generation = len(session.texts) - 1
        self.exchange(session, generation)
        self.clock.advance(timedelta(seconds=after))
        self.exchange(session, generation)

    @rule(number=numbers, back=st.integers(0, 2), days=st.sampled_from([0, 0, 0, 6, 7]))
    def present_of_any_time(self, number: int, back: int, days: int) -> None:
        """Of a session that may have ended long ago."""
        self.clock.advance(timedelta(days=days))
        session = self.user.sessions[number % len(self.user.sessions)]
        self.exchange(session, max(0, len(session.texts) - 1 - back))

    @rule(number=numbers, position=st.integers(3, 80), flip=st.integers(1, 63))
    def forge(self, number: int, position: int, flip: int) -> None:
        """Any other letter makes it worthless, and harms nobody."""
        text = self.find_live(number).texts[-1]
        position %= len(text)
        letter = _DIGITS[_DIGITS.index(text[position]) ^ flip]
        answer = refresh(self.realm, text[:position] + letter + text[position + 1 :])
        assert isinstance(answer, OAuthError)
        assert (answer.error, answer.soft_logout) == ("invalid_grant", False)

    @rule(number=numbers, wrong=st.sampled_from([False, False, True]), new=st.sampled_from(PASSWORDS), spare=booleans)
    def change_password(self, number: int, wrong: bool, new: str, spare: bool) -> None:  # noqa: FBT001
        session, bearer = self.call(number)
        current = "not the password at all" if wrong else self.user.password or ""
        changed = self.person.change_password(bearer, new, current=current, logout_devices=not spare)
        if self.clock.now() > session.opened_at + RECENT:
            assert isinstance(changed, Reauthenticate)
        elif wrong or self.user.password is None:
            assert isinstance(changed, Refused)
            assert changed.code == WRONG_PASSWORD
        elif new == self.user.password:
            assert isinstance(changed, Invalid)
        else:
            assert isinstance(changed, PasswordWasChanged)
            self.user.password = new
            session.end(soft=True)
            if not spare:
                self.user.end()
            self.bumped(changed.receipt)
            assert isinstance(changed.tokens, TokenAnswer)
            self.opened(changed.tokens)

    @rule(number=numbers, how=st.sampled_from([sign_out, sign_out_elsewhere, sign_out_everywhere, end_session]))
    def sign_out(self, number: int, how: Callable[..., object]) -> None:
        session, bearer = self.call(number)
        other = self.find_live(number + 1)
        recent = other is session or self.clock.now() <= session.opened_at + RECENT
        if how is sign_out:
            assert isinstance(how(self.realm, bearer, IP), Receipt)
            session.end()
        elif how is sign_out_everywhere:
            self.bumped(how(self.realm, bearer, IP))
            self.user.end()
        elif how is end_session:
            assert isinstance(how(self.realm, bearer, other.sid, IP), Receipt if recent else Reauthenticate)
            if recent:
                other.end()
        else:
            recent = self.clock.now() <= session.opened_at + RECENT
            assert isinstance(how(self.realm, bearer, IP), Receipt if recent else Reauthenticate)
            if recent:
                self.user.end(but=session)

    @rule(password=st.sampled_from(PASSWORDS), by_link=booleans)
    def replace_password(self, password: str, by_link: bool) -> None:  # noqa: FBT001 - Hypothesis passes names
        """By a reset or by an administrator: nothing is kept."""
        if by_link:
            receipt = self.person.reset(self.person.add_link(LinkPurpose.RESET_PASSWORD), password)
        else:
            receipt = set_password(self.realm, self.person.user_id, Secret(password), by=BY)
        if by_link and self.user.disabled:
            assert isinstance(receipt, Refused | Invalid)
            return
        if password == self.user.password:
            assert isinstance(receipt, Invalid)
            return
        self.user.password = password
        self.user.end()
        self.bumped(receipt)

    @rule(event=st.sampled_from([UserLocked, UserDisabled, MfaChanged, CompromiseReported, *[RolesChanged] * 2]))
    def happen(self, event: type[CredentialEvent]) -> None:
        user_id, email = self.person.user_id, self.person.email
        if event is UserLocked:
            self.person.apply(UserLocked(user_id))
            self.user.locked = True
        elif event is RolesChanged:
            self.user.roles = () if self.user.roles else ("admin",)
            self.bumped(self.person.apply(RolesChanged(user_id, self.user.roles)))
        else:
            self.user.end()
            if event is UserDisabled:
                receipt = self.person.apply(UserDisabled(user_id))
                assert self.user.disabled or not receipt.no_op
                self.user.disabled = True
                if not receipt.no_op:
                    self.bumped(receipt)
            elif event is MfaChanged:
                self.bumped(self.person.apply(MfaChanged(user_id)))
            else:
                self.user.password = None
                self.bumped(self.person.apply(CompromiseReported(user_id, email, self.clock.now())))

    @rule()
    def be_forgiven(self) -> None:
        """Unlocked, enabled, and given a password again: only the lock had ended nothing."""
        for event in (UserUnlocked, UserEnabled):
            self.person.apply(event(self.person.user_id))
        self.user.locked = self.user.disabled = False
        if self.user.password is None:
            self.replace_password(PASSWORD, by_link=True)

    @invariant()
    def the_version_is_what_the_bumps_made_it(self) -> None:
        """Raised once by each event that says so, and by nothing else: so it never falls."""
        assert self.person.row.token_version == self.user.version

    @invariant()
    def access_tokens_pass_as_long_as_the_model_says(self) -> None:
        self.look_at(self.user.access_tokens[-_LOOKED_AT:])

    @invariant()
    def the_session_list_holds_what_lives(self) -> None:
        now = self.clock.now()
        live = {session.sid for session in self.user.sessions if session.may_go_on(now)}
        assert self.person.live_sids() == live

    def find_live(self, number: int) -> SessionModel:
        """A session that can go on; where there is none, one is opened."""
        now = self.clock.now()
        live = [session for session in self.user.sessions if session.may_go_on(now)]
        if live:
            return live[number % len(live)]
        self.be_forgiven()
        return self.opened(self.person.sign_in("phone", self.user.password or ""))

    def call(self, number: int) -> tuple[SessionModel, Bearer]:
        """A session, and its program calling with a fresh access token."""
        session = self.find_live(number)
        if self.user.locked:
            self.be_forgiven()
        self.exchange(session, len(session.texts) - 1)
        bearer = authenticate_bearer(self.realm, self.user.access_tokens[-1].text)
        assert isinstance(bearer, Bearer)
        return session, bearer

    def exchange(self, session: SessionModel, generation: int, stall: int = 0) -> Told:
        """Present this generation, and compare the answer with the model's. The clock was read `stall` seconds ago."""
        now = self.clock.now()
        read_at = now - timedelta(seconds=stall)
        self.clock.set_wall(read_at)
        answer = refresh(self.realm, session.texts[generation])
        self.clock.set_wall(now)
        told = session.present(generation, read_at, locked=self.user.locked)
        if told in {Told.HARD, Told.SOFT}:
            assert isinstance(answer, OAuthError)
            assert (answer.error, answer.soft_logout) == ("invalid_grant", told is Told.SOFT)
            return told
        if told is Told.LATER:
            assert isinstance(answer, OAuthError)
            assert answer.status == 503
            return told
        assert isinstance(answer, TokenAnswer)
        if told is Told.NEXT:
            assert answer.refresh_token not in {text for other in self.user.sessions for text in other.texts}
            session.texts.append(answer.refresh_token)
        assert answer.refresh_token == session.texts[-1]
        self.issued(session, answer, read_at)
        return told

    def look_at(self, tokens: list[AccessModel]) -> None:
        for token in tokens:
            refused = self.user.refuses(token, self.clock.now())
            bearer = authenticate_bearer(self.realm, token.text)
            if refused is None:
                assert isinstance(bearer, Bearer)
                assert bearer.claims.roles == token.roles
            else:
                assert isinstance(bearer, BearerRefused)
                assert bearer.soft_logout is (refused is Told.SOFT)

    def opened(self, answer: TokenAnswer) -> SessionModel:
        session = SessionModel(answer.sid, answer.device_id, self.clock.now(), [answer.refresh_token])
        self.user.open(session)
        self.issued(session, answer, self.clock.now())
        return session

    def issued(self, session: SessionModel, answer: TokenAnswer, at: datetime) -> None:
        token = AccessModel(answer.access_token, session, self.user.version, self.user.roles, at)
        self.user.access_tokens.append(token)

    def bumped(self, receipt: object) -> None:
        self.user.version += 1
        assert isinstance(receipt, Receipt)
        assert receipt.token_version == self.user.version


_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
