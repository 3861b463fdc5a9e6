"""The hot statement: rotation is one compare-and-set (design §4). The family is not read before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, LargeBinary, Text, and_, bindparam, func, literal_column, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from authserver.records.family import Family, GrantedAccess
from authserver.sessions.rotation import Presented
from authserver.sessions.scope import ADMIN_ROLE, ADMIN_SCOPE, Allowance
from authserver.storage.database import CompiledStatement, Database
from authserver.storage.families import FIND, GRANTED_COLUMNS, decode_family, decode_granted, enabled_for_family
from authserver.storage.instants import to_micros
from authserver.storage.schema import Client, RefreshTokenFamily, User

_F = RefreshTokenFamily.__table__.c
_U = User.__table__.c
_C = Client.__table__.c
_MOST_PLANS: Final = 256


@dataclass(frozen=True, slots=True)
class Rotated:
    """The result of a successful rotation: the granted access, and the user as of now."""

    granted: GrantedAccess
    generation: int
    expires_at: datetime
    token_version: int
    roles: tuple[str, ...]


class _Key(Enum):
    """What the request proves of a key, as far as it changes the statement's text."""

    NONE = "none"
    PROVEN = "proven"
    BINDING = "binding"

    @classmethod
    def of(cls, presented: Presented) -> "_Key":
        if presented.jkt is None:
            return cls.NONE
        return cls.BINDING if presented.binds else cls.PROVEN


class _Shape(NamedTuple):
    """The part of a demand in the statement's text: how many words, all or one of them, and `admin` with its role."""

    words: int
    demands_all: bool
    admin: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """The statement for one request and client: the shapes of its text, and the words that it is run with."""

    shapes: tuple[_Shape, _Shape]
    parameters: Mapping[str, str]


@lru_cache(maxsize=_MOST_PLANS)  # uncached, it would cost a quarter of the statement's time
def _plan(scope: frozenset[str] | None, audience: tuple[str, ...] | None, allowance: Allowance) -> _Plan:
    """What was granted must hold all that the request names; if it names nothing, any word that the client may have."""
    scopes = tuple(allowance.scope if scope is None else scope)
    audiences = tuple(allowance.audience if audience is None else audience)
    others = tuple(word for word in scopes if word != ADMIN_SCOPE)  # `admin` counts only while the user has the role
    scope_shape = _Shape(len(others), scope is not None, len(others) < len(scopes))
    words = {f"scope_{position}": f" {word} " for position, word in enumerate(others)}
    resources = {f"resource_{position}": f" {word} " for position, word in enumerate(audiences)}
    return _Plan((scope_shape, _Shape(len(audiences), audience is not None, admin=False)), words | resources)


class Rotation:
    """The hot statement: exchanges one generation for the next, or changes nothing.

    Every condition is in its WHERE. It is compiled once per number of scope tokens and resources that a client may have
    or a request names (the caller limits both), and runs in autocommit at the driver.
    """

    def __init__(self, database: Database) -> None:
        """Bind to `database`; nothing is compiled or connected yet."""
        self._database = database
        self._compiled: dict[tuple[_Shape, _Shape, _Key], CompiledStatement] = {}
        self._find: CompiledStatement | None = None

    def rotate(
        self,
        *,
        family_id: bytes,
        presented: Presented,
        mac_kid: str,
        now: datetime,
        idle_expires_at: datetime,
        rests_until: datetime | None,
    ) -> Rotated | None:
        """Exchange the presented generation for its successor, tagged with `mac_kid`; None if nothing was changed.

        `rests_until` is the end of the rest that begins now; None: the successor can be exchanged at once. What was
        granted, and what the client may have now, must hold all scopes and resources that the request names; if it
        names none, they must have something in common.
        """
        allowance = presented.allowance
        if not allowance.covers(presented.scope, presented.audience):
            return None
        plan = _plan(presented.scope, presented.audience, allowance)
        shape = (*plan.shapes, _Key.of(presented))
        statement = self._compiled.get(shape)
        if statement is None:
            statement = self._compiled[shape] = self._database.compile(_rotation_statement(*shape))
        row = statement.execute(
            presented_family=family_id,
            presented_generation=presented.generation,
            presented_client=presented.client_id,
            next_mac_kid=mac_kid,
            now=to_micros(now),
            next_idle_end=to_micros(idle_expires_at),
            next_rest_end=None if rests_until is None else to_micros(rests_until),
            **plan.parameters,
            **({} if presented.jkt is None else {"proven_jkt": presented.jkt}),
        )
        return None if row is None else _decode_rotated(row)

    def find(self, family_id: bytes) -> Family | None:
        """The family that `rotate` did not change, with the standing of its user and client, or None.

        Every answer of a resting family needs this, so the statement is compiled once, too.
        """
        if self._find is None:
            self._find = self._database.compile(FIND)
        row = self._find.execute(wanted_family=family_id)
        return None if row is None else decode_family(row)


def _rotation_statement(scopes: _Shape, audiences: _Shape, key: _Key) -> Any:  # noqa: ANN401 - SQLAlchemy's generic of eleven columns
    now = bindparam("now", type_=BigInteger)
    jkt = bindparam("proven_jkt", type_=Text)
    next_generation = _F.generation + literal_column("1", BigInteger)
    bond = {"jkt": jkt, "bound_generation": func.coalesce(_F.bound_generation, next_generation)}
    return (
        update(RefreshTokenFamily)
        .where(
            _F.family_id == bindparam("presented_family", type_=LargeBinary),
            _F.generation == bindparam("presented_generation", type_=BigInteger),
            _F.client_id == bindparam("presented_client", type_=Text),
            _F.jkt.is_(None) if key is _Key.NONE else or_(_F.jkt.is_(None), _F.jkt == jkt),
            _F.ended_at.is_(None),
            _F.idle_expires_at > now,
            _F.expires_at > now,
            or_(_F.rests_until.is_(None), _F.rests_until <= now),
            select(_U.user_id)
            .where(_U.user_id == _F.user_id, _U.locked_at.is_(None), _U.disabled_at.is_(None))
            .correlate(RefreshTokenFamily)
            .exists(),
            select(_C.client_id)
            .where(_C.client_id == _F.client_id, enabled_for_family())
            .correlate(RefreshTokenFamily)
            .exists(),
            *_meets(_F.scope, "scope", scopes),
            *_meets(_F.audience, "resource", audiences),
        )
        .values(
            generation=next_generation,
            mac_kid=bindparam("next_mac_kid", type_=Text),
            rotated_at=now,
            idle_expires_at=bindparam("next_idle_end", type_=BigInteger),
            rests_until=bindparam("next_rest_end", type_=BigInteger),
            **(bond if key is _Key.BINDING else {}),
        )
        .returning(
            *GRANTED_COLUMNS, _F.generation, _F.expires_at, _user_column(_U.token_version), _user_column(_U.roles)
        )
    )


def _meets(granted: ColumnElement[str], name: str, shape: _Shape) -> list[ColumnElement[bool]]:
    """SQL: the space-separated words `granted` meet a demand of this shape. If nothing was granted, they do."""
    held = [_holds(granted, bindparam(f"{name}_{position}", type_=Text)) for position in range(shape.words)]
    if shape.admin:
        is_admin = select(_U.user_id).where(_U.user_id == _F.user_id, _holds(_U.roles, _spaced(ADMIN_ROLE)))
        held.append(and_(_holds(granted, _spaced(ADMIN_SCOPE)), is_admin.correlate(RefreshTokenFamily).exists()))
    return held if shape.demands_all else [or_(granted == literal_column("''", Text), *held)]


def _holds(words: ColumnElement[str], word: ColumnElement[str]) -> ColumnElement[bool]:
    """SQL: the space-separated `words` contain the word that `word` holds between two spaces."""
    spaced = literal_column("' '", Text) + words + literal_column("' '", Text)
    # Not LIKE, which ignores case on SQLite.
    return func.replace(spaced, word, literal_column("''")) != spaced


def _spaced(word: str) -> ColumnElement[str]:
    return literal_column(f"' {word} '", Text)


def _user_column(column: ColumnElement[Any]) -> Any:  # noqa: ANN401 - a scalar sub-select of any type
    # UPDATE … FROM … RETURNING users.x fails on SQLite 3.40; a correlated sub-select works on both. The outer column
    # is spelled out, because SQLAlchemy drops table names in SQLite's RETURNING: the column would equal itself.
    return select(column).where(_U.user_id == literal_column("refresh_token_families.user_id")).scalar_subquery()


class _Returned(NamedTuple):
    """The columns of the result by name: two of them have no name of their own."""

    user_id: str
    sid: str
    fam: str
    client_id: str
    device_id: str
    scope: str
    audience: str
    auth_time: datetime
    amr: str
    acr: str
    generation: int
    expires_at: datetime
    token_version: int
    roles: str


def _decode_rotated(row: Sequence[Any]) -> Rotated:
    returned = _Returned._make(row)
    return Rotated(
        decode_granted(returned, returned.auth_time),
        returned.generation,
        returned.expires_at,
        returned.token_version,
        tuple(returned.roles.split()),
    )
