"""What a password is, as text: the one place where it is normalised.

Register, sign-in, change, reset and import all come through here, so that the same keys on another keyboard give the
same password. NFC is the only change made: nothing is cut, trimmed or folded (ASVS 6.2.8). Says nothing about strength;
that is `password_policy`.
"""

from dataclasses import dataclass
from typing import Final

from authserver.protocol.secret import Secret
from authserver.protocol.text import normalise

LONGEST_PASSWORD: Final = 1024
"""Code points after NFC. In UTF-8 that is at most 4,096 bytes, the most that passlib takes."""

_LONGEST_DECOMPOSITION = 4  # code points that NFC can join into one; so four times too long is too long for certain


@dataclass(frozen=True, slots=True)
class PasswordBreach:
    """What is wrong with a password: a stable code for programs and a sentence for the person who typed it.

    The sentence never repeats any part of the password.
    """

    code: str
    message: str


EMPTY: Final = PasswordBreach("empty", "A password cannot be empty.")
SAME: Final = PasswordBreach("same_password", "This is the current password. Please choose another one.")
TOO_LONG: Final = PasswordBreach("too_long", f"A password has at most {LONGEST_PASSWORD} characters.")
INVALID_CHARACTER: Final = PasswordBreach("invalid_character", "The password contains an invalid character.")


def normalise_password(text: str) -> Secret | PasswordBreach:
    """The password that `text` spells, in NFC; or why it is none.

    Refused are the empty text, more than 1,024 characters, NUL (C libraries would stop reading there) and lone
    surrogates (no UTF-8 exists for them). Idempotent.
    """
    if not text:
        return EMPTY
    # before normalising: ordering a long run of combining marks takes quadratic time
    if len(text) > LONGEST_PASSWORD * _LONGEST_DECOMPOSITION:
        return TOO_LONG
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return INVALID_CHARACTER
    normal = normalise(text)
    return Secret(normal) if len(normal) <= LONGEST_PASSWORD else TOO_LONG
