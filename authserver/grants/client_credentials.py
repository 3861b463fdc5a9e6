"""`grant_type=client_credentials` (RFC 6749 §4.4): the client asks for itself, and no user has a part in it.

The client has authenticated with its record from memory, which may be seconds old. One statement asks the database
whether it is still enabled; everything else is done in memory.
"""

from authserver.grants.base import TokenRequest
from authserver.protocol.client_metadata import CLIENT_CREDENTIALS
from authserver.protocol.oauth_error import OAuthError, invalid_client
from authserver.realm import Realm
from authserver.storage import clients
from authserver.tokens.client_token import (
    ClientAnswer,
    choose_client_audience,
    choose_client_scope,
    issue_client_token,
)


class ClientCredentialsGrant:
    """Gives a client an access token of its own."""

    grant_type = CLIENT_CREDENTIALS

    def exchange(self, request: TokenRequest, realm: Realm) -> ClientAnswer | OAuthError:
        """See `GrantHandler.exchange`."""
        client, asked = request.client, request.parameters.get("scope")
        scope = choose_client_scope(client, None if asked is None else asked.split())
        if scope is None:
            return OAuthError("invalid_scope", "The client may not ask for this scope for itself.", "scope exceeded")
        audience = choose_client_audience(realm, client, request.parameters.get("resource", "").split())
        if audience is None:
            return OAuthError("invalid_target", "The client may not ask for this resource.", "resource exceeded")
        now = realm.clock.now()  # before the statement: a client that is disabled after it has no younger token
        with realm.database.read() as tx:
            if not clients.is_enabled(tx, client.client_id):
                return invalid_client("disabled or deleted a moment ago")
        used = request.use_proof(realm)
        if used is not None:
            return used
        return issue_client_token(realm, client, scope=scope, audience=audience, now=now, jkt=request.jkt)
