"""Which URLs and addresses may be called."""

from ipaddress import ip_address

import pytest

from authserver.outbound.reach import check_url, is_public

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - nothing listens here
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.9.10",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fc00::1",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:a00:1::",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_outside_the_public_internet_is_not_called(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_a_public_address_is_called(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_url_that_names_a_private_address_is_refused(scheme: str, address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(ValueError, match="private network"):
        check_url(f"{scheme}://{host}/path")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://client.example/jwks", "https"),
        ("ftp://client.example/jwks", "https"),
        ("file:///etc/passwd", "host"),
        ("//client.example/jwks", "https"),
        ("/jwks", "host"),
        ("", "host"),
        ("https:///jwks", "host"),
        ("https://client.example:0/", "host"),
        ("https://client.example:99999/", "must be a URL"),
        ("https://[::1/", "must be a URL"),
        ("https://user@client.example/", "credentials"),
        ("https://user:secret@client.example/", "credentials"),
        ("https://client.example/#part", "fragment"),
        ("https://client.example/#", "fragment"),
        ("https://client.example/a b", "host|printable"),
        ("https://client.example\\@10.0.0.1/", "printable"),
        ("https://client.example/\r\nHost: other", "printable"),
        ("https://clïent.example/", "printable"),
        ("https://client.example/" + "a" * 2000, "2000"),
        ("https://localhost/", "private network"),
        ("https://LOCALHOST:8443/", "private network"),
        ("http://localhost/", "private network"),
    ],
)
def test_a_url_of_another_shape_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_url(url)


def test_a_host_that_the_operator_allowed_may_be_private() -> None:
    allowed = {"localhost", "127.0.0.1", "::1", "10.0.0.5", "intranet.example"}
    for url in (
        "https://localhost/",
        "http://localhost:3000/hook",
        "http://127.0.0.1:3000/hook",
        "http://[::1]:3000/hook",
        "https://10.0.0.5/hook",
        "https://intranet.example/hook",
    ):
        check_url(url, allowed)


@pytest.mark.parametrize("url", ["http://10.0.0.5/hook", "http://intranet.example/hook"])
def test_plain_http_never_leaves_this_machine(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        check_url(url, {"10.0.0.5", "intranet.example"})
