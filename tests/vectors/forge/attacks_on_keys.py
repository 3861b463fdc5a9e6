"""Tokens that try to choose their own algorithm or key."""

import base64
import hmac
from collections.abc import Callable, Iterator
from functools import partial

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authserver.jose.jwk import write_jwk
from authserver.protocol import base64url
from tests.support.world.tokens import (
    ABSENT,
    Members,
    SigningPair,
    encode,
    user_claims,
)
from tests.vectors.forge.attacks_on_signatures import sign_rsa
from tests.vectors.forge.workshop import LISTENER, Attack, Workshop, spell


def _algorithms() -> Iterator[Attack]:
    for spelling in ("none", "None", "NONE", "nOnE", ""):
        yield Attack(
            f"alg-{spell(spelling)}-unsigned",
            "malformed",
            partial(_unsigned, alg=spelling),
        )
    names = ("none", "None", "NONE", "nOnE", "", " none", "es256", "Es256", "ES256 ", "ES256\0", "eddsa", "Ed25519")
    others = (
        "Ed448",
        "ES256K",
        "ES384",
        "ES512",
        "ES521",
        "PS256",
        "RS384",
        "HS256",
        "HS384",
        "HS512",
        "dir",
        "RSA1_5",
    )
    values = (ABSENT, None, 1, True, ["ES256"], {"ES256": 1})
    for value in (*names, *others, *values):
        yield Attack(
            f"alg-{spell(value)}",
            "unsupported_algorithm",
            partial(Workshop.with_header, alg=value),
        )


def _unsigned(w: Workshop, alg: str) -> str:
    return w.with_header(alg=alg).rpartition(".")[0] + "."


def _key_confusion() -> Iterator[Attack]:
    """The public key as an HMAC secret, in every form in which it can be had; and one key under another algorithm."""
    for alg in ("HS256", "HS384", "HS512"):
        for kid in ("es", "ed", "rs"):
            for form in ("pem", "der", "jwk"):
                forge = partial(_sign_with_public_key, alg=alg, kid=kid, form=form)
                yield Attack(f"hmac-{alg}-{kid}-{form}", "unsupported_algorithm", forge)
    for kid, alg in (
        ("es", "EdDSA"),
        ("es", "RS256"),
        ("ed", "ES256"),
        ("ed", "RS256"),
        ("rs", "ES256"),
        ("rs", "EdDSA"),
    ):
        yield Attack(
            f"alg-{alg}-on-key-{kid}", "unsupported_algorithm", partial(_sign_for_another_key, kid=kid, alg=alg)
        )
    yield Attack("alg-ps256-on-rs256-key", "unsupported_algorithm", lambda w: sign_rsa(w, "PS256", pss=True))


def _weak_secrets() -> Iterator[Attack]:
    """HMAC under secrets that people type, and under none at all; where one is listed as a key, a reader is lost."""
    for alg in ("HS256", "HS384", "HS512"):
        for secret in ("", "\0", "secret", "password", "changeme", "your-256-bit-secret", "key", "x" * 32, "es"):
            forge = partial(_sign_with_secret, alg=alg, kid="es", secret=secret.encode())
            yield Attack(f"hs-weak-{alg}-{spell(secret)}", "unsupported_algorithm", forge)


def _sign_with_public_key(w: Workshop, alg: str, kid: str, form: str) -> str:
    return _sign_with_secret(w, alg, kid, _public_form(w.pair(kid), form))


def _sign_with_secret(_: Workshop, alg: str, kid: str, secret: bytes) -> str:
    header = encode({"alg": alg, "kid": kid, "typ": "at+jwt"})
    text = f"{base64url.encode(header)}.{base64url.encode(encode(user_claims()))}"
    tag = hmac.digest(secret, text.encode(), f"sha{alg[2:]}")
    return f"{text}.{base64url.encode(tag)}"


def _sign_for_another_key(w: Workshop, kid: str, alg: str) -> str:
    signer = next(pair for pair in w.issuer_pairs if pair.algorithm.name == alg)
    return signer.token(user_claims(), kid=kid)


def _public_form(pair: SigningPair, form: str) -> bytes:
    key = pair.private_key.public_key()
    if form == "jwk":
        return encode({**write_jwk(pair.verification_key)})
    encoding = Encoding.PEM if form == "pem" else Encoding.DER
    return key.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def _key_ids() -> Iterator[Attack]:
    values: tuple[object, ...] = (
        *(ABSENT, None, "", 0, 1, True, 1.5, ["es"], {"kid": "es"}, "ES", " es", "es ", "es\0", "../../dev/null"),
        *("/dev/null", "' OR '1'='1", "es' UNION SELECT 'k'--", "$(id)", "|id", "__class__", "__proto__", "{0}", "%s"),
        *("e" * 300, "\u0435s", "stranger", "http://127.0.0.1/key"),
    )
    for number, value in enumerate(values):
        shown = spell(value)[:24]
        yield Attack(f"kid-{number}-{shown}", "unknown_key", partial(Workshop.with_header, kid=value))
    yield Attack("kid-of-another-key", "bad_signature", lambda w: w.with_header(kid="other-es"))
    yield Attack(
        "kid-of-the-issuer-signed-by-a-stranger", "bad_signature", lambda w: w.stranger.token(user_claims(), kid="es")
    )


def _embedded_keys() -> Iterator[Attack]:
    for member in ("jwk", "jku", "x5u", "x5c"):
        for kid in ("es", "stranger", ABSENT):
            yield Attack(f"embedded-{member}-kid-{spell(kid)}", "malformed", partial(_embed, kid=kid, member=member))
        yield Attack(
            f"embedded-{member}-null-well-signed", "malformed", partial(Workshop.with_header, **{member: None})
        )
    yield Attack("jku-on-a-well-signed-token", "malformed", lambda w: w.with_header(jku=f"{LISTENER}/jwks.json"))
    yield Attack("x5t-is-ignored", None, lambda w: w.with_header(x5t="dGh1bWJwcmludA"))
    yield Attack("iss-names-the-listener", "wrong_issuer", lambda w: w.with_claims(iss=LISTENER))


def _embed(w: Workshop, kid: object, member: str) -> str:
    values: Members = {
        "jwk": dict(write_jwk(w.stranger.verification_key)),
        "jku": f"{LISTENER}/jwks.json",
        "x5u": f"{LISTENER}/chain.pem",
        "x5c": [base64.b64encode(_public_form(w.stranger, "der")).decode()],
    }
    return w.stranger.token(user_claims(), kid=kid, **{member: values[member]})


KINDS: tuple[Callable[[], Iterator[Attack]], ...] = (
    _algorithms,
    _key_confusion,
    _weak_secrets,
    _key_ids,
    _embedded_keys,
)
