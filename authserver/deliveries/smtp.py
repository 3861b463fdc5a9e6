"""Delivery to a mail server, with one connection per message and ten seconds for each step."""

import re
import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from typing import Final, assert_never, final

from authserver.deliveries.outcome import Deferred, Delivered, Failed, Undeliverable
from authserver.deliveries.smtp_url import Encryption, SmtpServer

_STEP_SECONDS: Final = 10
_ACCEPT_SECONDS: Final = 40
"""For the answer to the whole message: a server may check for spam first, and giving up early would send it twice."""

_OK: Final = range(200, 300)
_NEVER: Final = range(500, 600)
_ABOUT_US: Final = re.compile(rb"5\.7\.")  # RFC 3463 §3.8: a policy, such as "relaying denied", not the recipient


@final
class SmtpCarrier:
    """Hands messages to one mail server. `sender` receives the bounces."""

    __slots__ = ("_context", "_sender", "_server")

    def __init__(self, server: SmtpServer, sender: str) -> None:
        """Prepare; connect to nothing yet. The trusted authorities are the system's, or those in SSL_CERT_FILE."""
        self._server = server
        self._sender = sender
        self._context = ssl.create_default_context()

    def deliver(self, message: EmailMessage, address: str) -> Delivered | Deferred | Failed | Undeliverable:
        """Hand `message` to the mail server, to be delivered to `address`."""
        try:
            smtp = self._connect()
            try:
                self._prepare(smtp)
                return self._begin(smtp, message, address)
            finally:
                # The outcome is already known: a failing QUIT changes nothing.
                with suppress(smtplib.SMTPException, OSError):
                    smtp.quit()
                smtp.close()
        except smtplib.SMTPResponseException as error:
            return Failed(_name_answer(error))
        except (smtplib.SMTPException, OSError) as error:
            return Failed(f"{type(error).__name__}: {error}")

    def _connect(self) -> smtplib.SMTP:
        # A name for EHLO is given, because smtplib would look it up, which takes long without a resolver.
        name = self._sender.rpartition("@")[2]
        host, port = self._server.host, self._server.port
        match self._server.encryption:
            case Encryption.AT_ONCE:
                return smtplib.SMTP_SSL(host, port, name, timeout=_STEP_SECONDS, context=self._context)
            case Encryption.STARTTLS | Encryption.NEVER:
                return smtplib.SMTP(host, port, name, timeout=_STEP_SECONDS)
            case _:
                assert_never(self._server.encryption)

    def _prepare(self, smtp: smtplib.SMTP) -> None:
        if self._server.encryption is Encryption.STARTTLS:
            smtp.starttls(context=self._context)  # raises if the server does not offer it
        if self._server.login is not None:
            user, password = self._server.login
            smtp.login(user, password.reveal())
        smtp.ehlo_or_helo_if_needed()

    def _begin(
        self, smtp: smtplib.SMTP, message: EmailMessage, address: str
    ) -> Delivered | Deferred | Failed | Undeliverable:
        """Begin the transaction. Up to MAIL FROM, a failure concerns all messages; afterwards, only this one."""
        options = [] if address.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
        if options and not smtp.has_extn("smtputf8"):
            return Undeliverable("the mail server takes no address outside ASCII (SMTPUTF8)")
        code, _ = smtp.mail(self._sender, options)
        if code not in _OK:
            return Failed(f"the mail server answered {code} to MAIL FROM")
        try:
            return self._hand_over(smtp, message, address)
        except smtplib.SMTPResponseException as error:
            return Deferred(_name_answer(error))
        except (smtplib.SMTPException, OSError) as error:
            # smtplib reports its own time-outs as a closed connection
            stalled = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
            domain = f"@{address.rpartition('@')[2]}"
            return Deferred(f"{type(error).__name__}: {error}", stalled=domain if stalled else None)

    def _hand_over(
        self, smtp: smtplib.SMTP, message: EmailMessage, address: str
    ) -> Delivered | Deferred | Undeliverable:
        code, text = smtp.rcpt(address)
        if code in _NEVER and not _ABOUT_US.match(text):
            return Undeliverable(f"the mail server answered {code} to RCPT TO")
        if code not in _OK:
            return Deferred(f"the mail server answered {code} to RCPT TO")
        if smtp.sock is not None:
            smtp.sock.settimeout(_ACCEPT_SECONDS)
        code, _ = smtp.data(message.as_bytes())
        return Delivered() if code in _OK else Deferred(f"the mail server answered {code} to the message")


def _name_answer(error: smtplib.SMTPResponseException) -> str:
    # The text of the error comes from the server and often repeats addresses.
    return f"{type(error).__name__}: the mail server answered {error.smtp_code}"
