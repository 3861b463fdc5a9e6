"""A mail server in the test process, with real sockets, real TLS, and the failures that a test chooses."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

from authserver.deliveries.smtp_url import Encryption, SmtpServer
from authserver.protocol.secret import Secret
from tests.support.world.processes import free_port

USER, PASSWORD = "authserver", "correct relay battery"
FOREVER = 60.0


@dataclass
class SmtpSink:
    """The mails that a running server received, and its answers: one set here for a command replaces its own.

    `refused` has the answers to RCPT for single recipients. RCPT for recipients in `slow` is answered only when the
    server ends, and so is the command `stall`, if set. `hang_up` drops the connection right after a complete message
    was received; `mute` drops it instead of answering QUIT.
    """

    port: int
    answers: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    tried: list[str] = field(default_factory=list)
    stall: str | None = None
    hang_up: bool = False
    mute: bool = False
    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def server(self) -> SmtpServer:
        """The server as a setting without encryption."""
        return SmtpServer("localhost", self.port, Encryption.NEVER)

    def secured(self, encryption: Encryption, host: str = "localhost", password: str = PASSWORD) -> SmtpServer:
        """The server as a setting with this encryption and a login."""
        return SmtpServer(host, self.port, encryption, (USER, Secret(password)))

    def keep(self, envelope: Envelope) -> None:
        """Receive a message."""
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=SMTPUTF8)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.envelopes.append((str(envelope.mail_from), [str(one) for one in envelope.rcpt_tos]))

    def authenticate(self, _server: object, _session: object, _envelope: object, _how: str, data: object) -> AuthResult:
        """Accept the only user."""
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)


class _Handler:
    def __init__(self, sink: SmtpSink, ended: threading.Event) -> None:
        self._sink = sink
        self._ended = ended

    async def handle_EHLO(  # noqa: N802 - aiosmtpd finds it by this name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._answer(server, "MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        self._sink.tried.append(address)
        if address in self._sink.slow:
            await self._wait(server)
        return self._sink.refused.get(address) or await self._answer(server, "RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await self._answer(server, "DATA", "250 OK")
        if answer.startswith("250"):
            self._sink.keep(envelope)
        if self._sink.hang_up:
            _drop(server)
        return answer

    async def handle_QUIT(self, server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        if self._sink.mute:
            _drop(server)
        return "221 Bye"

    async def _answer(self, server: SMTP, command: str, usual: str) -> str:
        if self._sink.stall == command:
            await self._wait(server)
        return self._sink.answers.get(command, usual)

    async def _wait(self, server: SMTP) -> None:
        await server.loop.run_in_executor(None, self._ended.wait, FOREVER)


def _drop(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


class _Controller(Controller):
    def __init__(self, sink: SmtpSink, handler: _Handler, **options: Any) -> None:  # noqa: ANN401 - aiosmtpd's own
        self._sink = sink
        super().__init__(handler, hostname="127.0.0.1", port=sink.port, **options)

    @override
    def factory(self) -> Any:
        self._sink.connections += 1
        return super().factory()  # type: ignore[no-untyped-call]


@contextmanager
def smtp_server(
    encryption: Encryption = Encryption.NEVER, chain: Path | None = None, *, utf8: bool = True, port: int | None = None
) -> Iterator[SmtpSink]:
    """Run a server on a free port. With an encryption, it demands a login, and `chain` is its certificate and key."""
    sink, ended = SmtpSink(port or free_port()), threading.Event()
    options: dict[str, Any] = {"enable_SMTPUTF8": utf8}
    if encryption is not Encryption.NEVER:
        assert chain is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        options["authenticator"] = sink.authenticate
        if encryption is Encryption.AT_ONCE:
            # aiosmtpd does not count this as encrypted, and warns when it must not.
            options |= {"ssl_context": context, "auth_require_tls": False}
        else:
            options |= {"tls_context": context, "require_starttls": True, "auth_required": True}
    controller = _Controller(sink, _Handler(sink, ended), **options)
    controller.start()
    sink.connections = 0  # its own try
    try:
        yield sink
    finally:
        ended.set()
        controller.stop()


def make_certificate(folder: Path, host: str = "localhost") -> tuple[Path, Path]:
    """Create an authority and a certificate for `host`; return two PEM files: the authority, and chain with key."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certify("authority", authority_key, authority_key, "authority", is_authority=True)
    certificate = _certify(host, key, authority_key, "authority", is_authority=False)
    roots, chain = folder / f"{host}-roots.pem", folder / f"{host}-chain.pem"
    roots.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return roots, chain


def _certify(
    name: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, issuer: str, *, is_authority: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(by, hashes.SHA256())
    )
