"""Mails say who, what, when and what to do. User input never reaches a header, and links begin with the issuer."""

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typing_extensions import override

from authserver.credentials.events import EVENTS, CredentialEvent
from authserver.credentials.events.base import UserEvent
from authserver.mail.compose import TEMPLATES, Composer, UnusableTemplateError, WrittenLink, say_lifetime
from authserver.protocol.secret import Secret
from authserver.records.link import LinkPurpose
from authserver.records.queued_mail import QueuedMail
from tests.support.people.mail import SENDER, read_link, read_link_page, read_text
from tests.support.world.clock import START

ISSUER = "https://auth.example/realms/one"
ADDRESS = "ada@example.test"
TOKEN = "lt_" + "Ab-_" * 16
LINK = WrittenLink(LinkPurpose.NOT_ME, Secret(TOKEN), START + timedelta(days=7))

ASKED = {
    "email_change",
    "email_taken",
    "email_change_asked",
    "password_reset_asked",
    "register_taken",
    "confirm_email",
    "confirm_account",
}
"""What use cases queue besides the notices of events."""

UNLINKED = {"email_changed_new", "email_taken", "user_deleted"}


def compose(
    template: str = "password_changed",
    *,
    link: WrittenLink | None = LINK,
    overrides: Path | None = None,
    **parameters: str,
) -> EmailMessage:
    mail = QueuedMail("mail-1", template, ADDRESS, None, {"at": int(START.timestamp()), **parameters})
    return Composer(ISSUER, SENDER, overrides).compose(mail, link)


def read_html(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    content: str = part.get_content()
    return content


def notices_of(event: type[CredentialEvent]) -> set[str]:
    """List the templates that an event of this type may use."""
    made = event(**dict.fromkeys((field.name for field in fields(event)), "x"))
    return {notice.template for notice in made.notices(ADDRESS)}


class Links(HTMLParser):
    """Collects the targets of links, and checks that every opened element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets: list[str | None] = []
        self.open: list[str] = []
        self.feed(html)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.targets.append(dict(attrs)["href"])
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    "event", [event for event in EVENTS if event.POLICY.notify or "notify" in event.adjustable], ids=lambda e: e.name
)
def test_every_event_that_may_notify_has_its_templates(event: type[CredentialEvent]) -> None:
    """ASVS 6.3.7: users get a mail about changes of their credentials, for every event that can be set to notify."""
    if issubclass(event, UserEvent):
        assert notices_of(event) <= TEMPLATES


def test_there_is_no_template_that_nobody_queues() -> None:
    told = set().union(*(notices_of(event) for event in EVENTS if issubclass(event, UserEvent)))
    assert told | ASKED >= TEMPLATES
    assert ASKED <= TEMPLATES


@pytest.mark.parametrize("template", sorted(TEMPLATES))
@pytest.mark.parametrize("name", ["Ada", ""])
def test_every_template_contains_what_it_must_in_text_and_html(template: str, name: str) -> None:
    link = None if template in UNLINKED else LINK
    message = compose(template, link=link, name=name)
    text, html = read_text(message), read_html(message)
    assert text.startswith(f"Hello {name},\n" if name else "Hello,\n")
    for part in (text, html):
        assert "2026-01-01 12:00 UTC" in part
        assert ISSUER in part
        assert "None" not in part
        assert "{" not in re.sub(r"<style.*</style>", "", part)
    assert "\n\n\n" not in text
    assert max(len(line) for line in text.splitlines() if "://" not in line) <= 78
    links = Links(html)
    assert links.open == []
    assert links.targets == ([] if link is None else [f"{ISSUER}/not-me?token={TOKEN}"])
    if link is not None:
        assert read_link(message) == TOKEN
        assert "until 2026-01-08 12:00 UTC (7 days)" in text
    assert 10 < len(message["Subject"]) < 70


def test_text_and_html_have_the_same_words() -> None:
    """The two files of a mail must not differ in their words."""

    def words(text: str) -> list[str]:
        text = re.sub(r"&quot;|&#34;", '"', re.sub(r"<[^>]+>", " ", text.partition("</head>")[2] or text))
        text = re.sub(rf"(In full: )?{re.escape(ISSUER)}/not-me\S+", " ", text)
        return re.findall(r"[\w']+", text)

    for template in TEMPLATES - UNLINKED:
        message = compose(template, name="Ada")
        in_html = words(read_html(message))
        assert set(words(read_text(message))) <= set(in_html), template


@pytest.mark.parametrize("purpose", LinkPurpose)
def test_the_link_is_built_from_the_issuer_and_opens_the_page_of_its_purpose(purpose: LinkPurpose) -> None:
    message = compose(link=WrittenLink(purpose, Secret(TOKEN), START + purpose.lifetime))
    assert read_link_page(message) == f"{ISSUER}{purpose.path}"
    assert f"({say_lifetime(purpose.lifetime)})" in read_text(message)


def test_the_headers_prevent_automatic_replies() -> None:
    message = compose()
    assert {name: str(value) for name, value in message.items() if name != "Content-Type"} == {
        "From": "Auth <no-reply@auth.example>",
        "To": ADDRESS,
        "Subject": "Your password was changed",
        "Date": "Thu, 01 Jan 2026 12:00:00 +0000",
        "Message-ID": "<mail-1@auth.example>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
    }


def test_every_copy_of_a_mail_has_the_same_bytes() -> None:
    """A duplicate can be recognised by its Message-ID."""
    assert compose(name="Zoë").as_bytes() == compose(name="Zoë").as_bytes()


@pytest.mark.parametrize(
    "name", ["A\r\nBcc: eve@example.test", "A\nB", "A\r\n\r\n<script>", "A\x0bB\x85C\u2028D", "<b>&"]
)
def test_a_name_stays_in_its_line_and_is_escaped(name: str) -> None:
    message = compose(name=name)
    again = message_from_bytes(message.as_bytes(), policy=SMTP)
    assert again.keys() == message.keys()
    assert again["Bcc"] is None
    assert read_text(message).splitlines()[1] == ""
    assert "<script>" not in read_html(message)
    assert "<b>" not in read_html(message)


def test_a_link_can_be_copied_from_the_raw_message() -> None:
    """In a file in HOME/mail, the link is complete and on one line."""
    assert f"{ISSUER}/not-me?token={TOKEN}\n" in compose(name="Ada").as_bytes().decode().replace("\r\n", "\n")


def test_an_operators_file_replaces_the_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "password_changed.txt").write_text("Näw {{ name }}\r\n\nGo to {{ link }}\n")
    message = compose(overrides=tmp_path, name="A\r\nBcc: eve@example.test")
    assert message["Subject"] == "Näw A Bcc: eve@example.test"
    assert read_text(message) == f"Go to {ISSUER}/not-me?token={TOKEN}\n"
    assert "was changed by somebody who knew" in read_html(message)
    assert message_from_bytes(message.as_bytes(), policy=SMTP)["Bcc"] is None


def test_an_operators_layout_applies_to_every_mail(tmp_path: Path) -> None:
    (tmp_path / "_end.txt").write_text("Example Ltd, Old Street\n")
    assert read_text(compose(overrides=tmp_path)).endswith("\nExample Ltd, Old Street\n")


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("pasword_changed.txt", "x\n\nx", "there is no mail template pasword_changed.txt to replace"),
        ("password_changed.txt", "x\n\n{{ lnik }}", "password_changed.txt cannot be used: 'lnik' is undefined"),
        ("password_changed.html", "{% if %}", "password_changed.html cannot be used: Expected an expression"),
        ("password_changed.txt", "\n\nx", "password_changed.txt needs a subject and text below it"),
        ("password_changed.txt", "x", "password_changed.txt needs a subject and text below it"),
        ("_hello.txt", "{{ nobody }}", "'nobody' is undefined"),
    ],
)
def test_an_unusable_template_is_found_before_any_mail(tmp_path: Path, file: str, content: str, problem: str) -> None:
    (tmp_path / file).write_text(content)
    with pytest.raises(UnusableTemplateError) as caught:
        Composer(ISSUER, SENDER, tmp_path)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_template_is_named_in_the_error() -> None:
    with pytest.raises(UnusableTemplateError, match=r"from_tomorrow\.txt"):
        compose("from_tomorrow")


@pytest.mark.parametrize(
    ("lifetime", "words"),
    [
        (timedelta(minutes=15), "15 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=7), "7 days"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=61), "61 seconds"),
    ],
)
def test_lifetimes_are_written_in_words(lifetime: timedelta, words: str) -> None:
    assert say_lifetime(lifetime) == words


def test_instants_are_written_in_utc() -> None:
    link = WrittenLink(LinkPurpose.RESET_PASSWORD, Secret(TOKEN), datetime(2026, 1, 1, 12, 15, 59, tzinfo=UTC))
    assert "until 2026-01-01 12:15 UTC (15 minutes)" in read_text(compose("password_reset_asked", link=link))
