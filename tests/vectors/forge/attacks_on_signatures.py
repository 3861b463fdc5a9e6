"""Signatures that fit nothing, or that must not."""

from collections.abc import Callable, Iterator
from functools import partial

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from authserver.protocol import base64url
from tests.support.world.tokens import (
    encode,
    user_claims,
)
from tests.vectors.forge.workshop import P256_ORDER, Attack, Workshop, malleate

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def _signatures() -> Iterator[Attack]:
    def halves(r: int, s: int) -> bytes:
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    n = P256_ORDER
    forged: dict[str, Callable[[bytes], bytes]] = {
        "psychic": lambda _: halves(0, 0),
        "r-zero": lambda s: bytes(32) + s[32:],
        "s-zero": lambda s: s[:32] + bytes(32),
        "order-order": lambda _: halves(n, n),
        "r-order": lambda s: n.to_bytes(32, "big") + s[32:],
        "s-order": lambda s: s[:32] + n.to_bytes(32, "big"),
        "one-one": lambda _: halves(1, 1),
        "all-ones": lambda _: b"\xff" * 64,
        "short": lambda s: s[:63],
        "long": lambda s: s + b"\0",
        "leading-zero": lambda s: b"\0" + s,
        "one-byte": lambda _: b"\0",
        "wide-halves": lambda s: bytes(1) + s[:32] + bytes(1) + s[32:],
        "der": lambda s: encode_dss_signature(int.from_bytes(s[:32], "big"), int.from_bytes(s[32:], "big")),
        "swapped-halves": lambda s: s[32:] + s[:32],
        "flipped-bit": lambda s: bytes([s[0] ^ 1]) + s[1:],
        "huge": lambda s: s * 60,
    }
    for name, forge in forged.items():
        yield Attack(
            f"es256-signature-{name}", "bad_signature", partial(Workshop.with_signature, kid="es", forge=forge)
        )
    # A valid other spelling of the same token (stack.md): whatever denies a token must go by its claims.
    yield Attack("es256-signature-malleated", None, partial(Workshop.with_signature, kid="es", forge=malleate))
    eddsa: dict[str, Callable[[bytes], bytes]] = {
        "zero": lambda _: bytes(64),
        "short": lambda s: s[:63],
        "long": lambda s: s + b"\0",
        "plus-order": lambda s: s[:32] + (int.from_bytes(s[32:], "little") + ED25519_ORDER).to_bytes(32, "little"),
        "identity-point": lambda _: b"\1" + bytes(63),
    }
    for name, forge in eddsa.items():
        yield Attack(
            f"eddsa-signature-{name}", "bad_signature", partial(Workshop.with_signature, kid="ed", forge=forge)
        )
    rsa: dict[str, Callable[[bytes], bytes]] = {
        "zero": lambda s: bytes(len(s)),
        "one": lambda s: bytes(len(s) - 1) + b"\1",
        "short": lambda s: s[1:],
        "long": lambda s: b"\0" + s,
        "all-ones": lambda s: b"\xff" * len(s),
    }
    for name, forge in rsa.items():
        yield Attack(
            f"rs256-signature-{name}", "bad_signature", partial(Workshop.with_signature, kid="rs", forge=forge)
        )
    yield Attack("rs256-signature-sha512", "bad_signature", lambda w: sign_rsa(w, "RS256", digest=hashes.SHA512()))
    yield Attack("rs256-signature-pss", "bad_signature", lambda w: sign_rsa(w, "RS256", pss=True))
    yield Attack("payload-of-another-token", "bad_signature", lambda w: _splice(w, position=1))
    yield Attack("header-of-another-token", "bad_signature", lambda w: _splice(w, position=0))
    for kid in ("es", "other-es", "ed", "rs"):
        yield Attack(f"good-token-of-{kid}", None, partial(Workshop.good_token, kid=kid))


def _splice(w: Workshop, position: int) -> str:
    segments = w.es.token(user_claims()).split(".")
    segments[position] = w.es.token(user_claims(sub="admin"), note="x").split(".")[position]
    return ".".join(segments)


def sign_rsa(w: Workshop, alg: str, *, pss: bool = False, digest: hashes.HashAlgorithm | None = None) -> str:
    """A token signed in another way than RS256; PSS without salt, so that it comes out the same each time."""
    key = w.rs.private_key
    assert isinstance(key, RSAPrivateKey)
    header = encode({"alg": alg, "kid": "rs", "typ": "at+jwt"})
    text = f"{base64url.encode(header)}.{base64url.encode(encode(user_claims()))}"
    digest = digest or hashes.SHA256()
    form = padding.PSS(padding.MGF1(digest), 0) if pss else padding.PKCS1v15()
    return f"{text}.{base64url.encode(key.sign(text.encode(), form, digest))}"


KINDS: tuple[Callable[[], Iterator[Attack]], ...] = (_signatures,)
