"""The `claims` parameter of an authorization request (OpenID Connect Core §5.5), read strictly.

Unknown members are ignored, as §5.5 demands; anything that could be read in two ways is refused. This file only reads
the request. It decides nothing.
"""

import json
from dataclasses import dataclass, fields
from typing import Final, NoReturn

from authserver.protocol.claims import IdTokenClaims
from authserver.protocol.text import is_storable
from authserver.protocol.user_claims import CLAIMS_OF_SCOPE

LONGEST: Final = 4000
"""Characters."""

_ABOUT_USERS: Final = frozenset(name for names in CLAIMS_OF_SCOPE.values() for name in names)
_OF_ID_TOKEN: Final = _ABOUT_USERS | {field.name for field in fields(IdTokenClaims)}

_Asked = dict[str, object]


class MalformedClaimsRequestError(ValueError):
    """The parameter does not have the form of §5.5. The message is for our log and repeats nothing of the parameter."""


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """The claims that a client asks for.

    Attributes:
        essential_auth_time: whether the client requires the time at which the user proved who they are.
        acr_values: the acceptable authentication contexts, the best first; empty if none is asked for.
        essential_acr: whether one of `acr_values` is required (§5.5.1.1), not only preferred.
        userinfo: the known claims about the user that are asked for in the userinfo response.
        id_token: the known claims that are asked for in the ID token.
        sub: the only user that the answer may be about (§3.1.2.2), by the `sub` that this client sees.
    """

    essential_auth_time: bool = False
    acr_values: tuple[str, ...] = ()
    essential_acr: bool = False
    userinfo: frozenset[str] = frozenset()
    id_token: frozenset[str] = frozenset()
    sub: str | None = None


def parse_claims_request(text: str) -> ClaimsRequest:
    """Parse `text`; `ValueError` (of `json`, or ours) for anything but the JSON object of §5.5."""
    if len(text) > LONGEST:
        raise MalformedClaimsRequestError("too long")
    try:
        asked = json.loads(text, object_pairs_hook=_unique_members, parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedClaimsRequestError("nested too deep") from None
    if not isinstance(asked, dict):
        raise MalformedClaimsRequestError("no object")
    userinfo, id_token = _read_member(asked, "userinfo"), _read_member(asked, "id_token")
    acr = id_token.get("acr", {})
    subjects = {*_read_values(userinfo.get("sub", {})), *_read_values(id_token.get("sub", {}))}
    if len(subjects) > 1:
        raise MalformedClaimsRequestError("more than one user")
    return ClaimsRequest(
        essential_auth_time=_read_essential(id_token.get("auth_time", {})),
        acr_values=_read_values(acr),
        essential_acr=_read_essential(acr) and bool(_read_values(acr)),
        userinfo=_ABOUT_USERS & userinfo.keys(),
        id_token=_OF_ID_TOKEN & id_token.keys(),
        sub=next(iter(subjects), None),
    )


def _unique_members(pairs: list[tuple[str, object]]) -> _Asked:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedClaimsRequestError("duplicate member")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise MalformedClaimsRequestError("no JSON number")


def _read_member(asked: _Asked, name: str) -> dict[str, _Asked]:
    """The claims asked for in one place; null asks for a claim without further demands (§5.5.1)."""
    members = asked.get(name, {})
    if not isinstance(members, dict):
        raise MalformedClaimsRequestError(f"{name} is no object")
    claims = {claim: {} if demand is None else demand for claim, demand in members.items()}
    if not all(isinstance(demand, dict) for demand in claims.values()):
        raise MalformedClaimsRequestError("a claim that is neither null nor an object")
    return claims


def _read_essential(demand: _Asked) -> bool:
    essential = demand.get("essential", False)
    if not isinstance(essential, bool):
        raise MalformedClaimsRequestError("essential is neither true nor false")
    return essential


def _read_values(demand: _Asked) -> tuple[str, ...]:
    """`value`, or `values` in their order."""
    if "value" in demand and "values" in demand:
        raise MalformedClaimsRequestError("value beside values")
    values = [demand["value"]] if "value" in demand else demand.get("values", [])
    if not isinstance(values, list) or not all(isinstance(value, str) and is_storable(value) for value in values):
        raise MalformedClaimsRequestError("a value that is no text")
    return tuple(dict.fromkeys(values))
