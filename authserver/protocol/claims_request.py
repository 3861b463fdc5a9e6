"""The `claims` parameter of an authorization request (OpenID Connect Core §5.5), read strictly.

What is not understood is ignored, as §5.5 wants; what could be read in two ways is refused. Says what was asked for,
and decides nothing: no claim is told that the scope does not allow.
"""

import json
from dataclasses import dataclass, fields
from typing import Final, NoReturn

from authserver.protocol.claims import IdTokenClaims
from authserver.protocol.text import is_storable
from authserver.protocol.user_claims import CLAIMS_OF_SCOPE

LONGEST: Final = 4000
"""Characters."""

_OF_USERINFO: Final = frozenset(name for names in CLAIMS_OF_SCOPE.values() for name in names)
_OF_ID_TOKEN: Final = frozenset(field.name for field in fields(IdTokenClaims))

_Asked = dict[str, object]


class MalformedClaimsRequestError(ValueError):
    """Not what §5.5 describes. The message is for us, and repeats nothing of the parameter."""


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """What a client asks to be told.

    Attributes:
        essential_auth_time: the client has to learn when the user proved to be who he is.
        acr_values: which classes of sign-in would do, the best first; empty asks for none.
        essential_acr: one of `acr_values` is demanded (§5.5.1.1), not only wished for.
        userinfo: known claims asked for there.
        id_token: known claims asked for in the ID token.
        sub: the one user that the answer may be about (§3.1.2.2), by the name that the client knows him by.
    """

    essential_auth_time: bool = False
    acr_values: tuple[str, ...] = ()
    essential_acr: bool = False
    userinfo: frozenset[str] = frozenset()
    id_token: frozenset[str] = frozenset()
    sub: str | None = None


def parse_claims_request(text: str) -> ClaimsRequest:
    """What `text` asks for; `ValueError` (of `json`, or ours) for anything but the one JSON object of §5.5."""
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
        userinfo=_OF_USERINFO & userinfo.keys(),
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
    """The claims asked for in one place; one that is null is asked for without more (§5.5.1)."""
    members = asked.get(name, {})
    if not isinstance(members, dict):
        raise MalformedClaimsRequestError(f"{name} is no object")
    claims = {claim: {} if wish is None else wish for claim, wish in members.items()}
    if not all(isinstance(wish, dict) for wish in claims.values()):
        raise MalformedClaimsRequestError("a claim that is neither null nor an object")
    return claims


def _read_essential(wish: _Asked) -> bool:
    essential = wish.get("essential", False)
    if not isinstance(essential, bool):
        raise MalformedClaimsRequestError("essential is neither true nor false")
    return essential


def _read_values(wish: _Asked) -> tuple[str, ...]:
    """`value`, or `values` in their order."""
    if "value" in wish and "values" in wish:
        raise MalformedClaimsRequestError("value beside values")
    values = [wish["value"]] if "value" in wish else wish.get("values", [])
    if not isinstance(values, list) or not all(isinstance(value, str) and is_storable(value) for value in values):
        raise MalformedClaimsRequestError("a value that is no text")
    return tuple(dict.fromkeys(values))
