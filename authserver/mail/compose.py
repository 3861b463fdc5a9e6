"""Writes mails: from a queued mail and its link to a message in plain text and HTML.

Each template is a pair of files, `<template>.txt` and `.html`; the first line of the text is the subject. A file of the
same name in the operator's folder replaces the built-in one. User input never reaches a header.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from pathlib import Path
from typing import Final, final

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    select_autoescape,
)

from authserver.protocol.secret import Secret
from authserver.records.link import LinkPurpose
from authserver.records.queued_mail import QueuedMail

TEMPLATES: Final = frozenset(
    file.stem for file in (Path(__file__).parent / "templates").glob("*.txt") if not file.stem.startswith("_")
)
"""The template names under which mails can be queued."""

_UNITS: Final = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


class UnusableTemplateError(Exception):
    """A template cannot be used. The text is one line that names the file, without any content of the mail."""


@dataclass(frozen=True, slots=True)
class WrittenLink:
    """A link as written in a mail. Every copy of the mail holds the same `token`."""

    purpose: LinkPurpose
    token: Secret
    expires_at: datetime


@final
class Composer:
    """Writes the mails of one installation. Templates are read once; the operator's are tested before any mail."""

    __slots__ = ("_environment", "_issuer", "_sender")

    def __init__(self, issuer: str, sender: Address, overrides: Path | None = None) -> None:
        """Read the templates.

        Args:
            issuer: the URL that every link begins with; the host of a request is never used.
            sender: the From address.
            overrides: the operator's folder; it need not exist.

        Raises:
            UnusableTemplateError: an operator's file cannot be used, or has a name that no built-in file has.
        """
        self._issuer = issuer
        self._sender = sender
        own = PackageLoader("authserver.mail")
        replaced = [] if overrides is None else [FileSystemLoader(overrides)]
        self._environment = Environment(
            loader=ChoiceLoader([*replaced, own]),
            # The text part is plain text, so nothing in it is escaped.
            autoescape=select_autoescape(enabled_extensions=("html",), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        for loader in replaced:
            names = set(loader.list_templates())
            _refuse_unknown(names - set(own.list_templates()))
            if names:
                self._try_out()

    def compose(self, mail: QueuedMail, link: WrittenLink | None) -> EmailMessage:
        """Write the message for `mail`. The same arguments always give the same message, including its Message-ID.

        Raises:
            UnusableTemplateError: this release has no such template, or it cannot be rendered.
        """
        at = datetime.fromtimestamp(int(mail.parameters["at"] or 0), UTC)
        subject, text, html = self._render(mail.template, self._list_values(mail, link, at))
        message = EmailMessage(policy=SMTP if mail.address.isascii() else SMTPUTF8)
        message["From"] = self._sender
        message["To"] = mail.address
        message["Subject"] = subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{mail.mail_id}@{self._sender.domain}>"
        # RFC 3834 §5, and its counterpart for Exchange: they prevent automatic replies.
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(text, cte=_choose_encoding(text))
        message.add_alternative(html, subtype="html", cte=_choose_encoding(html))
        message.set_boundary(f"=_{mail.mail_id}")  # by default a random one
        return message

    def _list_values(self, mail: QueuedMail, link: WrittenLink | None, at: datetime) -> dict[str, object]:
        values: dict[str, object] = {
            **mail.parameters,
            "name": " ".join(str(mail.parameters.get("name") or "").split()),
            "at": _say_instant(at),
            "asked": _say_instant(datetime.fromtimestamp(int(mail.parameters.get("asked") or at.timestamp()), UTC)),
            "replaces": bool(mail.parameters.get("replaces")),
            "others": int(mail.parameters.get("others") or 0),
            "address": mail.address,
            "service": self._issuer,
        }
        if link is not None:
            values["link"] = f"{self._issuer}{link.purpose.path}?token={link.token.reveal()}"
            values["link_until"] = _say_instant(link.expires_at)
            lifetime = link.expires_at - at
            values["link_lifetime"] = say_lifetime(lifetime - lifetime % timedelta(minutes=1))
        return values

    def _render(self, template: str, values: dict[str, object]) -> tuple[str, str, str]:
        """Render subject, text and HTML."""
        name = f"{template}.txt"
        try:
            first, _, text = self._environment.get_template(name).render(values).partition("\n")
            subject = " ".join("".join(c if c.isprintable() else " " for c in first).split())
            name = f"{template}.html"
            html = self._environment.get_template(name).render(values, subject=subject)
        except TemplateError as error:
            # The text of the error quotes the template, never a value.
            raise UnusableTemplateError(f"the mail template {name} cannot be used: {_say_error(error)}") from None
        if not subject or not text.strip():
            raise UnusableTemplateError(f"the mail template {template}.txt needs a subject and text below it")
        return subject, text.strip("\n") + "\n", html

    def _try_out(self) -> None:
        for template in sorted(TEMPLATES):
            for name in ("Ada", ""):
                mail = QueuedMail("mail_id", template, "ada@example.test", None, {"name": name, "at": 0})
                link = WrittenLink(LinkPurpose.NOT_ME, Secret("token"), datetime.fromtimestamp(0, UTC))
                self.compose(mail, link)


def say_lifetime(lifetime: timedelta) -> str:
    """Write a duration in words, in the largest unit that gives a whole number."""
    for unit, word in _UNITS:
        count, rest = divmod(lifetime, unit)
        if not rest:
            return f"{count} {word}" if count == 1 else f"{count} {word}s"
    return f"{lifetime // timedelta(seconds=1)} seconds"


def _say_instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _say_error(error: TemplateError) -> str:
    lineno = getattr(error, "lineno", None)
    return f"{error.message or type(error).__name__}" + (f" (line {lineno})" if lineno else "")


def _refuse_unknown(names: set[str]) -> None:
    if names:
        raise UnusableTemplateError(f"there is no mail template {min(names)} to replace")


def _choose_encoding(text: str) -> str:
    # Unencoded where allowed (RFC 5322 §2.1.1), so that a link can be copied from a file.
    plain = text.isascii() and all(len(line) < 990 for line in text.splitlines())  # noqa: PLR2004 - 998 with room
    return "7bit" if plain else "quoted-printable"
