"""The rules for a new password: long, not common, and not made of public facts about its owner.

No composition rules, no forced change (ASVS 6.2.5, 6.2.10). Checked when a password is chosen, never at sign-in, so a
stricter policy locks nobody out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from authserver.credentials.password_text import LONGEST_PASSWORD, TOO_LONG, PasswordBreach
from authserver.protocol.secret import Secret
from authserver.protocol.text import normalise

LEAST_MINIMUM: Final = 8
LARGEST_MINIMUM: Final = 64  # ASVS 6.2.9: passwords of 64 characters are always allowed
DEFAULT_MINIMUM: Final = 10

_SHORTEST_WORD = 4  # "Al" or "Eve" occurs in too many good passwords
_LEAST_REST = 6

_LISTS = ("common_passwords.txt", "common_passwords_django.txt")
_FEW = 2  # different characters: a password of so few is a repetition

_REPETITIVE = PasswordBreach("repetitive", "The password repeats one or two characters.")
_COMMON = PasswordBreach("common", "This password is on the lists that attackers try first.")
_CONTEXT = {
    "contains_email": "The password is too similar to the e-mail address.",
    "contains_name": "The password is too similar to your name.",
    "contains_service_name": "The password is too similar to the name of this service.",
}


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The rules for new passwords.

    A repeated common password counts as common. One or two characters that are repeated are refused.

    A context word (part of the e-mail address, the person's name or the service's name) may be in a password, but must
    not make up most of it: without all such words, at least six characters must be left, and they must not be a common
    password. Words are compared without regard to case; words under four characters are ignored.

    Attributes:
        minimum_length: in code points after NFC; 8 to 64.
        service_words: the names of the product, the organisation and the site.
    """

    minimum_length: int = DEFAULT_MINIMUM
    service_words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a minimum that does not protect or that forbids good passwords."""
        if not LEAST_MINIMUM <= self.minimum_length <= LARGEST_MINIMUM:
            raise ValueError(
                f"the shortest password must have {LEAST_MINIMUM} to {LARGEST_MINIMUM} characters,"
                f" not {self.minimum_length}"
            )

    def breaches(self, password: Secret, *, email: str, name: str) -> tuple[PasswordBreach, ...]:
        """List every rule that `password` breaks, for the person with this canonical e-mail address and name.

        Codes: `too_short`, `too_long`, `common`, `repetitive`, `contains_email`, `contains_name`,
        `contains_service_name`.
        """
        return tuple(self._find_breaches(password.reveal(), email, name))

    def _find_breaches(self, text: str, email: str, name: str) -> Iterator[PasswordBreach]:
        if len(text) < self.minimum_length:
            yield PasswordBreach("too_short", f"A password needs at least {self.minimum_length} characters.")
        if len(text) > LONGEST_PASSWORD:
            yield TOO_LONG
        folded = _fold(text)
        if _is_common(folded):
            yield _COMMON
        elif len(text) >= self.minimum_length:
            yield from _find_repetition(folded)
        context = {
            "contains_email": _split_email(email),
            "contains_name": _split_words(name),
            "contains_service_name": _split_words(*self.service_words),
        }
        for code in _find_dominant(folded, context):
            yield PasswordBreach(code, _CONTEXT[code])


def _find_repetition(folded: str) -> Iterator[PasswordBreach]:
    """Find the breach of a password that is long only because it repeats something."""
    few = _FEW if len(folded) < LARGEST_MINIMUM else 1
    if len(set(folded)) <= few:
        yield _REPETITIVE
    elif _is_common(_find_piece(folded)):
        yield _COMMON


def _find_piece(text: str) -> str:
    """The shortest piece whose repetition, the last one perhaps cut, gives `text`; `text` itself if none does."""
    lengths = range(1, len(text) // 2 + 1)
    return next((text[:length] for length in lengths if text.startswith(text[length:])), text)


def _find_dominant(folded: str, context: dict[str, frozenset[str]]) -> Iterable[str]:
    """The codes whose words are in the password, if without these words too little of it is left."""
    words = sorted(frozenset().union(*context.values()), key=len, reverse=True)
    rest = re.sub("|".join(map(re.escape, words)), "", folded) if words else folded
    if rest == folded or (len(rest) >= _LEAST_REST and not _is_common(rest)):
        return ()
    return [code for code, known in context.items() if any(word in folded for word in known)]


def _split_email(email: str) -> frozenset[str]:
    """The whole address, the parts of its local part, and the labels of its domain except the last."""
    local, _, domain = email.rpartition("@")
    return _split_words(email, local, domain.rpartition(".")[0])


def _split_words(*texts: str) -> frozenset[str]:
    """The texts unchanged, without word separators, and word by word; all folded, without short ones."""
    folded = [_fold(text) for text in texts]
    words = {word for text in folded for word in re.split(r"[\W_]+", text)}
    joined = {re.sub(r"[\W_]+", "", text) for text in folded}
    return frozenset(word for word in {*folded, *joined, *words} if len(word) >= _SHORTEST_WORD)


def _fold(text: str) -> str:
    return normalise(text).casefold()


def _is_common(folded: str) -> bool:
    return "\n" not in folded and f"\n{folded}\n" in _common_passwords()


@cache
def _common_passwords() -> str:
    """The lists of zxcvbn and Django, each entry between two line feeds. Their licences are beside the files.

    The zxcvbn list lacks entries that zxcvbn finds by other means ("1111111111", first names, plain words); Django's
    list has them. They are one text, because a set takes six times the memory in each worker, and saves only a fifth of
    a millisecond next to a hash.
    """
    folder = resources.files(__package__)
    return "\n".join(("", *(folder.joinpath(name).read_text("utf-8").strip("\n") for name in _LISTS), ""))
