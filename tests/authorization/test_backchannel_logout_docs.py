"""docs/backchannel-logout.md: the client that it prints ends what it is told to, and believes no other token."""

import re
import runpy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.wire.loopback import running_server
from tests.support.world.logout_tokens import FORGERIES, make_logout_token
from tests.support.world.tokens import SigningPair, jwks, make_pair

DOCUMENT = Path(__file__).parents[2] / "docs" / "backchannel-logout.md"
MOST_LINES = 40


@dataclass(frozen=True)
class Example:
    """The names that the block of the document defines, and the server that it believes."""

    names: dict[str, Any]
    issuer: str
    pair: SigningPair

    def post(self, **form: str) -> Any:  # noqa: ANN401 - Flask's test response
        return self.names["app"].test_client().post("/backchannel-logout", data=form)

    def make(self, name: str | None = None) -> str:
        forgery = None if name is None else FORGERIES[name]
        return make_logout_token(self.pair, self.issuer, "photos", time.time(), forgery)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The block as it is printed."""
    (block,) = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len([line for line in block.splitlines() if line]) <= MOST_LINES
    pair = make_pair("k", "ES256")
    with running_server() as server, pytest.MonkeyPatch.context() as patch:
        server.body = jwks(pair)
        patch.setenv("ISSUER", server.url)
        patch.setenv("CLIENT_ID", "photos")
        program = tmp_path_factory.mktemp("client") / "client.py"
        program.write_text(block, encoding="utf-8")
        yield Example(runpy.run_path(str(program)), server.url, pair)


@pytest.fixture(autouse=True)
def sessions(example: Example) -> dict[str, dict[str, str]]:
    """Three sessions: the one that ends, another one of that user, and one of somebody else."""
    known: dict[str, dict[str, str]] = example.names["sessions"]
    known.clear()
    known |= {
        "a": {"sub": "user-1", "sid": "sid-1"},
        "b": {"sub": "user-1", "sid": "sid-2"},
        "c": {"sub": "user-2", "sid": "sid-3"},
    }
    example.names["ended"].clear()
    return known


def test_a_logout_token_ends_the_session_that_it_names(example: Example, sessions: dict[str, Any]) -> None:
    for _ in range(2):  # a token may come twice
        answer = example.post(logout_token=example.make())
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert sessions.keys() == {"b", "c"}
        assert example.names["ended"] == {"sid-1"}


@pytest.mark.parametrize("name", FORGERIES)
def test_any_other_token_ends_nothing(example: Example, sessions: dict[str, Any], name: str) -> None:
    """ASVS 10.5.5."""
    answer = example.post(logout_token=example.make(name))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (400, "no-store")
    assert len(sessions) == 3
    assert example.names["ended"] == set()


def test_without_a_token_nothing_ends(example: Example, sessions: dict[str, Any]) -> None:
    assert example.post().status_code == 400
    assert len(sessions) == 3
