"""A command-line app. It signs a person in through their browser, or with a code, and calls an API for them.

`python -m examples.native.app` signs in if that is needed (`--device`: with a code) and calls the API. With `sign-out`
it ends the session.
"""

import argparse
import os
import secrets
import sys
import webbrowser
from pathlib import Path
from threading import Thread

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.integrations.requests_client.oauth2_session import OAuthError

from examples.native.loopback import Loopback
from examples.native.token_file import Kept, TokenFile
from examples.native.with_code import sign_in_with_code

ISSUER = os.environ.get("AUTHSERVER_ISSUER", "http://127.0.0.1:8000").rstrip("/")
API = os.environ.get("API", "http://127.0.0.1:8001/me")
CLIENT_ID = os.environ["CLIENT_ID"]
DEVICE_CLIENT_ID = os.environ["DEVICE_CLIENT_ID"]
SCOPE = "profile offline_access"
PATIENCE = 10
TIME_TO_SIGN_IN = 600.0

tokens = TokenFile(Path(os.environ.get("TOKEN_FILE", "var/native-token.json")))


def main() -> None:
    """Do what the command line says. What went wrong is one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("act", nargs="?", choices=["call", "sign-out"], default="call")
    parser.add_argument("--device", action="store_true", help="sign in with a code, on another device")
    options = parser.parse_args()
    try:
        server = find_server()
        if options.act == "sign-out":
            sign_out(server)
        else:
            call(server, in_browser=not options.device)
    except OAuthError as refused:
        sys.exit(f"refused: {refused.error}")
    except requests.RequestException as error:
        sys.exit(f"no answer that this app can use, try again: {error}")
    except TimeoutError:
        sys.exit("nobody signed in")
    except KeyboardInterrupt:
        sys.exit("stopped")


def find_server() -> dict[str, str]:
    """Read the server's metadata, and trust none of another issuer (RFC 8414 §3.3)."""
    answer = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=PATIENCE)
    answer.raise_for_status()
    server: dict[str, str] = answer.json()
    if server["issuer"] != ISSUER:
        sys.exit("this is another server")
    return server


def call(server: dict[str, str], *, in_browser: bool) -> None:
    """Call the API in the session that is kept, or in a new one."""
    session = resume(server) or sign_in(server, in_browser=in_browser)
    answer = session.get(API)
    answer.raise_for_status()
    say(f"The API says: {answer.text.strip()}")


def resume(server: dict[str, str]) -> OAuth2Session | None:
    """Refresh with the token in the file. None if there is none, or if the session has ended."""
    kept = tokens.read(ISSUER, {CLIENT_ID, DEVICE_CLIENT_ID})
    if kept is None:
        return None
    session = open_session(kept.client_id)
    try:
        answer = session.refresh_token(server["token_endpoint"], kept.refresh_token)
    except OAuthError as refused:
        if refused.error != "invalid_grant":  # any other refusal ends no session: the token stays
            raise
        tokens.remove(kept)
        say("Your session has ended.")
        return None
    tokens.replace(kept, answer["refresh_token"])
    say("Refreshed.")
    return session


def sign_in(server: dict[str, str], *, in_browser: bool) -> OAuth2Session:
    """Sign in, and keep the refresh token. The access token stays in memory."""
    session = open_session(CLIENT_ID if in_browser else DEVICE_CLIENT_ID)
    if in_browser:
        sign_in_by_browser(session, server)
    else:
        sign_in_with_code(session, server, SCOPE, say)
    tokens.write(Kept(ISSUER, session.client_id, session.token["refresh_token"]))
    say("Signed in.")
    return session


def sign_in_by_browser(session: OAuth2Session, server: dict[str, str]) -> None:
    """Open the browser, and exchange the code that it brings back to this machine (RFC 8252 §7.3, RFC 7636)."""
    state, verifier = secrets.token_urlsafe(), secrets.token_urlsafe(48)
    with Loopback(state) as loopback:
        asks = {"state": state, "code_verifier": verifier, "redirect_uri": loopback.redirect_uri, "scope": SCOPE}
        url, _ = session.create_authorization_url(server["authorization_endpoint"], **asks)
        say(f"Sign in with your browser. If it does not open, go to {url}")
        Thread(target=webbrowser.open, args=(url,), daemon=True).start()  # a browser in the terminal ends only later
        answer = loopback.wait(TIME_TO_SIGN_IN)
    if answer.get("iss") != ISSUER:  # RFC 9207 §2.4: the answer of another server, mixed in
        sys.exit("the answer came from another server")
    if "code" not in answer:
        sys.exit(f"not signed in: {answer.get('error')}")
    proof = {"code": answer["code"], "redirect_uri": loopback.redirect_uri, "code_verifier": verifier}
    session.fetch_token(server["token_endpoint"], grant_type="authorization_code", **proof)


def sign_out(server: dict[str, str]) -> None:
    """End the session at the server, then forget it. Without an answer the token stays, to try again (RFC 7009)."""
    kept = tokens.read(ISSUER, {CLIENT_ID, DEVICE_CLIENT_ID})
    if kept is None:
        say("You are not signed in.")
        return
    answer = open_session(kept.client_id).revoke_token(server["revocation_endpoint"], kept.refresh_token)
    answer.raise_for_status()
    tokens.remove(kept)
    say("Signed out.")


def open_session(client_id: str) -> OAuth2Session:
    """Make a session of a public client: it has no secret, so Authlib sends none."""
    return OAuth2Session(client_id, code_challenge_method="S256", default_timeout=PATIENCE)


def say(sentence: str) -> None:
    """Show it at once."""
    print(sentence, flush=True)


if __name__ == "__main__":
    main()
