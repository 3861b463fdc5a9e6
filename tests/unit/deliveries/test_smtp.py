"""Delivery to a mail server over real sockets: what arrives, and the outcome of each kind of failure."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from authserver.deliveries import smtp
from authserver.deliveries.outcome import Deferred, Delivered, Failed, Undeliverable
from authserver.deliveries.smtp import SmtpCarrier
from authserver.deliveries.smtp_url import Encryption, SmtpServer
from authserver.mail.compose import Composer
from authserver.records.queued_mail import QueuedMail
from tests.support.people.mail import SENDER, read_text
from tests.support.wire.smtp import PASSWORD, USER, SmtpSink, make_certificate, smtp_server
from tests.support.world.processes import free_port

ADDRESS = "ada@example.test"
ENCRYPTED = [Encryption.STARTTLS, Encryption.AT_ONCE]
Outcome = Delivered | Deferred | Failed | Undeliverable


def send(server: SmtpServer, address: str = ADDRESS, name: str = "Ada") -> Outcome:
    mail = QueuedMail("mail-1", "user_deleted", address, None, {"name": name, "at": 1_700_000_000})
    message = Composer("https://auth.example", SENDER).compose(mail, None)
    return SmtpCarrier(server, SENDER.addr_spec).deliver(message, address)


def reason_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Failed)
    return outcome.reason


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the time limit of each step to half a second."""
    monkeypatch.setattr(smtp, "_STEP_SECONDS", 0.5)
    monkeypatch.setattr(smtp, "_ACCEPT_SECONDS", 0.5)


@pytest.fixture
def trusted_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificate of `localhost`, of an authority that this process trusts."""
    roots, chain = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    return chain


def test_a_message_arrives_as_it_was_written(mail_sink: SmtpSink) -> None:
    assert send(mail_sink.server, name="Zoë .\n.") == Delivered()
    (message,) = mail_sink.messages
    assert mail_sink.envelopes == [("no-reply@auth.example", [ADDRESS])]
    assert message["From"] == "Auth <no-reply@auth.example>"
    assert message["Message-ID"] == "<mail-1@auth.example>"
    assert "Zoë . ." in read_text(message)


@pytest.mark.parametrize("encryption", ENCRYPTED)
def test_a_login_goes_over_an_encrypted_connection(encryption: Encryption, trusted_chain: Path) -> None:
    with smtp_server(encryption, trusted_chain) as sink:
        assert send(sink.secured(encryption)) == Delivered()
    assert (sink.logins, len(sink.messages)) == ([USER.encode()], 1)


@pytest.mark.parametrize("encryption", ENCRYPTED)
def test_a_certificate_of_an_untrusted_authority_is_refused(encryption: Encryption, tmp_path: Path) -> None:
    """Such a server gets no password, no address and no message."""
    _, chain = make_certificate(tmp_path)
    with smtp_server(encryption, chain) as sink:
        assert "certificate verify failed" in reason_of(send(sink.secured(encryption)))
    assert (sink.logins, sink.messages) == ([], [])


@pytest.mark.parametrize("encryption", ENCRYPTED)
def test_the_certificate_of_another_host_is_refused(
    encryption: Encryption, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots, chain = make_certificate(tmp_path, "mail.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    with smtp_server(encryption, chain) as sink:
        assert "not valid for 'localhost'" in reason_of(send(sink.secured(encryption)))
    assert (sink.logins, sink.messages) == ([], [])


def test_without_starttls_nothing_is_sent(mail_sink: SmtpSink) -> None:
    """If the server, or an attacker in between, does not offer STARTTLS, no password is sent in clear."""
    assert "SMTPNotSupportedError" in reason_of(send(mail_sink.secured(Encryption.STARTTLS)))
    assert (mail_sink.logins, mail_sink.messages) == ([], [])


def test_a_wrong_password_is_a_failure_that_repeats_no_password(trusted_chain: Path) -> None:
    with smtp_server(Encryption.STARTTLS, trusted_chain) as sink:
        reason = reason_of(send(sink.secured(Encryption.STARTTLS, password="hunter2secret")))
    assert "535" in reason
    assert "hunter2secret" not in reason
    assert PASSWORD not in reason


@pytest.mark.parametrize(
    ("command", "answer", "outcome"),
    [
        ("RCPT", "550 5.1.1 <ada@example.test> is nobody here", Undeliverable),
        ("RCPT", "553 no such mailbox", Undeliverable),
        ("RCPT", "554 5.7.1 <ada@example.test> relay access denied", Deferred),
        ("RCPT", "450 4.2.0 greylisted, ada@example.test", Deferred),
        ("RCPT", "421 shutting down", Deferred),
        ("MAIL", "550 5.7.1 no-reply@auth.example may not send", Failed),
        ("MAIL", "451 later", Failed),
        ("DATA", "554 5.6.0 I do not like this", Deferred),
        ("DATA", "452 4.3.1 disk full", Deferred),
    ],
)
def test_only_a_permanently_refused_recipient_is_given_up(
    mail_sink: SmtpSink, command: str, answer: str, outcome: type[Deferred | Failed | Undeliverable]
) -> None:
    """An operator can correct what the server refuses about us, so such mails are kept. No reason repeats an address.

    After MAIL FROM, a refusal concerns only this recipient or message; other mails are delivered meanwhile.
    """
    mail_sink.answers[command] = answer
    came_to = send(mail_sink.server)
    assert isinstance(came_to, outcome)
    assert answer[:3] in came_to.reason
    assert "@" not in came_to.reason
    assert mail_sink.messages == []


def test_a_server_that_is_down_is_a_failure() -> None:
    assert "ConnectionRefusedError" in reason_of(send(SmtpServer("127.0.0.1", free_port(), Encryption.NEVER)))


def test_a_host_that_does_not_exist_is_a_failure() -> None:
    assert "gaierror" in reason_of(send(SmtpServer("mail.invalid", 25, Encryption.NEVER)))


def test_a_silent_server_is_a_failure(impatient: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = SmtpServer("127.0.0.1", silent.getsockname()[1], Encryption.NEVER)
        assert "timed out" in reason_of(send(server))


@pytest.mark.parametrize(("command", "outcome"), [("MAIL", Failed), ("RCPT", Deferred), ("DATA", Deferred)])
def test_a_slow_server_is_a_failure(
    mail_sink: SmtpSink, impatient: None, command: str, outcome: type[Deferred | Failed]
) -> None:
    mail_sink.stall = command
    came_to = send(mail_sink.server)
    assert isinstance(came_to, outcome)
    assert "timed out" in came_to.reason
    assert isinstance(came_to, Failed) or came_to.stalled == "@example.test"


def test_a_connection_lost_after_the_message_is_a_failure(mail_sink: SmtpSink) -> None:
    """It may have arrived, and is sent again: delivery is at least once."""
    mail_sink.hang_up = True
    came_to = send(mail_sink.server)
    assert isinstance(came_to, Deferred)
    assert "closed" in came_to.reason
    assert came_to.stalled is None
    assert len(mail_sink.messages) == 1


def test_a_server_that_fails_at_quit_has_the_message(mail_sink: SmtpSink) -> None:
    mail_sink.mute = True
    assert send(mail_sink.server) == Delivered()


def test_an_address_outside_ascii_is_delivered_if_the_server_supports_it(mail_sink: SmtpSink) -> None:
    assert send(mail_sink.server, "jörg@example.test") == Delivered()
    assert mail_sink.envelopes[0][1] == ["jörg@example.test"]


def test_an_address_outside_ascii_is_given_up_if_the_server_does_not_support_it() -> None:
    with smtp_server(utf8=False) as sink:
        assert isinstance(send(sink.server, "jörg@example.test"), Undeliverable)


def test_an_address_cannot_inject_a_command(mail_sink: SmtpSink, make_message: Callable[[str], object]) -> None:
    """A canonical address has no line break, and a message would not accept one, either."""
    with pytest.raises(ValueError, match="linefeed"):
        make_message("ada@example.test\r\nBcc: eve@example.test")


@pytest.fixture
def make_message() -> Callable[[str], object]:
    composer = Composer("https://auth.example", SENDER)
    return lambda address: composer.compose(QueuedMail("m", "user_deleted", address, None, {"at": 0}), None)
