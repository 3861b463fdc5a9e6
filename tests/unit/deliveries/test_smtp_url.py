"""Parsing of the settings for the mail server and the sender."""

import pytest

from authserver.deliveries.smtp_url import (
    SENDER_REMEDY,
    SMTP_REMEDY,
    Encryption,
    SmtpServer,
    read_sender,
    read_smtp_url,
)
from authserver.protocol.secret import Secret

LOGIN = ("authserver@example", Secret("p@ss:/word"))


@pytest.mark.parametrize(
    ("text", "server"),
    [
        (
            "smtp://authserver%40example:p%40ss%3A%2Fword@mail.example",
            SmtpServer("mail.example", 587, Encryption.STARTTLS, LOGIN),
        ),
        ("smtp://mail.example:25/", SmtpServer("mail.example", 25, Encryption.STARTTLS)),
        ("smtps://mail.example", SmtpServer("mail.example", 465, Encryption.AT_ONCE)),
        ("smtps://localhost:4650", SmtpServer("localhost", 4650, Encryption.AT_ONCE)),
        ("smtp://10.0.0.5", SmtpServer("10.0.0.5", 587, Encryption.STARTTLS)),
        ("smtp://localhost:1025", SmtpServer("localhost", 1025, Encryption.NEVER)),
        ("smtp://127.0.0.1:25", SmtpServer("127.0.0.1", 25, Encryption.NEVER)),
        ("smtp://[::1]:25", SmtpServer("::1", 25, Encryption.NEVER)),
    ],
)
def test_only_a_loopback_address_is_used_without_encryption(text: str, server: SmtpServer) -> None:
    assert read_smtp_url(text) == server


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mail.example:587",
        "http://mail.example",
        "smtp://",
        "smtp://:25",
        "smtp://mail.example:0",
        "smtp://mail.example:99999",
        "smtp://mail.example:port",
        "smtp://mail.example/path",
        "smtp://mail.example?tls=off",
        "smtp://mail.example#x",
        "smtp://user@mail.example",
        "smtp://:password@mail.example",
        "smtp://user:pass%0d%0aword@mail.example",
        "smtp://mail .example",
        "smtp://mail.example\n",
        "smtp://mäil.example",
        "smtp://[::1",
    ],
)
def test_an_invalid_url_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        read_smtp_url(text)
    assert str(caught.value) == SMTP_REMEDY


def test_a_server_does_not_show_its_password() -> None:
    assert "p@ss" not in repr(read_smtp_url("smtp://authserver:p%40ss@mail.example"))


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("no-reply@auth.example", "no-reply@auth.example"),
        ("Example Ltd <no-reply@auth.example>", "Example Ltd <no-reply@auth.example>"),
        ('"Example, Ltd" <no-reply@auth.example>', '"Example, Ltd" <no-reply@auth.example>'),
        ("Beispiel Größe <no-reply@auth.example>", "Beispiel Größe <no-reply@auth.example>"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_a_sender_is_an_address_with_an_optional_name(text: str, header: str) -> None:
    assert str(read_sender(text)) == header


@pytest.mark.parametrize(
    "text",
    [
        "",
        "auth.example",
        "<>",
        "Example <>",
        "a@auth.example, b@auth.example",
        "a@auth.example\r\nBcc: eve@example.test",
        "undisclosed-recipients:;",
        "all: a@auth.example;",
        "no reply@auth.example",
        "ä@auth.example",
        "a@äuth.example",
        "a@[127.0.0.1]",
    ],
)
def test_an_invalid_sender_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        read_sender(text)
    assert str(caught.value) == SENDER_REMEDY
