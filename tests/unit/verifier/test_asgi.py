"""The ASGI adapter: what is its own (what all adapters promise is in test_adapters)."""

# ruff: noqa: ANN401 - messages of ASGI are dictionaries of anything

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI

from authserver.protocol.claims import AccessTokenClaims
from authserver.protocol.dpop_request import DpopRequest
from authserver.verifier import Verifier
from authserver.verifier.asgi import TokenMiddleware, require_token
from authserver.verifier.asgi_body import Message
from authserver.verifier.bearer import Answer, RefusedError
from tests.support.wire.adapters import asking_asgi, exchange
from tests.support.wire.loopback import LoopbackServer, running_server
from tests.support.world.clock import ManualClock
from tests.support.world.processes import wait_until
from tests.support.world.tokens import AUDIENCE, ISSUER, jwks, make_pair, user_claims

PAIR = make_pair("k", "EdDSA")
TOKEN = PAIR.token(user_claims())


@pytest.fixture
def issuer() -> Iterator[LoopbackServer]:
    with running_server() as server:
        server.body = jwks(PAIR)
        yield server


@pytest.fixture
def verifier(issuer: LoopbackServer) -> Verifier:
    return Verifier(ISSUER, AUDIENCE, jwks_uri=issuer.url, clock=ManualClock())


def scope_of(kind: str, path: str = "/", token: str | None = None, **more: Any) -> dict[str, Any]:
    headers = [(b"host", b"testserver")]
    if token is not None:
        headers.append((b"authorization", b"Bearer " + token.encode()))
    method = {"method": "GET"} if kind == "http" else {}
    return {"type": kind, "path": path, "scheme": "https", "headers": headers, "query_string": b"", **method, **more}


def sent_by(app: Any, scope: dict[str, Any]) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


async def greeting(scope: Any, _receive: Any, send: Any) -> None:
    assert scope["state"]["token"].sub == "user-1"
    await send({"type": "websocket.accept"})


def test_a_websocket_needs_a_good_token_to_be_opened(verifier: Verifier) -> None:
    app = TokenMiddleware(greeting, verifier=verifier)
    assert sent_by(app, scope_of("websocket", token=TOKEN)) == [{"type": "websocket.accept"}]
    assert sent_by(app, scope_of("websocket", token="x")) == [{"type": "websocket.close", "code": 1008}]


def test_a_websocket_that_can_be_told_is_told_why(verifier: Verifier) -> None:
    app = TokenMiddleware(greeting, verifier=verifier)
    start, body = sent_by(app, scope_of("websocket", extensions={"websocket.http.response": {}}))
    assert (start["status"], body["body"]) == (401, b"{}")


def test_the_life_of_the_application_is_none_of_its_business(verifier: Verifier) -> None:
    asked: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        asked.append(scope["type"])

    sent_by(TokenMiddleware(app, verifier=verifier), {"type": "lifespan"})
    assert asked == ["lifespan"]


def test_only_the_very_paths_that_were_named_are_open(verifier: Verifier) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    guarded = TokenMiddleware(app, verifier=verifier, open_paths={"/health"})
    statuses = {
        path: sent_by(guarded, scope_of("http", path))[0]["status"]
        for path in ("/health", "/health/", "/healthy", "//health", "/", "/x/health")
    }
    assert [path for path, status in statuses.items() if status == 200] == ["/health"]
    assert sent_by(guarded, scope_of("http", "/x/health", root_path="/x"))[0]["status"] == 200


def test_the_event_loop_goes_on_while_keys_are_fetched(verifier: Verifier, issuer: LoopbackServer) -> None:
    """A verifier that waits for its issuer must not hold up everybody else."""
    issuer.gate.clear()
    app = TokenMiddleware(greeting, verifier=verifier, open_paths={"/open"})

    async def race() -> tuple[int, bool, int]:
        waiting = asyncio.create_task(exchange(app, scope_of("http", token=PAIR.token(user_claims(aud="x")))))
        await asyncio.to_thread(wait_until, lambda: issuer.hits > 0, "the fetch of the keys")
        meanwhile = await exchange(app, scope_of("http"))
        was_waiting = not waiting.done()
        issuer.gate.set()
        return meanwhile.status, was_waiting, (await waiting).status

    assert asyncio.run(asyncio.wait_for(race(), 20)) == (401, True, 401)


def test_what_is_known_is_answered_by_the_loop_itself(verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []
    verify = verifier.verify

    def watched(token: str, dpop: DpopRequest | None = None) -> AccessTokenClaims:
        threads.append(threading.current_thread().name.partition("_")[0])
        return verify(token, dpop)

    monkeypatch.setattr(verifier, "verify", watched)
    app = TokenMiddleware(greeting, verifier=verifier)

    async def twice() -> None:
        for _ in range(2):
            await app(scope_of("websocket", token=TOKEN), _nothing, _swallow)

    asyncio.run(twice())
    assert threads[0] == "authserver-verify"
    assert set(threads[1:]) == {"MainThread"}


async def _nothing() -> Message:
    return {}


async def _swallow(_message: Message) -> None:
    pass


def test_a_route_that_needs_a_token_needs_the_middleware(verifier: Verifier) -> None:
    """Forgotten, it is an error of the server and never an open route."""
    app = FastAPI()
    app.add_api_route("/", lambda: "", dependencies=[Depends(require_token())])
    with pytest.raises(TypeError, match="add_middleware"):
        asking_asgi(app)("/", f"Bearer {TOKEN}")


def test_a_refusal_after_the_answer_has_begun_is_an_error(verifier: Verifier) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RefusedError(Answer(401, (), b""))

    with pytest.raises(RefusedError):
        sent_by(TokenMiddleware(app, verifier=verifier, open_paths={"/"}), scope_of("http"))


@pytest.mark.parametrize(
    "settings", [{"guard": "some"}, {"guard": "routes", "open_paths": {"/"}}, {"guard": "routes", "scope": "read"}]
)
def test_settings_that_contradict_each_other_are_refused(verifier: Verifier, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="guard"):
        TokenMiddleware(greeting, verifier=verifier, **settings)


def test_a_head_request_for_the_metadata_has_no_body(verifier: Verifier) -> None:
    app = TokenMiddleware(greeting, verifier=verifier)
    start, body = sent_by(app, {**scope_of("http", "/.well-known/oauth-protected-resource"), "method": "HEAD"})
    assert (start["status"], body["body"]) == (200, b"")
