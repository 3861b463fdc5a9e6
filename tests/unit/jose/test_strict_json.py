"""JSON with one meaning."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.jose import strict_json
from authserver.jose.errors import InvalidJsonError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        (b" 7 ", 7),
        (b"9007199254740991", 2**53 - 1),
        (b"-9007199254740991", -(2**53) + 1),
        ('"é😀"'.encode(), "é😀"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b"[" * 16 + b"]" * 16, None),
        (b'["' + b"[{" * 500 + b'\\"[["]', None),
    ],
)
def test_ordinary_json_is_read(text: bytes, value: object) -> None:
    read = strict_json.loads(text)
    assert value is None or read == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a":1,"a":1}',
        b'[{"a":{"b":1,"b":2}}]',
        b'{"a":1,"\\u0061":2}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"-1e999",
        b"9007199254740992",
        b"-9007199254740992",
        b"1" * 10_000,
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        "{}".encode("utf-32-le"),
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'{"\\udc00":1}',
        b"[" * 17 + b"]" * 17,
        b"[" * 100_000,
        b'["\\"",' + b"[" * 17 + b"]" * 18,
        b"{} {}",
        b"{'a':1}",
        b'"\x00"',
    ],
    ids=range(26),
)
def test_anything_ambiguous_is_refused(text: bytes) -> None:
    """RFC 8725 §3.7: UTF-8 only; RFC 7493: no duplicate members, no number that readers disagree on."""
    with pytest.raises(InvalidJsonError):
        strict_json.loads(text)


def test_an_object_is_demanded_where_one_is_needed() -> None:
    assert strict_json.load_object(b'{"a":1}') == {"a": 1}
    with pytest.raises(InvalidJsonError):
        strict_json.load_object(b"[]")


@given(st.binary(max_size=200))
def test_nothing_but_its_own_error_is_raised(data: bytes) -> None:
    with contextlib.suppress(InvalidJsonError):
        strict_json.loads(data)


def test_a_long_text_of_escaped_quotes_is_refused_in_linear_time() -> None:
    """The depth check must not scan the rest of the text again for each quote: this would take minutes."""
    with pytest.raises(InvalidJsonError):
        strict_json.loads(b"[" * 17 + b'"' + b'\\"' * 500_000)
