"""What the feed says of a token: every kind, their order, and what may be forgotten."""

import tracemalloc

import pytest

from authserver.protocol import limits
from authserver.protocol.claims import AccessTokenClaims, ClientToken
from authserver.protocol.entropy import new_id
from authserver.protocol.revocation_feed import (
    ClientEntry,
    Entry,
    FamilyEntry,
    FeedPage,
    IssuerEntry,
    KeyEntry,
    SessionEntry,
    TokenEntry,
)
from authserver.verifier.feed_state import FeedState
from authserver.verifier.revocations import Revoked
from tests.support.world.entropy import SeededEntropy
from tests.support.world.feeds import WINDOW, Feed, claims, user
from tests.support.world.tokens import AUDIENCE, ISSUER, NOW

START = 1000
"""Where the monotonic clock stands."""

KEY_WINDOW = limits.KEY_WINDOW // limits.SECOND


def knowing(*entries: Entry) -> FeedState:
    feed = Feed()
    feed.add(*entries)
    state = FeedState(leeway=30)
    state.apply(feed.page(reset=True), START)
    return state


def one_entry(entry: Entry) -> FeedPage:
    return FeedPage("i", "c", False, WINDOW, NOW, (entry,))


def verdict(state: FeedState, token: AccessTokenClaims | None = None, kid: str = "k") -> tuple[str, bool | None] | None:
    revoked = state.check(token or claims(), kid)
    return None if revoked is None else (revoked.code, revoked.soft_logout)


def test_nothing_known_of_a_token_lets_it_pass() -> None:
    others = (user("user-2", 9), SessionEntry("s", soft_logout=False, at=NOW), FamilyEntry("f", NOW))
    state = knowing(*others, TokenEntry("t", NOW), ClientEntry("c", disabled=True, rev=0, at=NOW), KeyEntry("o", NOW))
    assert verdict(state) is None


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (user(version=4), ("stale_token_version", False)),
        (user(version=4, soft_logout=True), ("stale_token_version", True)),
        (user(version=1, locked=True, soft_logout=True), ("user_locked", True)),
        (SessionEntry("session-1", soft_logout=False, at=NOW), ("session_revoked", False)),
        (SessionEntry("session-1", soft_logout=True, at=NOW), ("session_revoked", True)),
        (FamilyEntry("family-1", NOW), ("session_revoked", False)),
        (TokenEntry("token-1", NOW), ("token_revoked", None)),
        (ClientEntry("first-party", disabled=True, rev=0, at=NOW), ("client_disabled", None)),
        (KeyEntry("k", NOW), ("key_revoked", None)),
        (IssuerEntry(NOW + 1, NOW), ("issued_before_floor", None)),
    ],
)
def test_each_kind_of_entry_condemns_its_tokens(entry: Entry, expected: tuple[str, bool | None]) -> None:
    """Contract §6."""
    assert verdict(knowing(entry)) == expected


@pytest.mark.parametrize(
    "entry",
    [
        user(version=3),
        user(version=2),
        ClientEntry("first-party", disabled=False, rev=0, at=NOW),
        IssuerEntry(NOW, NOW),
    ],
)
def test_an_entry_condemns_only_what_it_says(entry: Entry) -> None:
    """Only lower versions are stale; issued before means before."""
    assert verdict(knowing(entry)) is None


def test_the_order_is_that_of_the_design() -> None:
    """Design §6: user, session, family, token, client, key, issuer."""
    rows: list[tuple[Entry, str]] = [
        (IssuerEntry(NOW + 1, NOW), "issued_before_floor"),
        (KeyEntry("k", NOW), "key_revoked"),
        (ClientEntry("first-party", disabled=True, rev=0, at=NOW), "client_disabled"),
        (TokenEntry("token-1", NOW), "token_revoked"),
        (SessionEntry("session-1", soft_logout=True, at=NOW), "session_revoked"),
        (user(version=4), "stale_token_version"),
        (user(version=4, locked=True), "user_locked"),
    ]
    said: list[Entry] = []
    for entry, expected in rows:
        said.append(entry)
        found = verdict(knowing(*said))
        assert found is not None
        assert found[0] == expected


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (SessionEntry("session-1", soft_logout=False, at=NOW), ("session_revoked", False)),
        (FamilyEntry("family-1", NOW), ("session_revoked", False)),
        (SessionEntry("session-1", soft_logout=True, at=NOW), ("stale_token_version", True)),
        (SessionEntry("session-2", soft_logout=False, at=NOW), ("stale_token_version", True)),
    ],
)
def test_of_a_stale_token_the_end_of_its_own_session_says_more(session: Entry, expected: tuple[str, bool]) -> None:
    """A kept device refreshes once; one that was signed out must not be told that it could."""
    assert verdict(knowing(user(version=4, soft_logout=True), session)) == expected


def test_the_renewed_session_of_a_hard_sign_out_is_soft() -> None:
    """Design §5: the old `sid` of the session that changed the password goes to the feed softly."""
    state = knowing(user(version=4), SessionEntry("session-1", soft_logout=True, at=NOW))
    assert verdict(state) == ("stale_token_version", True)
    assert verdict(state, claims(token_version=4)) == ("session_revoked", True)


def test_a_clients_own_token_has_no_version_and_no_session() -> None:
    own = ClientToken(ISSUER, "machine", (AUDIENCE,), NOW + 300, NOW, "token-1", "machine", "read")
    state = knowing(user("machine", 9, locked=True), SessionEntry("None", soft_logout=False, at=NOW))
    assert verdict(state, own) is None
    assert verdict(knowing(TokenEntry("token-1", NOW)), own) == ("token_revoked", None)


@pytest.mark.parametrize(("lifetime", "passes"), [(300, True), (301, False)])
def test_a_token_that_outlives_the_memory_of_the_feed_is_refused(lifetime: int, passes: bool) -> None:  # noqa: FBT001 - a table
    """Design §6: its revocation might be forgotten while it lives."""
    token = claims(exp=NOW + lifetime)
    assert verdict(knowing(), token) == (None if passes else ("invalid_claim", None))


def test_before_the_first_page_no_token_passes() -> None:
    assert verdict(FeedState(leeway=0)) == ("invalid_claim", None)


def test_versions_never_go_back_and_flags_follow_the_highest_rev() -> None:
    state = knowing(user(version=5, soft_logout=True))
    old = FeedPage("i", "c", False, WINDOW, NOW, (user(version=4, locked=True, soft_logout=False, rev=0),))
    state.apply(old, START)
    assert verdict(state, claims(token_version=4)) == ("stale_token_version", True)
    assert verdict(state, claims(token_version=5)) is None


def test_a_lock_can_be_lifted_and_set_again() -> None:
    feed = Feed()
    state = FeedState(leeway=30)
    for locked in (True, False, True, False):
        feed.add(user(locked=locked))
        state.apply(feed.page(len(feed.entries) - 1), START)
        assert (verdict(state) is not None) is locked


def test_a_session_that_ended_hard_is_not_softened() -> None:
    ends = [SessionEntry("session-1", soft_logout=soft, at=NOW) for soft in (True, False, True)]
    assert verdict(knowing(*ends)) == ("session_revoked", False)


WINDOWED: list[Entry] = [
    user(version=4),
    SessionEntry("session-1", soft_logout=False, at=NOW),
    FamilyEntry("family-1", NOW),
    TokenEntry("token-1", NOW),
    ClientEntry("first-party", disabled=True, rev=0, at=NOW),
]


@pytest.mark.parametrize("entry", WINDOWED, ids=lambda entry: entry.KIND)
def test_an_entry_is_forgotten_one_window_after_it_was_learned(entry: Entry) -> None:
    state = knowing(entry)
    state.forget(START + WINDOW)
    assert verdict(state) is not None
    state.forget(START + WINDOW + 1)
    assert (len(state), verdict(state)) == (0, None)


def test_what_is_said_again_is_remembered_again() -> None:
    feed = Feed()
    feed.add(*WINDOWED)
    state = FeedState(leeway=30)
    state.apply(feed.page(reset=True), START)
    state.apply(feed.page(reset=True), START + WINDOW)
    state.forget(START + WINDOW + 1)
    assert len(state) == len(WINDOWED)


def test_a_lock_in_force_is_never_forgotten() -> None:
    state = knowing(user(locked=True), user("user-2", locked=True), user("user-2", locked=False))
    state.forget(START + 100 * WINDOW)
    assert verdict(state) == ("user_locked", True)
    assert len(state) == 1


def test_a_compromised_key_is_remembered_for_thirty_days() -> None:
    """Contract §5: caches of keys live longer than tokens do."""
    state = knowing(KeyEntry("k", NOW))
    state.forget(START + KEY_WINDOW)
    assert verdict(state) == ("key_revoked", None)
    state.forget(START + KEY_WINDOW + 1)
    assert verdict(state) is None


def test_the_floor_of_the_issuer_is_never_forgotten() -> None:
    state = knowing(IssuerEntry(NOW + 1, NOW))
    state.forget(START + 100 * KEY_WINDOW)
    assert verdict(state) == ("issued_before_floor", None)


def test_a_lock_that_a_later_snapshot_does_not_name_is_over() -> None:
    """Who was away while it was lifted would else lock the user out for good."""
    state = knowing(user(locked=True))
    lifted = FeedPage("i", "c", True, WINDOW, NOW + WINDOW, ())
    state.apply(FeedPage("i", "c", True, WINDOW, NOW + WINDOW - 1, ()), START)
    assert verdict(state) == ("user_locked", True)
    state.apply(lifted, START)
    assert verdict(state) is None
    state.apply(FeedPage("i", "c", False, WINDOW, NOW, (user(locked=True, rev=1),)), START)
    assert verdict(state) is None


def test_a_lock_that_the_snapshot_names_stays_however_old_it_is() -> None:
    state = knowing(user(locked=True))
    state.apply(FeedPage("i", "c", True, WINDOW, NOW + 50 * WINDOW, (user(locked=True, rev=1),)), START)
    assert verdict(state) == ("user_locked", True)


def test_an_entry_takes_at_most_two_hundred_bytes() -> None:
    count, entropy = 20_000, SeededEntropy()
    versions = [NOW + number for number in range(count)]  # large ones, as after a restore
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        state = FeedState(leeway=30)
        for number, version in enumerate(versions):
            state.apply(one_entry(user(new_id(entropy), version, rev=2**50 + number)), START)
        per_entry = (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()
    assert len(state) == count
    assert per_entry <= 200


def test_verdicts_are_the_same_objects_every_time() -> None:
    """Saying no must be as cheap as saying yes."""
    state = knowing(TokenEntry("token-1", NOW))
    assert state.check(claims(), "k") is state.check(claims(), "k")
    assert isinstance(state.check(claims(), "k"), Revoked)
