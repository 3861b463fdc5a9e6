"""What an application may do, in plain words, for the person who is asked to allow it (ASVS 10.7.2)."""

from collections.abc import Iterable
from typing import Final

from authserver.web.pages.languages import mark, translate

SENTENCES: Final = {
    "openid": mark("See your account ID"),
    "profile": mark("See your name"),
    "email": mark("See your e-mail address"),
    "address": mark("See your postal address"),
    "phone": mark("See your phone number"),
    "offline_access": mark("Stay connected while you are not using it"),
}
"""Scope → sentence, in the order in which they are shown."""


def say_scopes(scopes: Iterable[str]) -> list[str]:
    """A sentence for each scope, the known ones first. A scope that we know nothing of is shown by its name."""
    asked = set(scopes)
    known = [translate(sentence) for scope, sentence in SENTENCES.items() if scope in asked]
    unknown = sorted(asked - SENTENCES.keys())
    return known + [translate("Use the permission “%(scope)s”", scope=scope) for scope in unknown]
