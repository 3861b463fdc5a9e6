"""Whether a session was opened recently enough for a sensitive act (ASVS 7.5.1, RFC 9470)."""

from authserver.accounts.bearer import Bearer
from authserver.accounts.outcomes import Reauthenticate
from authserver.realm import Realm


def demand_recent(realm: Realm, bearer: Bearer) -> Reauthenticate | None:
    """None when the user has signed in within the reauthentication age."""
    age = realm.clock.seconds() - (bearer.claims.auth_time or 0)
    limit = realm.reauthentication_age.total_seconds()
    return None if age <= limit else Reauthenticate(int(limit))
