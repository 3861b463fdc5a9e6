"""Well signed tokens whose claims must not pass."""

from collections.abc import Callable, Iterator
from functools import partial

from tests.support.world.tokens import (
    ABSENT,
    AUDIENCE,
    ISSUER,
    LEEWAY,
    LONGEST_LIFETIME,
    NOW,
    Members,
    client_claims,
)
from tests.vectors.forge.workshop import Attack, Workshop, spell

_NO_TEXTS: tuple[object, ...] = (None, 1, True, ["x"], {"x": 1})
_NO_LISTS_OF_TEXTS: tuple[object, ...] = (None, "admin", 1, {"admin": 1}, [1], ["a", None], [["a"]])
_WRONG_CONFIRMATIONS: tuple[object, ...] = (
    *(None, "x", [], {}, {"jkt": 1}, {"jkt": ""}, {"jkt": "short"}, {"kid": "es"}),
    *({"x5t#S256": "A" * 43}, {"jkt": "A" * 43, "jwk": {}}),
)
_OTHER_AUDIENCES: tuple[object, ...] = (
    *(AUDIENCE + "/", AUDIENCE.upper(), AUDIENCE[:-1], AUDIENCE + " x", ISSUER, "*", ""),
    *([], ["x"], [AUDIENCE + "x"], [""]),
)
_NO_AUDIENCES: tuple[object, ...] = (None, 1, True, {AUDIENCE: 1}, [AUDIENCE, 1], [[AUDIENCE]], [None])


def _numbers() -> Iterator[Attack]:
    unreadable = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"9007199254740992", b"9" * 30, b"9" * 5000)
    lexical = (b"01", b"+1", b"0x10", b"1_000", b".5", b"1.", b"\xd9\xa1")
    mistyped = (
        b"1.5",
        b"1767268800.0",
        b"1e3",
        b'"1767268800"',
        b"true",
        b"false",
        b"null",
        b"[1]",
        b"{}",
        b"-1",
        b"-0.0",
    )
    for claim in ("exp", "iat", "nbf", "auth_time", "token_version"):
        for code, texts in (("malformed", (*unreadable, *lexical)), ("invalid_claim", mistyped)):
            for text in texts:
                shown = f"{spell(text[:20])}-{len(text)}"
                yield Attack(f"number-{claim}-{shown}", code, partial(Workshop.with_claims, **{claim: text}))
    yield Attack("number-token_version-0", "invalid_claim", lambda w: w.with_claims(token_version=0))
    yield Attack("number-unknown-claim-nan", "malformed", lambda w: w.with_claims(x=b"NaN"))
    yield Attack("number-unknown-claim-1e999", "malformed", lambda w: w.with_claims(x=b"1e999"))
    yield Attack("number-in-header-huge", "malformed", lambda w: w.with_header(x=b"9" * 400))
    yield Attack("number-unknown-float-is-ignored", None, lambda w: w.with_claims(x=b"1.5e3"))


def _times() -> Iterator[Attack]:
    rows: tuple[tuple[str, str | None, Members], ...] = (
        ("expired-by-the-leeway", "expired", {"exp": NOW - LEEWAY, "iat": NOW - 400}),
        ("expired-within-the-leeway", None, {"exp": NOW - LEEWAY + 1, "iat": NOW - 400}),
        ("expired-long-ago", "expired", {"exp": 1, "iat": 0}),
        ("exp-zero", "expired", {"exp": 0}),
        ("iat-ahead", "not_yet_valid", {"iat": NOW + LEEWAY + 1}),
        ("iat-ahead-within-the-leeway", None, {"iat": NOW + LEEWAY}),
        ("iat-far-ahead", "not_yet_valid", {"iat": 2**53 - 2, "exp": 2**53 - 1}),
        ("nbf-ahead", "not_yet_valid", {"nbf": NOW + LEEWAY + 1}),
        ("nbf-within-the-leeway", None, {"nbf": NOW + LEEWAY}),
        ("lifetime-too-long", "invalid_claim", {"exp": NOW + LONGEST_LIFETIME + 1}),
        ("lifetime-longest", None, {"exp": NOW + LONGEST_LIFETIME}),
        ("lifetime-eternal", "invalid_claim", {"exp": 2**53 - 1}),
        ("iat-zero-eternal", "invalid_claim", {"iat": 0}),
        ("exp-equals-iat", "invalid_claim", {"exp": NOW, "iat": NOW}),
        ("exp-before-iat", "invalid_claim", {"exp": NOW + 5, "iat": NOW + 10}),
        ("exp-in-milliseconds", "invalid_claim", {"exp": (NOW + 300) * 1000}),
    )
    for name, code, claims in rows:
        yield Attack(f"time-{name}", code, partial(Workshop.with_claims, **claims))


def _claims() -> Iterator[Attack]:
    for claim in ("iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "sid", "fam", "token_version"):
        yield Attack(f"claim-{claim}-missing", "missing_claim", partial(Workshop.with_claims, **{claim: ABSENT}))
    texts: tuple[str, ...] = ("iss", "sub", "jti", "client_id", "scope", "sid", "fam", "acr")
    for claim in texts:
        for value in _NO_TEXTS:
            forge = partial(Workshop.with_claims, **{claim: value})
            yield Attack(f"claim-{claim}-{spell(value)}", "invalid_claim", forge)
        if claim != "scope":
            yield Attack(f"claim-{claim}-empty", "invalid_claim", partial(Workshop.with_claims, **{claim: ""}))
    yield Attack("claim-scope-empty-is-no-scope", None, lambda w: w.with_claims(scope=""))
    for claim in ("roles", "amr"):
        for value in _NO_LISTS_OF_TEXTS:
            forge = partial(Workshop.with_claims, **{claim: value})
            yield Attack(f"claim-{claim}-{spell(value)}", "invalid_claim", forge)
    for value in _WRONG_CONFIRMATIONS:
        yield Attack(f"claim-cnf-{spell(value)}"[:50], "invalid_claim", partial(Workshop.with_claims, cnf=value))


def _addresses() -> Iterator[Attack]:
    issuers = (
        ISSUER + "/",
        ISSUER.upper(),
        ISSUER[:-1],
        ISSUER + "1",
        "https" + ISSUER[4:],
        " " + ISSUER,
        "http://evil.example",
    )
    for issuer in issuers:
        yield Attack(f"iss-{issuer}", "wrong_issuer", partial(Workshop.with_claims, iss=issuer))
    for value in _OTHER_AUDIENCES:
        yield Attack(f"aud-{spell(value)}", "wrong_audience", partial(Workshop.with_claims, aud=value))
    for value in _NO_AUDIENCES:
        yield Attack(f"aud-{spell(value)}", "invalid_claim", partial(Workshop.with_claims, aud=value))
    yield Attack("aud-one-of-two", None, lambda w: w.with_claims(aud=[ISSUER, AUDIENCE]))


def _kinds() -> Iterator[Attack]:
    yield Attack("client-token", None, lambda w: w.es.token(client_claims()))
    yield Attack("client-token-of-another-subject", "missing_claim", lambda w: w.es.token(client_claims(sub="user-1")))
    for name, value in (("sid", "s"), ("fam", "f"), ("token_version", 1)):
        yield Attack(f"client-token-with-{name}", "missing_claim", partial(_client_token, **{name: value}))
        yield Attack(f"user-token-with-null-{name}", "invalid_claim", partial(Workshop.with_claims, **{name: None}))
    yield Attack("user-named-like-the-client", "invalid_claim", lambda w: w.with_claims(sub="first-party"))
    bare = dict.fromkeys(("sid", "fam", "token_version"), ABSENT)
    yield Attack("user-token-without-version-and-session", "missing_claim", lambda w: w.with_claims(**bare))


def _client_token(w: Workshop, /, **claims: object) -> str:
    return w.es.token(client_claims(**claims))


KINDS: tuple[Callable[[], Iterator[Attack]], ...] = (
    _numbers,
    _times,
    _claims,
    _addresses,
    _kinds,
)
