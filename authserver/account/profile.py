"""The user's own profile: name, phone number, postal address. NOT checked: whether any of it is true."""

import re
from collections.abc import Iterator
from dataclasses import replace

from authserver.account.register import find_name_error
from authserver.authentication.asker import Asker
from authserver.protocol.text import is_line, is_storable
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Invalid, Refused
from authserver.records.field_error import FieldError
from authserver.records.user import Profile, User
from authserver.storage import users

LONGEST_ADDRESS = 300
_PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{3,14}\Z")  # E.164 §6


def change_profile(realm: Realm, asker: Asker, profile: Profile) -> User | Refused | Invalid:
    """Store the profile of the user who asks. Forms end lines with CR LF; stored lines end with LF."""
    if profile.address is not None and is_storable(profile.address):
        profile = replace(profile, address=profile.address.replace("\r\n", "\n"))
    errors = tuple(_find_errors(profile))
    if errors:
        return Invalid(errors)
    with realm.database.write() as tx:
        users.write_profile(tx, asker.user_id, profile, realm.clock.now())
        return users.find(tx, asker.user_id) or Refused(NOT_FOUND, "There is no such user.")


def _find_errors(profile: Profile) -> Iterator[FieldError]:
    name_error = find_name_error(profile.name or "")
    if name_error is not None:
        yield FieldError("name", *name_error)
    if profile.phone_number and not _PHONE_NUMBER.match(profile.phone_number):
        yield FieldError(
            "phone_number", "invalid_phone_number", "A phone number is + and 4 to 15 digits, without spaces."
        )
    address = profile.address or ""
    if len(address) > LONGEST_ADDRESS or not all(is_line(line, LONGEST_ADDRESS) for line in address.split("\n")):
        yield FieldError(
            "address",
            "invalid_address",
            f"An address has at most {LONGEST_ADDRESS} printable characters, with line breaks.",
        )
