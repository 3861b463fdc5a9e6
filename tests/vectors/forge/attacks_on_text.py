"""Tokens in another shape, spelling, type, encoding or JSON than the one that is accepted."""

import json
import zlib
from collections.abc import Callable, Iterator
from functools import partial

from authserver.protocol import base64url
from tests.support.world.tokens import (
    ABSENT,
    encode,
    user_claims,
)
from tests.vectors.forge.workshop import Attack, Repeated, Workshop, pack_spaces, spell


def _header_extensions() -> Iterator[Attack]:
    for value in (["exp"], ["b64"], ["alg"], ["jku"], ["unknown"], [], "exp", None, True, {"exp": 1}):
        yield Attack(f"crit-{spell(value)}", "malformed", partial(Workshop.with_header, crit=value))
    for value in (True, False, None):
        yield Attack(f"b64-{spell(value)}", "malformed", partial(Workshop.with_header, b64=value))
    yield Attack("b64-false-crit", "malformed", lambda w: w.with_header(b64=False, crit=["b64"]))
    yield Attack(
        "b64-false-raw-payload",
        "malformed",
        lambda w: w.es.sign_text(
            base64url.encode(w.header(b64=False, crit=["b64"])) + "." + encode(user_claims()).decode().replace(".", "")
        ),
    )
    yield Attack("zip-def", "malformed", lambda w: w.with_header(zip="DEF"))
    yield Attack("zip-bomb", "malformed", lambda w: w.es.sign(w.header(zip="DEF"), pack_spaces(250_000)))
    yield Attack("jwe-bomb", "malformed", _encrypt_endlessly)
    # Level 0: what other levels make of it differs between versions of zlib.
    packed = zlib.compress(encode(user_claims()), level=0)
    yield Attack("compressed-without-zip", "malformed", lambda w: w.with_payload(packed))
    yield Attack("unknown-member-is-ignored", None, lambda w: w.with_header(note="x"))


def _encrypt_endlessly(_: Workshop) -> str:
    """A JWE that asks for two thousand million rounds of PBKDF2 before it can be read, and unpacks to more."""
    header = {"alg": "PBES2-HS512+A256KW", "p2c": 2**31 - 1, "p2s": "AAAAAAAAAAAAAAAA", "enc": "A256GCM", "zip": "DEF"}
    parts = (encode(header), b"k" * 40, b"i" * 12, pack_spaces(250_000), b"t" * 16)
    return ".".join(base64url.encode(part) for part in parts)


def _shapes() -> Iterator[Attack]:
    shapes: dict[str, Callable[[str], object]] = {
        "empty": lambda _: "",
        "one-dot": lambda _: ".",
        "two-dots": lambda _: "..",
        "many-dots": lambda _: "." * 8000,
        "one-segment": lambda t: t.split(".")[0],
        "two-segments": lambda t: t.rpartition(".")[0],
        "four-segments": lambda t: t + ".AAAA",
        "jwe-five-segments": lambda t: t + ".AAAA.AAAA",
        "trailing-dot": lambda t: t + ".",
        "leading-dot": lambda t: "." + t,
        "no-header": lambda t: "." + t.partition(".")[2],
        "no-payload": lambda t: t.split(".")[0] + ".." + t.split(".")[2],
        "no-signature": lambda t: t.rpartition(".")[0] + ".",
        "json-flattened": lambda t: json.dumps(
            dict(zip(("protected", "payload", "signature"), t.split("."), strict=True))
        ),
        "json-general": lambda t: json.dumps({"payload": t.split(".")[1], "signatures": []}),
        "bearer-prefix": lambda t: "Bearer " + t,
        "quoted": lambda t: f'"{t}"',
        "too-long": lambda t: t + "A" * (8193 - len(t)),
        "ten-megabytes": lambda _: Repeated("A", 10_000_000),
        "ten-megabytes-of-dots": lambda _: Repeated(".", 10_000_000),
        "refresh-token": lambda _: "rt_" + "A" * 68,
        "none": lambda _: None,
        "number": lambda _: 7,
        "list": lambda t: t.split("."),
        "lone-surrogate": lambda t: t[:-1] + "\ud800",
        "only-surrogates": lambda _: "\udcff.\udcff.\udcff",
    }
    for name, change in shapes.items():
        yield Attack(f"shape-{name}", "malformed", partial(_reshape, change=change))
    yield Attack("shape-nested-jwt", "malformed", lambda w: w.es.sign(w.header(cty="JWT"), w.good_token().encode()))


def _reshape(w: Workshop, change: Callable[[str], object]) -> object:
    return change(w.good_token())


def _spellings() -> Iterator[Attack]:
    """The same token, written otherwise."""
    changes: dict[str, Callable[[str], str]] = {
        "padded": lambda s: s + "=" * (-len(s) % 4 or 4),
        "leading-space": lambda s: " " + s,
        "trailing-space": lambda s: s + " ",
        "trailing-newline": lambda s: s + "\n",
        "inner-newline": lambda s: s[:4] + "\r\n" + s[4:],
        "inner-nul": lambda s: s[:4] + "\0" + s[4:],
        "percent": lambda s: s + "%3D",
        "plus": lambda s: "+" + s[1:],
        "slash": lambda s: "/" + s[1:],
        "fullwidth": lambda s: chr(ord(s[0]) + 0xFEE0) + s[1:],
        "zero-width": lambda s: s[:4] + "\u200b" + s[4:],
        "one-character-more": lambda s: s + "A" * (5 - len(s) % 4),
    }
    for position, segment in enumerate(("header", "payload", "signature")):
        for name, change in changes.items():
            yield Attack(f"spelling-{segment}-{name}", "malformed", partial(_respell, change=change, position=position))
    yield Attack("spelling-signature-loose-bits", "malformed", lambda w: _loosen(w.es.token(user_claims())))


def _respell(w: Workshop, change: Callable[[str], str], position: int) -> str:
    segments = w.good_token().split(".")
    segments[position] = change(segments[position])
    return ".".join(segments)


def _loosen(token: str) -> str:
    """64 bytes leave four unused bits in the last character: fifteen other spellings."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def _types() -> Iterator[Attack]:
    wrong = (ABSENT, None, "", "JWT", "jwt", "at+jwt ", " at+jwt", "at-jwt", "at+jwt;v=1", "dpop+jwt", "logout+jwt")
    further = ("secevent+jwt", "application/jwt", "text/at+jwt", "application/application/at+jwt", 1, ["at+jwt"], True)
    for value in (*wrong, *further):
        shown = spell(value)
        yield Attack(f"typ-{shown}", "wrong_type", partial(Workshop.with_header, typ=value))
    for good in ("AT+JWT", "application/at+jwt", "Application/At+Jwt"):
        yield Attack(f"typ-{good}", None, partial(Workshop.with_header, typ=good))
    yield Attack("id-token", "wrong_type", lambda w: w.es.token(user_claims(aud="first-party", nonce="n"), typ="JWT"))


def _duplicates() -> Iterator[Attack]:
    for member, value in (
        ("alg", b'"none"'),
        ("alg", b'"ES256"'),
        ("kid", b'"x"'),
        ("typ", b'"JWT"'),
        ("x", b'1,"x":2'),
    ):
        extra = json.dumps(member).encode() + b":" + value
        yield Attack(
            f"duplicate-header-{member}-{value.decode()}",
            "malformed",
            partial(_append_to_header, extra=extra),
        )
    repeated = {
        "sub": b'"sub":"admin"',
        "sub-first": b"",
        "aud": b'"aud":"x"',
        "iss": b'"iss":"x"',
        "exp": b'"exp":9999999999',
        "token_version": b'"token_version":9',
        "same-value": b'"token_version":3',
        "escaped": b'"s\\u0075b":"admin"',
        "nested": b'"act":{"sub":"a","sub":"b"}',
        "in-a-list": b'"acts":[{"sub":"a","sub":"b"}]',
    }
    for name, extra in repeated.items():
        front = b'{"sub":"admin",' if name == "sub-first" else b"{"
        back = b"," + extra + b"}" if extra else b"}"
        yield Attack(
            f"duplicate-claim-{name}",
            "malformed",
            partial(_enclose_payload, front=front, back=back),
        )


def _append_to_header(w: Workshop, extra: bytes) -> str:
    return w.with_header_bytes(w.header()[:-1] + b"," + extra + b"}")


def _enclose_payload(w: Workshop, front: bytes, back: bytes) -> str:
    return w.with_payload(front + encode(user_claims())[1:-1] + back)


def _encodings() -> Iterator[Attack]:
    def recoded(codec: str) -> Callable[[bytes], bytes]:
        return lambda text: text.decode().encode(codec)

    changes: dict[str, Callable[[bytes], bytes]] = {
        **{
            codec: recoded(codec)
            for codec in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "cp037")
        },
        "latin-1": lambda text: text[:-1] + b',"x":"\xe9"}',
        "overlong": lambda text: text[:-1] + b',"x":"\xc0\xaf"}',
        "surrogate-bytes": lambda text: text[:-1] + b',"x":"\xed\xa0\x80"}',
        "truncated": lambda text: text[:-1] + b',"x":"\xe2\x82"}',
        "lone-surrogate": lambda text: text[:-1] + b',"x":"\\ud800"}',
        "lone-surrogate-name": lambda text: text[:-1] + b',"\\udfff":1}',
        "reversed-surrogates": lambda text: text[:-1] + b',"x":"\\udc00\\ud800"}',
        "control-character": lambda text: text[:-1] + b',"x":"\x01"}',
        "trailing-nul": lambda text: text + b"\0",
        "trailing-garbage": lambda text: text + b"x",
        "two-objects": lambda text: text + text,
        "comment": lambda text: text[:-1] + b"/* */}",
        "trailing-comma": lambda text: text[:-1] + b",}",
        "single-quotes": lambda text: text.replace(b'"', b"'"),
        "in-a-list": lambda text: b"[" + text + b"]",
        "as-a-string": lambda text: json.dumps(text.decode()).encode(),
        "unterminated": lambda text: text[:-1],
        "deep-list": lambda text: text[:-1] + b',"x":' + b"[" * 17 + b"]" * 17 + b"}",
        "very-deep-list": lambda text: text[:-1] + b',"x":' + b"[" * 1500 + b"]" * 1500 + b"}",
        "very-deep-unclosed": lambda text: text[:-1] + b',"x":' + b"[" * 3000,
        "very-deep-object": lambda text: text[:-1] + b',"x":' + b'{"":' * 400 + b"1" + b"}" * 400 + b"}",
        "null": lambda _: b"null",
        "number": lambda _: b"7",
        "only-spaces": lambda _: b"   ",
    }
    for name, change in changes.items():
        if name != "utf-7":  # plain ASCII stays as it is there
            yield Attack(f"json-header-{name}", "malformed", partial(_recode_header, change=change))
            yield Attack(f"json-payload-{name}", "malformed", partial(_recode_payload, change=change))
    yield Attack("json-brackets-in-strings-are-no-depth", None, lambda w: w.with_claims(x="[{" * 40 + '\\"[['))
    yield Attack("json-surrogate-pair-is-a-character", None, lambda w: w.with_claims(x=b'"\\ud83d\\ude00"'))
    yield Attack("json-header-empty-object", "wrong_type", lambda w: w.with_header_bytes(b"{}"))
    yield Attack("json-payload-empty-object", "missing_claim", lambda w: w.with_payload(b"{}"))


def _recode_header(w: Workshop, change: Callable[[bytes], bytes]) -> str:
    return w.with_header_bytes(change(w.header()))


def _recode_payload(w: Workshop, change: Callable[[bytes], bytes]) -> str:
    return w.with_payload(change(encode(user_claims())))


KINDS: tuple[Callable[[], Iterator[Attack]], ...] = (
    _header_extensions,
    _shapes,
    _spellings,
    _types,
    _duplicates,
    _encodings,
)
