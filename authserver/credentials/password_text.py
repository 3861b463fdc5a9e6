"""The form of a password as text, and the one place that normalises it.

Registration, sign-in, change, reset and import all use it, so that the same keys on another keyboard give the same
password. NFC is the only change: nothing is cut, trimmed or folded (ASVS 6.2.8). NOT checked: the strength, which is
the task of `password_policy`.
"""

from dataclasses import dataclass
from typing import Final

from authserver.protocol.secret import Secret
from authserver.protocol.text import normalise

LONGEST_PASSWORD: Final = 1024
"""Code points after NFC. In UTF-8 that is at most 4,096 bytes, the longest password that passlib accepts."""

_LONGEST_DECOMPOSITION = 4  # code points that NFC can join into one


@dataclass(frozen=True, slots=True)
class PasswordBreach:
    """A broken rule: a stable code for programs and a sentence for the person who typed the password.

    The sentence never repeats any part of the password.
    """

    code: str
    message: str


EMPTY: Final = PasswordBreach("empty", "A password cannot be empty.")
SAME: Final = PasswordBreach("same_password", "This is the current password. Please choose another one.")
TOO_LONG: Final = PasswordBreach("too_long", f"A password has at most {LONGEST_PASSWORD} characters.")
INVALID_CHARACTER: Final = PasswordBreach("invalid_character", "The password contains an invalid character.")


def normalise_password(text: str) -> Secret | PasswordBreach:
    """Convert `text` to a password in NFC, or return why it is not one.

    Refused: an empty text, more than 1,024 characters, NUL (C libraries would stop reading there) and lone surrogates
    (they have no UTF-8 form). Idempotent.
    """
    if not text:
        return EMPTY
    # Checked before normalising, because ordering a long run of combining marks takes quadratic time.
    if len(text) > LONGEST_PASSWORD * _LONGEST_DECOMPOSITION:
        return TOO_LONG
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return INVALID_CHARACTER
    normal = normalise(text)
    return Secret(normal) if len(normal) <= LONGEST_PASSWORD else TOO_LONG
