"""The OAuth and OpenID Connect endpoints. Exactly the endpoints in `DOORS` are served and named by discovery."""

from authserver.web.oauth import (
    device_authorization,
    introspect,
    jwks,
    par,
    register,
    revocations,
    revoke,
    token,
    userinfo,
)
from authserver.web.oauth.door import Door

DOORS: tuple[Door, ...] = (
    token.DOOR,
    revoke.DOOR,
    introspect.DOOR,
    userinfo.DOOR,
    revocations.DOOR,
    jwks.DOOR,
    par.DOOR,
    device_authorization.DOOR,
    register.DOOR,
    register.MANAGEMENT_DOOR,
)

__all__ = ["DOORS", "Door"]
