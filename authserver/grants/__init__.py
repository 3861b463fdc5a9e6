"""The token endpoint's grants, one file each. A new grant is one file here and one line in `GRANTS`."""

from authserver.grants.authorization_code import AuthorizationCodeGrant
from authserver.grants.base import GrantHandler, TokenRequest, answer_token_request
from authserver.grants.client_credentials import ClientCredentialsGrant
from authserver.grants.device_code import DeviceCodeGrant
from authserver.grants.refresh_token import RefreshTokenGrant
from authserver.tokens.client_token import ClientAnswer
from authserver.tokens.token_answer import AccessAnswer

GRANTS: tuple[GrantHandler[AccessAnswer | ClientAnswer], ...] = (
    AuthorizationCodeGrant(),
    RefreshTokenGrant(),
    DeviceCodeGrant(),
    ClientCredentialsGrant(),
)

__all__ = ["GRANTS", "GrantHandler", "RefreshTokenGrant", "TokenRequest", "answer_token_request"]
