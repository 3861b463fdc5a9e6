"""`/account/sessions`: list the user's sessions, and end them (ASVS 7.5.2)."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, request

from authserver.authentication.browser_session import SignedInBrowser
from authserver.authentication.sign_out import end_session, list_sessions, sign_out_elsewhere
from authserver.realm.outcomes import Reauthenticate, Refused
from authserver.records.client_document import name_client
from authserver.records.session import SessionSummary
from authserver.revocation import Receipt
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import Cookie
from authserver.web.pages.account.frame import answer_room, ask_who, with_browser, with_recent_browser
from authserver.web.pages.account.origins import say_browser, say_network
from authserver.web.pages.blueprint import answer_page, pages, read_fields
from authserver.web.pages.languages import translate, translate_number
from authserver.web.pages.moments import Moment, describe_moment
from authserver.web.pages.redirects import go_to
from authserver.web.pages.words import say_signed_out

PATH = "/account/sessions"
OTHERS = f"{PATH}/others"


@dataclass(frozen=True, slots=True)
class Device:
    """A session as the page shows it."""

    sid: str
    name: str
    browser: str
    network: str
    apps: tuple[str, ...]
    signed_in: Moment
    last_used: Moment
    is_current: bool


@pages.get(PATH)
@with_browser
def show_sessions(browser: SignedInBrowser) -> Response:
    """List all sessions, the current one first."""
    return _answer(browser)


@pages.post(PATH)
@with_browser
def act_sessions(browser: SignedInBrowser) -> Response:
    """End the session that the button names. Ending another than the current one needs a recent sign-in."""
    end = read_fields().get("end", "")
    outcome = end_session(current_realm(), browser, end, request.remote_addr or "")
    match outcome:
        case Reauthenticate():
            return ask_who(PATH)
        case Refused():
            return _answer(browser, HTTPStatus.NOT_FOUND, problem=translate("This device is no longer signed in."))
        case Receipt(sessions_ended=1) if end == browser.sid:
            response = answer_page("signed_out.html")
            current_cookies().take_back(response, Cookie.SESSION)
            return response
        case receipt:
            return _answer(browser, done=say_signed_out(receipt, with_this=True))


@pages.get(OTHERS)
@with_recent_browser
def show_others(browser: SignedInBrowser) -> Response:
    """Ask for confirmation, because one press signs out what may be many devices, and cannot be undone."""
    count = len(list_sessions(current_realm(), browser.user_id)) - 1
    if not count:
        return go_to(PATH)
    sentence = translate_number(
        "This signs you out on %(number)d other device, and in all apps there.",
        "This signs you out on %(number)d other devices, and in all apps there.",
        count,
    )
    return answer_room(browser, "account_others.html", PATH, sentence=sentence)


@pages.post(OTHERS)
@with_browser
def act_others(browser: SignedInBrowser) -> Response:
    """End all sessions except the current one."""
    outcome = sign_out_elsewhere(current_realm(), browser, request.remote_addr or "")
    if isinstance(outcome, Receipt):
        return _answer(browser, done=say_signed_out(outcome, with_this=True))
    return ask_who(OTHERS)


def _answer(
    browser: SignedInBrowser, status: HTTPStatus = HTTPStatus.OK, *, done: str = "", problem: str = ""
) -> Response:
    devices = [_describe(summary, browser.sid) for summary in list_sessions(current_realm(), browser.user_id)]
    return answer_room(
        browser,
        "account_sessions.html",
        PATH,
        status,
        devices=sorted(devices, key=lambda device: not device.is_current),
        done=[done] if done else [],
        problem=[problem] if problem else [],
    )


def _describe(summary: SessionSummary, current: str) -> Device:
    session = summary.session
    browser = say_browser(session.user_agent)
    return Device(
        sid=session.sid,
        name=session.device_name or browser or translate("Unknown device"),
        browser=browser if session.device_name else "",
        network=say_network(session.ip),
        apps=tuple(_name_clients(summary.clients)),
        signed_in=describe_moment(session.created_at),
        last_used=describe_moment(summary.last_used_at),
        is_current=session.sid == current,
    )


def _name_clients(client_ids: tuple[str, ...]) -> list[str]:
    found = (current_realm().clients.find(client_id) for client_id in client_ids)
    names = {name_client(client.client_id, client.name) for client in found if client is not None}
    return sorted(names, key=str.casefold)
