"""The SDK of resource servers: verifies access tokens offline, with the issuer's public keys.

    verifier = Verifier(issuer="https://auth.example", audience="https://api.example")
    claims = verifier.verify(token)

What can go wrong:

ValueError        a `Verifier` that was set up wrongly; raised once, by its constructor
InvalidToken      every refusal of a token, whatever was shown; `.code` (contract §6), `.status`, `.soft_logout`,
                  `.www_authenticate`. Also when no keys can be had (`keys_unavailable`, status 503).

Nothing else is raised. This package needs PyJWT and cryptography only; adapters for frameworks stand beside it
(`authserver.verifier.flask`) and are never imported from here.
"""

from authserver.protocol.claims import AccessTokenClaims, ClientToken, UserToken
from authserver.verifier.refusals import InvalidToken
from authserver.verifier.verifier import Verifier

__all__ = ["AccessTokenClaims", "ClientToken", "InvalidToken", "UserToken", "Verifier"]
