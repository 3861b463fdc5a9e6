"""A small resource server in each framework that has an adapter, so that one test can check all adapters.

`/open` needs no token, `/any` a valid one, `/notes` the scope `read`, `/payment` a recent and strong sign-in. Routes
that need a token answer with its `sub`; `/body` needs one and returns the request body as its view receives it.
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
from fastapi import Depends, FastAPI, Request
from flask import Flask, g
from flask import request as flask_request

from authserver.protocol.claims import AccessTokenClaims
from authserver.verifier import Verifier
from authserver.verifier.asgi import App, TokenMiddleware, require_token
from authserver.verifier.asgi_body import Message
from authserver.verifier.flask import FlaskVerifier

HOST = "testserver"


@dataclass(frozen=True)
class Said:
    """An answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Said]
"""`ask(path, authorization=..., method=..., form=..., dpop=...)`"""
FORM = "application/x-www-form-urlencoded"


def headers_of(authorization: str | None, form: str | None, dpop: str | None) -> dict[str, str]:
    """Build the headers of a request; None leaves a header out."""
    given = {"Authorization": authorization, "Content-Type": None if form is None else FORM, "DPoP": dpop}
    return {name: value for name, value in given.items() if value is not None}


def flask_server(verifier: Verifier) -> Ask:
    app = Flask("resource_server")
    auth = FlaskVerifier(verifier, app)
    app.add_url_rule("/open", view_func=lambda: {"sub": None}, endpoint="open")
    for path, demand in DEMANDS.items():
        view = auth.require_token(**demand)(lambda: {"sub": g.token.sub})
        app.add_url_rule(path, path, view, methods=["GET", "POST"])
    repeat = auth.require_token()(lambda: {"body": flask_request.stream.read().decode()})
    app.add_url_rule("/body", view_func=repeat, endpoint="body", methods=["POST"])
    client = app.test_client()

    def ask(
        path: str,
        authorization: str | None = None,
        method: str = "GET",
        form: str | None = None,
        dpop: str | None = None,
    ) -> Said:
        headers = headers_of(authorization, form, dpop)
        answer = client.open(path, method=method, headers=headers, data=form, base_url=f"https://{HOST}")
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

    @app.post("/body", dependencies=[Depends(require_token())])
    async def repeat(request: Request) -> dict[str, str]:
        return {"body": (await request.body()).decode()}

    return asking_asgi(app)


def asgi_server(verifier: Verifier) -> Ask:
    """Build the server without a framework. Each application has its own middleware, because their demands differ."""

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        token = scope.get("state", {}).get("token")
        answer = {"sub": token and token.sub}
        if scope["path"] == "/body":
            messages = [await receive()]
            while messages[-1]["more_body"]:
                messages.append(await receive())
            answer = {"body": b"".join(message["body"] for message in messages).decode()}
        body = json.dumps(answer).encode()
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
    def ask(
        path: str,
        authorization: str | None = None,
        method: str = "GET",
        form: str | None = None,
        dpop: str | None = None,
    ) -> Said:
        given = {"Host": HOST, **headers_of(authorization, form, dpop)}
        if form is not None:
            given["Content-Length"] = str(len(form))
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()]
        path, _, query = path.partition("?")
        scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "scheme": "https", "headers": headers}
        scope |= {"query_string": query.encode(), "root_path": "", "extensions": {}}
        return asyncio.run(exchange(app, scope, (form or "").encode()))

    return ask


async def exchange(app: App, scope: dict[str, Any], body: bytes = b"") -> Said:
    """What `app` answers to one request, whose body comes in two parts and never again."""
    sent: list[Message] = []
    parts = [
        {"type": "http.request", "body": body[: len(body) // 2], "more_body": True},
        {"type": "http.request", "body": body[len(body) // 2 :], "more_body": False},
    ]

    async def receive() -> Message:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

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

    def repeat(request: Any) -> JsonResponse:
        return JsonResponse({"body": request.read().decode()})

    async def repeat_async(request: Any) -> JsonResponse:
        return repeat(request)

    view = answer_async if is_async else answer

    def plain(request: Any) -> JsonResponse:
        return answer(request)

    urls = [django_path("open", open_to_all(answer)), django_path("any", plain)]
    urls.append(django_path("body", demand_token()(repeat_async if is_async else repeat)))
    urls += [django_path(path[1:], demand_token(**demand)(view)) for path, demand in DEMANDS.items() if demand]

    def ask(
        path: str,
        authorization: str | None = None,
        method: str = "GET",
        form: str | None = None,
        dpop: str | None = None,
    ) -> Said:
        headers = headers_of(authorization, None, dpop)
        body = {"data": form or "", "content_type": "application/octet-stream" if form is None else FORM}
        _guard.cache_clear()
        with override_settings(AUTHSERVER_VERIFIER=verifier, ROOT_URLCONF=tuple(urls)):
            if is_async:
                client = AsyncClient(raise_request_exception=True)
                answer = asyncio.run(client.generic(method, path, headers=headers, secure=True, **body))
            else:
                answer = Client(HTTP_HOST=HOST).generic(method, path, headers=headers, secure=True, **body)
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
