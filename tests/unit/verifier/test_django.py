"""The Django adapter: what is its own (what all adapters promise is in test_adapters)."""

import pytest
from django.test import override_settings

from authserver.verifier import Verifier
from tests.support.wire.adapters import django_server


@pytest.mark.parametrize("setting", [None, "https://auth.example"])
def test_a_missing_verifier_stops_the_start(setting: object) -> None:
    """Never a server that guards nothing."""
    django_server(Verifier("https://auth.example", "a"))  # configures Django
    from authserver.verifier.django import TokenMiddleware, _guard

    _guard.cache_clear()
    with (
        override_settings(AUTHSERVER_VERIFIER=setting),
        pytest.raises(TypeError, match="AUTHSERVER_VERIFIER"),
    ):
        TokenMiddleware(lambda _request: None)


def test_a_view_without_a_decorator_is_guarded_by_the_middleware() -> None:
    ask = django_server(Verifier("https://auth.example", "a"))
    assert ask("/any").status == 401
    assert ask("/open").status == 200
