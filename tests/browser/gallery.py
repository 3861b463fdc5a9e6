"""Every page in every state that people can meet, served without the doings that lead there."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from flask import Response

from authserver.assembly import SYSTEM_ENTROPY
from authserver.branding.brand import Brand
from authserver.clock import SystemClock
from authserver.web.application import DoorSettings, create_application
from authserver.web.pages.blueprint import Told, answer_page
from authserver.web.pages.links import QUESTIONS
from authserver.web.pages.scope_words import say_scopes
from authserver.web.pages.ways import Way
from authserver.web.pages.words import say_password_rules
from tests.browser.account_gallery import ACCOUNT_PICTURES, MINUTES
from tests.browser.picture import Picture
from tests.support.wire.served import served
from tests.support.world.processes import free_port
from tests.support.world.realm import build_realm

BRAND: Final = Brand(
    product_name="Example",
    support_url="https://example.org/help",
    privacy_url="https://example.org/privacy",
    terms_url="https://example.org/terms",
)
EMAIL: Final = "ada.lovelace@example.org"
LONG: Final = "an.address.that.goes.on.and.on.and.on.without.any.end.in.sight@a-very-long-domain-name.example.org"


LOGIN: Final = {
    "client_name": None,
    "email": "",
    "error": None,
    "request_token": "",
    "next": "",
    "signed_in_as": None,
    "offers_continue": False,
    "may_register": True,
}
PLAIN_APP: Final = {"name": "Photo Book", "logo_uri": None, "client_uri": None, "policy_uri": None, "tos_uri": None}
CONSENT: Final = {
    "client": PLAIN_APP,
    "is_described": False,
    "is_unchecked": False,
    "client_host": "photobook.example",
    "redirect_host": "photobook.example",
    "scopes": lambda: say_scopes(("openid", "profile", "email", "offline_access")),
    "lifetime": "Stays signed in for up to 90 days.",
    "email": EMAIL,
    "request_token": "token",
}
SIGN_UP: Final = {
    "email": "",
    "name": "",
    "request_token": "",
    "errors": {"email": [], "name": [], "password": []},
    "is_refused": False,
    "rules": say_password_rules,
}
WRONG: Final = {
    "email": ["This is not an e-mail address."],
    "name": [],
    "password": [
        "A password needs at least 10 characters.",
        "This password is on the lists that attackers try first.",
    ],
}

DEVICE: Final = {
    "user_code": "",
    "is_brought": False,
    "errors": [],
    "email": EMAIL,
    "request_token": "token",
}
CONFIRM: Final = {
    "client": {**PLAIN_APP, "name": "Television"},
    "scopes": lambda: say_scopes(("profile", "offline_access")),
    "lifetime": "It stays connected for up to 90 days, or until you disconnect it.",
    "asked": MINUTES,
    "place": "Its network address is 203.0.113.7. Yours is 198.51.100.2.",
    "email": EMAIL,
    "request_token": "token",
}

FORM_POST: Final = {"action": "/gallery/signed-out", "fields": {"code": "c", "state": "s"}}
MOVING: Final = Picture("form-post", "form_post.html", FORM_POST)
"""Nobody looks at it for long: its script goes on."""

PICTURES: Final = (
    Picture("sign-in", "login.html", LOGIN),
    Picture("sign-in-for-app", "login.html", {**LOGIN, "client_name": "Photo Book", "email": EMAIL}),
    Picture(
        "sign-in-refused",
        "login.html",
        {**LOGIN, "email": EMAIL, "error": "The e-mail address or the password is wrong."},
    ),
    Picture("sign-in-again", "login.html", {**LOGIN, "signed_in_as": EMAIL}),
    Picture(
        "choose-account",
        "login.html",
        {**LOGIN, "client_name": "Photo Book", "signed_in_as": EMAIL, "offers_continue": True},
    ),
    Picture("sign-up", "signup.html", SIGN_UP),
    Picture(
        "sign-up-refused", "signup.html", {**SIGN_UP, "email": "ada at example", "errors": WRONG, "is_refused": True}
    ),
    Picture("consent", "consent.html", CONSENT),
    Picture(
        "consent-shown",
        "consent.html",
        {
            **CONSENT,
            "client": {
                "name": "Photo Book",
                "logo_uri": "/pages/logo",
                "client_uri": "https://photobook.example",
                "policy_uri": "https://photobook.example/privacy",
                "tos_uri": "https://photobook.example/terms",
            },
        },
    ),
    Picture("consent-unchecked", "consent.html", {**CONSENT, "is_unchecked": True}),
    Picture("consent-by-url", "consent.html", {**CONSENT, "is_described": True}),
    Picture(
        "consent-long",
        "consent.html",
        {
            **CONSENT,
            "email": LONG,
            "client": {**PLAIN_APP, "name": "A very long name of an application that somebody found funny " * 2},
            "redirect_host": "a." * 40 + "example",
            "client_host": "a." * 40 + "example",
            "scopes": lambda: say_scopes(("openid", "https://api.example/" + "scope" * 20)),
        },
    ),
    Picture("device", "device.html", DEVICE),
    Picture("device-brought", "device.html", {**DEVICE, "user_code": "WDJB-MJHT", "is_brought": True}),
    Picture(
        "device-refused",
        "device.html",
        {
            **DEVICE,
            "user_code": "WDJB-MJHT",
            "errors": ["This code is not valid. Codes work for 10 minutes, and once."],
        },
    ),
    Picture("device-confirm", "device_confirm.html", CONFIRM),
    Picture(
        "device-confirm-long",
        "device_confirm.html",
        {
            **CONFIRM,
            "client": {**PLAIN_APP, "name": "A very long name of an application that somebody found funny " * 2},
            "email": LONG,
            "place": "Its network address is 2001:db8:85a3:8d3:1319:8a2e:370:7348. Yours is 2001:db8::1.",
            "scopes": lambda: say_scopes(("openid", "https://api.example/" + "scope" * 20)),
        },
    ),
    Picture("forgot", "forgot.html", {"email": "", "request_token": ""}),
    Picture("reset", "reset.html", {"token": "t", "errors": [], "rules": say_password_rules}),
    Picture("reset-refused", "reset.html", {"token": "t", "errors": WRONG["password"], "rules": say_password_rules}),
    Picture("sign-out", "sign_out.html", {"client_name": "Photo Book", "fields": {"state": "x"}}),
    Picture("signed-out", "signed_out.html"),
    MOVING,
    Picture(
        "told",
        "told.html",
        {
            "told": Told(
                "Your password is changed",
                ("3 devices were signed out.", "You can sign in with the new password now."),
                ways=(Way("Sign in", "/login", is_main=True),),
            )
        },
    ),
    Picture(
        "dead-link",
        "told.html",
        {
            "told": Told(
                "This link no longer works",
                ("Nothing was changed.",),
                ways=(Way("Ask for a new password", "/forgot"), Way("Back to sign-in", "/login")),
            )
        },
    ),
    *ACCOUNT_PICTURES,
    *(
        Picture(
            question.purpose.value.replace("_", "-"),
            "question.html",
            {"question": question, "token": "t", "disown": None},
        )
        for question in QUESTIONS
    ),
)


@contextmanager
def hanging(database_url: str, brand: Brand = BRAND) -> Iterator[str]:
    """The gallery, in this process; the URL below which each picture is."""
    realm = build_realm(database_url, SystemClock(), SYSTEM_ENTROPY)
    app = create_application(realm, DoorSettings("1000 per minute", "memory", brand=brand))
    for picture in PICTURES:
        app.add_url_rule(f"/gallery/{picture.name}", f"gallery_{picture.name}", _show(picture), methods=["GET", "POST"])
    with served(app, free_port()) as url:
        yield f"{url}/gallery"
    realm.database.dispose()


def _show(picture: Picture) -> Any:  # noqa: ANN401 - a view
    def view() -> Response:
        values = {name: value() if callable(value) else value for name, value in picture.values.items()}
        return answer_page(picture.template, HTTPStatus.OK, **values)

    return view
