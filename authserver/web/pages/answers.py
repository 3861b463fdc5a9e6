"""Answers to authorization requests: a redirect to the client, or a page that says why there is none."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import structlog
from flask import Response, request

from authserver.authorization.authorize import authorize
from authserver.authorization.interaction import Check
from authserver.authorization.outcomes import (
    AlreadyAnswered,
    AuthorizationAnswer,
    Decision,
    Missing,
    Spent,
    Unredirectable,
)
from authserver.authorization.pending_request import PendingRequest
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import Told, answer_page, answer_told
from authserver.web.pages.browser import current_browser
from authserver.web.pages.languages import translate
from authserver.web.pages.redirects import add_to_query, redirect_exactly
from authserver.web.pages.steps import Purpose
from authserver.web.pages.words import tell_too_late

_log = structlog.get_logger(__name__)


def _evaluate(pending: PendingRequest, checks: Sequence[Check], decision: Decision | None) -> Missing | Response:
    outcome = authorize(
        current_realm(), pending, current_browser(), checks, ip=request.remote_addr or "", decision=decision
    )
    match outcome:
        case Missing():
            return outcome
        case AuthorizationAnswer():
            return _answer_client(outcome)
        case AlreadyAnswered():
            return answer_told(_tell_answered())
        case Unredirectable():
            return refuse_unredirectable(outcome)
        case Spent():
            return refuse_spent(outcome)


AUTHORIZATION: Final = Purpose("authorization", "/oauth/authorize", _evaluate)
"""The purpose of authorization requests: the client gets a code."""


def refuse_unredirectable(refused: Unredirectable) -> Response:
    """Show the page for a request that cannot be answered by a redirect (RFC 6749 §4.1.2.1)."""
    _log.info(
        "authorization_refused",
        reason=refused.reason,
        client_id=refused.client_id,
        redirect_uri=refused.redirect_uri,
        ip=request.remote_addr,
    )
    return answer_told(_tell_unredirectable())


def refuse_spent(spent: Spent) -> Response:
    """The page for a pushed request that this browser cannot open."""
    _log.info("authorization_refused", reason=spent.reason, ip=request.remote_addr)
    return answer_told(tell_too_late())


def _answer_client(answer: AuthorizationAnswer) -> Response:
    _log.info("authorization_answered", error=answer.parameters.get("error"), ip=request.remote_addr)
    if answer.response_mode == "form_post":
        return answer_page(
            "form_post.html",
            action=answer.redirect_uri,
            fields=answer.parameters,
        )
    if answer.response_mode == "fragment":  # a registered URI contains no fragment
        return redirect_exactly(f"{answer.redirect_uri}#{urlencode(answer.parameters)}")
    return redirect_exactly(add_to_query(answer.redirect_uri, answer.parameters))


def _tell_answered() -> Told:
    return Told(
        translate("You are done here"),
        (
            translate("You have already answered this request, and the app has received what you allowed."),
            translate("Go back to the app. To sign in again, start there."),
        ),
        HTTPStatus.CONFLICT,
    )


def _tell_unredirectable() -> Told:
    return Told(
        translate("This link is not valid"),
        (
            translate("The app that sent you here is unknown, or uses an unregistered address."),
            translate("Nothing was changed. If this happens again, contact the people who make the app."),
        ),
        HTTPStatus.BAD_REQUEST,
    )
