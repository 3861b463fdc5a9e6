"""`/account/apps`: list the connected apps with what they may do, and disconnect them (ASVS 10.4.9, 10.7.3)."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, request

from authserver.account.connected_apps import disconnect, list_apps
from authserver.authentication.browser_session import SignedInBrowser
from authserver.realm.outcomes import Refused
from authserver.records.client_document import name_client
from authserver.records.consent import ConnectedApp
from authserver.web.context import current_realm
from authserver.web.pages.account.frame import answer_room, with_browser
from authserver.web.pages.blueprint import pages, read_fields
from authserver.web.pages.languages import translate
from authserver.web.pages.moments import Moment, describe_moment
from authserver.web.pages.scope_words import say_scopes

PATH = "/account/apps"


@dataclass(frozen=True, slots=True)
class Connection:
    """A connected app as the page shows it."""

    client_id: str
    name: str
    scopes: list[str]
    since: Moment
    last_used: Moment | None


@pages.get(PATH)
@with_browser
def show_apps(browser: SignedInBrowser) -> Response:
    """List the connected apps by name."""
    return _answer(browser)


@pages.post(PATH)
@with_browser
def act_apps(browser: SignedInBrowser) -> Response:
    """Disconnect the app that the button names."""
    realm, client_id = current_realm(), read_fields().get("disconnect", "")
    if isinstance(disconnect(realm, browser, client_id, request.remote_addr or ""), Refused):
        return _answer(browser, HTTPStatus.NOT_FOUND, problem=translate("This app is no longer connected."))
    client = realm.clients.find(client_id)
    name = translate("The app") if client is None else name_client(client_id, client.name)
    return _answer(browser, done=translate("%(name)s is disconnected. It is signed out everywhere.", name=name))


def _answer(
    browser: SignedInBrowser, status: HTTPStatus = HTTPStatus.OK, *, done: str = "", problem: str = ""
) -> Response:
    return answer_room(
        browser,
        "account_apps.html",
        PATH,
        status,
        apps=[_describe(app) for app in list_apps(current_realm(), browser.user_id)],
        done=[done] if done else [],
        problem=[problem] if problem else [],
    )


def _describe(app: ConnectedApp) -> Connection:
    return Connection(
        client_id=app.client_id,
        name=name_client(app.client_id, app.name),
        scopes=say_scopes(app.scope, current_realm().clients.find(app.client_id)),
        since=describe_moment(app.granted_at),
        last_used=None if app.last_used_at is None else describe_moment(app.last_used_at),
    )
