"""The scope and audience that a client's present record allows: the limit of all tokens issued to it."""

from functools import lru_cache
from typing import Final

from authserver.realm.realm import Realm
from authserver.records.client import Client
from authserver.sessions.scope import OPENID_SCOPE, Allowance

_MOST_REMEMBERED: Final = 1024


def find_allowance(realm: Realm, client: Client) -> Allowance:
    """The scope and audience that `client` may have at this moment, independent of what was granted earlier.

    The issuer is an audience of first-party clients, and of those that may ask for `openid` (contract §1).
    """
    is_at_home = client.first_party or OPENID_SCOPE in client.scope
    everybodys = (realm.default_audience, realm.issuer) if is_at_home else (realm.default_audience,)
    return _allow(client.scope, client.audience, everybodys)


@lru_cache(maxsize=_MOST_REMEMBERED)  # called twice in each refresh
def _allow(scope: tuple[str, ...], own: tuple[str, ...], everybodys: tuple[str, ...]) -> Allowance:
    return Allowance(frozenset(scope), frozenset((*own, *everybodys)))
