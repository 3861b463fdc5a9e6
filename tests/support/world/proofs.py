"""DPoP proofs: good ones, and those of the recipes in `tests/vectors/dpop_proofs.json`."""

import hashlib
import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from authserver.jose.jwk import thumbprint, write_jwk
from authserver.protocol import base64url
from tests.support.world.tokens import SigningPair, encode, make_pair

FILE: Final = Path(__file__).parents[2] / "vectors" / "dpop_proofs.json"
ACCEPT: Final = "accept"
_ALPHABET: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
_numbers = count()


@dataclass(frozen=True)
class ProofKey:
    """A key of a client, and the proofs that it makes."""

    pair: SigningPair = field(default_factory=lambda: make_pair("own", "ES256"))

    @property
    def jwk(self) -> dict[str, str]:
        """The public key, as it stands in the header of a proof."""
        members = write_jwk(self.pair.verification_key)
        return {name: members[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in members}

    @property
    def jkt(self) -> str:
        return thumbprint(self.pair.private_key.public_key())

    def prove(self, method: str, url: str, now: float, access_token: str | None = None, **claims: object) -> str:
        """A proof for one request, changed by `claims`."""
        header = {"typ": "dpop+jwt", "alg": self.pair.algorithm.name, "jwk": self.jwk}
        ath = {} if access_token is None else {"ath": hash_token(access_token)}
        members = {"jti": f"proof-{next(_numbers)}", "htm": method, "htu": url, "iat": int(now), **ath, **claims}
        return self.pair.sign(encode(header), encode(members))


@dataclass(frozen=True)
class Recipe:
    """A proof to make, and what it is answered at the token endpoint and at a protected resource."""

    name: str
    steps: Mapping[str, Any]
    at_token: str
    at_resource: str

    def make(self, own: ProofKey, method: str, url: str, now: float, access_token: str) -> str:
        """The proof for this request; `own` is the key to which the tokens are bound."""
        return _Kitchen(own, method, url, int(now), access_token).make(self.steps)


def read_recipes() -> tuple[Recipe, ...]:
    file = json.loads(FILE.read_text(encoding="utf-8"))
    assert file["format"] == 1
    return tuple(_read_recipe(recipe) for recipe in file["vectors"])


def hash_token(access_token: str) -> str:
    return base64url.encode(hashlib.sha256(access_token.encode()).digest())


def _read_recipe(recipe: dict[str, Any]) -> Recipe:
    assert recipe["reason"]
    expect = recipe["expect"]
    at_token, at_resource = (expect, expect) if isinstance(expect, str) else (expect["token"], expect["resource"])
    return Recipe(recipe["name"], recipe, at_token, at_resource)


@dataclass(frozen=True)
class _Kitchen:
    own: ProofKey
    method: str
    url: str
    now: int
    access_token: str

    def make(self, steps: Mapping[str, Any]) -> str:
        if "whole" in steps:
            return str(steps["whole"])
        holder, signer = self._find(steps.get("holder", "own")), self._find(steps.get("signer", "own"))
        jwk = self._change(dict(holder.jwk), steps.get("jwk", {}), signer)
        header = {"typ": "dpop+jwt", "alg": signer.pair.algorithm.name, "jwk": jwk}
        claims = {
            "jti": f"proof-{next(_numbers)}",
            "htm": self.method,
            "htu": self.url,
            "iat": self.now,
            "ath": hash_token(self.access_token),
        }
        parts = (
            self._write(self._change(header, steps.get("header", {}), signer), steps.get("header_text")),
            self._write(self._change(claims, steps.get("claims", {}), signer), steps.get("claims_text")),
        )
        proof = signer.pair.sign(*parts)
        for edit in steps.get("edit", ()):
            proof = EDITS[edit](proof)
        return proof

    def _find(self, name: str) -> ProofKey:
        return self.own if name == "own" else _KEYS[name]

    def _write(self, members: dict[str, Any], text: str | None) -> bytes:
        if text is None:
            return encode(members)
        return text.replace("$members", encode(members).decode()[1:-1]).encode("utf-8", "surrogateescape")

    def _change(self, members: dict[str, Any], changes: Any, signer: ProofKey) -> Any:  # noqa: ANN401 - JSON
        if not isinstance(changes, dict):
            return changes
        for name, change in changes.items():
            if change is None:
                members.pop(name, None)
            else:
                members[name] = self._fill(change, signer)
        return members

    def _fill(self, value: Any, signer: ProofKey) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, dict) and value.keys() == {"now"}:
            return self.now + value["now"]
        if not isinstance(value, str):
            return value
        origin, _, path = self.url.partition("://")[2].partition("/")
        words = {
            "$method": self.method,
            "$lower-method": self.method.lower(),
            "$url": self.url,
            "$origin": origin,
            "$path": path,
            "$odd-path": f"%{ord(path[0]):02x}{path[1:]}",
            "$ath": hash_token(self.access_token),
            "$hex-ath": hashlib.sha256(self.access_token.encode()).hexdigest(),
            "$private": base64url.encode(b"\1" * 32),
            "$x": signer.jwk.get("x", ""),
        }
        for word in sorted(words, key=len, reverse=True):
            value = value.replace(word, words[word])
        return value


def _small_rsa() -> SigningPair:
    pair = make_pair("small", "RS256")
    return SigningPair("small", pair.algorithm, generate_private_key(65537, 2048))


class _SmallRsaKey(ProofKey):
    @property
    def jwk(self) -> dict[str, str]:
        key = self.pair.private_key.public_key()
        numbers = key.public_numbers()  # type: ignore[union-attr]  # an RSA key
        return {"kty": "RSA", "n": base64url.encode(numbers.n.to_bytes(256, "big")), "e": "AQAB"}  # type: ignore[union-attr]


class _Keys(dict[str, ProofKey]):
    """Made when a recipe first asks for one."""

    def __missing__(self, name: str) -> ProofKey:
        made = _SmallRsaKey(_small_rsa()) if name == "small-rsa" else ProofKey(make_pair(name, _ALGORITHMS[name]))
        self[name] = made
        return made


_ALGORITHMS: Final = {"other": "ES256", "eddsa": "EdDSA", "rsa": "RS256"}
_KEYS: Final = _Keys()


def _edit_signature(proof: str, change: Callable[[bytes], bytes]) -> str:
    signing_input, _, signature = proof.rpartition(".")
    return f"{signing_input}.{base64url.encode(change(base64url.decode(signature)))}"


def _flip(signature: bytes) -> bytes:
    return bytes([signature[0] ^ 1]) + signature[1:]


def _to_der(signature: bytes) -> bytes:
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    return encode_dss_signature(r, s)


def _to_json(proof: str) -> str:
    protected, payload, signature = proof.split(".")
    return json.dumps({"protected": protected, "payload": payload, "signature": signature})


def _pad(proof: str) -> str:
    return ".".join(part + "=" * (-len(part) % 4) for part in proof.split("."))


def _respell(proof: str) -> str:
    """Another last character of the same bytes: the signature's 64 bytes leave four bits over."""
    return proof[:-1] + _ALPHABET[_ALPHABET.index(proof[-1]) ^ 1]


EDITS: Final[Mapping[str, Callable[[str], str]]] = {
    "drop signature": lambda proof: proof.rpartition(".")[0],
    "empty signature": lambda proof: proof.rpartition(".")[0] + ".",
    "add segment": lambda proof: f"{proof}.AA",
    "encrypt": lambda proof: f"{proof}.AA.AA",
    "as json": _to_json,
    "pad": _pad,
    "respell": _respell,
    "split": lambda proof: f"{proof[:20]} {proof[20:]}",
    "twice": lambda proof: f"{proof}, {proof}",
    "flip signature": lambda proof: _edit_signature(proof, _flip),
    "cut signature": lambda proof: _edit_signature(proof, lambda signature: signature[:-1]),
    "der signature": lambda proof: _edit_signature(proof, _to_der),
}
