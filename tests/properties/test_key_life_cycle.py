"""Whatever operators, crons and clocks do to the keys, in any order: every good token can be verified while it lives.

The clock of whoever acts may be wrong for a while; it is judged as everywhere else, and `now` is the true time.
"""

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from authserver.clock import Reading
from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import LIVE_STATES, KeyState, Purpose, StoredKey
from authserver.keyring.life_cycle import (
    KeyTimes,
    decide_compromise,
    decide_due,
    decide_promotion,
    decide_repair,
    decide_retirement,
    decide_staging,
)
from authserver.keyring.steps import Change, Promote, Step, find_fresh_algorithm, take
from authserver.trusted_time import PROBATION, History, Trusted, Witnesses, judge
from tests.support.world.clock import START

SIGNING = Purpose.SIGNING
LONGEST_WAIT = timedelta(seconds=601)
TOKEN_LIFETIME, JWKS_MAX_AGE = timedelta(seconds=300), timedelta(seconds=300)
TIMES = KeyTimes(JWKS_MAX_AGE, TOKEN_LIFETIME + JWKS_MAX_AGE, timedelta(0), timedelta(days=7))


class KeyLife(RuleBasedStateMachine):
    """One issuer, its operators, and a resource server that fetches the JWKS as rarely as it may."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.keys = KeySet(())
        self.made = 0
        self.calm = False
        self.tokens: dict[str, datetime] = {}
        self.fetched: frozenset[str] = frozenset()
        self.fetched_at = START - JWKS_MAX_AGE
        self.hurried = True
        self.ahead = timedelta(0)
        self.wrong_since = START
        self.history: History | None = None
        self.vouched = START

    @initialize(calm=st.booleans())
    def start(self, *, calm: bool) -> None:
        """What `init` does; nobody holds a cached JWKS of an issuer that did not exist.

        In calm times no next key is taken away, so that one often gets old enough to be promoted.
        """
        self.calm = calm
        for _ in range(2):
            self.carry_out(decide_repair(self.keys, SIGNING))
        self.hurried = False

    @rule(seconds=st.sampled_from([1, 100, 200, 299, 300, 601]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        if self.ahead and self.now - self.wrong_since >= PROBATION - LONGEST_WAIT:
            self.ahead = timedelta(0)  # who lets it be wrong for longer is believed

    @rule(ahead=st.sampled_from([timedelta(0), timedelta(days=400), timedelta(days=3650)]))
    def set_clock(self, ahead: timedelta) -> None:
        if not self.ahead:
            self.wrong_since = self.now
        self.ahead = ahead

    @precondition(lambda self: not self.calm and not self.ahead)
    @rule(algorithm=st.sampled_from(["ES256", "EdDSA"]))
    def stage_while_the_clock_is_wrong(self, algorithm: str) -> None:
        """What somebody wants at once goes by any clock, and bears its date when the clock is right again."""
        self.ahead = timedelta(days=3650)
        self.stage(algorithm)
        self.ahead = timedelta(0)

    @rule()
    def start_anew(self) -> None:
        """Whoever acts next is a process that has seen no other time."""
        self.history = None

    @rule()
    def use_tokens(self) -> None:
        """A token is signed; with a JWKS as old as it may be, every live token has its key."""
        active = self.keys.find_active(SIGNING)
        assert active is not None
        self.tokens[active.kid] = self.now + TOKEN_LIFETIME
        if self.now - self.fetched_at >= JWKS_MAX_AGE:
            self.fetched, self.fetched_at = self.published(), self.now
            self.hurried = False
        live = {kid for kid, expires_at in self.tokens.items() if expires_at > self.now}
        assert self.hurried or live <= self.fetched

    @rule()
    def rotate(self) -> None:
        at = self.look()
        if at is None:
            return
        step = decide_due(self.keys, SIGNING, at, TIMES)
        while self.carry_out(step) and not isinstance(step, Promote):
            step = decide_due(self.keys, SIGNING, at, TIMES)
        assert all(key.since <= at for key in self.keys.select(SIGNING, *LIVE_STATES))

    @precondition(lambda self: not self.calm)
    @rule(algorithm=st.sampled_from(["ES256", "EdDSA"]))
    def stage(self, algorithm: str) -> None:
        self.carry_out(decide_staging(self.keys, SIGNING, algorithm))

    @rule()
    def promote(self) -> None:
        at = self.look()
        if at is not None:
            self.carry_out(decide_promotion(self.keys, SIGNING, at, TIMES))

    @precondition(lambda self: not self.calm)
    @rule(which=st.integers(min_value=0, max_value=50))
    def retire(self, which: int) -> None:
        at = self.look()
        if at is not None:
            self.carry_out(decide_retirement(self.keys, self.pick(which), at))

    @precondition(lambda self: not self.calm)
    @rule(which=st.integers(min_value=0, max_value=50))
    def compromise(self, which: int) -> None:
        kid = self.pick(which)
        if self.carry_out(decide_compromise(self.keys, kid)):
            self.tokens.pop(kid, None)
            self.hurried = True  # its successor may sign before caches have it: the price of "at once"
        assert kid not in self.published()

    @invariant()
    def every_live_token_has_its_key_published(self) -> None:
        live = {kid for kid, expires_at in self.tokens.items() if expires_at > self.now}
        assert live <= self.published()

    @invariant()
    def there_is_one_key_that_signs_and_one_to_follow(self) -> None:
        if self.made:
            assert self.keys.find_active(SIGNING) is not None
            assert self.keys.find_next(SIGNING) is not None

    @invariant()
    def private_parts_exist_only_where_they_are_needed(self) -> None:
        assert all((key.sealed is not None) == (key.state in LIVE_STATES) for key in self.keys.rows)

    def look(self) -> datetime | None:
        """The time by the clock of who acts, if it is trusted; that it never is while it is wrong."""
        clock = self.now + self.ahead
        reading = Reading(clock.timestamp(), self.now.timestamp())
        self.history, judgement = judge(self.history, Witnesses(clock, reading, None, self.vouched))
        if not isinstance(judgement, Trusted):
            return None
        assert not self.ahead
        self.vouched = judgement.now
        return judgement.now

    def pick(self, which: int) -> str:
        return self.keys.rows[which % len(self.keys.rows)].kid

    def published(self) -> frozenset[str]:
        return frozenset(key.kid for key in self.keys.as_of(self.now).select(SIGNING, *LIVE_STATES))

    def carry_out(self, step: Step) -> bool:
        if not isinstance(step, Change):
            return False
        algorithm = find_fresh_algorithm(step)
        fresh = None if algorithm is None else self.make(algorithm)
        rows = {key.kid: key for key in self.keys.rows}
        rows.update(
            {key.kid: key for key in take(step, self.keys, fresh, self.now + self.ahead, TIMES.retiring(SIGNING))}
        )
        self.keys = KeySet(tuple(rows.values()))
        return True

    def make(self, algorithm: str) -> StoredKey:
        self.made += 1
        kid, now = f"key-{self.made}", self.now + self.ahead
        return StoredKey(kid, SIGNING, algorithm, KeyState.NEXT, "{}", "sealed", now, published_at=now)


TestKeyLife = KeyLife.TestCase
