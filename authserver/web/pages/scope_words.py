"""Sentences for scopes: what an application may do, for the person who is asked to allow it (ASVS 10.7.2)."""

from collections.abc import Iterable
from typing import Final

from authserver.records.client import Client
from authserver.records.scope_texts import ELSE, ScopeTexts
from authserver.web.pages.languages import current_language, mark, translate
from authserver.web.pages.rendering import current_look

SENTENCES: Final = {
    "openid": mark("See your account ID"),
    "profile": mark("See your name"),
    "email": mark("See your e-mail address"),
    "address": mark("See your postal address"),
    "phone": mark("See your phone number"),
    "offline_access": mark("Stay connected while you are not using it"),
}
"""Scope → sentence, in the order of display."""


def say_scopes(scopes: Iterable[str], client: Client | None = None) -> list[str]:
    """Find a sentence for each scope: the operator's for `client`, else for all clients, else ours, else the name.

    Our scopes come first, then the operator's in their order, then scopes without a text.
    """
    asked = set(scopes)
    texts = {**current_look().brand.scope_texts, **({} if client is None else client.scope_texts)}
    ordered = [scope for scope in dict.fromkeys((*SENTENCES, *texts)) if scope in asked]
    unknown = sorted(asked - {*ordered})
    return [_say(scope, texts) for scope in ordered + unknown]


def _say(scope: str, texts: ScopeTexts) -> str:
    if scope in texts:
        return texts[scope].get(current_language(), texts[scope][ELSE])
    if scope in SENTENCES:
        return translate(SENTENCES[scope])
    return translate("Use the permission “%(scope)s”", scope=scope)
