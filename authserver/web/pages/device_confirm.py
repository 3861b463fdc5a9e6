"""`/device/confirm`: the step at which the person allows what a device asks for (RFC 8628 §3.3, §5.4).

Somebody else may have begun the request and mailed the code. So the page says what is known of the device, and what is
not.
"""

from typing import Final

from flask import Response, request

from authserver.authorization.connect_device import ConfirmationNeeded, find_missing_confirmation, name_question
from authserver.authorization.pending_request import write_pending
from authserver.protocol.device_code import VERIFICATION_PATH
from authserver.protocol.redirect_uri import read_source
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import answer_page
from authserver.web.pages.decisions import read_decision, say_lifetime
from authserver.web.pages.languages import translate
from authserver.web.pages.moments import describe_moment
from authserver.web.pages.scope_words import say_scopes
from authserver.web.pages.steps import Done, Errand, Step, View


def _show() -> View[ConfirmationNeeded]:
    return View(_render)


def _act(errand: Errand) -> Done:
    """Take the answer."""
    return Done(errand.pending, read_decision())


DEVICE_CONFIRM: Final = Step(f"{VERIFICATION_PATH}/confirm", ConfirmationNeeded, find_missing_confirmation, _show, _act)


def _render(errand: Errand, missing: ConfirmationNeeded) -> Response:
    access, browser, device = missing.access, missing.browser, missing.device
    return answer_page(
        "device_confirm.html",
        image_origin=None if access.client.logo_uri is None else read_source(access.client.logo_uri),
        client=access.client,
        scopes=say_scopes(access.scope, access.client),
        lifetime=say_lifetime(access),
        asked=describe_moment(device.created_at),
        place=_say_place(device.ip),
        email=browser.user.email,
        # Bound to the session that is asked and to the device, so that the answer counts for nothing else.
        request_token=write_pending(current_realm(), errand.pending.ask(name_question(browser, device))),
    )


def _say_place(ip: str) -> str:
    """Where the device is, as far as that is known: its network address, compared with the browser's."""
    here = request.remote_addr or ""
    if not ip:
        return translate("Its network address is not known.")
    if ip == here:
        return translate("Its network address is %(ip)s, the same as yours now.", ip=ip)
    return translate("Its network address is %(ip)s. Yours is %(here)s.", ip=ip, here=here)
