"""`make backend`: a server, an API, and a program without users that calls the API, first by a secret, then by a key.

Everything is in a temporary folder and ends by itself.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from socket import create_server

from joserfc.jwk import ECKey, KeySet

from examples.run_demo import authserver, start, wait_for

EXAMPLES = Path(__file__).resolve().parents[1]


def main() -> int:
    """Set up, call the API in both ways, and show that a disabled program gets nothing."""
    with tempfile.TemporaryDirectory(prefix="backend-") as name, ExitStack() as stack:
        folder, issuer, api = Path(name), *(f"http://127.0.0.1:{port}" for port in (find_port(), find_port()))
        settings = {
            "ISSUER": issuer,
            "HOME": str(folder / "var"),
            "KEYS_DIR": str(folder / "keys"),
            "LOG_LEVEL": "warning",
        }
        mine = {**os.environ, **{f"AUTHSERVER_{setting}": value for setting, value in settings.items()}}
        authserver(mine, "init")
        by_secret = register(mine, "--service", "--scope", "profile")
        by_key = register(mine, "--service", "--scope", "profile", "--jwks", str(make_key(folder)))
        resource_server = register(mine, "--resource-server")
        servers = [
            start(stack, [sys.executable, "-m", "authserver", "serve", "--port", issuer.rpartition(":")[2]], mine),
            start(
                stack,
                [sys.executable, str(EXAMPLES / "resource_server" / "app.py")],
                mine | as_client(resource_server) | {"PORT": api.rpartition(":")[2]},
            ),
        ]
        if not (wait_for(f"{issuer}/readyz", servers) and wait_for(api, servers)):
            return 1
        mine["API"] = f"{api}/me"
        call("by its secret", mine | as_client(by_secret))
        call("by its key", mine | as_client(by_key) | {"CLIENT_KEY": str(folder / "private.pem")})
        authserver(mine, "clients", "disable", by_secret["client_id"])
        call("disabled", mine | as_client(by_secret))
    return 0


def make_key(folder: Path) -> Path:
    """Make the program's key; return the file with its public half, which the server is given."""
    key = ECKey.generate_key("P-256", {"kid": "2026-11", "use": "sig", "alg": "ES256"})
    private, public = folder / "private.pem", folder / "public.json"
    private.touch(mode=0o600)
    private.write_bytes(key.as_pem(private=True))
    public.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    return public


def register(environment: Mapping[str, str], *options: str) -> dict[str, str]:
    """Register a client; the secret is told once."""
    made: dict[str, str] = json.loads(
        authserver(environment, "clients", "create", "Backend", *options, "--json").stdout
    )
    return made


def as_client(registered: Mapping[str, str]) -> dict[str, str]:
    """The variables that say who a program is."""
    secret = {"CLIENT_SECRET": registered["client_secret"]} if "client_secret" in registered else {}
    return {"CLIENT_ID": registered["client_id"], **secret}


def call(how: str, environment: Mapping[str, str]) -> None:
    """Run the program; print the last line that it prints."""
    command = [sys.executable, str(EXAMPLES / "backend" / "backend.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    print(f"{how}: {(done.stdout or done.stderr).strip().splitlines()[-1]}", flush=True)


def find_port() -> int:
    """Find a port that is free now."""
    with create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


if __name__ == "__main__":
    sys.exit(main())
