"""What all adapters share: where the metadata are, and what never gets into a challenge."""

import json

import pytest

from authserver.verifier import Verifier
from authserver.verifier.bearer import WELL_KNOWN, Answer, BearerGuard

ISSUER = "https://auth.example"


def guard(*audiences: str, resource: str | None = None) -> BearerGuard:
    made = BearerGuard(Verifier(ISSUER, audiences), resource=resource)
    made.serves_metadata = True
    return made


def challenge_of(answer: Answer) -> str:
    return dict(answer.headers)["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("resource", "paths"),
    [
        ("https://api.example", (WELL_KNOWN,)),
        ("https://api.example/", (WELL_KNOWN,)),
        ("https://api.example/v1", (WELL_KNOWN, f"{WELL_KNOWN}/v1")),
    ],
)
def test_the_metadata_are_at_the_well_known_place(resource: str, paths: tuple[str, ...]) -> None:
    """RFC 9728 §3.1."""
    made = guard(resource)
    assert made.paths == paths
    for path in paths:
        answer = made.describe(path)
        assert answer is not None
        assert json.loads(answer.body)["resource"] == resource
    assert made.describe(f"{WELL_KNOWN}/other") is None


@pytest.mark.parametrize("audiences", [("notes",), ("https://a.example", "https://b.example"), ("https://a/?x",)])
def test_a_resource_that_has_not_one_url_has_no_metadata(audiences: tuple[str, ...]) -> None:
    made = guard(*audiences)
    assert made.paths == ()
    assert made.describe(WELL_KNOWN) is None
    assert challenge_of(made.challenge("https://api.example")) == "Bearer"
    assert challenge_of(made.challenge("https://api.example", "read write")) == 'Bearer scope="read write"'
    assert guard(*audiences, resource="https://a.example").paths == (WELL_KNOWN,)


@pytest.mark.parametrize("base_url", ['https://a"b', "https://a\r\nb", "https://a b", "javascript:x", "https://", "é"])
def test_a_host_that_is_no_host_is_not_repeated(base_url: str) -> None:
    """What the client sends as Host must not become another header or parameter."""
    assert challenge_of(guard("https://api.example").challenge(base_url)) == "Bearer"


def test_what_cannot_stand_in_a_challenge_is_refused_at_once() -> None:
    verifier = Verifier(ISSUER, "a")
    for url in ('https://a"', "ftp://a", ""):
        with pytest.raises(ValueError, match="URLs"):
            BearerGuard(verifier, resource=url)
        with pytest.raises(ValueError, match="URLs"):
            BearerGuard(verifier, metadata_url=url)
