"""The hot statement: rotation is one compare-and-set (design §4). Nobody reads a family before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Text, bindparam, func, literal_column, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from authserver.sessions.family import Grant
from authserver.sessions.rotation import Presented
from authserver.storage.database import CompiledStatement, Database
from authserver.storage.families import GRANT_COLUMNS, decode_grant, enabled_for_family
from authserver.storage.instants import from_micros, to_micros
from authserver.storage.schema import Client, RefreshTokenFamily, User

_F = RefreshTokenFamily.__table__.c
_U = User.__table__.c
_C = Client.__table__.c


@dataclass(frozen=True, slots=True)
class Rotated:
    """What the winning statement returns: the grant, and the user as of now."""

    grant: Grant
    generation: int
    expires_at: datetime
    token_version: int
    roles: tuple[str, ...]


class Rotation:
    """The hot statement: exchange one generation for the next, or touch nothing.

    Everything that can refuse is in its WHERE. It is compiled once per number of scope tokens and resources asked for
    (nearly always none; the caller bounds both) and runs in autocommit at the driver.
    """

    def __init__(self, database: Database) -> None:
        """Bind to `database`; nothing is compiled or connected yet."""
        self._database = database
        self._compiled: dict[tuple[int, int], CompiledStatement] = {}

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
        """Exchange the presented generation for its successor, tagged by `mac_kid`, or return None and change nothing.

        `rests_until` is the end of the rest that begins now; None: the successor can be exchanged at once.
        """
        tokens, resources = tuple(presented.scope or ()), presented.audience or ()
        asked = len(tokens), len(resources)
        statement = self._compiled.get(asked)
        if statement is None:
            statement = self._compiled[asked] = self._database.compile(_rotation_statement(*asked))
        row = statement.execute(
            presented_family=family_id,
            presented_generation=presented.generation,
            presented_client=presented.client_id,
            next_mac_kid=mac_kid,
            now=to_micros(now),
            next_idle_end=to_micros(idle_expires_at),
            next_rest_end=None if rests_until is None else to_micros(rests_until),
            **{f"scope_{position}": f" {token} " for position, token in enumerate(tokens)},
            **{f"resource_{position}": f" {resource} " for position, resource in enumerate(resources)},
        )
        return None if row is None else _decode_rotated(row)


def _rotation_statement(scope_tokens: int, resources: int) -> Any:  # noqa: ANN401 - SQLAlchemy's generic of eleven columns
    now = bindparam("now", type_=BigInteger)
    return (
        update(RefreshTokenFamily)
        .where(
            _F.family_id == bindparam("presented_family", type_=LargeBinary),
            _F.generation == bindparam("presented_generation", type_=BigInteger),
            _F.client_id == bindparam("presented_client", type_=Text),
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
            *(_holds(_F.scope, f"scope_{position}") for position in range(scope_tokens)),
            *(_holds(_F.audience, f"resource_{position}") for position in range(resources)),
        )
        .values(
            generation=_F.generation + literal_column("1", BigInteger),
            mac_kid=bindparam("next_mac_kid", type_=Text),
            rotated_at=now,
            idle_expires_at=bindparam("next_idle_end", type_=BigInteger),
            rests_until=bindparam("next_rest_end", type_=BigInteger),
        )
        .returning(*GRANT_COLUMNS, _F.generation, _F.expires_at, _user_column(_U.token_version), _user_column(_U.roles))
    )


def _holds(words: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Whether the space-separated `words` hold the one that the parameter `name` has between spaces."""
    spaced = literal_column("' '", Text) + words + literal_column("' '", Text)
    # Not LIKE: SQLite would compare without regard to case.
    return func.replace(spaced, bindparam(name, type_=Text), literal_column("''")) != spaced


def _user_column(column: ColumnElement[Any]) -> Any:  # noqa: ANN401 - a scalar sub-select of any type
    # UPDATE … FROM … RETURNING users.x fails on SQLite 3.40; a correlated sub-select works on both. The outer column
    # is spelled out, because SQLAlchemy drops table names in SQLite's RETURNING and would compare a user with himself.
    return select(column).where(_U.user_id == literal_column("refresh_token_families.user_id")).scalar_subquery()


def _decode_rotated(row: Sequence[Any]) -> Rotated:
    *grant, generation, expires_at, token_version, roles = row
    grant[7] = from_micros(grant[7])
    return Rotated(decode_grant(grant), generation, from_micros(expires_at), token_version, tuple(roles.split()))
