"""Whether a session was opened recently enough for a sensitive act (ASVS 7.5.1, RFC 9470)."""

from authserver.accounts.asker import Asker
from authserver.accounts.outcomes import Reauthenticate
from authserver.realm import Realm


def demand_recent(realm: Realm, asker: Asker) -> Reauthenticate | None:
    """None when the user has signed in within the reauthentication age."""
    age = realm.clock.seconds() - asker.auth_time
    limit = realm.reauthentication_age.total_seconds()
    return None if age <= limit else Reauthenticate(int(limit))
