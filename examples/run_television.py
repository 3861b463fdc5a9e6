"""`make television`: an authserver with a demo user, and the device in examples/television that signs in there.

Data goes to var/ and the master key to keys/, as with `make run`. Ctrl-C stops both.
"""

import argparse
import os
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from examples import run_demo
from examples.run_demo import EMAIL, authserver, is_free, register, start, wait_for

APPLICATION = Path(__file__).resolve().parent / "television" / "app.py"
SCOPE = "openid profile offline_access"
fail = partial(run_demo.fail, command="make television")


def main() -> int:
    """Set up, serve, and switch the television on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000, help="of the server")
    port = parser.parse_args().port
    if not is_free(port):
        return fail(f"port {port} is in use by another program: stop that one first")
    issuer = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "AUTHSERVER_ISSUER": issuer}
    setup = authserver(environment, "init", "--demo")
    if setup.returncode != 0:
        return setup.returncode
    password = next(line.split()[1] for line in setup.stdout.splitlines() if line.startswith("password"))
    home = Path(environment.get("AUTHSERVER_HOME", "var"))
    environment.setdefault("AUTHSERVER_CONFIG", str(home / "authserver.toml"))
    client = register(home / "television.json", environment, "Television", "--device", "--scope", SCOPE)
    environment["CLIENT_ID"] = client["client_id"]
    command = [sys.executable, "-m", "authserver", "serve", "--port", str(port)]
    with ExitStack() as stack:
        server = start(stack, command, environment)
        try:
            if not wait_for(f"{issuer}/readyz", [server]):
                return fail("the server did not start; what it said is above")
            print(f"\nThe demo user is {EMAIL} with the password {password}.", flush=True)
            return subprocess.run([sys.executable, str(APPLICATION)], env=environment, check=False).returncode
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
