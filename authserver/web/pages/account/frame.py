"""What the pages about an account have in common: somebody is signed in, and goes from one to the other."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Response, request

from authserver.authentication.browser_session import SignedInBrowser
from authserver.authentication.reauthentication import is_recent
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import answer_page
from authserver.web.pages.browser import current_browser
from authserver.web.pages.redirects import go_to
from authserver.web.pages.visits import DEMANDS_RECENT

View = Callable[[SignedInBrowser], Response]


def with_browser(view: View) -> Callable[[], Response]:
    """Hand who is signed in at this browser to `view`; who is not is asked to sign in first."""

    @wraps(view)
    def shown() -> Response:
        browser = current_browser()
        return ask_who(request.path) if browser is None else view(browser)

    return shown


def with_recent_browser(view: View) -> Callable[[], Response]:
    """The same for a form that a use case takes only from who has proved a short while ago who he is (ASVS 7.5.1).

    Asked before the form is shown, so that nothing is typed in vain. The use case decides, not this.
    """

    @with_browser
    @wraps(view)
    def shown(browser: SignedInBrowser) -> Response:
        return view(browser) if is_recent(current_realm(), browser) else ask_who(request.path)

    setattr(shown, DEMANDS_RECENT, True)
    return shown


def ask_who(following: str) -> Response:
    """Have the person sign in, or confirm that it is still he, and come back to the page `following`."""
    return go_to("/login", next=following)


def answer_room(
    browser: SignedInBrowser,
    template: str,
    room: str,
    status: HTTPStatus = HTTPStatus.OK,
    **values: Any,  # noqa: ANN401 - what a template shows
) -> Response:
    """A page of `room`, which is one of those that the way from each to the others names."""
    return answer_page(template, status, room=room, signed_in_as=browser.user.email, **values)
