"""The same little resource server in each framework that has an adapter: what they promise, they promise alike.

`/open` needs nothing, `/any` a good token, `/notes` the scope `read`, `/payment` a recent and strong sign-in. The
routes that need a token answer with its `sub`.
"""

# ruff: noqa: ANN401 - what frameworks hand around has no better type here

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import django
from django.conf import settings
from django.http import JsonResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path as django_path
from fastapi import Depends, FastAPI
from flask import Flask, g

from authserver.protocol.claims import AccessTokenClaims
from authserver.verifier import Verifier
from authserver.verifier.asgi import App, Message, TokenMiddleware, require_token
from authserver.verifier.flask import FlaskVerifier

HOST = "testserver"


@dataclass(frozen=True)
class Said:
    """An answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Said]
"""`ask(path, authorization=..., method=...)`"""


def flask_server(verifier: Verifier) -> Ask:
    app = Flask("resource_server")
    auth = FlaskVerifier(verifier, app)
    app.add_url_rule("/open", view_func=lambda: {"sub": None}, endpoint="open")
    for path, demand in DEMANDS.items():
        view = auth.require_token(**demand)(lambda: {"sub": g.token.sub})
        app.add_url_rule(path, path, view, methods=["GET", "POST"])
    client = app.test_client()

    def ask(path: str, authorization: str | None = None, method: str = "GET") -> Said:
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = client.open(path, method=method, headers=headers, base_url=f"https://{HOST}")
        return Said(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    return ask


def fastapi_server(verifier: Verifier) -> Ask:
    app = FastAPI()
    app.add_middleware(TokenMiddleware, verifier=verifier, guard="routes")

    @app.get("/open")
    async def everybody() -> dict[str, None]:
        return {"sub": None}

    for path, demand in DEMANDS.items():

        async def view(
            token: Annotated[AccessTokenClaims, Depends(require_token(**demand))],
        ) -> dict[str, str]:
            return {"sub": token.sub}

        app.add_api_route(path, view, methods=["GET", "POST"])
    return asking_asgi(app)


def asgi_server(verifier: Verifier) -> Ask:
    """Without a framework: one middleware around each application, since each demands something else."""

    async def inner(scope: Any, _receive: Any, send: Any) -> None:
        token = scope.get("state", {}).get("token")
        body = json.dumps({"sub": token and token.sub}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    apps = {
        path: TokenMiddleware(inner, verifier=verifier, open_paths={"/open"}, **demand)
        for path, demand in DEMANDS.items()
    }

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        await apps.get(scope["path"], apps["/any"])(scope, receive, send)

    return asking_asgi(outer)


def asking_asgi(app: App) -> Ask:
    def ask(path: str, authorization: str | None = None, method: str = "GET") -> Said:
        headers = [(b"host", HOST.encode())]
        if authorization is not None:
            headers.append((b"authorization", authorization.encode("latin-1")))
        path, _, query = path.partition("?")
        scope = {"type": "http", "method": method, "path": path, "scheme": "https", "headers": headers}
        return asyncio.run(exchange(app, {**scope, "query_string": query.encode(), "root_path": "", "extensions": {}}))

    return ask


async def exchange(app: App, scope: dict[str, Any]) -> Said:
    """What `app` answers to one request."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Said(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


def _configure_django() -> None:
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=[],
            MIDDLEWARE=["authserver.verifier.django.TokenMiddleware"],
            USE_TZ=True,
            SECRET_KEY="of tests",
        )
        django.setup()


def django_server(verifier: Verifier, *, is_async: bool = False) -> Ask:
    _configure_django()
    from authserver.verifier.django import _guard, open_to_all
    from authserver.verifier.django import require_token as demand_token

    def answer(request: Any) -> JsonResponse:
        token = getattr(request, "token", None)
        return JsonResponse({"sub": token and token.sub})

    async def answer_async(request: Any) -> JsonResponse:
        return answer(request)

    view = answer_async if is_async else answer

    def plain(request: Any) -> JsonResponse:
        return answer(request)

    urls = [django_path("open", open_to_all(answer)), django_path("any", plain)]
    urls += [django_path(path[1:], demand_token(**demand)(view)) for path, demand in DEMANDS.items() if demand]

    def ask(path: str, authorization: str | None = None, method: str = "GET") -> Said:
        headers = {} if authorization is None else {"Authorization": authorization}
        _guard.cache_clear()
        with override_settings(AUTHSERVER_VERIFIER=verifier, ROOT_URLCONF=tuple(urls)):
            if is_async:
                client = AsyncClient(raise_request_exception=True)
                answer = asyncio.run(client.generic(method, path, headers=headers, secure=True))
            else:
                answer = Client(HTTP_HOST=HOST).generic(method, path, headers=headers, secure=True)
        return Said(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)

    return ask


DEMANDS: dict[str, dict[str, Any]] = {
    "/any": {},
    "/notes": {"scope": "read"},
    "/payment": {"max_age": 60, "acr": "2"},
}
SERVERS: dict[str, Callable[[Verifier], Ask]] = {
    "flask": flask_server,
    "fastapi": fastapi_server,
    "asgi": asgi_server,
    "django": django_server,
    "async django": lambda verifier: django_server(verifier, is_async=True),
}
