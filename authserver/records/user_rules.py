"""The rules on what is kept of a user: name, roles, profile. NOT checked: whether any of it is true."""

import re
from collections.abc import Iterator
from typing import Final

from authserver.protocol.text import is_line
from authserver.records.field_error import FieldError
from authserver.records.user import Profile

LONGEST_NAME: Final = 200
LONGEST_ADDRESS: Final = 300
_ROLE: Final = re.compile(r"[\x21-\x7e]{1,100}\Z")  # roles are kept with spaces between
_PHONE_NUMBER: Final = re.compile(r"\+[1-9][0-9]{3,14}\Z")  # E.164 §6


def find_name_errors(name: str, member: str = "name") -> Iterator[FieldError]:
    """Find why `name` is not accepted as a person's name, or a part of it, in the member `member`."""
    if not is_line(name, LONGEST_NAME):
        yield FieldError(member, "invalid_name", f"A name has at most {LONGEST_NAME} printable characters.")


def find_role_errors(roles: tuple[str, ...]) -> Iterator[FieldError]:
    """Find which of `roles` are not accepted, and why."""
    for role in roles:
        if not _ROLE.match(role):
            yield FieldError("role", "invalid_role", f"{role!r} is not a word of ASCII characters.")


def find_profile_errors(profile: Profile) -> Iterator[FieldError]:
    """Find all errors of `profile`. Lines of its address end with LF."""
    for member in ("name", "given_name", "family_name"):
        yield from find_name_errors(getattr(profile, member) or "", member)
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
