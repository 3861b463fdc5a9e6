"""Visits to account pages: the purpose of a sign-in that no application asked for."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from flask import Response, current_app, request

from authserver.authorization.interaction import Check, Interaction, find_missing
from authserver.authorization.outcomes import Decision, Missing
from authserver.authorization.pending_request import PendingRequest
from authserver.protocol.authorization_request import NOTHING_ASKED
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import read_argument, read_fields
from authserver.web.pages.bound import find_bound
from authserver.web.pages.browser import current_browser
from authserver.web.pages.redirects import go_to
from authserver.web.pages.steps import Errand, Purpose

HOME: Final = "/account"
DEMANDS_RECENT: Final = "demands_recent"
"""The attribute that marks the view of a page which requires a recent sign-in."""


def open_visit(*, wants_sign_in: bool = False) -> Errand:
    """Open a visit to the page that the query or the form names as `next`.

    Only the path of one of our own pages is accepted, so that `next` cannot redirect to another site (RFC 9700 §4.11).

    Args:
        wants_sign_in: whether the person wants to sign in even if somebody is signed in already.
    """
    asked = read_fields().get("next", "") if request.method == "POST" else read_argument("next")
    following = asked if asked in _list_own() else HOME
    text = urlencode({"next": following} | ({"prompt": "login"} if wants_sign_in else {}))
    pending = PendingRequest(current_realm().clock.now(), VISIT.name, text, VISIT.name)
    return Errand(find_bound(pending) or pending, following=following)


def _evaluate(pending: PendingRequest, checks: Sequence[Check], decision: Decision | None) -> Missing | Response:
    parameters, realm = dict(parse_qsl(pending.text)), current_realm()
    view = current_app.view_functions[_list_own()[parameters["next"]]]
    asked = replace(
        NOTHING_ASKED,
        prompts=frozenset(parameters.get("prompt", "").split()),
        max_age=int(realm.reauthentication_age.total_seconds()) if hasattr(view, DEMANDS_RECENT) else None,
    )
    found = find_missing(Interaction(realm, pending, asked, None, current_browser(), decision), checks)
    return found if isinstance(found, Missing) else go_to(parameters["next"])


VISIT: Final = Purpose("visit", "/login", _evaluate)
"""The purpose of visits: a person sees an account page, which itself checks whether they may."""


def _list_own() -> dict[str, str]:
    """List the paths of the account pages, with the names of their views."""
    return {
        rule.rule: rule.endpoint
        for rule in current_app.url_map.iter_rules()
        if rule.rule.startswith(HOME) and "GET" in (rule.methods or ()) and not rule.arguments
    }
