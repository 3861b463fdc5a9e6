"""The verifier for ASGI: a middleware for any framework, and a dependency for FastAPI.

    app = TokenMiddleware(app, verifier=verifier, open_paths={"/health"}, scope="read")       # everything else guarded

    app.add_middleware(TokenMiddleware, verifier=verifier, guard="routes")                     # FastAPI: route by route

    @app.get("/notes")
    async def notes(token: Annotated[AccessTokenClaims, Depends(require_token(scope="read"))]): ...

The event loop never waits: checks that cannot be answered from memory run in separate threads. The claims are in
`scope["state"]["token"]` (`request.state.token`). A WebSocket is checked only when it is opened.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal

from authserver.protocol.bearer_request import Credentials, SeveralTokens, read_token
from authserver.protocol.claims import AccessTokenClaims
from authserver.verifier.asgi_body import Message, NoticedBody, Receive, Scope
from authserver.verifier.bearer import Answer, BearerGuard, Call, RefusedError, may_carry_token
from authserver.verifier.demands import Demand
from authserver.verifier.refusals import InvalidToken
from authserver.verifier.verifier import Verifier

Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_KEY: Final = "authserver.verifier"
_BODY: Final = "authserver.verifier.body"
_THREADS: Final = 4
_ANYTHING: Final = Demand()
_POLICY_VIOLATION: Final = 1008  # RFC 6455 §7.4.1


class TokenMiddleware:
    """ASGI middleware. `guard`: "everything" except `open_paths`, or only the "routes" that depend on `require_token`.

    `scope`, `max_age`, `acr`: the demand on all guarded requests (`demands.Demand`). `open_paths` are complete paths,
    compared exactly. `resource`, `metadata_url`: see `BearerGuard`.
    """

    def __init__(  # noqa: PLR0913 - what may be set
        self,
        app: App,
        *,
        verifier: Verifier,
        guard: Literal["everything", "routes"] = "everything",
        open_paths: Collection[str] = (),
        scope: str | None = None,
        max_age: int | None = None,
        acr: str | None = None,
        resource: str | None = None,
        metadata_url: str | None = None,
    ) -> None:
        """Check the settings; `ValueError` if they contradict each other."""
        if guard not in {"everything", "routes"}:
            raise ValueError("guard is everything or routes")
        self._demand = Demand(scope, max_age, acr)
        if guard == "routes" and (open_paths or self._demand != _ANYTHING):
            raise ValueError("with guard='routes' each route says itself what it demands")
        self._app = app
        self._guards_everything = guard == "everything"
        self._open_paths = frozenset(open_paths)
        self._door = _Door(BearerGuard(verifier, resource=resource, metadata_url=metadata_url))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, WebSocket, or lifespan of the application."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        description = self._door.describe(scope)
        if description is not None:
            await _send(description, scope, send)
            return
        scope[_KEY] = self._door
        if _may_carry_token(scope):
            scope[_BODY] = receive = NoticedBody(receive)
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            if self._guards_everything and _local_path(scope) not in self._open_paths:
                await self._door.admit(scope, self._demand)
            await self._app(scope, receive, watched)
        except RefusedError as refused:
            if has_begun:
                raise
            await _send(refused.answer, scope, send)


def require_token(
    *, scope: str | None = None, max_age: int | None = None, acr: str | None = None
) -> Callable[..., Awaitable[AccessTokenClaims]]:
    """Make a FastAPI dependency: the claims of a valid token that meets the demand (`demands.Demand`).

    It needs `TokenMiddleware` around the application, which sends the answer if the token is refused.
    """
    from starlette.requests import HTTPConnection

    demand = Demand(scope, max_age, acr)

    async def require(connection: HTTPConnection) -> AccessTokenClaims:
        door = connection.scope.get(_KEY)
        if not isinstance(door, _Door):
            raise TypeError("app.add_middleware(TokenMiddleware, verifier=..., guard='routes') is missing")
        return await door.admit(connection.scope, demand)

    return require


class _Door:
    """Checks requests of one application without blocking its event loop."""

    def __init__(self, guard: BearerGuard) -> None:
        self._guard = guard
        self._guard.serves_metadata = True
        self._threads: ThreadPoolExecutor | None = None

    def describe(self, scope: Scope) -> Answer | None:
        is_read = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        return self._guard.describe(_local_path(scope)) if is_read else None

    async def admit(self, scope: Scope, demand: Demand) -> AccessTokenClaims:
        call = _describe_call(scope)
        if self._answers_at_once(call.credentials):
            claims = self._guard.admit(call, demand)
        else:
            loop = asyncio.get_running_loop()
            claims = await loop.run_in_executor(self._pool(), self._guard.admit, call, demand)
        if isinstance(body := scope.get(_BODY), NoticedBody):
            self._guard.check_form(await body.read(), call.base_url)
        scope.setdefault("state", {})["token"] = claims
        return claims

    def _answers_at_once(self, shown: Credentials | SeveralTokens | None) -> bool:
        if not isinstance(shown, Credentials):
            return True
        if shown.scheme == "DPoP":
            return False  # each proof has a signature to check
        try:
            return self._guard.verifier.verify_at_once(shown.token) is not None
        except InvalidToken:
            return True

    def _pool(self) -> ThreadPoolExecutor:
        """A separate pool, so that an unreachable issuer does not block the application's own threads."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, "authserver-verify")
        return self._threads


def _describe_call(scope: Scope) -> Call:
    credentials = read_token(_header(scope, b"authorization"), scope.get("query_string", b"").decode("latin-1"))
    # A WebSocket is opened by a GET (RFC 6455 §4.1).
    method, proofs = scope.get("method", "GET"), _header(scope, b"dpop")
    return Call(credentials, _base_url(scope), method, _local_path(scope), ",".join(proofs) if proofs else None)


def _header(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted]


def _may_carry_token(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    return may_carry_token(*(",".join(_header(scope, name)) for name in (b"content-type", b"content-length")))


def _local_path(scope: Scope) -> str:
    path: str = scope["path"]
    mount: str = scope.get("root_path", "")
    return path.removeprefix(mount) if mount and path.startswith(f"{mount}/") else path


def _base_url(scope: Scope) -> str:
    host = ",".join(_header(scope, b"host"))
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
    return f"{scheme}://{host}{scope.get('root_path', '')}"


async def _send(answer: Answer, scope: Scope, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    if scope["type"] == "http":
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
    elif "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": answer.body})
    else:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
