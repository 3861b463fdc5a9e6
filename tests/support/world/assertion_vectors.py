"""The client assertions of `tests/vectors/client_assertions.json`: recipes, cooked with keys of this process.

A recipe says how an assertion differs from a good one. `key` signs (`es` if none is named); `header` and `claims`
change members, `…_without` remove some; a text such as `now-30` is a time; `payload` is the payload's text, in which
`$REST` is what a good one says and `$NOEXP` the same without `exp`. `signature` replaces it, `mutation` changes the
finished text. `form` and `form_without` change the request, `basic` adds a secret in the header. `shown_before` and
`jti_used_before`: the same assertion, or one with its `jti`, has authenticated already.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authserver.protocol import base64url
from authserver.protocol.client_metadata import ASSERTION_TYPE
from tests.support.world.tokens import SigningPair
from tests.support.world.vectors import ACCEPT, FOLDER

_TIME: Final = re.compile(r"now([+-]\d+)\Z")
_HMAC_KEYS: Final = {"hmac-of-es", "hmac-of-id"}
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One vector."""

    name: str
    error: str | None
    """The error of the answer; None where the assertion must authenticate."""
    code: str
    """What the log says about the refusal."""
    differs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to the token endpoint, beside the grant type."""

    form: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Kitchen:
    """Cooks recipes for one client, at one time."""

    issuer: str
    client_id: str
    now: int
    pairs: Mapping[str, SigningPair]

    def cook(self, recipe: Recipe, jti: str | None = None) -> Request:
        """The request of `recipe`."""
        differs = recipe.differs
        text = self._write(differs, jti or f"{recipe.name}-{next(_numbers)}")
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text, **differs.get("form", {})}
        headers = {}
        if differs.get("basic"):
            headers["Authorization"] = "Basic " + base64.b64encode(f"{self.client_id}:x".encode()).decode()
        if differs.get("mutation") == "in-the-header":
            headers["Authorization"] = f"Bearer {text}"
            form = {}
        return Request({name: form[name] for name in form if name not in differs.get("form_without", ())}, headers)

    def good(self, jti: str | None = None) -> Request:
        """The request with an assertion that must authenticate."""
        return self.cook(Recipe("good", None, "", {}), jti)

    def _write(self, differs: Mapping[str, Any], jti: str) -> str:
        key = differs.get("key", "es")
        pair = self.pairs["es" if key in _HMAC_KEYS else key]
        header = self._change(differs, "header", {"alg": pair.algorithm.name, "kid": pair.kid})
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "exp": self.now + 60,
            "iat": self.now,
            "jti": jti,
        }
        payload = self._write_payload(differs, self._change(differs, "claims", claims))
        signing_input = ".".join(map(base64url.encode, (json.dumps(header).encode(), payload)))
        signature = differs.get("signature")
        if signature is None:
            signature = base64url.encode(self._sign(key, pair, signing_input.encode()))
        mutate = _MUTATIONS.get(differs.get("mutation", ""), _leave)
        return mutate(f"{signing_input}.{signature}")

    def _change(self, differs: Mapping[str, Any], name: str, good: dict[str, object]) -> dict[str, object]:
        changed = {**good, **{member: self._tell(value) for member, value in differs.get(name, {}).items()}}
        return {member: changed[member] for member in changed if member not in differs.get(f"{name}_without", ())}

    def _tell(self, value: object) -> object:
        time = _TIME.match(value) if isinstance(value, str) else None
        return value if time is None else self.now + int(time[1])

    def _write_payload(self, differs: Mapping[str, Any], claims: dict[str, object]) -> bytes:
        text: str = differs.get("payload", "{$REST}")
        without_exp = {name: claims[name] for name in claims if name != "exp"}
        for mark, members in (("$REST", claims), ("$NOEXP", without_exp)):
            text = text.replace(mark, json.dumps(members)[1:-1])
        return text.encode(differs.get("payload_encoding", "utf-8"))

    def _sign(self, key: str, pair: SigningPair, signing_input: bytes) -> bytes:
        if key not in _HMAC_KEYS:
            return pair.algorithm.sign(pair.private_key, signing_input)
        public = pair.private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return hmac.digest(public if key == "hmac-of-es" else self.client_id.encode(), signing_input, hashlib.sha256)


def read_recipes() -> tuple[Recipe, ...]:
    """All vectors."""
    file = json.loads((FOLDER / "client_assertions.json").read_text(encoding="utf-8"))
    assert file["format"] == 1
    told = {"name", "expect", "code", "reason"}
    recipes = []
    for vector in file["vectors"]:
        assert vector["reason"]
        error = None if vector["expect"] == ACCEPT else vector["expect"]
        differs = {name: vector[name] for name in vector if name not in told}
        recipes.append(Recipe(vector["name"], error, vector["code"], differs))
    return tuple(recipes)


def _leave(text: str) -> str:
    return text


def _of_parts(change: Callable[[str, str, str], str]) -> Callable[[str], str]:
    return lambda text: change(*text.split("."))


def _flip(signature: str) -> str:
    data = bytearray(base64url.decode(signature))
    data[0] ^= 1
    return base64url.encode(bytes(data))


def _swap_halves(signature: str) -> str:
    data = base64url.decode(signature)
    half = len(data) // 2
    return base64url.encode(data[half:] + data[:half])


def _to_der(signature: str) -> str:
    data = base64url.decode(signature)
    half = len(data) // 2
    return base64url.encode(encode_dss_signature(*(int.from_bytes(part) for part in (data[:half], data[half:]))))


def _reserialise(segment: str) -> str:
    return base64url.encode(base64url.decode(segment) + b" ")


_MUTATIONS: Final[Mapping[str, Callable[[str], str]]] = {
    "flip-signature": _of_parts(lambda header, payload, signature: f"{header}.{payload}.{_flip(signature)}"),
    "swap-signature": _of_parts(lambda header, payload, signature: f"{header}.{payload}.{_swap_halves(signature)}"),
    "cut-signature": _of_parts(
        lambda header, payload, signature: f"{header}.{payload}.{base64url.encode(base64url.decode(signature)[:-1])}"
    ),
    "der-signature": _of_parts(lambda header, payload, signature: f"{header}.{payload}.{_to_der(signature)}"),
    "change-payload": _of_parts(lambda header, payload, signature: f"{header}.{_reserialise(payload)}.{signature}"),
    "change-header": _of_parts(lambda header, payload, signature: f"{_reserialise(header)}.{payload}.{signature}"),
    "pad": lambda text: f"{text}=",
    "two-segments": _of_parts(lambda header, payload, _: f"{header}.{payload}"),
    "four-segments": lambda text: f"{text}.AA",
    "five-segments": lambda text: f"{text}.AA.AA",
    "json": _of_parts(
        lambda header, payload, signature: json.dumps({"protected": header, "payload": payload, "signature": signature})
    ),
    "newline": lambda text: f"{text}\n",
    "empty-header": _of_parts(lambda _, payload, signature: f".{payload}.{signature}"),
    "garbage": lambda _: "x",
}
