"""A web application that signs people in with authserver. It keeps their tokens; a browser gets a session cookie."""

import os
import secrets
import threading

from authlib.integrations.flask_client import OAuth, OAuthError
from authlib.oidc.core import CodeIDToken
from cachelib import SimpleCache
from flask import Flask, abort, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from joserfc.errors import InvalidClaimError, JoseError

ISSUER = os.environ.get("AUTHSERVER_ISSUER", "http://127.0.0.1:8000").rstrip("/")
CLIENT = {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
ASKS = {"scope": "openid profile email offline_access", "code_challenge_method": "S256", "default_timeout": 10}
PORT = int(os.environ.get("PORT", "8002"))
HERE = f"http://127.0.0.1:{PORT}"
FOR_US = {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": CLIENT["client_id"]}}
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

app = Flask(__name__)
app.config.update(SECRET_KEY=secrets.token_bytes(), SESSION_COOKIE_NAME=f"client-{PORT}", SESSION_COOKIE_SAMESITE="Lax")
store = SimpleCache(threshold=10_000, default_timeout=7 * 24 * 3600)
keeping = threading.Lock()


def keep_refreshed(_name: str, token: dict[str, object], refresh_token: str | None = None, **_: object) -> None:
    """Store the result of a refresh only if the token that it sent is still stored: an older answer can come last."""
    with keeping:
        if (store.get(session["id"]) or {}).get("refresh_token") == refresh_token:
            store.set(session["id"], token)


oauth = OAuth(app, store, update_token=keep_refreshed)
metadata = f"{ISSUER}/.well-known/openid-configuration"
authserver = oauth.register("authserver", server_metadata_url=metadata, client_kwargs=ASKS, **CLIENT)


@app.before_request
def trust_no_other_server() -> None:
    """Refuse metadata of another issuer (OpenID Connect Discovery §4.3); Authlib does not check this."""
    if authserver.load_server_metadata().get("issuer") != ISSUER:
        abort(502)


@app.get("/")
def show_home() -> ResponseReturnValue:
    """Ask the server at each request who the user is. So a session that ended there ends here, too."""
    token = store.get(session.get("id", ""))
    if token is None:
        return render_template("home.html")
    if store.get(f"ended:{session['sid']}"):
        store.delete(session.pop("id"))
        return render_template("home.html", error="You were signed out.")
    userinfo = authserver.server_metadata["userinfo_endpoint"]
    answer = authserver.get(userinfo, token=token)  # Authlib refreshes a token that is about to expire …
    if "WWW-Authenticate" in answer.headers:  # … and this one that ended earlier, as after a change of roles
        answer = authserver.get(userinfo, token={**token, "expires_at": 1})
    answer.raise_for_status()
    person = answer.json()
    return render_template("home.html", person=person) if person["sub"] == session["sub"] else abort(502)


@app.get("/login")
def sign_in() -> ResponseReturnValue:
    """Send the browser to the server, with `state`, `nonce` and a PKCE challenge, which Authlib keeps in the store."""
    away: ResponseReturnValue = authserver.authorize_redirect(f"{HERE}/callback")
    return away


@app.get("/callback")
def take_answer() -> ResponseReturnValue:
    """Accept an answer only from this server (RFC 9207 §2.4), to this browser's request, for this client."""
    if request.args.get("iss") != ISSUER:
        abort(400)
    token = authserver.authorize_access_token(claims_options=FOR_US)
    person = token.get("userinfo") or abort(502)
    session.clear()
    session.update(id=secrets.token_urlsafe(), sub=person["sub"], sid=person.get("sid"))
    store.set(session["id"], token)
    return redirect("/")


@app.post("/logout")
def sign_out() -> ResponseReturnValue:
    """End the session here, and send the browser to end it at the server."""
    hint = (store.get(session.get("id", "")) or {}).get("id_token")
    store.delete(session.pop("id", ""))
    return redirect(authserver.create_logout_url(f"{HERE}/", hint)["url"])


class LogoutToken(CodeIDToken):  # type: ignore[misc]  # Authlib has no types
    """A logout token: checked like an ID token, and for what distinguishes it from one (Back-Channel Logout §2.6)."""

    def validate(self, now: float | None = None, leeway: float = 0) -> None:
        """Refuse whatever is not a logout token about one session."""
        super().validate(now, leeway)
        events, sid = self.get("events"), self.get("sid")
        is_one = self.header.get("typ") == "logout+jwt" and isinstance(events, dict) and LOGOUT_EVENT in events
        if not is_one or "nonce" in self or not isinstance(sid, str):
            raise InvalidClaimError("events")


@app.post("/backchannel-logout")
def take_logout_token() -> ResponseReturnValue:
    """Note that the server has ended a session. Every local session that began with it ends at its next request."""
    token = {"id_token": request.form["logout_token"]}
    ended = authserver.parse_id_token(token, None, FOR_US, LogoutToken, leeway=30)
    store.set(f"ended:{ended['sid']}", True)
    return "", 200, {"Cache-Control": "no-store"}


@app.errorhandler(OAuthError)
@app.errorhandler(JoseError)
def ask_to_sign_in(error: Exception) -> ResponseReturnValue:
    """Show what the server refused, or what was wrong with its answer."""
    if request.path == "/":  # the refresh was refused; a forged answer to /callback must end no session
        store.delete(session.pop("id", ""))
        return render_template("home.html", error="Your session has ended."), 401
    return render_template("home.html", error=error), 400


if __name__ == "__main__":
    app.run(port=PORT)
