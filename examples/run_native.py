"""`make native`: the command-line app in examples/native, for the servers that `make run` has started.

Registers its two clients once: one redirects to loopback, the other may sign in with a code.
"""

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from urllib.request import urlopen

from examples import run_demo
from examples.run_demo import become, register

SCOPE = "profile offline_access"
fail = partial(run_demo.fail, command="make native")


def main() -> int:
    """Register both, and become the app."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--issuer", default="http://127.0.0.1:8000", help="the server")
    parser.add_argument("--resource", default="http://127.0.0.1:8001", help="the resource server")
    options, words = parser.parse_known_args()
    try:
        urlopen(f"{options.issuer}/readyz", timeout=10).close()  # noqa: S310 - our own http URL
    except OSError:
        return fail(f"no server answers at {options.issuer}: start make run first, in another terminal")
    home = Path(os.environ.get("AUTHSERVER_HOME", "var"))
    environment = {"AUTHSERVER_CONFIG": str(home / "authserver.toml"), **os.environ}
    redirect = ("--redirect-uri", "http://127.0.0.1/callback")
    native = register(home / "native.json", environment, "Command line", "--native", "--scope", SCOPE, *redirect)
    device = register(home / "native-device.json", environment, "Command line", "--device", "--scope", SCOPE)
    environment |= {"AUTHSERVER_ISSUER": options.issuer, "API": f"{options.resource}/me"}
    environment |= {"CLIENT_ID": native["client_id"], "DEVICE_CLIENT_ID": device["client_id"]}
    environment.setdefault("TOKEN_FILE", str(home / "native-token.json"))
    return become([sys.executable, "-m", "examples.native.app", *words], environment)


if __name__ == "__main__":
    sys.exit(main())
