"""`/account/events`: the security events of the account in the last 90 days."""

from dataclasses import dataclass

from flask import Response

from authserver.account.security_events import SHOWN, list_security_events
from authserver.authentication.browser_session import SignedInBrowser
from authserver.authentication.refused_act import NOBODY
from authserver.records.audit import AuditRecord
from authserver.web.context import current_realm
from authserver.web.pages.account.event_words import say_event
from authserver.web.pages.account.frame import answer_room, with_browser
from authserver.web.pages.account.origins import say_browser, say_network
from authserver.web.pages.blueprint import pages, read_argument
from authserver.web.pages.moments import Moment, describe_moment

PATH = "/account/events"
_OUTSIDERS = frozenset({"page", NOBODY})
"""Actors who are not the user but whose network is shown, because users look for strangers here."""


@dataclass(frozen=True, slots=True)
class Event:
    """An audit record as the page shows it, without the details for operators."""

    said: str
    at: Moment
    network: str
    browser: str
    failed: bool


@pages.get(PATH)
@with_browser
def show_events(browser: SignedInBrowser) -> Response:
    """Show one page of the events, newest first."""
    after = read_argument("after")
    found = list_security_events(current_realm(), browser.user_id, after)
    return answer_room(
        browser,
        "account_events.html",
        PATH,
        events=[_describe(record) for record in found.records],
        following=found.following,
        is_first=not after,
        days=SHOWN.days,
    )


def _describe(record: AuditRecord) -> Event:
    actor = record.actor.name
    # The network of an administrator is not shown to users.
    is_told = actor in _OUTSIDERS or actor == record.user_id or actor.startswith("client:")
    return Event(
        said=say_event(record),
        at=describe_moment(record.at),
        network=say_network(record.actor.ip) if is_told else "",
        browser=say_browser(str(record.detail.get("user_agent", ""))),
        failed=record.outcome == "failure",
    )
