"""Signing in with a code that the person types on another device (RFC 8628)."""

import time
from collections.abc import Callable

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.integrations.requests_client.oauth2_session import OAuthError

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LONGER = {"authorization_pending": 0, "slow_down": 5}  # RFC 8628 §3.5: how much longer to wait between two polls
PATIENCE = 10


def sign_in_with_code(session: OAuth2Session, server: dict[str, str], scope: str, say: Callable[[str], None]) -> None:
    """Show the code, and ask until somebody has allowed it.

    Raises OAuthError if they denied it, and TimeoutError if the code has expired without an answer.
    """
    form = {"client_id": session.client_id, "scope": scope}
    answer = requests.post(server["device_authorization_endpoint"], data=form, timeout=PATIENCE)
    answer.raise_for_status()
    codes = answer.json()
    say(f"On any device, open {codes['verification_uri']} and type {codes['user_code']}.")
    interval, end = codes["interval"], time.monotonic() + codes["expires_in"]
    while not session.token:
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(interval)
        try:
            session.fetch_token(server["token_endpoint"], grant_type=GRANT, device_code=codes["device_code"])
        except OAuthError as refused:
            if refused.error not in LONGER:
                raise
            interval += LONGER[refused.error]
        except requests.RequestException:
            interval += 5  # the network or the server is away for a moment
