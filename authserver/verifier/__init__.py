"""The SDK for resource servers: verifies access tokens offline, with the issuer's public keys.

    verifier = Verifier(issuer="https://auth.example", audience="https://api.example")
    claims = verifier.verify(token)                                       # Authorization: Bearer
    claims = verifier.verify(token, DpopRequest(method, url, proof))      # Authorization: DPoP

Errors:

ValueError        wrong settings of a `Verifier`; raised only by its constructor
InvalidToken      every refusal, of any input; `.code` (contract §6), `.status`, `.soft_logout`,
                  `.www_authenticate`, `.dpop_nonce`. Also raised without usable keys (`keys_unavailable`, status 503).

Nothing else is raised. This package needs only PyJWT and cryptography. Adapters for frameworks (such as
`authserver.verifier.flask`) are separate modules and are never imported from here.
"""

from authserver.protocol.claims import AccessTokenClaims, ClientToken, UserToken
from authserver.protocol.dpop_request import DpopRequest
from authserver.verifier.refusals import InvalidToken
from authserver.verifier.verifier import Verifier

__all__ = ["AccessTokenClaims", "ClientToken", "DpopRequest", "InvalidToken", "UserToken", "Verifier"]
