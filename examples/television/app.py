"""A television: no keyboard, no browser. It shows a code, and plays for whoever allows it at another device."""

import os
import sys
import time

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.integrations.requests_client.oauth2_session import OAuthError

ISSUER = os.environ.get("AUTHSERVER_ISSUER", "http://127.0.0.1:8000").rstrip("/")
CLIENT_ID = os.environ["CLIENT_ID"]
SCOPE = "openid profile offline_access"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
WAIT = {"authorization_pending": 0, "slow_down": 5}  # RFC 8628 §3.5: how much longer to wait between two polls
PATIENCE = 10
CHECK_EVERY = float(os.environ.get("CHECK_EVERY", "30"))


def main() -> str:
    """Sign in with a code, and play as long as the person lets it."""
    server = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=PATIENCE).json()
    if server["issuer"] != ISSUER:
        return "this is another server"
    endpoint = server["token_endpoint"]
    with OAuth2Session(CLIENT_ID, scope=SCOPE, token_endpoint=endpoint, default_timeout=PATIENCE) as session:
        try:
            sign_in(session, server)
            return play(session, server)
        except OAuthError as refused:
            return f"not connected: {refused.error}"


def sign_in(session: OAuth2Session, server: dict[str, str]) -> None:
    """Show the code, and ask until somebody has allowed it (RFC 8628 §3.4)."""
    form = {"client_id": CLIENT_ID, "scope": SCOPE}
    answer = requests.post(server["device_authorization_endpoint"], data=form, timeout=PATIENCE)
    answer.raise_for_status()
    codes = answer.json()
    say(f"Open {codes['verification_uri']} and type {codes['user_code']}.")
    say(f"Or open {codes['verification_uri_complete']}, which a real television shows as a QR code.")
    interval = codes["interval"]
    while not session.token:
        time.sleep(interval)
        try:
            session.fetch_token(server["token_endpoint"], grant_type=GRANT, device_code=codes["device_code"])
        except OAuthError as refused:
            if refused.error not in WAIT:  # denied, or expired: the person starts again
                raise
            interval += WAIT[refused.error]
        except requests.ConnectionError:
            interval += 5  # the network is away for a moment


def play(session: OAuth2Session, server: dict[str, str]) -> str:
    """Play, and look now and then whether the session goes on. Authlib refreshes what is about to expire."""
    person = session.get(server["userinfo_endpoint"], timeout=PATIENCE).json()
    say(f"Playing for {person.get('name', person['sub'])}.")
    while True:
        time.sleep(CHECK_EVERY)
        answer = session.get(server["userinfo_endpoint"], timeout=PATIENCE)
        if answer.status_code == requests.codes.unauthorized:  # ended, or only stale: a refresh tells
            try:
                session.refresh_token(server["token_endpoint"])
            except OAuthError:
                return "signed out: the person ended it"


def say(sentence: str) -> None:
    """Show it at once."""
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())
