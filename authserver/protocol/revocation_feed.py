"""The revocation feed on the wire (contract §5), written by the server and read by the verifier.

Entries are idempotent and commute. `token_version` merges by maximum. An entry that can be undone (a lock, a disabled
client) carries a `rev` that rises per subject; the highest `rev` wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, get_type_hints

Value = TypeVar("Value")

FORMAT = 1
"""Increased when a kind is added: a reader that does not know the kind must refuse, not overlook a revocation."""
_LARGEST_INTEGER = 2**53 - 1  # RFC 7493 §2.2


@dataclass(frozen=True, slots=True)
class UserEntry:
    """Refuse tokens of `sub` below `token_version`, and all of them while `locked`."""

    KIND: ClassVar[str] = "user"
    SUBJECT: ClassVar[str] = "sub"

    sub: str
    token_version: int
    locked: bool
    soft_logout: bool
    rev: int
    at: int


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """Refuse tokens of the session `sid`."""

    KIND: ClassVar[str] = "session"
    SUBJECT: ClassVar[str] = "sid"

    sid: str
    soft_logout: bool
    at: int


@dataclass(frozen=True, slots=True)
class FamilyEntry:
    """Refuse tokens of the refresh token family `fam`."""

    KIND: ClassVar[str] = "family"
    SUBJECT: ClassVar[str] = "fam"

    fam: str
    at: int


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """Refuse the one token `jti`."""

    KIND: ClassVar[str] = "token"
    SUBJECT: ClassVar[str] = "jti"

    jti: str
    at: int


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """Refuse tokens of `client_id` while `disabled`."""

    KIND: ClassVar[str] = "client"
    SUBJECT: ClassVar[str] = "client_id"

    client_id: str
    disabled: bool
    rev: int
    at: int


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """Refuse tokens that the key `kid` signed."""

    KIND: ClassVar[str] = "key"
    SUBJECT: ClassVar[str] = "kid"

    kid: str
    at: int


@dataclass(frozen=True, slots=True)
class IssuerEntry:
    """Refuse tokens whose `iat` is before `issued_before`."""

    KIND: ClassVar[str] = "issuer"
    SUBJECT: ClassVar[str] = "issued_before"

    issued_before: int
    at: int


Entry = UserEntry | SessionEntry | FamilyEntry | TokenEntry | ClientEntry | KeyEntry | IssuerEntry
KINDS: tuple[type[Entry], ...] = (
    UserEntry,
    SessionEntry,
    FamilyEntry,
    TokenEntry,
    ClientEntry,
    KeyEntry,
    IssuerEntry,
)
_BY_KIND: Mapping[str, type[Entry]] = {kind.KIND: kind for kind in KINDS}
_TYPES: Mapping[type[Entry], Mapping[str, type]] = {
    kind: {name: hint for name, hint in get_type_hints(kind).items() if name not in {"KIND", "SUBJECT"}}
    for kind in KINDS
}


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One answer of the feed.

    Attributes:
        issuer: whose feed it is.
        cursor: the position to ask from next time.
        reset: whether the page holds the whole feed. A reader merges it with the entries that it already has, and drops
            none.
        window: the number of seconds that a revocation stays in the feed.
        generated_at: when this was the newest page, in seconds since the epoch; each answer has its own.
        entries: oldest first.
    """

    issuer: str
    cursor: str
    reset: bool
    window: int
    generated_at: int
    entries: tuple[Entry, ...]


def write_entry(entry: Entry) -> dict[str, object]:
    """The JSON object of `entry`."""
    return {"kind": entry.KIND, **{name: getattr(entry, name) for name in _TYPES[type(entry)]}}


def write_page(page: FeedPage) -> dict[str, object]:
    """The JSON object of `page`."""
    return {
        "format": FORMAT,
        "issuer": page.issuer,
        "cursor": page.cursor,
        "reset": page.reset,
        "window": page.window,
        "generated_at": page.generated_at,
        "entries": [write_entry(entry) for entry in page.entries],
    }


def name_subject(entry: Entry) -> str:
    """The subject of `entry`. A newer entry of the same kind and subject replaces the older one."""
    return str(getattr(entry, entry.SUBJECT))


class InvalidFeedError(ValueError):
    """A feed that this code does not understand. The reader must refuse it rather than guess."""


class UnknownFeedError(InvalidFeedError):
    """A feed that says more than this code understands: a newer format, or an entry of an unknown kind."""


def read_entry(members: object) -> Entry:
    """The entry of a JSON object, or `InvalidFeedError`. Unknown members are ignored; unknown kinds are errors."""
    kind = _BY_KIND.get(_read_member(members, "kind", str))
    if kind is None:
        raise UnknownFeedError("an entry of unknown kind")
    values: list[Any] = [_read_member(members, name, expected) for name, expected in _TYPES[kind].items()]
    return kind(*values)


def read_page(members: object) -> FeedPage:
    """The page of a JSON object, or `InvalidFeedError` for another format, a missing member or a wrong type."""
    if _read_member(members, "format", int) != FORMAT:
        raise UnknownFeedError("a feed of an unknown format")
    return FeedPage(
        issuer=_read_member(members, "issuer", str),
        cursor=_read_member(members, "cursor", str),
        reset=_read_member(members, "reset", bool),
        window=_read_member(members, "window", int),
        generated_at=_read_member(members, "generated_at", int),
        entries=tuple(map(read_entry, _read_member(members, "entries", list))),
    )


def _read_member(members: object, name: str, expected: type[Value]) -> Value:
    value = members.get(name) if isinstance(members, dict) else None
    if type(value) is not expected:  # a bool is an int, too
        raise InvalidFeedError(f"{name} is missing or of a wrong type")
    if isinstance(value, int) and not 0 <= value <= _LARGEST_INTEGER:
        raise InvalidFeedError(f"{name} is out of range")
    return value
