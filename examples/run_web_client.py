"""`make web-client`: the web application in examples/web_client, on port 8002, for the server of `make run`.

Registers it once as a confidential client, which is told when a session has ended.
"""

import argparse
import os
import sys
from pathlib import Path

from examples.run_demo import LOOPBACK, become, fail, is_free, register

APPLICATION = Path(__file__).resolve().parent / "web_client" / "app.py"
SCOPE = "openid profile email offline_access"


def main() -> int:
    """Register, and become the application."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8002, help="of the application")
    parser.add_argument("--issuer", default="http://127.0.0.1:8000", help="the server")
    options = parser.parse_args()
    if not is_free(options.port):
        return fail(f"port {options.port} is in use by another program: stop that one first", "make web-client")
    home = Path(os.environ.get("AUTHSERVER_HOME", "var"))
    environment = {"AUTHSERVER_CONFIG": str(home / "authserver.toml"), **LOOPBACK, **os.environ}
    here = f"http://127.0.0.1:{options.port}/"
    uris = (
        *("--redirect-uri", f"{here}callback", "--post-logout-redirect-uri", here),
        *("--backchannel-logout-uri", f"{here}backchannel-logout"),
    )
    file = home / f"web-client-{options.port}.json"
    client = register(file, environment, "Web client", "--confidential", "--scope", SCOPE, *uris)
    environment |= {"AUTHSERVER_ISSUER": options.issuer, "PORT": str(options.port)}
    environment |= {"CLIENT_ID": client["client_id"], "CLIENT_SECRET": client["client_secret"]}
    return become([sys.executable, str(APPLICATION)], environment)


if __name__ == "__main__":
    sys.exit(main())
