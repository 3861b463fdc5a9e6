"""The token endpoint's grants, one file each. A new grant is one file here and one line in `GRANTS`."""

from authserver.grants.authorization_code import AuthorizationCodeGrant
from authserver.grants.base import GrantHandler, TokenRequest, answer_token_request
from authserver.grants.device_code import DeviceCodeGrant
from authserver.grants.refresh_token import RefreshTokenGrant

GRANTS: tuple[GrantHandler, ...] = (AuthorizationCodeGrant(), RefreshTokenGrant(), DeviceCodeGrant())

__all__ = ["GRANTS", "GrantHandler", "RefreshTokenGrant", "TokenRequest", "answer_token_request"]
