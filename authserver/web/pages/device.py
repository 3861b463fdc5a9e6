"""`/device`: the step at which a person types the code that their device shows (RFC 8628 §3.3).

People come here without a request: they read the address on the device, or follow the link in its QR code.
"""

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlencode

from flask import Response

from authserver.authorization.connect_device import CodeNeeded, claim_device, find_missing_code, may_claim
from authserver.authorization.pending_request import begin_pending
from authserver.protocol.device_code import VERIFICATION_PATH, read_user_code, show_user_code
from authserver.web.context import current_realm
from authserver.web.limits.tries import TooManyTries, try_user_code
from authserver.web.pages.blueprint import answer_page, answer_told, read_argument, read_fields
from authserver.web.pages.browser import current_browser
from authserver.web.pages.connecting import CONNECTION
from authserver.web.pages.languages import translate
from authserver.web.pages.steps import Done, Errand, Step, View
from authserver.web.pages.words import tell_too_many

_FIELD: Final = "user_code"


def _open() -> Errand:
    """A person who comes by themselves; the link in a QR code brings the code along."""
    user_code = read_user_code(read_argument(_FIELD))
    text = "" if user_code is None else urlencode({_FIELD: user_code})
    return Errand(begin_pending(current_realm(), text, CONNECTION.name))


def _show() -> View[CodeNeeded]:
    return _Form().view()


def _act(errand: Errand) -> Done | View[CodeNeeded] | Response:
    """Look the code up, for who has signed in to do that; each code that was none of theirs counts as a guess."""
    browser, typed = current_browser(), read_fields().get(_FIELD, "")
    if browser is None or not may_claim(errand.pending, browser):
        return _Form().view()
    user_code = read_user_code(typed)
    if user_code is None:
        return _Form(typed, translate("A code has 8 letters. Check what the device shows.")).view()
    claim = partial(claim_device, current_realm(), errand.pending, browser, user_code)
    is_claimed = try_user_code(browser.user_id, claim)
    if isinstance(is_claimed, TooManyTries):
        return answer_told(tell_too_many(is_claimed.retry_after))
    if not is_claimed:
        return _Form(typed, translate("This code is not valid. Codes work for 10 minutes, and once.")).view()
    return Done(errand.pending)


DEVICE_CODE: Final = Step(VERIFICATION_PATH, CodeNeeded, find_missing_code, _show, _act, opens=_open)


@dataclass(frozen=True, slots=True)
class _Form:
    """The form: what was typed into it before, and what was wrong with that."""

    typed: str = ""
    error: str | None = None

    def view(self) -> View[CodeNeeded]:
        return View(partial(_render, self))


def _render(form: _Form, errand: Errand, _: CodeNeeded) -> Response:
    browser = current_browser()
    brought = read_user_code(dict(parse_qsl(errand.pending.text)).get(_FIELD, ""))
    return answer_page(
        "device.html",
        HTTPStatus.OK if form.error is None else HTTPStatus.BAD_REQUEST,
        user_code=form.typed or ("" if brought is None else show_user_code(brought)),
        is_brought=brought is not None and form.error is None,
        errors=[] if form.error is None else [form.error],
        email="" if browser is None else browser.user.email,
        request_token=errand.token,
    )
