"""`make mcp`: the MCP server in examples/mcp_server, on port 8004, for the server that `make run` has started.

Registers the MCP server as a resource server, and a client for programs that speak the Model Context Protocol, once.
"""

import argparse
import os
import sys
from pathlib import Path

from examples.run_demo import become, fail, is_free, register

APPLICATION = Path(__file__).resolve().parent / "mcp_server" / "app.py"


def main() -> int:
    """Register both, say what a client needs, and become the MCP server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8004, help="of the MCP server")
    parser.add_argument("--issuer", default="http://127.0.0.1:8000", help="the server")
    options = parser.parse_args()
    if not is_free(options.port):
        return fail(f"port {options.port} is in use by another program: stop that one first", "make mcp")
    home = Path(os.environ.get("AUTHSERVER_HOME", "var"))
    environment = {"AUTHSERVER_CONFIG": str(home / "authserver.toml"), **os.environ}
    url = f"http://127.0.0.1:{options.port}/mcp"
    api = register(home / f"mcp-{options.port}.json", environment, "Notes", "--resource-server", "--audience", url)
    client = register(
        home / f"mcp-client-{options.port}.json",
        environment,
        *("MCP client", "--native", "--redirect-uri", "http://127.0.0.1/callback"),
        *("--scope", "profile offline_access", "--audience", url),
    )
    print(f"MCP server: {url}\nClient id: {client['client_id']} (redirects to http://127.0.0.1, any port, /callback)")
    sys.stdout.flush()
    environment |= {"AUTHSERVER_ISSUER": options.issuer, "PORT": str(options.port), "RESOURCE": url}
    environment |= {"CLIENT_ID": api["client_id"], "CLIENT_SECRET": api["client_secret"]}
    return become([sys.executable, str(APPLICATION)], environment)


if __name__ == "__main__":
    sys.exit(main())
