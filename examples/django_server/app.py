"""A resource server with Django, in one file. One view is open; the other needs an access token with a scope."""

import os

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, JsonResponse
from django.urls import path

from authserver.verifier import AccessTokenClaims, ClientToken, UserToken, Verifier

ISSUER = os.environ.get("AUTHSERVER_ISSUER", "http://127.0.0.1:8000").rstrip("/")
AUDIENCE = os.environ.get("AUTHSERVER_DEFAULT_AUDIENCE", f"{ISSUER}/api")

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["authserver.verifier.django.TokenMiddleware"],
    AUTHSERVER_VERIFIER=Verifier(ISSUER, AUDIENCE, os.environ.get("CLIENT_ID"), os.environ.get("CLIENT_SECRET")),
)

from authserver.verifier.django import open_to_all, require_token  # noqa: E402 - needs the settings


@open_to_all
def hello(_request: HttpRequest) -> JsonResponse:
    """Open to everybody."""
    return JsonResponse({"message": "Hello. This route needs no token; /me does."})


@require_token(scope="profile")
def me(request: HttpRequest) -> JsonResponse:
    """Needs an access token with scope `profile`."""
    token: AccessTokenClaims = request.token
    match token:
        case UserToken():
            return JsonResponse({"user": token.sub, "session": token.sid, "token_version": token.token_version})
        case ClientToken():
            return JsonResponse({"client": token.sub})


urlpatterns = [path("", hello), path("me", me)]

if __name__ == "__main__":
    execute_from_command_line(["app.py", "runserver", "--noreload", f"127.0.0.1:{os.environ.get('PORT', '8003')}"])
