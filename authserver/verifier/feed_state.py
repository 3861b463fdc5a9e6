"""The merged state of the revocation feed, and the check of a token against it.

Pure: no I/O, and time is the argument `now`, whole seconds on a clock that never goes back. Every merge is a maximum,
so the result is the same if pages come twice, late, out of order or as a whole snapshot. A snapshot is merged, too, and
never removes entries. One thread applies pages; any number of threads may check tokens meanwhile.

Entries are forgotten one window after they were learned, when every token that they refuse has expired. This is counted
from the moment when they were learned here, never by the wall clock, which may be set. Not forgotten: locks in force,
and keys within `KEY_WINDOW`.

A lock is in force until a newer entry lifts it. A reader that was disconnected for longer than the window may have
missed that entry. So a lock is over if it is older than a snapshot's window and the snapshot does not name it.
"""

from typing import assert_never

from authserver.protocol.claims import AccessTokenClaims, UserToken
from authserver.protocol.limits import FEED_MARGIN, KEY_WINDOW, SECOND
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
from authserver.verifier.revocations import Revoked

_MARGIN = FEED_MARGIN // SECOND
_KEY_WINDOW = KEY_WINDOW // SECOND

# A user is one integer, which takes a third of the memory of an object:
# rev | locked | soft_logout | token_version | learned at. The first three together are compared as one number.
_LEARNED_BITS, _VERSION_BITS = 40, 53  # numbers on the wire are below 2^53
_LEARNED, _VERSION = (1 << _LEARNED_BITS) - 1, (1 << _VERSION_BITS) - 1
_LOCKED, _SOFT = 2, 1

_LOCKED_OUT = Revoked("user_locked", soft_logout=True)
_ENDED_HARD, _ENDED_SOFTLY = Revoked("session_revoked", soft_logout=False), Revoked("session_revoked", soft_logout=True)
_STALE, _STALE_SOFTLY = (
    Revoked("stale_token_version", soft_logout=False),
    Revoked("stale_token_version", soft_logout=True),
)
_TOKEN, _CLIENT, _KEY = Revoked("token_revoked"), Revoked("client_disabled"), Revoked("key_revoked")
_BEFORE_FLOOR = Revoked("issued_before_floor")
_OUTLIVES_FEED = Revoked("invalid_claim")


class FeedState:
    """The merged feed. Before the first page, it knows no window and refuses every token."""

    def __init__(self, *, leeway: float) -> None:
        """Begin empty. `leeway`: how many seconds after `exp` this resource server still accepts tokens."""
        self._leeway = leeway
        self._users: dict[str, int] = {}
        self._locks: dict[str, int] = {}  # sub → when the lock was last in force, on the issuer's clock
        self._locks_since = 0  # an older lock that no snapshot has named since is over
        self._sessions: dict[str, int] = {}  # sid → learned at, and whether it ended softly
        self._families: dict[str, int] = {}
        self._tokens: dict[str, int] = {}
        self._clients: dict[str, tuple[int, bool, int]] = {}  # client_id → rev, disabled, learned at
        self._keys: dict[str, int] = {}
        self._floor = 0
        self._window = (0, 0)  # of the newest page: generated at, seconds
        self._longest_window = 0
        self._longest_lifetime = 0.0

    def __len__(self) -> int:
        """The number of remembered entries."""
        named = (self._sessions, self._families, self._tokens, self._keys)
        return len(self._users) + len(self._clients) + sum(len(kind) for kind in named)

    def apply(self, page: FeedPage, now: int) -> None:
        """Merge `page`. Applying it again, or after newer pages, changes nothing."""
        seen_at = page.generated_at if page.reset else 0
        soft, hard = _mark(now, soft_logout=True), _mark(now, soft_logout=False)  # shared by all entries of the page
        for entry in page.entries:
            self._merge(entry, now, seen_at, soft, hard)
        if page.reset:  # after its entries, so that no lock in the page is lifted for a moment
            self._locks_since = max(self._locks_since, page.generated_at - page.window)
        self._window = max(self._window, (page.generated_at, page.window))
        self._longest_window = max(self._longest_window, page.window)
        self._longest_lifetime = self._window[1] - self._leeway - _MARGIN

    def rewind(self, stamp: int) -> None:
        """Undo conclusions from pages whose stamps were far ahead; the issuer's clock now says `stamp`.

        Otherwise such a snapshot would count as newer than every later lock until that time.
        """
        if self._locks_since > stamp:
            self._locks_since = stamp - self._longest_window
            self._locks = {sub: min(seen, stamp) for sub, seen in self._locks.items()}
            self._window = (stamp, self._window[1])

    def forget(self, now: int) -> None:
        """Remove the entries that can no longer refuse an unexpired token."""
        oldest = now - self._longest_window
        self._users = {
            sub: user for sub, user in self._users.items() if user & _LEARNED >= oldest or self._is_locked(sub, user)
        }
        self._locks = {sub: seen for sub, seen in self._locks.items() if sub in self._users}
        self._sessions = {sid: mark for sid, mark in self._sessions.items() if mark >> 1 >= oldest}
        self._families = {fam: learned for fam, learned in self._families.items() if learned >= oldest}
        self._tokens = {jti: learned for jti, learned in self._tokens.items() if learned >= oldest}
        self._clients = {name: client for name, client in self._clients.items() if client[2] >= oldest}
        self._keys = {kid: learned for kid, learned in self._keys.items() if learned >= now - _KEY_WINDOW}

    def check(self, claims: AccessTokenClaims, kid: str) -> Revoked | None:  # noqa: PLR0911 - the rows of design §6
        """Why a token with these claims, signed by `kid`, is refused; None if nothing is known against it.

        Does NOT check whether the token has expired, nor whether this state is recent enough.
        """
        condemned = self._check_user(claims) if isinstance(claims, UserToken) else None
        if condemned is not None:
            return condemned
        if claims.jti in self._tokens:
            return _TOKEN
        if self._clients and self._clients.get(claims.client_id, _UNKNOWN_CLIENT)[1]:
            return _CLIENT
        if kid in self._keys:
            return _KEY
        if claims.iat < self._floor:
            return _BEFORE_FLOOR
        if claims.exp - claims.iat > self._longest_lifetime:
            return _OUTLIVES_FEED  # its revocation might be forgotten before it expires
        return None

    def _check_user(self, claims: UserToken) -> Revoked | None:
        user = self._users.get(claims.sub)
        if user is not None and self._is_locked(claims.sub, user):
            return _LOCKED_OUT
        if user is not None and claims.token_version < user >> _LEARNED_BITS & _VERSION:
            if self._ended_hard(claims):
                return _ENDED_HARD  # an entry about the session outweighs one about its user
            is_soft = _standing(user) & _SOFT or claims.sid in self._sessions
            return _STALE_SOFTLY if is_soft else _STALE
        if claims.sid in self._sessions or claims.fam in self._families:
            return _ENDED_HARD if self._ended_hard(claims) else _ENDED_SOFTLY
        return None

    def _ended_hard(self, claims: UserToken) -> bool:
        is_soft = self._sessions.get(claims.sid, _SOFT) & _SOFT
        return not is_soft or claims.fam in self._families

    def _is_locked(self, sub: str, user: int) -> bool:
        return bool(_standing(user) & _LOCKED) and self._locks.get(sub, 0) > self._locks_since

    def _merge(self, entry: Entry, now: int, seen_at: int, soft: int, hard: int) -> None:
        match entry:
            case UserEntry():
                self._merge_user(entry, now, seen_at)
            case SessionEntry(sid=sid):
                self._sessions[sid] = _merge_marks(self._sessions.get(sid), soft if entry.soft_logout else hard)
            case FamilyEntry(fam=fam):
                self._families[fam] = now
            case TokenEntry(jti=jti):
                self._tokens[jti] = now
            case ClientEntry():
                rev, disabled, _ = self._clients.get(entry.client_id, _UNKNOWN_CLIENT)
                self._clients[entry.client_id] = (*max((rev, disabled), (entry.rev, entry.disabled)), now)
            case KeyEntry(kid=kid):
                self._keys[kid] = now
            case IssuerEntry():
                self._floor = max(self._floor, entry.issued_before)
            case _:
                assert_never(entry)

    def _merge_user(self, entry: UserEntry, now: int, seen_at: int) -> None:
        if entry.locked:  # before the user, so that the lock has no gap
            self._locks[entry.sub] = max(self._locks.get(entry.sub, 0), entry.at, seen_at)
        standing = entry.rev << 2 | entry.locked << 1 | entry.soft_logout
        version = entry.token_version
        known = self._users.get(entry.sub)
        if known is not None:
            standing, version = max(standing, _standing(known)), max(version, known >> _LEARNED_BITS & _VERSION)
        self._users[entry.sub] = (standing << _VERSION_BITS | version) << _LEARNED_BITS | now


_UNKNOWN_CLIENT = (-1, False, 0)


def _standing(user: int) -> int:
    return user >> (_VERSION_BITS + _LEARNED_BITS)


def _mark(learned_at: int, *, soft_logout: bool) -> int:
    return learned_at << 1 | soft_logout


def _merge_marks(known: int | None, new: int) -> int:
    """Merge two marks: the later time; soft only if both are soft, because a hard end stays hard."""
    if known is None:
        return new
    return max(known, new) if known & new & _SOFT else max(known, new) & ~_SOFT
