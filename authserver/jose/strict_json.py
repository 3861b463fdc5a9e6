"""JSON with one meaning (RFC 8259, RFC 7493): every reader of the same bytes sees the same value.

Refused: duplicate members, NaN and infinities (also as 1e999), integers beyond 2^53-1, another encoding than UTF-8,
a byte order mark, unpaired surrogates, and nesting deeper than `DEEPEST`. The caller must limit the size.
"""

import json
import math
import re
from typing import NoReturn

from authserver.jose.errors import InvalidJsonError

DEEPEST = 16
LARGEST_INTEGER = 2**53 - 1  # RFC 7493 §2.2
_LONGEST_INTEGER_TEXT = len(str(-LARGEST_INTEGER))
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def loads(data: bytes, *, pairs_surrogates: bool = True) -> object:
    """Parse `data`; `InvalidJsonError` for anything that is not JSON, or could be read in two ways.

    Without `pairs_surrogates`, an escaped surrogate may be unpaired, as in a text that a script cut in the middle of a
    character. The caller must then refuse or clean the text.
    """
    try:
        text = data.decode("utf-8")
        _refuse_depth(text)
        value: object = _DECODER.decode(text)
        if pairs_surrogates and "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # an escaped lone surrogate has no UTF-8
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError(type(error).__name__) from None
    return value


def load_object(data: bytes) -> dict[str, object]:
    """Parse a JSON object; `InvalidJsonError` for another type, and for anything that `loads` refuses."""
    value = loads(data)
    if not isinstance(value, dict):
        raise InvalidJsonError("not a JSON object")
    return value


def _refuse_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        opened = match.group()
        if opened in "[{":
            depth += 1
            if depth > DEEPEST:
                raise ValueError("nested too deep")
        elif opened in "]}":
            depth -= 1


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _read_integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER_TEXT or abs(value := int(text)) > LARGEST_INTEGER:
        raise ValueError("integer out of range")
    return value


def _read_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members,
    parse_int=_read_integer,
    parse_float=_read_float,
    parse_constant=_refuse_constant,
)
