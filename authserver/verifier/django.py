"""The verifier for Django: a middleware that guards every view, and decorators for single views.

    # settings.py
    AUTHSERVER_VERIFIER = Verifier(issuer="https://auth.example", audience="https://api.example", ...)
    MIDDLEWARE = [..., "authserver.verifier.django.TokenMiddleware"]

    # views.py
    @require_token(scope="read")
    def notes(request):
        return JsonResponse({"owner": request.token.sub})

With the middleware, a view without a decorator needs a valid token, too; `open_to_all` opens a view to everybody. The
claims are in `request.token`. Further settings: `AUTHSERVER_RESOURCE` and `AUTHSERVER_METADATA_URL`, see `BearerGuard`.
Browsers never send a token header by themselves, so such views may be `csrf_exempt`.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache, wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from authserver.protocol.bearer_request import read_token
from authserver.verifier.bearer import Answer, BearerGuard, Call, RefusedError, may_carry_token
from authserver.verifier.demands import Demand
from authserver.verifier.verifier import Verifier

_View = TypeVar("_View", bound=Callable[..., Any])
_ANYTHING = Demand()
_OWN_RULES = "_authserver_own_rules"


class TokenMiddleware:
    """Lets a request through to its view if its token is valid, and serves the metadata of this resource server."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Read the settings; a wrong one stops the start."""
        self._get_response = get_response
        self._guard = _guard()
        self._guard.serves_metadata = True

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Handle one request."""
        description = self._guard.describe(request.path_info) if request.method in {"GET", "HEAD"} else None
        return self._get_response(request) if description is None else _respond(description)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],
        args: tuple[Any, ...],  # noqa: ARG002 - Django sets the signature
        kwargs: dict[str, Any],  # noqa: ARG002 - Django sets the signature
    ) -> HttpResponse | None:
        """Guard the view, unless it has rules of its own."""
        return None if getattr(view, _OWN_RULES, False) else _check(request, _ANYTHING)


def require_token(
    *, scope: str | None = None, max_age: int | None = None, acr: str | None = None
) -> Callable[[_View], _View]:
    """Decorate a view: let a request through if its token is valid and meets the demand (`demands.Demand`).

    For functions, sync or async. For a class-based view, use `method_decorator(..., name="dispatch")`, without the
    middleware.
    """
    demand = Demand(scope, max_age, acr)

    def guard(view: _View) -> _View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the view's own types
            refusal = _check(request, demand)
            return view(request, *args, **kwargs) if refusal is None else refusal

        @wraps(view)
        async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - its own types
            refusal = await _CHECK_IN_THREAD(request, demand)
            return await view(request, *args, **kwargs) if refusal is None else refusal

        return _with_own_rules(guarded_async if iscoroutinefunction(view) else guarded)  # type: ignore[return-value]

    return guard


def open_to_all(view: _View) -> _View:
    """Decorate a view: open it to everybody, although the middleware guards all other views."""
    return _with_own_rules(view)


def _with_own_rules(view: _View) -> _View:
    setattr(view, _OWN_RULES, True)
    return view


@lru_cache(maxsize=1)
def _guard() -> BearerGuard:
    verifier = getattr(settings, "AUTHSERVER_VERIFIER", None)
    if not isinstance(verifier, Verifier):
        raise TypeError("settings.AUTHSERVER_VERIFIER must be an authserver.verifier.Verifier")
    resource: str | None = getattr(settings, "AUTHSERVER_RESOURCE", None)
    metadata_url: str | None = getattr(settings, "AUTHSERVER_METADATA_URL", None)
    return BearerGuard(verifier, resource=resource, metadata_url=metadata_url)


def _check(request: HttpRequest, demand: Demand) -> HttpResponse | None:
    """Check the request: None, with `request.token` set, if it is allowed; otherwise the answer to send."""
    value = request.headers.get("Authorization")
    token = read_token([] if value is None else [value], request.META.get("QUERY_STRING", ""))
    base_url = f"{request.scheme}://{_host(request)}"
    call = Call(token, base_url, request.method or "", request.path_info, request.headers.get("DPoP"))
    try:
        request.token = _guard().admit(call, demand)
        if may_carry_token(request.META.get("CONTENT_TYPE", ""), request.META.get("CONTENT_LENGTH", "")):
            _guard().check_form(request.body, base_url)
    except RefusedError as refused:
        return _respond(refused.answer)
    return None


_CHECK_IN_THREAD: Callable[[HttpRequest, Demand], Awaitable[HttpResponse | None]] = sync_to_async(
    _check, thread_sensitive=False
)


def _host(request: HttpRequest) -> str:
    """The client's name for this host, with the mount. NOT checked; it is repeated to that client only."""
    return f"{request.META.get('HTTP_HOST', '')}{request.META.get('SCRIPT_NAME', '')}"


def _respond(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
