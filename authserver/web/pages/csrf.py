"""The token in every form (ASVS 3.5.1). It proves that this browser loaded the form from one of our pages.

A cookie that scripts cannot read holds a random value, and the hidden field holds its HMAC. Another site can read
neither. This check is in addition to the one of the form's origin, so that the failure of one alone is no breach.
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
    """Make the hidden field for a form. Pass the answer with the form through `keep_seed`."""
    if "csrf_seed" not in g:
        known = _read_seed()
        g.csrf_is_new = known is None
        g.csrf_seed = known or Secret(base64url.encode(current_realm().entropy(_SEED_BYTES)))
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, _derive(g.csrf_seed).reveal())


def keep_seed(response: Response) -> None:
    """Set the cookie from which the token of this page was derived, unless the browser has it already."""
    if g.get("csrf_is_new"):
        current_cookies().give(response, Cookie.FORM, g.csrf_seed)


def is_proved(fields: dict[str, str]) -> bool:
    """Whether the form contains the token of this browser."""
    seed = _read_seed()
    return seed is not None and Secret(fields.get(FIELD, "")) == _derive(seed)


def _derive(seed: Secret) -> Secret:
    return Secret(base64url.encode(hmac.digest(seed.reveal().encode(), b"csrf", "sha256")))


def _read_seed() -> Secret | None:
    """Read the random value from the cookie; None if it does not have our format."""
    seed = current_cookies().read(request, Cookie.FORM)
    if seed is None:
        return None
    try:
        return seed if len(base64url.decode(seed.reveal())) == _SEED_BYTES else None
    except ValueError:
        return None
