"""Redirect URIs and origins: what may be registered, and what counts as the same."""

import pytest

from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.redirect_uri import (
    LONGEST,
    find_address_fault,
    find_fault,
    find_origin_fault,
    matches,
    read_source,
)

REGISTERED = (
    "https://app.example/back",
    "https://app.example/back?tenant=7",
    "https://app.example:8443/back",
    "http://127.0.0.1/back",
    "http://[::1]:7000/back",
    "http://localhost:3000/back",
    "com.example.app:/back",
)

# What an attacker presents to a client that registered the above.
HOSTILE = {
    "another host": "https://evil.example/back",
    "another path": "https://app.example/other",
    "a longer path": "https://app.example/back/evil",
    "a longer name": "https://app.example/backdoor",
    "a shorter path": "https://app.example/",
    "no path": "https://app.example",
    "a slash at the end": "https://app.example/back/",
    "another query": "https://app.example/back?tenant=8",
    "an added query": "https://app.example/back?next=https://evil.example",
    "an added parameter": "https://app.example/back?tenant=7&next=x",
    "an empty query": "https://app.example/back?",
    "a fragment": "https://app.example/back#evil",
    "an empty fragment": "https://app.example/back#",
    "http instead of https": "http://app.example/back",
    "another port": "https://app.example:8444/back",
    "the default port": "https://app.example:443/back",
    "a port that is none": "https://app.example:99999/back",
    "an empty port": "https://app.example:/back",
    "a subdomain": "https://evil.app.example/back",
    "a parent domain": "https://example/back",
    "a domain behind": "https://app.example.evil.example/back",
    "a domain glued on": "https://app.exampleevil.example/back",
    "a dot at the end of the host": "https://app.example./back",
    "userinfo": "https://app.example@evil.example/back",
    "userinfo with password": "https://app.example:pw@evil.example/back",
    "userinfo before the right host": "https://evil@app.example/back",
    "encoded userinfo": "https://app.example%40evil.example/back",
    "an upper-case scheme": "HTTPS://app.example/back",
    "an upper-case host": "https://APP.example/back",
    "an upper-case path": "https://app.example/BACK",
    "dot segments": "https://app.example/x/../back",
    "dot segments at the end": "https://app.example/back/../evil",
    "one dot": "https://app.example/./back",
    "encoded dot segments": "https://app.example/back/%2e%2e/evil",
    "encoded dots, upper case": "https://app.example/back/%2E%2E/evil",
    "dots encoded twice": "https://app.example/back/%252e%252e/evil",
    "an encoded letter": "https://app.example/b%61ck",
    "an encoded slash": "https://app.example/back%2f..%2fevil",
    "an encoded host": "https://app%2eexample/back",
    "a backslash before the host": "https:\\\\app.example/back",
    "a backslash as path": "https://app.example\\@evil.example/back",
    "a backslash behind another host": "https://evil.example\\.app.example/back",
    "an encoded backslash": "https://app.example/back%5c..%5cevil",
    "no scheme": "//app.example/back",
    "relative": "/back",
    "empty": "",
    "three slashes": "https:///app.example/back",
    "one slash": "https:/app.example/back",
    "no slash": "https:app.example/back",
    "a wildcard host": "https://*.app.example/back",
    "a wildcard path": "https://app.example/*",
    "a line feed": "https://app.example/back\n",
    "a header": "https://app.example/back\r\nSet-Cookie: a=b",
    "an encoded header": "https://app.example/back%0d%0aSet-Cookie:%20a=b",
    "a NUL": "https://app.example/back\0",
    "an encoded NUL": "https://app.example/back%00",
    "a tab in the scheme": "ht\ttps://app.example/back",
    "a space before": " https://app.example/back",
    "a space behind": "https://app.example/back ",
    "two in one": "https://app.example/back https://evil.example/back",
    "letters that look alike": "https://\u0430pp.example/back",
    "a full-width dot": "https://app\uff0eexample/back",
    "a lone surrogate": "https://app.example/back\udcff",
    "javascript": "javascript:alert(1)//https://app.example/back",
    "javascript in odd case": "JaVaScRiPt:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "vbscript": "vbscript:msgbox(1)",
    "file": "file:///etc/passwd",
    "blob": "blob:https://app.example/1b4e28ba",
    "about": "about:blank",
    "view-source": "view-source:https://app.example/back",
    "websocket": "wss://app.example/back",
    "an unknown private-use scheme": "com.evil.app:/back",
    "a private-use scheme with two slashes": "com.example.app://back",
    "a private-use scheme with another path": "com.example.app:/evil",
    "a private-use scheme in upper case": "COM.example.app:/back",
    "loopback with userinfo": "http://127.0.0.1:80@evil.example/back",
    "loopback as userinfo": "http://127.0.0.1@evil.example/back",
    "loopback as a subdomain": "http://127.0.0.1.evil.example/back",
    "loopback with a port out of range": "http://127.0.0.1:65536/back",
    "loopback with a very long port": "http://127.0.0.1:123456/back",
    "loopback with port 0": "http://127.0.0.1:0/back",
    "loopback with a zero before the port": "http://127.0.0.1:080/back",
    "loopback with a negative port": "http://127.0.0.1:-1/back",
    "loopback with an empty port": "http://127.0.0.1:/back",
    "loopback with letters as port": "http://127.0.0.1:80a/back",
    "loopback with Arabic digits as port": "http://127.0.0.1:\u0661\u0662/back",
    "loopback with another path": "http://127.0.0.1:5000/evil",
    "loopback with a query": "http://127.0.0.1:5000/back?evil",
    "loopback with a fragment": "http://127.0.0.1:5000/back#evil",
    "loopback with dot segments": "http://127.0.0.1:5000/back/../evil",
    "loopback with https": "https://127.0.0.1:5000/back",
    "loopback spelled short": "http://127.1/back",
    "loopback as one number": "http://2130706433/back",
    "loopback in hexadecimal": "http://0x7f000001/back",
    "loopback in octal": "http://0177.0.0.1/back",
    "another loopback address": "http://127.0.0.2/back",
    "any address": "http://0.0.0.0/back",
    "IPv6 loopback in full": "http://[0:0:0:0:0:0:0:1]:7000/back",
    "IPv6 loopback with a zone": "http://[::1%25lo]:7000/back",
    "IPv4 in IPv6": "http://[::ffff:127.0.0.1]/back",
    "IPv6 loopback without brackets": "http://::1/back",
    "IPv6 loopback followed by a host": "http://[::1].evil.example/back",
    "localhost at another port": "http://localhost:3001/back",
    "localhost without port": "http://localhost/back",
    "localhost as a subdomain": "http://localhost.evil.example:3000/back",
    "localhost in upper case": "http://LOCALHOST:3000/back",
}


@pytest.mark.parametrize("uri", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_redirect_uri_matches_nothing(uri: str) -> None:
    """ASVS 10.4.1, RFC 9700 §2.1, RFC 8252 §7.1-7.3, §8.4: exact comparison, but for the port of a loopback literal."""
    assert not matches(REGISTERED, uri, ClientKind.PUBLIC)


@pytest.mark.parametrize("uri", REGISTERED)
def test_what_is_registered_matches_itself(uri: str) -> None:
    """RFC 9700 §2.1."""
    assert find_fault(uri, ClientKind.NATIVE) is None
    assert matches(REGISTERED, uri, ClientKind.PUBLIC)
    assert not matches((), uri, ClientKind.PUBLIC)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1/back",
        "http://127.0.0.1:5000/back",
        "http://127.0.0.1:65535/back",
        "http://[::1]/back",
        "http://[::1]:5000/back",
    ],
)
def test_a_loopback_literal_matches_at_any_port(uri: str) -> None:
    """RFC 8252 §7.3: an app gets its port from the operating system at the time of the request."""
    assert matches(REGISTERED, uri, ClientKind.PUBLIC)


def test_loopback_literals_are_not_each_other() -> None:
    """What is registered for one address family is not registered for the other, nor for the name."""
    for kind in (ClientKind.PUBLIC, ClientKind.NATIVE):
        assert not matches(["http://127.0.0.1/back"], "http://[::1]/back", kind)
        assert not matches(["http://127.0.0.1/back"], "http://localhost/back", kind)
        assert not matches(["http://localhost/back"], "http://127.0.0.1/back", kind)


@pytest.mark.parametrize("uri", ["http://localhost:3001/back", "http://localhost/back"])
def test_the_name_of_the_loopback_interface_matches_at_any_port_for_native_clients(uri: str) -> None:
    """Contract §2: many real ones use the name, although RFC 8252 §8.3 advises against it."""
    for kind in ClientKind:
        assert matches(REGISTERED, uri, kind) == (kind is ClientKind.NATIVE)
    assert not matches(REGISTERED, f"{uri}/other", ClientKind.NATIVE)


def test_what_may_not_be_registered_matches_not_even_itself() -> None:
    """A row that an earlier release let in opens nothing."""
    for uri in ("javascript:alert(1)", "https://*.example/back", "http://app.example/back", "https://app.example/#a"):
        assert not matches([uri], uri, ClientKind.PUBLIC)


# What nobody may register, whatever the client is; the hostile ones above that are merely other URIs may be.
UNREGISTRABLE = {
    "empty": "",
    "relative": "/back",
    "no scheme": "//app.example/back",
    "a host alone": "app.example/back",
    "no host": "https:///back",
    "no authority": "https:/back",
    "an empty host with a port": "https://:8443/back",
    "http": "http://app.example/back",
    "http to a private address": "http://192.168.0.1/back",
    "an encoded host": "https://app%2eexample/back",
    "an underscore in the host": "https://my_app.example/back",
    "a hyphen before the host": "https://-app.example/back",
    "an empty label": "https://app..example/back",
    "a label too long": f"https://{'a' * 64}.example/back",
    "an address that is none": "https://1.2.3.256/back",
    "an address short of a number": "https://1.2.3/back",
    "a number as top label": "https://app.1/back",
    "a broken IPv6 address": "https://[::1/back",
    "an IPv6 address that is none": "https://[::g]/back",
    "broken percent-encoding": "https://app.example/%zz",
    "a percent sign alone": "https://app.example/100%",
    "a quote": 'https://app.example/"onload=',
    "angle brackets": "https://app.example/<script>",
    "a template": "https://{tenant}.app.example/back",
    "too long": "https://app.example/" + "a" * LONGEST,
    "an answer in its query": "https://app.example/back?code=abc",
    "an answer in its query, encoded": "https://app.example/back?st%61te=abc",
    "a line feed in its query": "https://app.example/back?a=%0a",
    "a scheme without dot": "myapp:/back",
    "a scheme with an empty label": "com..app:/back",
    "a scheme that ends with a dot": "com.:/back",
    "a private-use scheme with neither path nor host": "com.example.app:",
    "a private-use scheme with no slash": "com.example.app:back",
    "a private-use scheme with userinfo": "com.example.app://a@b/back",
} | {
    name: HOSTILE[name]
    for name in (
        "a fragment", "an empty fragment", "a port that is none", "an empty port", "a dot at the end of the host",
        "userinfo", "userinfo with password", "encoded userinfo", "an upper-case scheme", "an upper-case host",
        "dot segments", "dot segments at the end", "one dot", "encoded dot segments", "dots encoded twice",
        "an encoded slash", "a backslash before the host", "a backslash as path", "an encoded backslash",
        "a wildcard host", "a wildcard path", "a line feed", "a header", "an encoded header", "a NUL",
        "an encoded NUL", "a tab in the scheme", "a space before", "a space behind", "two in one",
        "letters that look alike", "a full-width dot", "a lone surrogate", "javascript", "javascript in odd case",
        "data", "vbscript", "file", "blob", "about", "view-source", "websocket", "loopback with userinfo",
        "loopback as a subdomain", "loopback with a port out of range", "loopback with port 0",
        "loopback spelled short", "loopback as one number", "loopback in hexadecimal", "loopback in octal",
        "another loopback address", "any address", "IPv6 loopback in full", "IPv6 loopback with a zone",
        "IPv4 in IPv6", "localhost as a subdomain", "localhost in upper case",
    )
}  # fmt: skip


@pytest.mark.parametrize("uri", UNREGISTRABLE.values(), ids=UNREGISTRABLE)
def test_what_could_lead_astray_is_not_registered(uri: str) -> None:
    """ASVS 10.4.1, RFC 9700 §2.1, OAuth 2.1 §2.3: absolute, no fragment, https, http on loopback alone."""
    for kind in ClientKind:
        assert find_fault(uri, kind) is not None


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example",
        "https://app.example/",
        "https://app.example/a/b.c/~d;e=f,g/!$&'()+:@",
        "https://app.example/back?next=%2Fhome&x=a@b",
        "https://xn--bcher-kva.example/back",
        "https://intranet/back",
        "https://192.0.2.7/back",
        "https://[2001:db8::7]:8443/back",
        "http://127.0.0.1:5000/back",
        "http://[::1]/",
        "http://localhost:3000",
    ],
)
def test_https_and_loopback_are_for_every_kind(uri: str) -> None:
    """RFC 8252 §7.2, §7.3; a browser app in development is on the loopback interface, too."""
    for kind in ClientKind:
        assert find_fault(uri, kind) is None
    assert matches([uri], uri, ClientKind.PUBLIC)


@pytest.mark.parametrize("uri", ["com.example.app:/back", "com.example.app://back", "com.example.app:/a/b?c=d"])
def test_a_private_use_scheme_is_for_native_clients(uri: str) -> None:
    """RFC 8252 §7.1, §8.4: a domain name in reverse, so it has a dot."""
    assert {kind for kind in ClientKind if find_fault(uri, kind) is None} == {ClientKind.NATIVE}


@pytest.mark.parametrize("origin", ["https://app.example", "https://app.example:8443", "http://127.0.0.1:5173",
                                    "http://localhost", "https://[2001:db8::7]", "http://[::1]:3000"])  # fmt: skip
def test_an_origin_as_browsers_write_it_may_be_registered(origin: str) -> None:
    """ASVS 3.4.2: the allow-list of origins."""
    assert find_origin_fault(origin) is None


@pytest.mark.parametrize(
    "origin",
    [
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "http://tauri.localhost",
        "chrome-extension://" + "abcdefghijklmnop" * 2,
        "moz-extension://0b4c3f6e-1d2a-4c5b-8e9f-001122334455",
        "safari-web-extension://0B4C3F6E-1D2A-4C5B-8E9F-001122334455",
    ],
)
def test_an_origin_of_an_app_or_an_extension_may_be_registered(origin: str) -> None:
    """As their pages send it; the same for somewhere else is refused."""
    assert find_origin_fault(origin) is None
    for suffix in ("/", ":80", ".evil.example", "\n", " https://evil.example"):
        assert find_origin_fault(origin + suffix) is not None


@pytest.mark.parametrize(
    "origin",
    [
        "capacitor://app.example",
        "chrome-extension://short",
        "",
        "null",
        "*",
        "https://*",
        "https://*.app.example",
        "https://",
        "app.example",
        "//app.example",
        "https://app.example/",
        "https://app.example/path",
        "https://app.example?query",
        "https://app.example#fragment",
        "https://app.example:443",
        "http://localhost:80",
        "https://app.example:",
        "https://app.example:0",
        "https://app.example:65536",
        "https://APP.example",
        "HTTPS://app.example",
        "https://user@app.example",
        "https://app.example.",
        "https://app.example https://evil.example",
        "https://app.example,https://evil.example",
        "https://app.example\n",
        "https://app.example\0",
        "https://a\udcff.example",
        "http://app.example",
        "http://[",
        "file://",
        "com.example.app://host",
        "https://127.1",
        "https://" + "a." * LONGEST + "example",
    ],
)
def test_what_no_browser_sends_or_nobody_should_trust_is_no_origin(origin: str) -> None:
    """ASVS 3.4.2: neither wildcard nor `null`, no plain http beyond the loopback interface."""
    assert find_origin_fault(origin) is not None


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://app.example", "https://app.example"),
        ("https://app.example:8443/a%2Fb.png?size=48#top", "https://app.example:8443"),
        ("http://localhost:3000?x", "http://localhost:3000"),
    ],
)
def test_an_address_that_a_page_may_show_has_an_origin(address: str, origin: str) -> None:
    assert find_address_fault(address) is None
    assert read_source(address) == origin


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/logo.png",
        "//app.example/logo.png",
        "http://app.example/logo.png",
        "data:image/png;base64,AA==",
        "javascript:alert(1)",
        "com.example.app:/logo",
        "https://a@app.example/",
        "https://app.example;script-src",
        "https://app.example 'unsafe-inline'",
        "https://*.example/",
        "https:///logo",
        "https:",
        'https://app.example/"onerror',
        "https://app.example/" + "a" * 2000,
    ],
)
def test_an_address_that_could_say_more_than_an_origin_is_refused(address: str) -> None:
    """Its origin is written into a content security policy."""
    assert find_address_fault(address) is not None
