"""`/oauth/authorize`: the authorization endpoint (RFC 6749 §3.1), to which applications send people."""

from typing import Final

from flask import Response, request

from authserver.authorization.outcomes import Spent, Unredirectable
from authserver.authorization.pushed_request import Opened, open_pushed
from authserver.protocol.bearer_request import FORM_TYPE
from authserver.web.context import current_realm
from authserver.web.limits.tries import count_address
from authserver.web.pages.answers import AUTHORIZATION, refuse_spent, refuse_unredirectable
from authserver.web.pages.blueprint import answer_told, pages, take_foreign_forms
from authserver.web.pages.dispatcher import begin, begin_opened
from authserver.web.pages.redirects import redirect_exactly
from authserver.web.pages.rendering import page_path
from authserver.web.pages.words import tell_too_many

PATH: Final = AUTHORIZATION.path
LONGEST: Final = 5000
"""The limit of characters in a request. The addresses of our pages contain it as base64 with a proof, which makes 7,000
characters. The proxies in our documentation accept 8 KiB for the first line of a request.
"""


@pages.get(PATH)
def show_authorize() -> Response:
    """Evaluate the request in the query.

    A request for which the document of a client has to be fetched is counted: this server must not be the means of
    calling others often.
    """
    text = request.query_string.decode("ascii", "replace")
    if len(text) > LONGEST:
        return refuse_unredirectable(Unredirectable("a request that is too long"))
    if current_realm().documents.needs_fetching(request.args.get("client_id", "")):
        over = count_address("client document")
        if over is not None:
            return answer_told(tell_too_many(over.retry_after))
    match open_pushed(current_realm(), text):
        case None:
            return begin(AUTHORIZATION, text)
        case Opened() as opened:
            return begin_opened(AUTHORIZATION, text, opened)
        case Spent() as spent:
            return refuse_spent(spent)


@pages.post(PATH)
@take_foreign_forms
def take_authorize() -> Response:
    """Redirect a request that came as a form (OpenID Connect Core §3.1.2.1) to a GET.

    Browsers send no `SameSite=Lax` cookie with another site's form, but they send it with the GET that follows.
    """
    is_form = request.mimetype == FORM_TYPE
    text = request.get_data(as_text=True) if is_form else ""
    if not text or len(text) > LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        return refuse_unredirectable(Unredirectable("a form that is too long, or none"))
    return redirect_exactly(f"{page_path(PATH)}?{text}")
