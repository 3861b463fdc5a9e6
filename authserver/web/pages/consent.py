"""`/consent`: the step at which the person allows or denies what an application asks for."""

from typing import Final
from urllib.parse import urlsplit

from flask import Response

from authserver.authorization.consent import find_missing_consent
from authserver.authorization.outcomes import ConsentNeeded, RequestedAccess
from authserver.authorization.pending_request import write_pending
from authserver.protocol.redirect_uri import read_source
from authserver.records.client_document import read_host
from authserver.records.provenance import ByDocument, ByOperator
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import answer_page
from authserver.web.pages.decisions import read_decision, say_lifetime
from authserver.web.pages.languages import use_locales
from authserver.web.pages.scope_words import say_scopes
from authserver.web.pages.steps import Done, Errand, Step, View


def _show() -> View[ConsentNeeded]:
    return View(_render)


def _act(errand: Errand) -> Done:
    """Read the person's decision; the dispatcher applies it."""
    return Done(errand.pending, read_decision())


CONSENT: Final = Step("/consent", ConsentNeeded, find_missing_consent, _show, _act)


def _render(errand: Errand, missing: ConsentNeeded) -> Response:
    browser, access = missing.browser, missing.access
    provenance = access.client.provenance
    use_locales(access.ui_locales)
    return answer_page(
        "consent.html",
        image_origin=None if access.client.logo_uri is None else read_source(access.client.logo_uri),
        client=access.client,
        client_host=_name_client_host(access),
        is_unchecked=not isinstance(provenance, ByOperator),
        is_described=isinstance(provenance, ByDocument),
        redirect_host=_name_target(access.redirect_uri),
        scopes=say_scopes(access.scope, access.client),
        lifetime=say_lifetime(access),
        email=browser.user.email,
        # Bound to the session that is asked, so that the answer cannot count for another user.
        request_token=write_pending(current_realm(), errand.pending.ask(browser.sid)),
    )


def _name_client_host(access: RequestedAccess) -> str:
    """Name the host of the client. For a client by URL, that of its document: its links prove nothing."""
    if isinstance(access.client.provenance, ByDocument):
        return read_host(access.client.client_id)
    return _name_target(access.client.client_uri or access.redirect_uri)


def _name_target(redirect_uri: str) -> str:
    """Name the target of a redirect so that people can judge it: the host, or the private-use scheme of an app."""
    parts = urlsplit(redirect_uri)
    return parts.hostname or parts.scheme
