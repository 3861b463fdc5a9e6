"""Which step is due when, and what an operator's command does to the keys as they are."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import KeyState, Purpose, StoredKey
from authserver.keyring.life_cycle import (
    SETTLING,
    KeyTimes,
    decide_compromise,
    decide_due,
    decide_import,
    decide_promotion,
    decide_retirement,
    decide_staging,
)
from authserver.keyring.steps import (
    Activate,
    Change,
    Compromise,
    Impossible,
    NothingDue,
    Promote,
    Retire,
    Stage,
    Step,
    TooEarly,
    find_fresh_algorithm,
    take,
)
from tests.support.world.clock import START

MakeKey = Callable[..., StoredKey]
SIGNING, MAC = Purpose.SIGNING, Purpose.MAC
MAX_AGE, DAY = timedelta(minutes=5), timedelta(days=1)
TIMES = KeyTimes(
    jwks_max_age=MAX_AGE,
    retire_after=timedelta(minutes=15),
    rotation_interval=timedelta(0),
    mac_retire_after=timedelta(days=7),
)
MONTHLY = KeyTimes(MAX_AGE, timedelta(minutes=15), timedelta(days=30), timedelta(days=7))
READY = START + MAX_AGE


def load_next(keys: KeySet, purpose: Purpose = SIGNING) -> StoredKey:
    key = keys.find_next(purpose)
    assert key is not None
    return key


def load_active(keys: KeySet, purpose: Purpose = SIGNING) -> StoredKey:
    key = keys.find_active(purpose)
    assert key is not None
    return key


@pytest.fixture
def carry_out(make_key: MakeKey) -> Callable[..., KeySet]:
    """Take a step as a transaction does: the rows afterwards."""

    def carry_out(keys: KeySet, step: Step, now: datetime = START) -> KeySet:
        assert isinstance(step, Change)
        algorithm = find_fresh_algorithm(step)
        fresh = make_key(algorithm, now) if algorithm else None
        rows = {key.kid: key for key in keys.rows}
        for row in take(step, keys, fresh, now, TIMES.retiring(step.purpose)):
            rows[row.kid] = row
        return KeySet(tuple(rows.values()))

    return carry_out


def test_the_first_key_signs_at_once_and_another_is_published_beside_it(carry_out: Callable[..., KeySet]) -> None:
    empty = KeySet(())
    assert decide_due(empty, SIGNING, START, TIMES) == Activate(SIGNING, "ES256")
    founded = carry_out(empty, Activate(SIGNING, "ES256"))
    assert decide_due(founded, SIGNING, START, TIMES) == Stage(SIGNING, "ES256", withdrawn=None)
    staged = carry_out(founded, Stage(SIGNING, "ES256", withdrawn=None))
    assert isinstance(decide_due(staged, SIGNING, START, TIMES), TooEarly)


def test_a_key_signs_only_after_every_cached_jwks_has_it(key_set: KeySet) -> None:
    """OIDC Core §10.1.1."""
    upcoming = load_next(key_set)
    just_before = READY - timedelta(microseconds=1)
    assert decide_promotion(key_set, SIGNING, just_before, TIMES) == TooEarly(upcoming.kid, READY)
    expected = Promote(SIGNING, upcoming.kid, load_active(key_set).kid, "ES256")
    assert decide_promotion(key_set, SIGNING, READY, TIMES) == expected
    assert decide_promotion(key_set, SIGNING, START, TIMES, force=True) == expected


def test_a_signing_key_waits_until_every_server_has_it(key_set: KeySet) -> None:
    """Also where nobody may keep the JWKS: a server that has not read the keys again still serves the old one."""
    uncached = replace(TIMES, jwks_max_age=timedelta(0))
    ready_at = load_next(key_set).since + SETTLING
    just_before = ready_at - timedelta(microseconds=1)
    assert isinstance(decide_promotion(key_set, SIGNING, just_before, uncached), TooEarly)
    assert isinstance(decide_promotion(key_set, SIGNING, ready_at, uncached), Promote)


def test_a_mac_key_waits_until_every_server_has_it(key_set: KeySet) -> None:
    assert isinstance(decide_due(key_set, MAC, START, TIMES), TooEarly)
    assert isinstance(decide_due(key_set, MAC, START + SETTLING, TIMES), Promote)


def test_a_promotion_leaves_a_retiring_an_active_and_a_next_key(
    key_set: KeySet, carry_out: Callable[..., KeySet]
) -> None:
    old, upcoming = load_active(key_set), load_next(key_set)
    after = carry_out(key_set, decide_due(key_set, SIGNING, READY, TIMES), READY)
    assert after.load(old.kid).state is KeyState.RETIRING
    assert after.load(old.kid).retires_at == READY + TIMES.retire_after
    assert load_active(after).kid == upcoming.kid
    assert load_next(after).kid not in {old.kid, upcoming.kid}


def test_a_mac_key_retires_for_the_longest_idle_lifetime(key_set: KeySet, carry_out: Callable[..., KeySet]) -> None:
    old = load_active(key_set, MAC)
    after = carry_out(key_set, decide_due(key_set, MAC, READY, TIMES), READY)
    assert after.load(old.kid).retires_at == READY + TIMES.mac_retire_after


def test_a_rotation_right_after_a_rotation_does_nothing(key_set: KeySet, carry_out: Callable[..., KeySet]) -> None:
    """F20: cron on many nodes."""
    after = carry_out(key_set, decide_due(key_set, SIGNING, READY, TIMES), READY)
    fresh = load_next(after)
    assert decide_due(after, SIGNING, fresh.since, TIMES) == TooEarly(fresh.kid, fresh.since + MAX_AGE)


def test_a_retiring_key_goes_when_its_last_token_has_expired(key_set: KeySet, carry_out: Callable[..., KeySet]) -> None:
    old = load_active(key_set)
    after = carry_out(key_set, decide_due(key_set, SIGNING, READY, TIMES), READY)
    ends = READY + TIMES.retire_after
    assert decide_due(after, SIGNING, ends, TIMES) == Retire(SIGNING, old.kid)
    gone = carry_out(after, Retire(SIGNING, old.kid), ends).load(old.kid)
    assert gone.state is KeyState.RETIRED
    assert gone.sealed is None


def test_with_an_interval_a_rotation_is_due_once_in_each(key_set: KeySet) -> None:
    due_at = START + MONTHLY.rotation_interval
    assert decide_due(key_set, SIGNING, due_at - timedelta(seconds=1), MONTHLY) == NothingDue(due_at)
    assert isinstance(decide_due(key_set, SIGNING, due_at, MONTHLY), Promote)


def test_a_retirement_does_not_wait_for_the_next_rotation(key_set: KeySet, carry_out: Callable[..., KeySet]) -> None:
    after = carry_out(key_set, decide_promotion(key_set, SIGNING, READY, MONTHLY), READY)
    assert isinstance(decide_due(after, SIGNING, READY + DAY, MONTHLY), Retire)


def test_a_next_key_signs_at_once_when_nothing_else_does(key_set: KeySet) -> None:
    """Better a key that some caches lack than none."""
    orphaned = KeySet(tuple(key for key in key_set.rows if key != load_active(key_set)))
    upcoming = load_next(orphaned)
    assert decide_due(orphaned, SIGNING, START, TIMES) == Promote(SIGNING, upcoming.kid, None, "ES256")


def test_another_algorithm_replaces_the_next_key_and_stays(key_set: KeySet, carry_out: Callable[..., KeySet]) -> None:
    """ASVS 11.2.2."""
    withdrawn = load_next(key_set)
    step = decide_staging(key_set, SIGNING, "EdDSA")
    assert step == Stage(SIGNING, "EdDSA", withdrawn=withdrawn.kid)
    staged = carry_out(key_set, step)
    assert staged.load(withdrawn.kid).state is KeyState.RETIRED
    assert load_next(staged).algorithm == "EdDSA"
    promoted = carry_out(staged, decide_due(staged, SIGNING, READY, TIMES), READY)
    assert (load_active(promoted).algorithm, load_next(promoted).algorithm) == ("EdDSA", "EdDSA")


def test_staging_what_is_staged_does_nothing(key_set: KeySet) -> None:
    assert decide_staging(key_set, SIGNING, "ES256") == NothingDue()


def test_an_imported_key_becomes_the_next_one_once(
    key_set: KeySet, make_key: MakeKey, carry_out: Callable[..., KeySet]
) -> None:
    imported = make_key("EdDSA")
    upcoming = load_next(key_set)
    assert decide_import(key_set, imported.kid, "EdDSA") == Stage(SIGNING, "EdDSA", withdrawn=upcoming.kid)
    assert decide_import(key_set, upcoming.kid, "ES256") == NothingDue()
    assert isinstance(decide_import(key_set, load_active(key_set).kid, "ES256"), Impossible)


def test_a_key_that_was_compromised_cannot_be_imported_again(key_set: KeySet, carry_out: Callable[..., KeySet]) -> None:
    kid = load_active(key_set).kid
    after = carry_out(key_set, decide_compromise(key_set, kid))
    refusal = decide_import(after, kid, "ES256")
    assert isinstance(refusal, Impossible)
    assert "compromised" in refusal.reason


def test_a_compromised_active_key_is_out_and_its_successor_signs_at_once(
    key_set: KeySet, carry_out: Callable[..., KeySet]
) -> None:
    """F22."""
    stolen, upcoming = load_active(key_set), load_next(key_set)
    after = carry_out(key_set, decide_compromise(key_set, stolen.kid))
    assert after.load(stolen.kid).state is KeyState.COMPROMISED
    assert after.load(stolen.kid).sealed is None
    assert load_active(after).kid == upcoming.kid
    assert load_next(after).kid not in {stolen.kid, upcoming.kid}


def test_a_compromise_without_a_successor_makes_one(key_set: KeySet, carry_out: Callable[..., KeySet]) -> None:
    """F22."""
    stolen = load_active(key_set)
    alone = KeySet((stolen,))
    after = carry_out(alone, decide_compromise(alone, stolen.kid))
    assert load_active(after).kid != stolen.kid
    assert isinstance(decide_due(after, SIGNING, START, TIMES), Stage)


def test_a_compromised_next_key_is_replaced_and_the_active_one_stays(
    key_set: KeySet, carry_out: Callable[..., KeySet]
) -> None:
    stolen, active = load_next(key_set), load_active(key_set)
    after = carry_out(key_set, decide_compromise(key_set, stolen.kid))
    assert load_active(after) == active
    assert load_next(after).kid != stolen.kid


def test_a_compromise_in_the_middle_of_an_algorithm_change_goes_on_with_the_new_one(
    key_set: KeySet, carry_out: Callable[..., KeySet]
) -> None:
    changing = carry_out(key_set, decide_staging(key_set, SIGNING, "EdDSA"))
    after = carry_out(changing, decide_compromise(changing, load_active(changing).kid))
    assert (load_active(after).algorithm, load_next(after).algorithm) == ("EdDSA", "EdDSA")


def test_a_key_that_no_longer_signs_can_be_compromised_too(key_set: KeySet, carry_out: Callable[..., KeySet]) -> None:
    old = load_active(key_set)
    retiring = carry_out(key_set, decide_promotion(key_set, SIGNING, READY, TIMES), READY)
    assert decide_compromise(retiring, old.kid) == Compromise(SIGNING, old.kid, None, None)
    after = carry_out(retiring, decide_compromise(retiring, old.kid))
    assert after.load(old.kid).state is KeyState.COMPROMISED
    assert decide_compromise(after, old.kid) == NothingDue()


def test_retiring_by_hand_respects_what_is_still_in_use(key_set: KeySet, carry_out: Callable[..., KeySet]) -> None:
    active, upcoming = load_active(key_set), load_next(key_set)
    assert isinstance(decide_retirement(key_set, active.kid, START), Impossible)
    assert decide_retirement(key_set, upcoming.kid, START) == Stage(SIGNING, "ES256", withdrawn=upcoming.kid)
    retiring = carry_out(key_set, decide_promotion(key_set, SIGNING, READY, TIMES), READY)
    ends = READY + TIMES.retire_after
    assert decide_retirement(retiring, active.kid, READY) == TooEarly(active.kid, ends)
    assert decide_retirement(retiring, active.kid, READY, force=True) == Retire(SIGNING, active.kid)
    assert decide_retirement(retiring, active.kid, ends) == Retire(SIGNING, active.kid)


@pytest.mark.parametrize("decide", [decide_compromise, lambda keys, kid: decide_retirement(keys, kid, START)])
def test_a_key_that_is_not_there_is_refused_by_name(key_set: KeySet, decide: Callable[[KeySet, str], Step]) -> None:
    assert decide(key_set, "nobody") == Impossible("there is no key nobody")
