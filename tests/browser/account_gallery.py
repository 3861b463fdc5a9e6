"""The account pages in every state that people can meet, at a moment that does not pass."""

from typing import Any, Final

from authserver.records.user import Profile
from authserver.web.pages.account.apps import Connection
from authserver.web.pages.account.events import Event
from authserver.web.pages.account.sessions import Device
from authserver.web.pages.moments import Moment
from authserver.web.pages.scope_words import say_scopes
from authserver.web.pages.words import say_password_rules
from tests.browser.picture import Picture

EMAIL: Final = "ada.lovelace@example.org"
LONG_EMAIL: Final = "an.address.that.goes.on.and.on.and.on.without.any.end@a-very-long-domain-name.example.org"
LONG: Final = "A very long name of something that somebody found funny " * 2

NOW: Final = Moment("just now", "2026-03-01 12:00 UTC", "2026-03-01T12:00:00Z")
MINUTES: Final = Moment("5 minutes ago", "2026-03-01 11:55 UTC", "2026-03-01T11:55:00Z")
HOURS: Final = Moment("3 hours ago", "2026-03-01 09:00 UTC", "2026-03-01T09:00:00Z")
DAYS: Final = Moment("12 days ago", "2026-02-17 12:00 UTC", "2026-02-17T12:00:00Z")


def _hang(name: str, template: str, room: str, **values: Any) -> Picture:  # noqa: ANN401 - what a template takes
    return Picture(f"account-{name}", template, {"room": room, "signed_in_as": EMAIL, **values})


def _list_apps() -> tuple[Connection, ...]:
    """Sentences need a request."""
    return (
        Connection("a1", "Mail", say_scopes(("openid", "email", "offline_access")), DAYS, MINUTES),
        Connection("a2", "Photo Book", say_scopes(("openid", "profile", "https://api.example/albums")), DAYS, None),
    )


PROFILE: Final = {
    "profile": Profile("Ada Lovelace", "Ada", "Lovelace", "+442079460000", "12 St James's Square\nLondon"),
    "errors": {"name": [], "given_name": [], "family_name": [], "phone_number": [], "address": []},
    "done": [],
    "email_verified": True,
    "password_changed": DAYS,
    "member_since": DAYS,
}
ADDRESS: Final = {"new_email": "", "errors": {"new_email": [], "current_password": []}, "sent_to": "", "sentences": []}
PASSWORD: Final = {
    "errors": {"current_password": [], "new_password": []},
    "rules": say_password_rules,
    "may_choose": True,
    "logout_devices": True,
    "done": (),
}
DEVICES: Final = (
    Device("s1", "Firefox on Linux", "", "203.0.113.x", ("Photo Book",), HOURS, NOW, is_current=True),
    Device("s2", "Ada's phone", "Safari on iOS", "198.51.100.x", ("Mail", "Notes"), DAYS, MINUTES, is_current=False),
    Device("s3", "Chrome on Windows", "", "2001:db8::/32", (), DAYS, HOURS, is_current=False),
)
EVENTS: Final = (
    Event("Signed in.", MINUTES, "203.0.113.x", "Firefox on Linux", failed=False),
    Event("A sign-in attempt failed.", HOURS, "192.0.2.x", "Chrome on Windows", failed=True),
    Event("The password was changed.", DAYS, "203.0.113.x", "", failed=False),
    Event("The account was created.", DAYS, "203.0.113.x", "", failed=False),
)

ACCOUNT_PICTURES: Final = (
    _hang("profile", "account_profile.html", "/account", **PROFILE),
    _hang(
        "profile-refused",
        "account_profile.html",
        "/account",
        **{
            **PROFILE,
            "email_verified": False,
            "password_changed": None,
            "profile": Profile(LONG * 2, LONG, LONG, "0190", "x" * 400),
            "errors": {
                "name": ["A name has at most 100 printable characters."],
                "given_name": [],
                "family_name": ["A name has at most 100 printable characters."],
                "phone_number": ["A phone number is + and 4 to 15 digits, without spaces."],
                "address": ["An address has at most 300 printable characters."],
            },
            "signed_in_as": LONG_EMAIL,
        },
    ),
    _hang("profile-saved", "account_profile.html", "/account", **{**PROFILE, "done": ["Your profile is saved."]}),
    _hang("email", "account_email.html", "/account", **ADDRESS),
    _hang(
        "email-refused",
        "account_email.html",
        "/account",
        **{
            **ADDRESS,
            "new_email": "ada at example",
            "errors": {
                "new_email": ["This is not an e-mail address."],
                "current_password": ["The password is wrong."],
            },
            "signed_in_as": LONG_EMAIL,
        },
    ),
    _hang(
        "email-sent",
        "account_email.html",
        "/account",
        **{
            **ADDRESS,
            "sent_to": LONG_EMAIL,
            "sentences": [
                "The link works for 1 day.",
                "When you use it, your address changes and all your other devices are signed out.",
                "Until then nothing changes. We also sent a notice to your current address.",
            ],
        },
    ),
    _hang(
        "others",
        "account_others.html",
        "/account/sessions",
        sentence="This signs you out on 3 other devices, and in all apps there.",
    ),
    _hang("password", "account_password.html", "/account/password", **PASSWORD),
    _hang(
        "password-refused",
        "account_password.html",
        "/account/password",
        **{
            **PASSWORD,
            "errors": {
                "current_password": ["The password is wrong."],
                "new_password": ["A password needs at least 10 characters."],
            },
            "logout_devices": False,
        },
    ),
    _hang("password-no-choice", "account_password.html", "/account/password", **{**PASSWORD, "may_choose": False}),
    _hang(
        "password-changed",
        "account_password.html",
        "/account/password",
        **{
            **PASSWORD,
            "done": (
                "Your password is changed.",
                "3 devices were signed out. This one stays signed in.",
                "Apps that you opened in this browser keep working without asking you.",
            ),
        },
    ),
    _hang("devices", "account_sessions.html", "/account/sessions", devices=DEVICES, done=[], problem=[]),
    _hang("two-devices", "account_sessions.html", "/account/sessions", devices=DEVICES[::2], done=[], problem=[]),
    _hang(
        "device-ended",
        "account_sessions.html",
        "/account/sessions",
        devices=DEVICES[:1],
        done=["2 devices were signed out. This one stays signed in."],
        problem=[],
    ),
    _hang(
        "device-gone",
        "account_sessions.html",
        "/account/sessions",
        devices=(
            Device("s", LONG, "Samsung Internet on Android", "203.0.113.x", (LONG, "Mail"), DAYS, NOW, is_current=True),
            Device("t", "x" * 100, "", "", (), DAYS, NOW, is_current=False),
        ),
        done=[],
        problem=["This device is no longer signed in."],
    ),
    _hang("apps", "account_apps.html", "/account/apps", apps=_list_apps, done=[], problem=[]),
    _hang("one-app", "account_apps.html", "/account/apps", apps=lambda: _list_apps()[:1], done=[], problem=[]),
    _hang(
        "app-disconnected",
        "account_apps.html",
        "/account/apps",
        apps=(),
        done=["Mail is disconnected. It is signed out everywhere."],
        problem=[],
    ),
    _hang(
        "events",
        "account_events.html",
        "/account/events",
        events=EVENTS,
        following="e",
        is_first=True,
        days=90,
    ),
    _hang("events-none", "account_events.html", "/account/events", events=(), following=None, is_first=False, days=90),
    _hang("delete", "account_delete.html", "/account", errors=[]),
    _hang("delete-refused", "account_delete.html", "/account", errors=["The password is wrong."]),
)
