"""The cost of verifying a stored hash, read from its text, and the limit of that cost.

A hash from another system sets its own cost. One bcrypt hash of cost 31 would occupy the hashing thread for days, and
block every sign-in. So it is refused at import, and never verified if it is stored. NOT checked: whether the text is a
hash at all.
"""

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_MIB: Final = 2**20
_PHPASS_DIGITS: Final = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LONGEST_NUMBER: Final = 12  # digits; no real hash has a longer cost


@dataclass(frozen=True, slots=True)
class _Format:
    """How a format writes its cost, and which costs are acceptable."""

    pattern: re.Pattern[str]
    is_bearable: Callable[[Sequence[str]], bool]
    limit: str


def _most(bound: int) -> Callable[[Sequence[str]], bool]:
    return lambda numbers: int(numbers[0]) <= bound


def _is_bearable_argon2(numbers: Sequence[str]) -> bool:
    memory_kib, passes, lanes = map(int, numbers)
    return memory_kib <= 2**20 and memory_kib * passes <= 4 * 2**20 and lanes <= 64  # noqa: PLR2004 - the limit's text


def _is_bearable_scrypt(numbers: Sequence[str]) -> bool:
    blocks, size, parallel = map(int, numbers)
    return 128 * blocks * size <= 256 * _MIB and parallel <= 16  # noqa: PLR2004 - the limit's text


def _is_bearable_scrypt_log(numbers: Sequence[str]) -> bool:
    return int(numbers[0]) <= 32 and _is_bearable_scrypt((str(2 ** int(numbers[0])), *numbers[1:]))  # noqa: PLR2004


def _is_bearable_phpass(digits: Sequence[str]) -> bool:
    return _PHPASS_DIGITS.find(digits[0]) <= 20  # noqa: PLR2004 - the limit's text


def _is_bearable_aspnet(heads: Sequence[str]) -> bool:
    return int.from_bytes(base64.b64decode(heads[0])[5:9]) <= 5_000_000  # noqa: PLR2004 - the limit's text


_ITERATIONS = _most(5_000_000), "at most 5,000,000 rounds"
_BCRYPT = _most(16), "at most cost 16"
_SCRYPT = "at most 256 MiB and 16 in parallel"
_FORMATS: Final = (
    _Format(
        re.compile(r"(?:argon2)?\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=(\d+),t=(\d+),p=(\d+)[,$]"),
        _is_bearable_argon2,
        "at most 1 GiB, 4 GiB over all passes, and 64 lanes",
    ),
    _Format(re.compile(r"(?:bcrypt\$|bcrypt_sha256\$)?\$2[aby]\$(\d\d)\$"), *_BCRYPT),
    _Format(re.compile(r"\$bcrypt-sha256\$(?:v=2,t=)?2[aby],(?:r=)?(\d+)\$"), *_BCRYPT),
    _Format(re.compile(r"\$[PH]\$([./0-9A-Za-z])"), _is_bearable_phpass, "at most 2^20 rounds"),
    _Format(re.compile(r"\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$"), _is_bearable_scrypt_log, _SCRYPT),
    _Format(re.compile(r"scrypt:(\d+):(\d+):(\d+)\$"), _is_bearable_scrypt, _SCRYPT),
    _Format(re.compile(r"scrypt\$(\d+)\$[^$]*\$(\d+)\$(\d+)\$"), _is_bearable_scrypt, _SCRYPT),
    _Format(re.compile(r"pbkdf2:(?:sha1|sha256|sha512):(\d+)\$"), *_ITERATIONS),
    _Format(re.compile(r"pbkdf2_sha256\$(\d+)\$"), *_ITERATIONS),
    _Format(re.compile(r"\$pbkdf2-sha(?:256|512)\$(\d+)\$"), *_ITERATIONS),
    _Format(re.compile(r"\$6\$rounds=(\d+)\$"), *_ITERATIONS),
    _Format(re.compile(r"\$6\$(?!rounds=)()"), lambda _: True, ""),
    _Format(re.compile(r"\$wp\$2y\$(\d\d)\$"), *_BCRYPT),
    _Format(re.compile(r"\{SSHA(?:256|512)?\}()"), lambda _: True, ""),
    # ASP.NET Identity, versions 2 and 3: the first nine bytes of version 3 end with the iterations.
    _Format(re.compile(r"()A[A-P][A-Za-z0-9+/]{64}==\Z"), lambda _: True, ""),
    _Format(re.compile(r"(AQAAAA[A-Za-z0-9+/]{6})[A-Za-z0-9+/]{40,}=*\Z"), _is_bearable_aspnet, _ITERATIONS[1]),
)


def find_cost_problem(stored: str) -> str | None:
    """Why `stored` must not be verified; None if its cost is acceptable. A text without a known cost is refused."""
    for known in _FORMATS:
        found = known.pattern.match(stored)
        if found is not None:
            numbers = found.groups()
            bearable = max(map(len, numbers)) <= _LONGEST_NUMBER and known.is_bearable(numbers)
            return None if bearable else f"costs too much to verify; {known.limit}"
    return "is not in a known hash format"
