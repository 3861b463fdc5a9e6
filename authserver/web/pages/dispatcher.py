"""The dispatcher of requests: finds what a person is asked next, or the answer if nothing is missing.

Owns `STEPS`, the cookie that binds a request to the browser in which it began, and every redirect between the pages of
a request. Steps do not know each other. After each step, the whole request is evaluated again.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from flask import Response

from authserver.authorization.outcomes import Decision, Missing, Spent
from authserver.authorization.pending_request import PendingRequest, begin_pending, read_pending, write_pending
from authserver.authorization.pushed_request import Opened
from authserver.web.context import current_realm
from authserver.web.pages.answers import AUTHORIZATION, refuse_spent
from authserver.web.pages.blueprint import Told, answer_told, carry_requests, pages, read_argument, read_fields
from authserver.web.pages.bound import bind, find_begun, find_bound
from authserver.web.pages.browser import keep_signed_in
from authserver.web.pages.connecting import CONNECTION
from authserver.web.pages.consent import CONSENT
from authserver.web.pages.device import DEVICE_CODE
from authserver.web.pages.device_confirm import DEVICE_CONFIRM
from authserver.web.pages.languages import translate
from authserver.web.pages.login import SIGN_IN
from authserver.web.pages.redirects import go_to
from authserver.web.pages.steps import Done, Errand, Purpose, Step, View
from authserver.web.pages.visits import VISIT
from authserver.web.pages.ways import Way
from authserver.web.pages.words import tell_too_late

STEPS: Final[tuple[Step[Any], ...]] = (
    SIGN_IN,
    CONSENT,
    DEVICE_CODE,
    DEVICE_CONFIRM,
)
"""All steps, in the order in which a person is asked. A new step is one file, and one line here."""

PURPOSES: Final[tuple[Purpose, ...]] = (AUTHORIZATION, VISIT, CONNECTION)
"""All purposes of requests. They all use the same steps."""

CHECKS: Final = tuple(step.find_missing for step in STEPS)


def begin(purpose: Purpose, text: str) -> Response:
    """Begin a request that has just arrived. `text` is its query."""
    return _go_on(Errand(begin_pending(current_realm(), text, purpose.name)))


def begin_opened(purpose: Purpose, text: str, opened: Opened) -> Response:
    """Begin a request that works once, or go on with it: only the browser in which it began may load it again."""
    fresh = PendingRequest(current_realm().clock.now(), opened.request_id, text, purpose.name)
    pending = fresh if opened.is_new else find_begun(fresh)
    if pending is None:
        return refuse_spent(Spent("opened before, in another browser"))
    found = _evaluate(pending, None)
    response = _lead(Errand(pending), found)
    if isinstance(found, Response):
        bind(response, pending)  # nothing was missing; this browser may still load the address again
    return response


def _begin_anew(lost: PendingRequest) -> Response:
    """Begin a request again, because its cookie is missing: it began in another browser, or this one lost the cookie.

    None of the done steps count, as if the application had just sent the person here. A request is begun again only
    once, because a browser without cookies would be redirected for ever.
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
    """Load the errand for a page of `step`; a response if the request cannot continue in this browser."""
    if not token:
        return answer_told(tell_too_late()) if step.opens is None else step.opens()
    pending = read_pending(current_realm(), token)
    if pending is None:
        return answer_told(tell_too_late())
    bound = find_bound(pending)
    return _begin_anew(pending) if bound is None else Errand(bound, token)


def _look(step: Step[Any], errand: Errand, view: View[Any]) -> Response:
    """Show the page of `step` if the person has to see it, otherwise send them to the page of the missing step."""
    found = _evaluate(errand.pending, None)
    if isinstance(found, Missing) and (view.is_wanted or isinstance(found, step.serves)):
        return view.render(errand, found)
    return _lead(errand, found)


def _finish(step: Step[Any], errand: Errand, done: Done) -> Response:
    now = replace(errand, pending=done.pending)
    if done.signed_in is None:
        found = _evaluate(now.pending, done.decision)
        # If the step is still missing, the answer was given for another user. Nothing was done, and the current user
        # sees the page.
        response = step.show().render(now, found) if isinstance(found, step.serves) else _lead(now, found)
    else:
        # Redirect, so that the next page reads the new cookie: this step again, which leads on, or the account page
        # that the person wanted to see.
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
    """Answer with `found`, or send the browser to the page of the missing step."""
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
