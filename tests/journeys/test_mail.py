"""Mail of a server as its operator runs it: by SMTP, as files without it, and templates that are his own."""

import json
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.people.mail import read_link_page, read_mails
from tests.support.wire.http import HttpClient
from tests.support.wire.smtp import SmtpSink
from tests.support.world.processes import wait_until
from tests.support.world.server import Installation, Server, install, serving

ADDRESS = "ada@example.test"


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Installation:
    return install(tmp_path, database_url, REQUIRE_VERIFIED_EMAIL="true")


def register(server: Server) -> None:
    """Register under another host than the server's own."""
    body = json.dumps({"email": ADDRESS, "password": "correct horse battery staple", "name": "Ada"}).encode()
    headers = {"Content-Type": "application/json", "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    with HttpClient(server.port) as client:
        assert client.request("POST", "/api/register", body, headers).status == 202


def check(messages: list[EmailMessage], server: Server) -> EmailMessage:
    assert len(messages) == 1
    assert messages[0]["To"] == ADDRESS
    assert read_link_page(messages[0]) == f"{server.url}/email/confirm"
    return messages[0]


def test_without_smtp_mails_are_files_and_that_is_said_once(installation: Installation) -> None:
    folder = Path(installation.settings["HOME"]) / "mail"
    with serving(installation) as server:
        wait_until(lambda: "AUTHSERVER_SMTP_URL" in server.log, "the word about mails")
        register(server)
        wait_until(lambda: bool(read_mails(folder)), "the mail")
        check(read_mails(folder), server)
        told = [line for line in server.log.splitlines() if "AUTHSERVER_SMTP_URL" in line]
    place = f"AUTHSERVER_SMTP_URL is not set: mails are not sent, but written to {folder}"
    assert [json.loads(line)["said"] for line in told] == [
        f"{place}; new users cannot sign in before the link in their mail is opened"
    ]


def test_with_smtp_mails_are_sent_soon_and_nothing_is_said(
    tmp_path: Path, database_url: str, mail_sink: SmtpSink
) -> None:
    installation = install(
        tmp_path,
        database_url,
        REQUIRE_VERIFIED_EMAIL="true",
        SMTP_URL=f"smtp://127.0.0.1:{mail_sink.port}",
        MAIL_FROM="Example <no-reply@auth.example>",
    )
    with serving(installation) as server:
        register(server)
        wait_until(lambda: bool(mail_sink.messages), "the mail")
        assert check(mail_sink.messages, server)["From"] == "Example <no-reply@auth.example>"
        assert "SMTP" not in server.log
    assert not (Path(installation.settings["HOME"]) / "mail").exists()


def test_a_template_that_is_broken_keeps_the_server_from_starting(installation: Installation) -> None:
    """In one line, before the first worker: not in the log, a day later, mail by mail."""
    templates = Path(installation.settings["HOME"]) / "templates" / "mail"
    templates.mkdir(parents=True)
    (templates / "confirm_email.txt").write_text("Welcome\n\n{{ lnik }}\n")
    refused = installation.run("serve", "--port", str(installation.port))
    assert (refused.returncode, refused.stderr) == (
        1,
        "Error: the mail template confirm_email.txt cannot be used: 'lnik' is undefined\n",
    )


def test_a_template_that_is_broken_later_takes_nothing_down(installation: Installation) -> None:
    """A worker that begins after it was broken serves; mails wait until it is set right."""
    home = Path(installation.settings["HOME"])
    templates = home / "templates" / "mail"
    templates.mkdir(parents=True)
    with serving(installation, workers=1) as server:
        (templates / "confirm_email.txt").write_text("Welcome\n\n{{ lnik }}\n")
        killed = server.kill_worker()
        wait_until(lambda: server.worker_pids() not in ([], [killed]), "another worker")
        register(server)
        wait_until(lambda: "'lnik' is undefined" in server.log, "the word about the template")
        (templates / "confirm_email.txt").write_text("Welcome\n\n{{ link }}\n")
        wait_until(lambda: bool(read_mails(home / "mail")), "the mail")
        assert read_mails(home / "mail")[0]["Subject"] == "Welcome"
