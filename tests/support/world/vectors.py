"""The attack tokens of `tests/vectors/*.json`, read as an SDK in another language would read them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from authserver.jose.jwk import VerificationKey, read_jwks

FOLDER: Final = Path(__file__).parents[2] / "vectors"
NAMES: Final = ("keys", "text", "signatures", "claims", "odd")
ACCEPT: Final = "accept"


@dataclass(frozen=True, slots=True)
class Vector:
    """A token, and the error code that it must cause; None if it must be accepted."""

    name: str
    token: Any
    code: str | None


@dataclass(frozen=True, slots=True)
class Setting:
    """The assumptions of all vectors: issuer, audience, time and keys."""

    issuer: str
    audience: str
    now: int
    leeway: int
    longest_lifetime: int
    jwks: bytes

    @property
    def keys(self) -> Mapping[str, VerificationKey]:
        """The issuer's keys by `kid`."""
        return read_jwks(self.jwks)


def read_setting() -> Setting:
    """Read the setting, which all files repeat; it must be the same in each."""
    (setting,) = {_read_setting(_load(name)) for name in NAMES}
    return setting


def read_vectors() -> tuple[Vector, ...]:
    """Read the vectors of all files."""
    return tuple(_read_vector(vector) for name in NAMES for vector in _load(name)["vectors"])


def _load(name: str) -> dict[str, Any]:
    file: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert file["format"] == 1
    return file


def _read_setting(file: dict[str, Any]) -> Setting:
    names = ("issuer", "audience", "now", "leeway", "longest_lifetime")
    return Setting(**{name: file[name] for name in names}, jwks=json.dumps(file["jwks"]).encode())


def _read_vector(vector: dict[str, Any]) -> Vector:
    token = vector["repeat"] * vector["times"] if "repeat" in vector else vector["token"]
    assert vector["reason"]
    return Vector(vector["name"], token, None if vector["expect"] == ACCEPT else vector["expect"])
