"""The token in every form (ASVS 3.5.1): proof that who sends it has seen a page of ours in this very browser.

The browser keeps a random value that scripts cannot read; the hidden field holds its HMAC. Another site can read
neither. The check stands beside the one of where a form comes from, so that the failure of one is no breach.
"""

import hmac
from typing import Final

from flask import Response, g, request
from markupsafe import Markup

from authserver.protocol import base64url
from authserver.protocol.secret import Secret
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import Cookie

FIELD: Final = "csrf_token"
_SEED_BYTES: Final = 32


def csrf_field() -> Markup:
    """The hidden field for a form. The answer that carries the page has to pass through `keep_seed`."""
    if "csrf_seed" not in g:
        known = _read_seed()
        g.csrf_is_new = known is None
        g.csrf_seed = known or Secret(base64url.encode(current_realm().entropy(_SEED_BYTES)))
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, _derive(g.csrf_seed).reveal())


def keep_seed(response: Response) -> None:
    """Give the browser what the token of this page was made of, unless it has it already."""
    if g.get("csrf_is_new"):
        current_cookies().give(response, Cookie.FORM, g.csrf_seed)


def is_proved(fields: dict[str, str]) -> bool:
    """Whether the form that is being sent holds the token of this browser."""
    seed = _read_seed()
    return seed is not None and Secret(fields.get(FIELD, "")) == _derive(seed)


def _derive(seed: Secret) -> Secret:
    return Secret(base64url.encode(hmac.digest(seed.reveal().encode(), b"csrf", "sha256")))


def _read_seed() -> Secret | None:
    """What the browser brought, if it can have come from us."""
    seed = current_cookies().read(request, Cookie.FORM)
    if seed is None:
        return None
    try:
        return seed if len(base64url.decode(seed.reveal())) == _SEED_BYTES else None
    except ValueError:
        return None
