"""Everything at once to a few accounts, at random, with 16 threads and a pool of 5; then a final read of every token.

I1 to I5 of the model: no fork, no dead end, no resurrection, no phantom revocation, versions that never fall.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from authserver.account.change_password import PasswordWasChanged
from authserver.administration.set_password import set_password
from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.authentication.sign_out import sign_out, sign_out_elsewhere, sign_out_everywhere
from authserver.credentials.events import (
    CredentialEvent,
    RolesChanged,
    UserDisabled,
    UserEnabled,
    UserLocked,
    UserUnlocked,
)
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import INVALID_CREDENTIALS, WRONG_PASSWORD, Invalid, Refused
from authserver.records.link import LinkPurpose
from authserver.records.presence import BearerRefused
from authserver.revocation import Receipt
from authserver.tokens.token_answer import RestingAnswer, TokenAnswer
from tests.support.faults.racing import PATIENCE, Racer
from tests.support.people.history import History, Opened, tick
from tests.support.people.person import BY, Person
from tests.support.people.refreshing import IP, end_rest
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import PASSWORD, build_realm

pytestmark = pytest.mark.races
THREADS, PEOPLE, DEVICES = 16, 3, 3
PASSWORDS = (PASSWORD, "the second of three passphrases", "the third of three passphrases")


@pytest.fixture
def crowded(database_url: str, clock: ManualClock, entropy: SeededEntropy) -> Iterator[Realm]:
    """Sixteen threads and five connections."""
    realm = build_realm(database_url, clock, entropy, pool_size=5)
    yield realm
    realm.database.dispose()


def test_everything_at_once_keeps_every_promise(crowded: Realm, rounds: int) -> None:
    """No deadlock, no error, no outcome but the documented ones; and then the final read. F8."""
    lives = [Life(Person(crowded, roles=("admin",))) for _ in range(PEOPLE)]
    until = time.monotonic() + rounds / 12
    watcher = Racer(lambda: _watch_versions(lives, until))
    threads = [Racer(lambda seed=seed: _live(lives, random.Random(seed), until)) for seed in range(THREADS)]  # type: ignore[misc]
    acts = sum(thread.outcome(PATIENCE + rounds) for thread in threads)
    watcher.outcome()
    assert acts > rounds
    for life in lives:
        life.read_finally()


@dataclass
class Held:
    """What one device holds. Its program does one thing at a time, as it should."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: list[TokenAnswer] = field(default_factory=list)


@dataclass
class Life:
    """A person, his devices, and the history of what was answered."""

    person: Person
    history: History = field(default_factory=History)
    devices: dict[str, Held] = field(default_factory=lambda: {f"device-{n}": Held() for n in range(DEVICES)})

    def sign_in(self, chance: random.Random) -> None:
        name, held = chance.choice(list(self.devices.items()))
        with held.lock:
            asked = tick()
            answer = self.person.try_sign_in(name, chance.choice(PASSWORDS))
            if isinstance(answer, TokenAnswer):
                self.history.opened(asked, answer)
                held.answers = [answer]
            else:
                assert isinstance(answer, Refused)
                assert answer.code == INVALID_CREDENTIALS

    def refresh(self, chance: random.Random) -> None:
        """Once, or as after a lost answer: the predecessor again. Now and then the family has rested before."""
        held = self.choose_device(chance)
        with held.lock:
            for _ in range(chance.choice((1, 1, 2))):
                if not held.answers:
                    return
                if chance.random() < 0.6:
                    end_rest(self.person.realm.database, held.answers[-1].sid)
                answer = self.person.refresh(held.answers[-1])
                if not isinstance(answer, TokenAnswer):
                    assert answer.error in {"invalid_grant", "temporarily_unavailable"}
                    return
                again = self.person.refresh(held.answers[-1])
                assert not isinstance(again, TokenAnswer) or again.refresh_token == answer.refresh_token
                if not isinstance(answer, RestingAnswer):
                    self.history.refreshed(answer)
                    held.answers.append(answer)

    def reuse(self, chance: random.Random) -> None:
        """A thief shows a past generation."""
        held = self.choose_device(chance)
        with held.lock:
            if len(held.answers) > 2:
                asked, stolen = tick(), held.answers[0]
                refused = self.person.refresh(stolen)
                assert isinstance(refused, OAuthError)
                if refused.soft_logout is False:  # not while the user is locked, or the session has ended softly
                    self.history.ended(asked, lambda it: it.sid == stolen.sid)

    def change(self, chance: random.Random) -> None:
        held, logout_devices = self.choose_device(chance), chance.random() < 0.5
        with held.lock:
            bearer = self.find_bearer(held)
            if bearer is None:
                return
            asked = tick()
            current, new = chance.sample(PASSWORDS, 2)
            changed = self.person.change_password(bearer, new, current=current, logout_devices=logout_devices)
            if isinstance(changed, Refused):
                assert changed.code == WRONG_PASSWORD
                return
            assert isinstance(changed, PasswordWasChanged)
            tokens, old = changed.tokens, bearer.sid
            assert isinstance(tokens, TokenAnswer)
            self.history.bumped(changed.receipt)
            self.history.opened(asked, tokens)
            self.history.ended(asked, lambda it: it.sid != tokens.sid and (logout_devices or it.sid == old))
            held.answers = [tokens]

    def leave(self, chance: random.Random) -> None:
        held = self.choose_device(chance)
        with held.lock:
            bearer = self.find_bearer(held)
            if bearer is None:
                return
            asked, how = tick(), chance.choice((sign_out, sign_out_elsewhere, sign_out_everywhere))
            receipt = how(self.person.realm, bearer, IP)
            assert isinstance(receipt, Receipt)
            if how is sign_out:
                self.history.ended(asked, lambda it: it.sid == bearer.sid)
            elif how is sign_out_elsewhere:
                self.history.ended(asked, lambda it: it.sid != bearer.sid)
            else:
                self.end_all(asked, receipt)

    def reset(self, chance: random.Random) -> None:
        link = self.person.add_link(LinkPurpose.RESET_PASSWORD)
        asked = tick()
        receipt = self.person.reset(link, chance.choice(PASSWORDS))
        if isinstance(receipt, Receipt):
            self.end_all(asked, receipt)
        else:
            assert isinstance(receipt, Refused | Invalid)  # Invalid: the password that is

    def administer(self, chance: random.Random) -> None:
        person, asked = self.person, tick()
        what = chance.randrange(5)
        if what == 0:
            receipt = set_password(person.realm, person.user_id, Secret(chance.choice(PASSWORDS)), by=BY)
            if isinstance(receipt, Receipt):
                self.end_all(asked, receipt)
            else:
                assert isinstance(receipt, Invalid)  # the password that is
        elif what == 1:
            self.end_all(asked, person.apply(UserDisabled(person.user_id)))
        elif what == 2:
            roles = ("admin",) if chance.random() < 0.5 else ()
            self.history.bumped(person.apply(RolesChanged(person.user_id, roles)))
        elif what == 3:
            person.apply(UserLocked(person.user_id))
        self.restore()

    def restore(self) -> None:
        """Nobody stays locked or disabled for long."""
        events: tuple[CredentialEvent, ...] = UserUnlocked(self.person.user_id), UserEnabled(self.person.user_id)
        for event in events:
            self.person.apply(event)

    def choose_device(self, chance: random.Random) -> Held:
        return chance.choice(list(self.devices.values()))

    def find_bearer(self, held: Held) -> Bearer | None:
        bearer = authenticate_bearer(self.person.realm, held.answers[-1].access_token) if held.answers else None
        if isinstance(bearer, BearerRefused):
            assert bearer.code in {"session_revoked", "stale_token_version", "user_locked"}
            return None
        return bearer

    def end_all(self, asked: int, receipt: Receipt) -> None:
        self.history.bumped(receipt)
        self.history.ended(asked, lambda _: True)

    def read_finally(self) -> None:
        """Every token ever issued, once more."""
        self.restore()
        version = self.person.row.token_version
        assert sorted(self.history.versions) == list(range(2, version + 1)), "each bump raises the version by one"
        live = self.person.live_sids()
        for session in self.history.sessions.values():
            if self.history.must_have_ended(session):
                assert session.sid not in live, "a revoked session lives"
            elif not self.history.may_have_ended(session):
                assert session.sid in live, "a session that nobody ended is dead"
            if session.sid in live:
                self._read_live(session, version)
            else:
                self.person.assert_dead(*session.answers)
        assert live <= self.history.sessions.keys(), "a session that nobody was told of"

    def _read_live(self, session: Opened, version: int) -> None:
        tokens = [answer.refresh_token for answer in session.answers]
        assert len(set(tokens)) == len(tokens), "something was exchanged twice"
        for answer in session.answers:
            bearer = authenticate_bearer(self.person.realm, answer.access_token)
            assert isinstance(bearer, BearerRefused) or bearer.claims.token_version == version
        end_rest(self.person.realm.database, session.sid)
        self.person.assert_alive(session.answers[-1])
        if len(tokens) > 1:
            assert isinstance(self.person.refresh(session.answers[0]), OAuthError), "a past generation lives"
            assert isinstance(self.person.refresh(session.answers[-1]), OAuthError), "reuse ends the family"


def _live(lives: list[Life], chance: random.Random, until: float) -> int:
    """Do one thing after the other; how many."""
    acts: list[Callable[[Life, random.Random], None]] = [
        *[Life.sign_in] * 6,
        *[Life.refresh] * 8,
        Life.reuse,
        *[Life.change] * 4,
        Life.leave,
        Life.reset,
        Life.administer,
    ]
    done = 0
    while time.monotonic() < until:
        chance.choice(acts)(chance.choice(lives), chance)
        done += 1
    return done


def _watch_versions(lives: list[Life], until: float) -> None:
    """Whoever looks never sees a version fall."""
    seen = [1] * len(lives)
    while time.monotonic() < until:
        now = [life.person.row.token_version for life in lives]
        assert all(after >= before for before, after in zip(seen, now, strict=True)), (seen, now)
        seen = now
        time.sleep(0.01)
