"""One document over HTTP, against a real server on loopback."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authserver.verifier.fetch import Fetched, FetchError, check_url, fetch
from tests.support.wire.loopback import LoopbackServer, running_server


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with running_server() as server:
        server.body = b"document"
        yield server


def get(server: LoopbackServer, *, timeout: float = 5, largest: int = 100) -> Fetched:
    return fetch(server.url, timeout=timeout, largest=largest)


@pytest.mark.parametrize(
    ("headers", "fresh_for"),
    [
        ({}, None),
        ({"Cache-Control": "public, max-age=300"}, 300),
        ({"Cache-Control": "MAX-AGE=7, public"}, 7),
        ({"Cache-Control": "public, max-age=300", "Age": "250"}, 50),
        ({"Cache-Control": "public, max-age=300", "Age": "900"}, 0),
        ({"Cache-Control": "public, max-age=300", "Age": "soon"}, 300),
        ({"Cache-Control": "s-maxage=9"}, None),
        ({"Cache-Control": "max-age=-1"}, None),
    ],
)
def test_a_document_comes_with_its_freshness(
    server: LoopbackServer, headers: dict[str, str], fresh_for: int | None
) -> None:
    """RFC 9111 §4.2: time spent in a shared cache is not had again."""
    server.headers = headers
    assert (get(server).body, get(server).fresh_for) == (b"document", fresh_for)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 303, 307, 308, 400, 404, 500, 503])
def test_any_other_status_is_a_failure_and_redirects_are_not_followed(server: LoopbackServer, status: int) -> None:
    """ASVS 9.1.3: whoever can redirect must not choose where keys come from."""
    server.status = status
    server.headers = {"Location": f"{server.url}/elsewhere"}
    with pytest.raises(FetchError, match=f"status {status}"):
        get(server)
    assert server.paths == ["/"]


def test_a_document_at_the_size_cap_is_read_and_one_above_it_is_refused(server: LoopbackServer) -> None:
    server.body = b"x" * 100
    assert get(server).body == server.body
    server.body = b"x" * 101
    with pytest.raises(FetchError, match="more than 100 bytes"):
        get(server)


def test_an_answer_that_drips_is_given_up_in_time(server: LoopbackServer) -> None:
    """A time-out of the socket alone would wait for minutes here: each byte starts it anew."""
    server.drip = 0.05
    started_at = time.monotonic()
    with pytest.raises(FetchError, match=r"within 0\.3 s"):
        get(server, timeout=0.3)
    assert time.monotonic() - started_at < 3


def test_nobody_there_is_a_failure() -> None:
    with running_server() as server:
        pass
    with pytest.raises(FetchError):
        get(server)


def test_a_body_that_was_cut_off_is_a_failure(server: LoopbackServer) -> None:
    server.headers = {"Content-Length": "1000"}
    with pytest.raises(FetchError, match="cut off"):
        get(server, largest=2000)


def test_something_else_than_http_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        talker = threading.Thread(target=greet, args=(listening,))
        talker.start()
        with pytest.raises(FetchError, match="BadStatusLine"):
            fetch(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=5, largest=100)
        talker.join()


def greet(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"220 mail.example ESMTP\r\n")


def test_a_host_with_a_certificate_of_its_own_is_refused(tmp_path: Path) -> None:
    """ASVS 12.3.1, 12.3.2: certificates are checked, and nothing turns that off."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(write_certificate(tmp_path))
    with running_server(tls) as server, pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED"):
        get(server)
    assert server.hits == 0


def write_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "self-signed.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize(
    "url",
    [
        "https://auth.example",
        "https://auth.example:8443/a?b=c",
        "http://127.0.0.1:8000",
        "http://[::1]",
        "http://localhost/x",
    ],
)
def test_https_and_loopback_are_allowed(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "auth.example",
            "http://auth.example",
            "http://10.0.0.1",
            "http://localhost.example",
            "http://127.0.0.1.nip.io",
        ),
        *(
            "file:///etc/passwd",
            "ftp://127.0.0.1",
            "data:,x",
            "https://",
            "https://u:p@auth.example",
            "https://auth.example#x",
            "http://127.0.0.1:99999",
            "http://127.0.0.1:0",
            "http://127.0.0.1:x",
            "http://[::1",
        ),
    ],
)
def test_any_other_place_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|[Pp]ort"):
        check_url(url)
