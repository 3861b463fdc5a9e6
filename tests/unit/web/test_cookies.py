"""Cookies: names and flags that keep them where they belong."""

import re
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from urllib.parse import unquote

import pytest
from werkzeug import Request, Response
from werkzeug.test import EnvironBuilder

from authserver.protocol.secret import Secret
from authserver.web.cookies import AnyCookie, Cookie, CookieJar, RefreshCookie, RequestCookie


def given(*, https: bool, cookie: Cookie) -> "Morsel[str]":
    response = Response()
    CookieJar(https=https).give(response, cookie, Secret("value"))
    (morsel,) = SimpleCookie(response.headers["Set-Cookie"]).values()
    return morsel


def request(header: str) -> Request:
    return Request(EnvironBuilder(headers=[("Cookie", header)]).get_environ())


@pytest.mark.parametrize("cookie", Cookie)
def test_over_tls_every_cookie_is_bound_to_this_host_and_hidden_from_scripts(cookie: Cookie) -> None:
    """ASVS 3.3.1, 3.3.2, 3.3.3, 3.3.4."""
    morsel = given(https=True, cookie=cookie)
    assert morsel.key.startswith("__Host-")
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, True, "Lax", "/")
    assert morsel["domain"] == ""
    assert morsel.value == "value"


@pytest.mark.parametrize("cookie", Cookie)
def test_on_a_loopback_address_without_tls_they_can_be_kept_at_all(cookie: Cookie) -> None:
    """Browsers drop `__Host-` and, some of them, `Secure` there."""
    morsel = given(https=False, cookie=cookie)
    assert not morsel.key.startswith("__")
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"]) == ("", True, "Lax", "/")


def test_only_what_opens_nothing_outlives_the_browser() -> None:
    """ASVS 7.1.1: the cookie of the session is no way to stay signed in."""
    ages = {cookie: given(https=True, cookie=cookie)["max-age"] for cookie in Cookie}
    days = {Cookie.DEVICE: 365, Cookie.KNOWN: 90}
    assert ages == {cookie: str(days[cookie] * 86_400) if cookie in days else "" for cookie in Cookie}


def test_names_differ_and_never_change() -> None:
    """A new name would sign everybody out."""
    assert [CookieJar(https=True).name(cookie) for cookie in Cookie] == [
        "__Host-authserver",
        "__Host-authserver-device",
        "__Host-authserver-known",
        "__Host-authserver-form",
    ]


@pytest.mark.parametrize("client_id", ["first-party", "a.b~c_d", "a b;c=d, e\r\n", "é", "a%20b"])
def test_each_client_has_a_refresh_cookie_of_its_own_and_whatever_its_id_is_one_name(client_id: str) -> None:
    """RFC 6265 §4.1.1; ASVS 3.3.1 to 3.3.4."""
    cookie = RefreshCookie(client_id, timedelta(days=7))
    name = CookieJar(https=True).name(cookie)
    assert re.fullmatch(r"__Host-authserver-refresh-[A-Za-z0-9._~%-]+", name)
    assert unquote(name.removeprefix("__Host-authserver-refresh-")) == client_id
    response = Response()
    CookieJar(https=True).give(response, cookie, Secret("value"))
    (header,) = response.headers.getlist("Set-Cookie")
    flags = {part for part in header.split("; ") if not part.startswith("Expires=")}
    assert flags == {f"{name}=value", "Secure", "HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Strict"}
    assert CookieJar(https=True).read(request(f"{name}=value"), cookie) == Secret("value")


def test_each_request_has_a_cookie_of_its_own_for_as_long_as_it_may_take() -> None:
    """ASVS 3.3.1 to 3.3.4; Lax: an application leads people to our pages by a link."""
    response = Response()
    CookieJar(https=True).give(response, RequestCookie("id"), Secret("value"))
    (header,) = response.headers.getlist("Set-Cookie")
    flags = {part for part in header.split("; ") if not part.startswith("Expires=")}
    named = "__Host-authserver-request-id=value"
    assert flags == {named, "Secure", "HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax"}


def test_only_what_this_issuer_gave_is_found_of_requests() -> None:
    """Two issuers under one host, and neighbours that plant cookies without the prefix."""
    brought = request("__Host-authserver-request-a=1; __Secure-authserver-request-b=2; authserver-request-c=3")
    assert CookieJar(https=True).list_requests(brought) == {"a": Secret("1")}
    assert CookieJar(https=True, path="/one").list_requests(brought) == {"b": Secret("2")}


@pytest.mark.parametrize("cookie", Cookie)
def test_a_cookie_without_the_prefix_does_not_count_over_tls(cookie: Cookie) -> None:
    """A neighbour on the same domain can plant that one."""
    jar = CookieJar(https=True)
    assert jar.read(request(f"{cookie.value}=planted"), cookie) is None
    assert jar.read(request(f"__Host-{cookie.value}=ours; {cookie.value}=planted"), cookie) == Secret("ours")


@pytest.mark.parametrize("header", ["", "authserver=", "authserver=" + "A" * 513, "other=x"])
def test_what_we_never_gave_counts_as_absent(header: str) -> None:
    assert CookieJar(https=False).read(request(header), Cookie.SESSION) is None


@pytest.mark.parametrize("https", [True, False])
def test_a_cookie_is_taken_back_with_the_flags_it_was_given_with(https: bool) -> None:  # noqa: FBT001 - the scheme
    """Without them browsers would keep it."""
    response = Response()
    CookieJar(https=https).take_back(response, Cookie.SESSION)
    (morsel,) = SimpleCookie(response.headers["Set-Cookie"]).values()
    assert (morsel.value, morsel["max-age"], morsel["path"], morsel["httponly"]) == ("", "0", "/", True)
    assert bool(morsel["secure"]) is https


@pytest.mark.parametrize("cookie", [*Cookie, RefreshCookie("app"), RequestCookie("id")])
def test_issuers_under_one_host_keep_their_cookies_apart(cookie: AnyCookie) -> None:
    """`__Host-` would have one for all paths, and each sign-in at one would sign the person out at the other."""
    response = Response()
    jar = CookieJar.of_issuer("https://auth.example/one/")
    jar.give(response, cookie, Secret("value"))
    jar.take_back(response, cookie)
    for header in response.headers.getlist("Set-Cookie"):
        assert header.startswith(f"__Secure-{cookie.value}=")
        assert "; Path=/one;" in f"{header};"
    assert CookieJar.of_issuer("https://auth.example").name(cookie).startswith("__Host-")
