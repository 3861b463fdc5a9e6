"""What a client may be given, by its record as it stands now: the bound of everything that is handed out to it."""

from authserver.realm.realm import Realm
from authserver.sessions.scope import OPENID_SCOPE, Allowance
from authserver.storage.clients import Client


def find_allowance(realm: Realm, client: Client) -> Allowance:
    """The scope and audience that `client` may have at this moment, whatever it was granted earlier.

    The issuer is an audience of first-party clients, and of those that may ask for `openid` (contract §1).
    """
    is_at_home = client.first_party or OPENID_SCOPE in client.scope
    home = (realm.issuer,) if is_at_home else ()
    return Allowance(frozenset(client.scope), frozenset((*client.audience, realm.default_audience, *home)))
