"""The dispatcher: what a person is asked next on the way to a code or a session, or the answer when nothing is missing.

Owns `STEPS`, the cookie that binds a request to the browser in which it began, and every redirect from a page of a
request to another. Steps do not know each other: each returns here, and the request is evaluated whole again.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from flask import Response

from authserver.authorization.outcomes import Decision, Missing
from authserver.authorization.pending_request import PendingRequest, begin_pending, read_pending, write_pending
from authserver.web.context import current_realm
from authserver.web.pages.answers import AUTHORIZATION
from authserver.web.pages.blueprint import Told, answer_told, carry_requests, pages, read_argument, read_fields
from authserver.web.pages.bound import bind, find_bound
from authserver.web.pages.browser import keep_signed_in
from authserver.web.pages.consent import CONSENT
from authserver.web.pages.languages import translate
from authserver.web.pages.login import SIGN_IN
from authserver.web.pages.redirects import go_to
from authserver.web.pages.steps import Done, Errand, Purpose, Step, View
from authserver.web.pages.visits import VISIT
from authserver.web.pages.ways import Way

STEPS: Final[tuple[Step[Any], ...]] = (SIGN_IN, CONSENT)
"""What a person may be asked, in this order. A new step is a file and a line here."""

PURPOSES: Final[tuple[Purpose, ...]] = (AUTHORIZATION, VISIT)
"""What people are on the way to. All of them go through the same steps."""

CHECKS: Final = tuple(step.find_missing for step in STEPS)


def begin(purpose: Purpose, text: str) -> Response:
    """Begin a request that has just come, with these parameters."""
    return _go_on(Errand(begin_pending(current_realm(), text, purpose.name)))


def _begin_anew(lost: PendingRequest) -> Response:
    """Begin a request again whose cookie is missing: it began in another browser, or this one lost the cookie.

    Nothing that was done for it counts, as if the application had just sent the person here. This happens once: a
    browser without cookies would be redirected for ever.
    """
    if lost.is_anew:
        return answer_told(_tell_lost(_find_purpose(lost), lost))
    return _go_on(Errand(begin_pending(current_realm(), lost.text, lost.purpose, is_anew=True)))


def _show(step: Step[Any]) -> Response:
    errand = _load(step, read_argument("request"))
    return errand if isinstance(errand, Response) else _look(step, errand, step.show())


def _act(step: Step[Any]) -> Response:
    errand = _load(step, read_fields().get("request", ""))
    if isinstance(errand, Response):
        return errand
    match step.act(errand):
        case View() as view:
            return _look(step, errand, view)
        case Done() as done:
            return _finish(step, errand, done)
        case Response() as response:
            return response


def _load(step: Step[Any], token: str) -> Errand | Response:
    """The errand on which the browser asks for a page of `step`; a response when it cannot continue here."""
    if not token:
        return _answer_too_late() if step.opens is None else step.opens()
    pending = read_pending(current_realm(), token)
    if pending is None:
        return _answer_too_late()
    bound = find_bound(pending)
    return _begin_anew(pending) if bound is None else Errand(bound, token)


def _look(step: Step[Any], errand: Errand, view: View[Any]) -> Response:
    """The page of `step`, if it is what the person has to see; else on to where they have to go."""
    found = _evaluate(errand.pending, None)
    if isinstance(found, Missing) and (view.is_wanted or isinstance(found, step.serves)):
        return view.render(errand, found)
    return _lead(errand, found)


def _finish(step: Step[Any], errand: Errand, done: Done) -> Response:
    now = replace(errand, pending=done.pending)
    if done.signed_in is None:
        found = _evaluate(now.pending, done.decision)
        # The answer was given for another user, and nothing is done: the present one sees the page.
        response = step.show().render(now, found) if isinstance(found, step.serves) else _lead(now, found)
    else:
        # To a page that reads the new cookie: back here, which leads on, or to the one that the person wanted to see.
        back = go_to(step.path, request=errand.token) if errand.token else go_to(errand.following)
        response = keep_signed_in(back, done.signed_in)
    if now.pending.done != errand.pending.done:
        bind(response, now.pending)
    return response


def _go_on(errand: Errand) -> Response:
    return _lead(errand, _evaluate(errand.pending, None))


def _evaluate(pending: PendingRequest, decision: Decision | None) -> Missing | Response:
    return _find_purpose(pending).evaluate(pending, CHECKS, decision)


def _lead(errand: Errand, found: Missing | Response) -> Response:
    """Send the browser to the page of what is missing."""
    if isinstance(found, Response):
        return found
    entrance = next(step.find_entrance(found) for step in STEPS if isinstance(found, step.serves))
    if errand.following:
        return go_to(entrance, next=errand.following)
    response = go_to(entrance, request=errand.token or write_pending(current_realm(), errand.pending))
    if not errand.token:
        bind(response, errand.pending)
    return response


def _find_purpose(pending: PendingRequest) -> Purpose:
    return next(purpose for purpose in PURPOSES if purpose.name == pending.purpose)


def _answer_too_late() -> Response:
    """The page for a request that was begun too long ago, or that no application began."""
    sentences = (
        translate("This took too long, or the address of this page was changed."),
        translate("Go back to the app that sent you here, and start again."),
    )
    return answer_told(Told(translate("Please start again"), sentences, HTTPStatus.BAD_REQUEST))


def _tell_lost(purpose: Purpose, lost: PendingRequest) -> Told:
    return Told(
        translate("Your browser did not keep our cookie"),
        (
            translate(
                "You have to finish in the browser in which you started, and the cookie shows which one that is."
            ),
            translate("Nothing was changed."),
            translate("Allow cookies for this site, or use the browser in which you started. Then start again."),
        ),
        HTTPStatus.BAD_REQUEST,
        (Way(translate("Start again"), f"{purpose.path}?{lost.text}", is_main=True),),
    )


def _serve(step: Step[Any]) -> None:
    @carry_requests
    def show() -> Response:
        return _show(step)

    @carry_requests
    def act() -> Response:
        return _act(step)

    name = step.path.strip("/").replace("/", "_")
    pages.add_url_rule(step.path, f"show_{name}", show, methods=["GET"])
    pages.add_url_rule(step.path, f"act_{name}", act, methods=["POST"])


for _step in STEPS:
    _serve(_step)
