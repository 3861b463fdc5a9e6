"""Followers of the revocation feed agree with the issuer, and so with each other, however the pages reach them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from authserver.protocol.revocation_feed import (
    ClientEntry,
    Entry,
    FamilyEntry,
    FeedPage,
    IssuerEntry,
    KeyEntry,
    SessionEntry,
    TokenEntry,
    UserEntry,
)
from authserver.verifier.feed_state import FeedState
from tests.support.world.feeds import WINDOW, Feed, claims
from tests.support.world.tokens import NOW

NAMES = ("a", "b")
LIFETIME, LEEWAY = 300, 30

names = st.sampled_from(NAMES)
times = st.integers(NOW, NOW + WINDOW - 1)
entries = st.one_of(
    st.builds(UserEntry, names, st.integers(1, 4), st.booleans(), st.booleans(), rev=st.just(0), at=times),
    st.builds(SessionEntry, names, st.booleans(), times),
    st.builds(FamilyEntry, names, times),
    st.builds(TokenEntry, names, times),
    st.builds(ClientEntry, names, st.booleans(), rev=st.just(0), at=times),
    st.builds(KeyEntry, names, times),
    st.builds(IssuerEntry, st.integers(NOW - 2, NOW + 2), times),
)
spans = st.tuples(st.integers(0, 12), st.integers(0, 12), st.booleans())

UNIVERSE = [
    (claims(sub=sub, sid=sid, fam=fam, jti=jti, client_id=client_id, token_version=version), kid)
    for sub in NAMES
    for sid in (*NAMES, "other")
    for fam in (*NAMES, "other")
    for jti in ("a", "other")
    for client_id in ("a", "other")
    for version in (1, 3)
    for kid in ("a", "other")
]


def verdicts(state: FeedState) -> list[object]:
    return [state.check(token, kid) for token, kid in UNIVERSE]


def told(pages: Sequence[FeedPage]) -> FeedState:
    state = FeedState(leeway=LEEWAY)
    for page in pages:
        state.apply(page, 1000)
    return state


def filled(said: Sequence[Entry]) -> Feed:
    feed = Feed(now=NOW + WINDOW - 1)
    feed.add(*said)
    return feed


@given(st.lists(entries, max_size=12), st.lists(spans, max_size=12), st.randoms(use_true_random=False))
def test_any_pages_in_any_order_add_up_to_the_same(
    said: list[Entry], cuts: list[tuple[int, int, bool]], random: Random
) -> None:
    """Page sizes, repeats, orders and resets make no difference, as long as each entry arrives at last."""
    feed = filled(said)
    pages = [feed.page(min(start, end), max(start, end), reset=reset) for start, end, reset in cuts]
    pages += [feed.page(0, 0), *(feed.page(number, number + 1) for number in range(len(said)))]
    random.shuffle(pages)
    once = told([feed.page(reset=True)])
    assert verdicts(told(pages)) == verdicts(once)
    assert verdicts(told([*pages, *pages, feed.page(reset=True)])) == verdicts(once)


@given(st.lists(entries, min_size=1, max_size=12), st.lists(spans, max_size=12))
def test_what_carries_a_rev_never_goes_back(said: list[Entry], cuts: list[tuple[int, int, bool]]) -> None:
    """After all is known, no page from before changes anything, be it a snapshot that is older than what is known."""
    feed = filled(said)
    state = told([feed.page(reset=True)])
    before = verdicts(state)
    for start, end, reset in cuts:
        old = feed.page(min(start, end), max(start, end), reset=reset)
        state.apply(replace(old, generated_at=NOW), 1000)
        assert verdicts(state) == before


@dataclass(frozen=True)
class Step:
    """After `pause` seconds the named user is locked, unlocked, bumped or signed out; then the reader polls or not."""

    pause: int
    sub: str
    act: str
    polls: bool


steps = st.lists(
    st.builds(Step, st.integers(0, 500), names, st.sampled_from(["lock", "unlock", "bump", "end"]), st.booleans()),
    min_size=1,
    max_size=15,
)
AWAY_WHILE_UNLOCKED = [
    Step(0, "a", "lock", polls=True),
    Step(500, "a", "unlock", polls=False),
    Step(500, "b", "bump", polls=False),
]


@given(steps)
@example(AWAY_WHILE_UNLOCKED)
def test_of_tokens_that_have_not_expired_a_reader_says_what_the_issuer_would_say(script: list[Step]) -> None:
    """However long it was away and whatever was pruned meanwhile: nothing revoked passes, nothing good is refused."""
    feed, state, cursor = Feed(), FeedState(leeway=LEEWAY), ""
    versions, locked, ended = dict.fromkeys(NAMES, 1), dict.fromkeys(NAMES, False), set[str]()
    issued: list[tuple[str, int, str, int]] = []
    for number, step in enumerate([*script, Step(1, "b", "bump", polls=True)]):
        feed.now += step.pause
        issued += [(sub, versions[sub], f"{sub}-{number}", feed.now) for sub in NAMES if not locked[sub]]
        match step.act:
            case "lock" | "unlock":
                locked[step.sub] = step.act == "lock"
            case "bump":
                versions[step.sub] += 1
            case _:
                ended |= {sid for sub, _, sid, _ in issued if sub == step.sub}
                feed.add(*(SessionEntry(sid, soft_logout=False, at=feed.now) for sid in sorted(ended)))
        is_locked, version = locked[step.sub], versions[step.sub]
        feed.add(UserEntry(step.sub, version, locked=is_locked, soft_logout=False, rev=0, at=feed.now))
        if step.polls:
            page = feed.poll(cursor)
            state.apply(page, feed.now)
            state.forget(feed.now)
            cursor = page.cursor
    for sub, version, sid, issued_at in issued:
        if issued_at + LIFETIME + LEEWAY <= feed.now:
            continue
        token = claims(sub=sub, sid=sid, fam=sid, token_version=version, iat=issued_at, exp=issued_at + LIFETIME)
        is_revoked = locked[sub] or version < versions[sub] or sid in ended
        assert (state.check(token, "k") is not None) is is_revoked
