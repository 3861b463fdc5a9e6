"""Calls over real sockets, with a resolver that answers as a hostile one would."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from authserver.outbound import Outbound, OutboundError
from authserver.outbound.calls import AT_ONCE
from tests.support.wire.loopback import Asked, LoopbackServer, Reply, running_server
from tests.support.wire.smtp import make_certificate


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with running_server() as server:
        server.body = b"document"
        yield server


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What serves TLS as `client.example`, by a certificate that this machine trusts."""
    roots, chain = make_certificate(tmp_path, "client.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def loopback(timeout: float = 5) -> Outbound:
    return Outbound({"127.0.0.1", "localhost"}, timeout=timeout)


def names(outbound: Outbound, url: str, limit: int = 100) -> str:
    """Why nothing is answered."""
    with pytest.raises(OutboundError) as refused:
        outbound.get(url, accept="application/json", limit=limit)
    return str(refused.value)


def test_an_answer_has_status_headers_and_body(server: LoopbackServer) -> None:
    server.status, server.headers = 404, {"Cache-Control": "max-age=60", "Content-Type": "text/plain"}
    answer = loopback().get(f"{server.url}/where?a=b", accept="application/json", limit=8)
    assert (answer.status, answer.body, answer.headers["cache-control"]) == (404, b"document", "max-age=60")
    assert server.paths == ["/where?a=b"]


def test_a_post_carries_its_body(server: LoopbackServer) -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Reply:
        asked.append(request)
        return Reply(b"", 204)

    server.answer = answer
    said = loopback().post(server.url, content_type="application/x-www-form-urlencoded", body=b"a=b", limit=0)
    assert (said.status, asked[0].method, asked[0].body) == (204, "POST", b"a=b")
    assert asked[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked[0].headers["host"] == urlsplit(server.url).netloc


def test_tls_is_checked_against_the_name_and_not_the_address(trusted: ssl.SSLContext) -> None:
    with running_server(trusted) as server:
        port = urlsplit(server.url).port
        for host, ok in (("client.example", True), ("other.example", False)):
            outbound = Outbound({host}, resolve=lambda _host, _port: ["127.0.0.1"])
            if ok:
                outbound.get(f"https://{host}:{port}/", accept="*/*", limit=100)
            else:
                assert "SSLCertVerificationError" in names(outbound, f"https://{host}:{port}/")
        assert len(server.paths) == 1


@pytest.mark.parametrize("found", [["127.0.0.1"], ["10.0.0.1"], ["::1"], ["93.184.216.34", "127.0.0.1"]])
def test_a_name_that_leads_into_a_private_network_is_not_called(server: LoopbackServer, found: list[str]) -> None:
    """Also one that has a public address beside it: which of them would be used is the resolver's choice."""
    outbound = Outbound(resolve=lambda _host, _port: found)
    assert "private network" in names(outbound, f"https://client.example:{urlsplit(server.url).port}/")
    assert server.paths == []


def test_a_name_is_looked_up_once(trusted: ssl.SSLContext) -> None:
    """A name that is public when it is checked and private when it is called (DNS rebinding) gets nowhere."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(f"{host}:{port}")
        return ["127.0.0.1"]

    with running_server(trusted) as server:
        outbound = Outbound({"client.example"}, resolve=resolve)
        port = urlsplit(server.url).port
        outbound.get(f"https://client.example:{port}/", accept="*/*", limit=100)
    assert asked == [f"client.example:{port}"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(server: LoopbackServer, status: int) -> None:
    server.status, server.headers = status, {"Location": f"{server.url}/elsewhere"}
    assert loopback().get(f"{server.url}/first", accept="*/*", limit=100).status == status
    assert server.paths == ["/first"]


def test_an_answer_that_is_too_long_is_none(server: LoopbackServer) -> None:
    assert "longer than 7 bytes" in names(loopback(), server.url, limit=7)


def test_an_answer_that_was_cut_off_is_none(server: LoopbackServer) -> None:
    server.headers = {"Content-Length": "9"}
    assert "cut off" in names(loopback(), server.url)


def test_a_compressed_answer_is_none(server: LoopbackServer) -> None:
    """Because its length would be unknown until it is unpacked."""
    server.headers = {"Content-Encoding": "gzip"}
    assert "compressed" in names(loopback(), server.url)


def stay_silent(server: LoopbackServer) -> None:
    server.gate.clear()


def drip(server: LoopbackServer) -> None:
    server.drip = 0.1


@pytest.mark.parametrize("be_slow", [stay_silent, drip])
def test_a_slow_server_keeps_neither_the_caller_nor_a_thread(
    server: LoopbackServer, be_slow: Callable[[LoopbackServer], None]
) -> None:
    """A server that sends one byte now and then keeps each read of a socket inside its own time-out."""
    be_slow(server)
    outbound = loopback(timeout=0.3)
    before = time.monotonic()
    assert "within 0.3 s" in names(outbound, server.url)
    assert time.monotonic() - before < 5
    deadline = time.monotonic() + 5
    while any(thread.name == "authserver-outbound" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the thread of an abandoned call still waits"
        time.sleep(0.01)


def test_the_calls_under_way_are_bounded(server: LoopbackServer) -> None:
    server.gate.clear()
    outbound = loopback(timeout=10)
    results: list[str] = []

    def call() -> None:
        try:
            outbound.get(server.url, accept="*/*", limit=100)
            results.append("answered")
        except OutboundError as error:
            results.append(str(error))

    threads = [threading.Thread(target=call) for _ in range(AT_ONCE + 5)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while len(results) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    server.gate.set()
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(results) == sorted([f"{AT_ONCE} calls are under way"] * 5 + ["answered"] * AT_ONCE)
    assert loopback().get(server.url, accept="*/*", limit=100).status == 200


def test_a_host_that_is_not_there_is_named_by_the_kind_of_failure() -> None:
    assert "cannot be reached" in names(loopback(), "http://127.0.0.1:9/")
    assert "gaierror" in names(Outbound(), "https://nowhere.invalid/")


def test_no_proxy_is_used(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look the name up once more, and reach what this machine may not."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert loopback().get(server.url, accept="*/*", limit=100).body == b"document"


def test_an_error_repeats_nothing_that_the_other_side_sent(server: LoopbackServer) -> None:
    server.headers = {"X": "secret\r\nbroken header"}
    server.body = b"secret"
    assert "secret" not in names(loopback(), server.url, limit=1)
