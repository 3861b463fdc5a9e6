"""A Django site with mozilla-django-oidc: `python django_site.py PORT ISSUER CLIENT_ID CLIENT_SECRET LINES`."""

import sys
from typing import Any
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

_PORT, ISSUER, CLIENT_ID, CLIENT_SECRET, LINES = sys.argv[1:]
lines: dict[str, Any] = {"ISSUER": ISSUER, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
exec(LINES, lines)  # noqa: S102 - what docs/libraries.md says
settings.configure(
    **{name: value for name, value in lines.items() if name.startswith("OIDC_")},
    ALLOWED_HOSTS=["127.0.0.1"],
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "mozilla_django_oidc",
    ],
    LOGIN_REDIRECT_URL="/",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a test",
    SESSION_COOKIE_NAME="django",
)
django.setup()
call_command("migrate", verbosity=0)


def show(request: HttpRequest) -> HttpResponse:
    """Who is signed in."""
    user: Any = request.user
    return HttpResponse(f"Hello, {user.email}." if user.is_authenticated else "Nobody.")


urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls")), path("", show)]

make_server("127.0.0.1", int(_PORT), get_wsgi_application()).serve_forever()
