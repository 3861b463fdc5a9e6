"""An MCP server on the official SDK. Its tools need an access token, and stop within a second when it is revoked."""

import os
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from starlette.requests import Request

from authserver.verifier import AccessTokenClaims, Verifier
from authserver.verifier.asgi import TokenMiddleware

ISSUER = os.environ.get("AUTHSERVER_ISSUER", "http://127.0.0.1:8000")
PORT = int(os.environ.get("PORT", "8004"))
RESOURCE = os.environ.get("RESOURCE", f"http://127.0.0.1:{PORT}/mcp")

mcp = MCPServer("Notes")


@mcp.tool()
def who_am_i(ctx: Context[Any, Request]) -> str:
    """Name the user for whom the client calls."""
    request = ctx.request_context.request
    if request is None:
        raise RuntimeError("this server speaks HTTP only")
    claims: AccessTokenClaims = request.state.token  # set by TokenMiddleware
    return f"You are {claims.sub}, by the client {claims.client_id}."


# The middleware checks the token of each request, and answers what a client needs to find this server's issuer
# (RFC 9728). Without sessions of the transport, nobody can use the session of somebody else with a token of their own.
verifier = Verifier(ISSUER, RESOURCE, os.environ.get("CLIENT_ID"), os.environ.get("CLIENT_SECRET"))
app = TokenMiddleware(
    mcp.streamable_http_app(stateless_http=True), verifier=verifier, scope="profile", resource=RESOURCE
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT)
