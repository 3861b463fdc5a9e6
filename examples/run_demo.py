"""`make run`: starts an authserver with a demo user and a resource server, and prints six commands to try.

Data is in var/ and the master key in keys/, below the current folder. Both are kept between runs; only the demo
password is new each time. Ctrl-C stops both servers.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from shlex import quote
from socket import create_server
from typing import NoReturn
from urllib.error import URLError
from urllib.request import urlopen

RESOURCE_SERVER = Path(__file__).resolve().parent / "resource_server" / "app.py"
EMAIL = "demo@example.com"
LOOPBACK = {"AUTHSERVER_PRIVATE_HOSTS": "127.0.0.1"}
"""The server may call the examples, which listen on this machine."""

PATIENCE = 20.0
DRAIN = 15.0

GUIDE = """
The server runs at {issuer} (API documentation: {issuer}/api/docs), a resource server at {resource}.
The demo user is {email} with the password {password}, a new one at each start.

Run these six commands in another terminal, one after the other:

# 1. Sign in.
cd {folder}; field() {{ {python} -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }}; \\
TOKENS=$(curl -s {issuer}/api/login -H 'Content-Type: application/json' -d '{login}'); printf '%s\\n' "$TOKENS"; \\
ACCESS=$(printf %s "$TOKENS" | field access_token); FIRST=$(printf %s "$TOKENS" | field refresh_token)

# 2. Call the resource server. It checks the access token offline.
curl -s -H "Authorization: Bearer $ACCESS" {resource}/me

# 3. Refresh twice with the same token, as after a lost response. Both times you get the same successor.
refresh() {{ curl -s -w '\\n' {issuer}/oauth/token -d grant_type=refresh_token -d client_id=first-party \\
    -d refresh_token="$1"; }}; \\
refresh "$FIRST" | field refresh_token; SECOND=$(refresh "$FIRST" | field refresh_token); printf '%s\\n' "$SECOND"

# 4. Rotate the signing key (possible 5 seconds after the next one was published). Access tokens of both keys pass.
sleep 5; AUTHSERVER_CONFIG={config} {python} -m authserver keys rotate; sleep 6; \\
TOKENS=$(refresh "$SECOND"); curl -s -H "Authorization: Bearer $ACCESS" {resource}/me; \\
curl -s -H "Authorization: Bearer $(printf %s "$TOKENS" | field access_token)" {resource}/me

# 5. Play the thief. A client without retry windows rotates at each refresh. Send its first refresh token again: it is
#    refused, and the session ends, so its newest token is refused, too.
STRICT=$(AUTHSERVER_CONFIG={config} {python} -m authserver clients create Strict --first-party --scope profile \\
    --retry-window 0 --late-retry-window 0 --json | field client_id); LOGIN='{login}'; \\
refresh() {{ curl -s -w '\\n' {issuer}/oauth/token -d grant_type=refresh_token -d "client_id=$STRICT" \\
    -d refresh_token="$1"; }}; \\
STOLEN=$(curl -s {issuer}/api/login -H 'Content-Type: application/json' \\
    -d "${{LOGIN%?}}, \\"client_id\\": \\"$STRICT\\"}}" | field refresh_token); \\
NEWEST=$(refresh "$(refresh "$STOLEN" | field refresh_token)" | field refresh_token); \\
refresh "$STOLEN"; refresh "$NEWEST"

# 6. Sign in on two devices and change the password on one. The resource server rejects the other device's access token
#    within a second, and accepts the new token of this device. The last call changes the password back.
sign_in() {{ curl -s {issuer}/api/login -H 'Content-Type: application/json' -d '{login}' | field access_token; }}; \\
THEIRS=$(sign_in); MINE=$(curl -s {issuer}/api/account/password -H "Authorization: Bearer $(sign_in)" \\
    -H 'Content-Type: application/json' -d '{change}' | field access_token); \\
for i in 1 2 3 4 5 6 7 8; do sleep 0.2; \\
    curl -s -o /dev/null -w '%{{http_code}} ' -H "Authorization: Bearer $THEIRS" {resource}/me; done; echo; \\
curl -s -w '\\n' -H "Authorization: Bearer $THEIRS" {resource}/me; \\
curl -s -H "Authorization: Bearer $MINE" {resource}/me; \\
curl -s -o /dev/null {issuer}/api/account/password -H "Authorization: Bearer $MINE" \\
    -H 'Content-Type: application/json' -d '{change_back}'

Ctrl-C here stops both servers.
"""


def main() -> int:
    """Set up, print the commands, and serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000, help="of the server")
    parser.add_argument("--resource-port", type=int, default=8001, help="of the resource server")
    options = parser.parse_args()
    for port in (options.port, options.resource_port):
        if not is_free(port):
            return fail(f"port {port} is in use by another program: stop that one first")
    issuer, resource = (f"http://127.0.0.1:{port}" for port in (options.port, options.resource_port))
    environment = {**LOOPBACK, **os.environ, "AUTHSERVER_ISSUER": issuer, "PORT": str(options.resource_port)}
    setup = authserver(environment, "init", "--demo")
    if setup.returncode != 0:
        return setup.returncode
    values = dict(line.split(maxsplit=1) for line in setup.stdout.splitlines() if line.startswith("password"))
    home = Path(environment.get("AUTHSERVER_HOME", "var"))
    environment.setdefault("AUTHSERVER_CONFIG", str(home / "authserver.toml"))
    known = register(home / "resource_server.json", environment, "Demo API", "--resource-server")
    environment |= {"CLIENT_ID": known["client_id"], "CLIENT_SECRET": known["client_secret"]}
    guide = GUIDE.format(
        issuer=issuer,
        resource=resource,
        email=EMAIL,
        password=values["password"],
        login=json.dumps({"email": EMAIL, "password": values["password"]}),
        change=change(values["password"], f"{values['password']}-2"),
        change_back=change(f"{values['password']}-2", values["password"]),
        folder=quote(str(Path.cwd())),
        python=quote(sys.executable),
        config=quote(environment["AUTHSERVER_CONFIG"]),
    )
    return serve(options.port, resource, environment, guide)


def change(current: str, new: str) -> str:
    """Write the body of a password change."""
    return json.dumps({"current_password": current, "new_password": new})


def authserver(environment: Mapping[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end. Its output is in `stdout`."""
    command = [sys.executable, "-m", "authserver", *words]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)


def register(file: Path, environment: Mapping[str, str], *words: str) -> dict[str, str]:
    """Register a client once, by `clients create` with `words`; `file` keeps its record with the secret."""
    clients = json.loads(authserver(environment, "clients", "list", "--json").stdout)["clients"]
    if not file.exists() or json.loads(file.read_text())["client_id"] not in {one["client_id"] for one in clients}:
        made = authserver(environment, "clients", "create", *words, "--json")
        made.check_returncode()
        file.touch(mode=0o600)
        file.write_text(made.stdout)
    known: dict[str, str] = json.loads(file.read_text())
    return known


def serve(port: int, resource: str, environment: Mapping[str, str], guide: str) -> int:
    """Run both servers until one ends, or until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    commands = (
        [sys.executable, "-m", "authserver", "serve", "--port", str(port)],
        [sys.executable, str(RESOURCE_SERVER)],
    )
    with ExitStack() as stack:
        servers = [start(stack, command, environment) for command in commands]
        try:
            if not (wait_for(f"http://127.0.0.1:{port}/readyz", servers) and wait_for(resource, servers)):
                return fail("a server did not start; what it said is above")
            print(guide, flush=True)
            while all(server.poll() is None for server in servers):
                time.sleep(0.2)
        except KeyboardInterrupt:
            return 0
    return fail("a server ended by itself; what it said is above")


def start(stack: ExitStack, command: list[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start a server that ends with `stack`. It has its own session: Ctrl-C reaches this process, which ends both."""
    server = subprocess.Popen(command, env=environment, start_new_session=True)

    def stop() -> None:
        server.terminate()
        try:
            server.wait(DRAIN)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()

    stack.callback(stop)
    return server


def become(command: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by `command`, so that Ctrl-C and SIGTERM reach it."""
    os.execve(command[0], command, environment)  # noqa: S606 - no shell


def wait_for(url: str, servers: "list[subprocess.Popen[bytes]]") -> bool:
    """Whether `url` answers before a server ends and within `PATIENCE` seconds."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and all(server.poll() is None for server in servers):
        try:
            with urlopen(url, timeout=PATIENCE):  # noqa: S310 - our own http URL
                return True
        except (URLError, ConnectionError):
            time.sleep(0.1)
    return False


def is_free(port: int) -> bool:
    """Whether no process listens on `port`."""
    try:
        create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def fail(reason: str, command: str = "make run") -> int:
    """Print the reason in one line."""
    print(f"{command}: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
