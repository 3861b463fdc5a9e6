"""The user's own profile: names, phone number, postal address. NOT checked: whether any of it is true."""

from dataclasses import replace

from authserver.authentication.asker import Asker
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Invalid, Refused
from authserver.records.user import Profile, User
from authserver.records.user_rules import find_profile_errors
from authserver.storage import users


def change_profile(realm: Realm, asker: Asker, profile: Profile) -> User | Refused | Invalid:
    """Store the profile of the user who asks. Forms end lines with CR LF; stored lines end with LF."""
    if profile.address is not None and is_storable(profile.address):
        profile = replace(profile, address=profile.address.replace("\r\n", "\n"))
    errors = tuple(find_profile_errors(profile))
    if errors:
        return Invalid(errors)
    with realm.database.write() as tx:
        users.write_profile(tx, asker.user_id, profile, realm.clock.now())
        return users.find(tx, asker.user_id) or Refused(NOT_FOUND, "There is no such user.")
