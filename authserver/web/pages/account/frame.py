"""What the account pages have in common: a signed-in user, and the navigation between the pages."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Response, request

from authserver.authentication.browser_session import SignedInBrowser
from authserver.authentication.reauthentication import Recent, demand_recent, is_recent
from authserver.realm.outcomes import Reauthenticate
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import answer_page
from authserver.web.pages.browser import current_browser
from authserver.web.pages.redirects import go_to
from authserver.web.pages.visits import DEMANDS_RECENT

View = Callable[[SignedInBrowser], Response]


def with_browser(view: View) -> Callable[[], Response]:
    """Pass the user signed in at this browser to `view`. If there is none, ask for a sign-in first."""

    @wraps(view)
    def shown() -> Response:
        browser = current_browser()
        return ask_who(request.path) if browser is None else view(browser)

    return shown


def with_recent_browser(view: View) -> Callable[[], Response]:
    """Pass the user to `view` if their sign-in is recent (ASVS 7.5.1). Otherwise ask for a sign-in first.

    Use it for a form whose use case requires a recent sign-in. Asking before the form is shown saves people from typing
    in vain; `with_recent_form` and the use case enforce the rule.
    """

    @with_browser
    @wraps(view)
    def shown(browser: SignedInBrowser) -> Response:
        return view(browser) if is_recent(current_realm(), browser) else ask_who(request.path)

    setattr(shown, DEMANDS_RECENT, True)
    return shown


def with_recent_form(act: str) -> Callable[[Callable[[Recent[SignedInBrowser]], Response]], Callable[[], Response]]:
    """Pass the user to a view that does the sensitive `act`. Otherwise ask for a sign-in first."""

    def decorate(view: Callable[[Recent[SignedInBrowser]], Response]) -> Callable[[], Response]:
        @with_browser
        @wraps(view)
        def acted(browser: SignedInBrowser) -> Response:
            recent = demand_recent(current_realm(), browser, act, request.remote_addr)
            return ask_who(request.path) if isinstance(recent, Reauthenticate) else view(recent)

        return acted

    return decorate


def ask_who(following: str) -> Response:
    """Send the person to sign in, or to confirm their identity, and then back to the page `following`."""
    return go_to("/login", next=following)


def answer_room(
    browser: SignedInBrowser,
    template: str,
    room: str,
    status: HTTPStatus = HTTPStatus.OK,
    **values: Any,  # noqa: ANN401 - what a template shows
) -> Response:
    """Answer with an account page. `room` is the path of the page, which the navigation marks as current."""
    return answer_page(template, status, room=room, signed_in_as=browser.user.email, **values)
